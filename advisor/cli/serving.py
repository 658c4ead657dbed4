"""`advisor serve` and `advisor worker`: a server, or workers without one, in the foreground."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from advisor.cli.extras import require_server
from advisor.cli.rules import RulesOption
from advisor.environment import OF_CLIENTS, OF_SERVERS
from backends.counts import counted

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    listed = f"Variables of servers: {', '.join(OF_SERVERS)}. Of clients: {', '.join(OF_CLIENTS)}."
    app.command("serve", epilog=listed, rich_help_panel="Look after a server")(serve)
    app.command("worker", rich_help_panel="Look after a server")(worker)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; 0 for any that is free.", min=0, max=65535)
    ] = None,
    processes: Annotated[int | None, typer.Option(help="Servers that share the port.", min=1, max=64)] = None,
    rules: RulesOption = None,
    port_file: Annotated[Path | None, typer.Option(help="File to write the port to.")] = None,
) -> None:
    """Serve until interrupted; settings come from ADVISOR_* variables. SIGHUP has rules and model read again."""
    require_server("serve")
    # Nothing is forked here that would call gRPC; looking after forks, it writes of those that start other programs.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    from advisor.rpc.listening import address_text
    from advisor.rpc.processes import serve_together
    from advisor.rpc.server import serve as serve_alone
    from advisor.settings import read_settings
    from advisor.telemetry.logs import configure_logging

    configure_logging()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait leave the cores to the worker
    given = {"host": host, "port": port, "processes": processes, "rules": rules}
    settings = read_settings(**{name: value for name, value in given.items() if value is not None})
    os.environ.pop("ADVISOR_ADMIN_TOKEN", None)  # workers and parsers need no secrets
    run = serve_alone if settings.processes == 1 else serve_together
    run(settings, ready=lambda at: _say_where(address_text(settings.host, at)), port_file=port_file)


def worker(
    count: Annotated[
        int | None, typer.Option(help="Workers to keep.", min=1, max=64, show_default="ADVISOR_WORKERS")
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            help="Run them on the Ray cluster at this address, such as head:6379, or auto.", metavar="ADDRESS"
        ),
    ] = None,
) -> None:
    """Keep workers until interrupted, which do the long work of servers elsewhere, by the same ADVISOR_DATABASE_URL.

    ADVISOR_DATA_DIR has to be a folder that the servers see as well, where no ADVISOR_ADAPTER_STORE keeps adapters.
    """
    require_server("worker")
    from advisor.settings import read_settings
    from advisor.work.standing import stand_by

    settings = read_settings(**({} if count is None else {"workers": count}))
    os.environ.pop("ADVISOR_ADMIN_TOKEN", None)
    stand_by(
        settings, ready=lambda number: typer.echo(f"{counted(number, 'worker')} at work"), ray_address=ray
    )


def _say_where(at: str) -> None:
    typer.echo(f"serving on {at}; commands use it after export ADVISOR_SERVER={at}")
