"""`advisor answer`: an answer as it comes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from advisor.cli.choices import approach_option, schema_option
from advisor.cli.consent import Consent, consenting
from advisor.cli.output import (
    JsonOption,
    Waiting,
    notices,
    place_of,
    print_json,
    progress_text,
    values_of,
)
from advisor.cli.searching import FilterOption
from advisor.cli.sync import FileArgument, ServerOption, bring_in, read_identified
from advisor.cli.wording import as_commands
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.usecasefile import read_examples
from advisor.v1 import progress_pb2
from advisor.v1 import recommendation_pb2 as pb
from advisor.wire.recommendation import approach_from_proto
from backends.base import Exchange, GenerationOptions
from backends.counts import counted

if TYPE_CHECKING:  # the client needs gRPC, which deciding does not
    from advisor.client import AnswerStream
    from advisor.v1 import execution_service_pb2 as execution_pb2

__all__ = ["register", "show_answer"]

USUAL = GenerationOptions()


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("answer", rich_help_panel="Carry out")(answer)


@consenting
def answer(
    file: FileArgument,
    question: Annotated[str, typer.Argument(help="The question.")],
    approach: Annotated[
        str | None,
        approach_option(
            APPROACHES, "How to answer; where it is not given, as is recommended for the use case."
        ),
    ] = None,
    within: FilterOption = "",
    max_tokens: Annotated[
        int | None,
        typer.Option(help="Most tokens to write.", show_default=f"{USUAL.max_output_tokens}"),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(help="The answer is exactly this label, or one of several; once for each."),
    ] = None,
    schema: Annotated[
        str | None, schema_option("JSON schema that the answer follows (a file); not with --label.")
    ] = None,
    history: Annotated[
        Path | None,
        typer.Option(help="What was asked and answered before (JSONL), in the form of an examples file."),
    ] = None,
    only_supported: Annotated[
        bool,
        typer.Option(
            "--only-supported", help="Leave out sentences with numbers or names that are not in the passages."
        ),
    ] = False,
    server: ServerOption = None,
    as_json: JsonOption = False,
    *,
    consent: Consent,
) -> None:
    """Answer a question by the recommended approach, or by the one named.

    Standard output holds the answer alone; what it rests on goes to standard error.
    """
    from advisor.cli.connection import connected

    before = [Exchange(each.question, each.answer) for each in read_examples(history)] if history else ()
    case = read_identified(file, consent)
    with connected(server) as client:
        bring_in(notices().print, client, case, consent, quiet=True)
        stream = client.answer(
            case.stored_id,
            question,
            approach=approach,
            history=before,
            output_schema=schema,
            unsupported="LEAVE_OUT" if only_supported else None,
            labels=label or (),
            max_output_tokens=max_tokens,
            filter=within,
        )
        if as_json:
            for response in stream.responses():
                print_json(values_of(response))
        else:
            show_answer(Console(), stream, notices(), named=approach is not None)


def show_answer(console: Console, stream: AnswerStream, beside: Console, *, named: bool) -> None:
    """Print an answer as it comes; beside it why this approach, what it rests on and what it took.

    Args:
        console: Where the answer goes.
        stream: The answer.
        beside: Where all else goes.
        named: Whether the approach was named: else a note of the answer says where nothing is decided.
    """
    from advisor.v1 import execution_service_pb2 as execution_pb2

    waiting, text = Waiting(beside, "preparing"), ""
    try:
        for event in stream:
            match event:
                case progress_pb2.Progress():
                    waiting.update(progress_text(event))
                case execution_pb2.Token():
                    waiting.stop()
                    text += event.text
                    console.print(event.text, end="", markup=False, highlight=False, soft_wrap=True)
                case pb.Recommendation() if event.summary and (
                    named or event.approach != pb.APPROACH_UNDECIDED
                ):
                    beside.print(event.summary, style="dim", markup=False, highlight=False)
    finally:
        waiting.stop()
    console.print()
    if stream.summary is not None:
        _show_grounds(beside, stream, stream.summary, text)


def _show_grounds(
    console: Console, stream: AnswerStream, summary: execution_pb2.AnswerSummary, text: str
) -> None:
    """Show the passages that the answer cites, or else those that it could, what to mind and what it took."""
    console.print()
    cited, written = {citation.number for citation in summary.citations}, bool(text.strip())
    read = stream.references.references if stream.references else ()
    if read and not cited and written:
        console.print("The answer cites none of the passages that were read:", style="dim")
    for reference in read:
        if reference.number in cited or not cited:
            score = "" if cited else f", relevance {reference.score:.2f}"
            line = f"[{reference.number}] {place_of(reference)}{score}"
            console.print(line, style="dim", markup=False, highlight=False, soft_wrap=True)
    told = (*map(as_commands, summary.notes), *_unsupported(summary, text))
    for note in (*told, *_shortcomings(summary, written=written)):
        console.print(note, style="yellow", markup=False, highlight=False)
    console.print(_took(summary), style="dim", markup=False, highlight=False)


def _unsupported(summary: execution_pb2.AnswerSummary, text: str) -> Iterator[str]:
    """Yield the sentences that stayed in the answer though the passages do not support them."""
    for each in summary.unsupported:
        if said := text.encode()[each.start_byte : each.end_byte].decode(errors="replace"):
            yield f"Not in the passages: {', '.join(each.missing)}, in: {said}"


def _shortcomings(summary: execution_pb2.AnswerSummary, *, written: bool) -> Iterator[str]:
    """Yield what an answer lacks that is not whole, and what to do about it."""
    if not written:
        yield "The model wrote nothing: put the question in other words, or name another --approach."
    if summary.finish_reason == summary.FINISH_REASON_LENGTH:
        limit = counted(summary.output_tokens, "token")
        yield f"The answer was cut off at {limit}: --max-tokens allows more of them."


def _took(summary: execution_pb2.AnswerSummary) -> str:
    first, total = (
        part.ToTimedelta().total_seconds() for part in (summary.time_to_first_token, summary.total_time)
    )
    adapter = f" with {summary.adapter}" if summary.adapter else ""
    return (
        f"{approach_from_proto(summary.approach)}{adapter}: {counted(summary.input_tokens, 'token')} read, "
        f"{summary.output_tokens:,} written; first after {first:.1f} s, all after {total:.1f} s"
    )
