"""`advisor search`: what is found for a question, by which way, and how well it fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from advisor.cli.consent import Consent, consenting
from advisor.cli.output import JsonOption, Waiting, notices, place_of, print_json, values_of
from advisor.cli.sync import FileArgument, ServerOption, bring_in, read_identified

if TYPE_CHECKING:
    from advisor.v1 import execution_service_pb2 as execution_pb2

__all__ = ["FilterOption", "register"]

FilterOption = Annotated[
    str,
    typer.Option(
        "--filter",
        help="Of which documents: source (* for any characters), media_type or language with = or !=, joined by AND.",
        show_default="all",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("search", rich_help_panel="Carry out")(search)


@consenting
def search(
    file: FileArgument,
    question: Annotated[str, typer.Argument(help="The question.")],
    within: FilterOption = "",
    limit: Annotated[int, typer.Option(help="Most passages to show, at most 100.")] = 5,
    server: ServerOption = None,
    as_json: JsonOption = False,
    *,
    consent: Consent,
) -> None:
    """Find the passages that a question would be answered from, with their scores."""
    from advisor.cli.connection import connected

    case = read_identified(file, consent)
    with connected(server) as client:
        bring_in(notices().print, client, case, consent, quiet=True)
        waiting = Waiting(notices(), "searching")
        try:
            found = client.search(case.stored_id, question, limit=limit, filter=within)
        finally:
            waiting.stop()
    console = Console()
    for each in found:
        if as_json:
            print_json(values_of(each))
        else:
            _show(console, each)
    if not found:
        notices().print("nothing is found")


def _show(console: Console, found: execution_pb2.Reference) -> None:
    """Print a passage under where it is, and how well it fits."""
    scores = f"{found.score:.2f} (words {found.word_score:.2f}, meaning {found.similarity:.2f})"
    console.print(
        f"[{found.number}] {place_of(found)}  {scores}",
        style="bold",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    if found.heading:
        console.print(found.heading, style="dim", markup=False, highlight=False, soft_wrap=True)
    console.print(found.text, markup=False, highlight=False, soft_wrap=True)
    console.print()
