"""An answer on the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console

from advisor.cli.answers import show_answer
from advisor.v1 import execution_service_pb2 as execution_pb2


class Stream:
    """An answer of one token."""

    references = None
    summary = execution_pb2.AnswerSummary(model="echo", notes=["the documents do not fit", "2 of 8 examples"])

    def __iter__(self) -> Iterator[object]:
        yield execution_pb2.Token(text="Paris")
        yield self.summary


def test_notes_are_shown_a_line_each() -> None:
    """What the model was not shown stands below the answer."""
    console = Console(width=120, record=True, force_terminal=False)
    beside = Console(width=120, record=True, force_terminal=False)
    show_answer(console, Stream(), beside)  # type: ignore[arg-type]
    assert console.export_text() == "Paris\n"
    lines = beside.export_text().splitlines()
    assert "the documents do not fit" in lines
    assert "2 of 8 examples" in lines
