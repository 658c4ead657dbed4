"""`advisor reindex`: all passages made anew, by another embedder or in a newer form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from rich.console import Console

from advisor.cli.operations import finish, show_progress
from advisor.cli.output import JsonOption, notices
from advisor.cli.sync import ServerOption
from backends.counts import counted

if TYPE_CHECKING:  # its module loads gRPC, which deciding does not need
    from advisor.v1 import execution_service_pb2 as execution_pb2

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("reindex", rich_help_panel="Look after a server")(reindex)


def reindex(server: ServerOption = None, as_json: JsonOption = False) -> None:
    """Make all passages anew by the server's embedder; questions are answered from the old ones until then."""
    from advisor.cli.connection import connected

    with connected(server) as client:
        future = client.reindex()
        if as_json:
            finish(future, as_json=True)
            return
        show_progress(notices(), future)
        Console().print(_told(future.result()), markup=False, highlight=False, soft_wrap=True)


def _told(made: execution_pb2.ReindexResponse) -> str:
    if not made.documents:
        return f"no passages to make: all there are were made by {made.embedder}"
    skipped = (
        f"; {counted(made.skipped, 'document')} skipped, since they cannot be read" if made.skipped else ""
    )
    return (
        f"{counted(made.passages, 'passage')} of {counted(made.documents, 'document')} made anew by "
        f"{made.embedder}{skipped}"
    )
