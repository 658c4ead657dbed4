"""`advisor info`: what a server is, and whom it takes the caller for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from advisor.cli.output import JsonOption, print_json, print_table, values_of
from advisor.cli.sync import ServerOption

if TYPE_CHECKING:  # its module loads protobuf's code of the API, which help does not need
    from advisor.v1 import server_service_pb2 as server_pb2

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("info", rich_help_panel="Look after a server")(info)


def info(server: ServerOption = None, as_json: JsonOption = False) -> None:
    """Show a server's versions, models and limits, and what the caller may do and has used."""
    from advisor.cli.connection import connected

    with connected(server) as client:
        found = client.server_info()
    if as_json:
        print_json({"server": values_of(found)})
    else:
        print_table(Console(), ("", ""), _rows(found))


def _rows(found: server_pb2.ServerInfo) -> Iterator[tuple[str, str]]:
    caller = found.caller
    yield "principal", caller.principal or "-"
    yield "role", type(caller).Role.Name(caller.role).removeprefix("ROLE_").lower()
    documents = f"{caller.document_bytes:,} bytes"
    yield "documents", _of(documents, caller, "document_bytes_limit")
    yield "operations", _of(f"{caller.operations:,}", caller, "operations_limit")
    if caller.HasField("calls_limit"):
        yield "calls a second", f"{caller.calls_limit:g}"
    for part in (found.versions, found.models, found.limits):
        for field in part.DESCRIPTOR.fields:
            if value := getattr(part, field.name):
                yield field.name.replace("_", " "), f"{value:,}" if isinstance(value, int) else str(value)


def _of(used: str, caller: server_pb2.Caller, limit: str) -> str:
    return f"{used} of {getattr(caller, limit):,}" if caller.HasField(limit) else used
