"""A use case kept in step with its file: what the file says goes to the server before anything is asked of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from advisor.errors import AlreadyExists
from advisor.knowledge.usecasefile import UseCaseFile, read_examples, read_use_case

if TYPE_CHECKING:  # the client needs gRPC, which deciding does not
    from advisor.client import Client

__all__ = ["FileArgument", "ServerOption", "bring_in", "register"]

FileArgument = Annotated[Path, typer.Argument(help="Use-case file (YAML).")]
ServerOption = Annotated[
    str | None,
    typer.Option("--server", help="Address of a running server; else ADVISOR_SERVER, else our own."),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("import", rich_help_panel="Carry out")(import_file)


def import_file(file: FileArgument, server: ServerOption = None) -> None:
    """Import a use case with its documents and examples."""
    from advisor.cli.connection import connected

    case = read_use_case(file)
    with connected(server) as client:
        bring_in(Console(), client, case)


def bring_in(console: Console, client: Client, case: UseCaseFile, *, quiet: bool = False) -> None:
    """Create a use case, or update it, and import what its file names; what is there already is skipped."""
    # Read first, so that a line that is no example is found before anything is stored.
    examples = list(read_examples(case.examples)) if case.examples is not None else None
    try:
        client.create_use_case(case.id, description=case.description, facts=case.facts)
    except AlreadyExists:
        # A fact that the file no longer has is unknown again.
        client.update_use_case(case.id, description=case.description, facts=case.facts, replace_facts=True)
    if case.documents:
        with console.status(f"importing {len(case.documents):,} documents"):
            documents = client.import_documents(case.id, case.documents)
        if documents.imported or not quiet:
            console.print(
                f"{documents.imported:,} documents imported as {documents.passages:,} passages, "
                f"{documents.unchanged:,} unchanged"
            )
    if examples is not None:
        imported = client.import_examples(
            case.id,
            (
                {"question": each.question, "answer": each.answer, "context": each.context}
                for each in examples
            ),
        )
        if imported.imported or not quiet:
            console.print(f"{imported.imported:,} examples imported, {imported.unchanged:,} unchanged")
