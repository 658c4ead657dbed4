"""`advisor health`: whether a server serves, for whoever watches it."""

from __future__ import annotations

import os
from typing import Annotated

import typer
from rich.console import Console

from advisor.cli.extras import require
from advisor.errors import Unavailable

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("health", rich_help_panel="Look after a server")(health)


def health(
    server: Annotated[
        str | None,
        typer.Option(help="Address of the server; else ADVISOR_SERVER, else ADVISOR_PORT of this machine."),
    ] = None,
    service: Annotated[
        str,
        typer.Option(
            help="Such as advisor.v1.ExecutionService, which needs the models.", show_default="the server"
        ),
    ] = "",
    timeout: Annotated[float, typer.Option(help="Seconds to wait for an answer.", min=0.1, max=60.0)] = 5.0,
) -> None:
    """Say whether a server serves; ends with 2 where it does not. It needs no token, and starts no server."""
    require("health", ["grpc_health"])
    from advisor.client.credentials import credentials_from
    from advisor.client.health import is_serving
    from advisor.environment import check_environment

    check_environment()
    target = (
        server or os.environ.get("ADVISOR_SERVER") or f"localhost:{os.environ.get('ADVISOR_PORT') or 50051}"
    )
    credentials = credentials_from(os.environ)
    what = service or "the server"
    if not is_serving(target, service, credentials=credentials, timeout_s=timeout):
        raise Unavailable(
            "NOT_SERVING", f"{what} at {target} does not serve yet, or not any more", retry_s=5.0
        )
    Console().print(f"{what} at {target} serves", markup=False, highlight=False, soft_wrap=True)
