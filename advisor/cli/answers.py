"""`advisor answer`: an answer as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from advisor.cli.output import JsonOption, json_line, seconds_text
from advisor.cli.sync import FileArgument, ServerOption, bring_in
from advisor.errors import InvalidInput
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.facts import nearest
from advisor.knowledge.usecasefile import read_use_case
from advisor.v1 import recommendation_pb2 as pb
from advisor.wire.recommendation import approach_from_proto

if TYPE_CHECKING:  # the client needs gRPC, which deciding does not
    from advisor.client import AnswerStream
    from advisor.v1 import execution_service_pb2 as execution_pb2

__all__ = ["ApproachOption", "named_approach", "register", "show_answer"]

ApproachOption = Annotated[
    str | None, typer.Option("--approach", help="One of PROMPTING, RAG, FINE_TUNING, HYBRID.")
]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("answer")(answer)


def answer(
    file: FileArgument,
    question: Annotated[str, typer.Argument(help="The question.")],
    approach: ApproachOption = None,
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a question by the recommended approach, or by the one named."""
    from advisor.cli.connection import connected

    case, wanted = read_use_case(file), named_approach(approach)
    console = Console()
    with connected(server) as client:
        bring_in(console, client, case, quiet=True)
        stream = client.answer(case.id, question, approach=wanted)
        if as_json:
            for event in stream:
                typer.echo(json_line(event))
        else:
            show_answer(console, stream)


def show_answer(console: Console, stream: AnswerStream) -> None:
    """Print an answer as it comes, then its references and what it took."""
    from advisor.v1 import execution_service_pb2 as execution_pb2

    status = console.status("preparing")
    status.start()
    try:
        for event in stream:
            match event:
                case execution_pb2.Progress():
                    status.update(_activity(event))
                case execution_pb2.Token():
                    status.stop()
                    console.print(event.text, end="", markup=False, highlight=False, soft_wrap=True)
                case pb.Recommendation() if event.summary:
                    console.print(event.summary, style="dim")
    finally:
        status.stop()
    console.print("\n")
    cited = {citation.number for citation in stream.summary.citations} if stream.summary else set()
    for reference in stream.references.references if stream.references else ():
        if reference.number in cited:
            place = f"{reference.source}, bytes {reference.start_byte} to {reference.end_byte}"
            console.print(f"[{reference.number}] {place}", style="dim", markup=False)
    if stream.summary:
        for note in stream.summary.notes:
            console.print(note, style="yellow", markup=False)
        console.print(_took(stream.summary), style="dim", markup=False)


def named_approach(name: str | None) -> str | None:
    """Return the approach named, or None; InvalidInput where there is none of that name."""
    if name is None or name in APPROACHES:
        return name
    raise InvalidInput.of("--approach", f"{name!r} is not an approach{nearest(name.upper(), APPROACHES)}")


def _activity(event: execution_pb2.Progress) -> str:
    share = f" {event.fraction:.0%}" if event.HasField("fraction") else ""
    left = (
        f", {seconds_text(event.remaining.ToTimedelta().total_seconds())} left"
        if event.HasField("remaining")
        else ""
    )
    return f"{event.activity}{share}{left}"


def _took(summary: execution_pb2.AnswerSummary) -> str:
    first, total = (
        part.ToTimedelta().total_seconds() for part in (summary.time_to_first_token, summary.total_time)
    )
    adapter = f" with {summary.adapter}" if summary.adapter else ""
    return (
        f"{approach_from_proto(summary.approach)}{adapter}: {summary.input_tokens:,} tokens read, "
        f"{summary.output_tokens:,} written; first after {first:.1f} s, all after {total:.1f} s"
    )
