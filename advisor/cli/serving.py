"""`advisor serve`: the server in the foreground."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from advisor.cli.extras import require_server
from advisor.cli.rules import RulesOption
from advisor.environment import OF_CLIENTS, OF_SERVERS

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    listed = f"Variables of servers: {', '.join(OF_SERVERS)}. Of clients: {', '.join(OF_CLIENTS)}."
    app.command("serve", epilog=listed, rich_help_panel="Look after a server")(serve)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; 0 for any that is free.", min=0, max=65535)
    ] = None,
    rules: RulesOption = None,
    port_file: Annotated[Path | None, typer.Option(help="File to write the port to.")] = None,
) -> None:
    """Serve until interrupted; settings come from ADVISOR_* variables. SIGHUP has rules and model read again."""
    require_server("serve")
    # Nothing is forked here that would call gRPC; looking after forks, it writes of those that start other programs.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    from advisor.rpc.listening import address_text
    from advisor.rpc.server import serve as run
    from advisor.settings import read_settings
    from advisor.telemetry.logs import configure_logging

    configure_logging()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait leave the cores to the worker
    given = {"host": host, "port": port, "rules": rules}
    settings = read_settings(**{name: value for name, value in given.items() if value is not None})
    os.environ.pop("ADVISOR_ADMIN_TOKEN", None)  # workers and parsers need no secrets
    run(settings, ready=lambda at: _say_where(address_text(settings.host, at)), port_file=port_file)


def _say_where(at: str) -> None:
    typer.echo(f"serving on {at}; commands use it after export ADVISOR_SERVER={at}")
