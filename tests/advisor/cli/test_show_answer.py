"""An answer on the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from rich.console import Console

from advisor.cli.answers import show_answer
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import recommendation_pb2 as pb

DOUBT = "The evidence does not decide. RAG answers."
UNDECIDED = pb.Recommendation(approach=pb.APPROACH_UNDECIDED, summary="Undecided: find out more.")
READ = execution_pb2.References(
    references=[
        execution_pb2.Reference(number=1, source="leave.md", start_byte=0, end_byte=90, score=0.5),
        execution_pb2.Reference(number=2, source="[draft].md", start_byte=7, end_byte=80, score=0.123),
    ]
)


@dataclass
class Stream:
    """An answer of one token."""

    summary: execution_pb2.AnswerSummary
    recommendation: pb.Recommendation = field(default_factory=pb.Recommendation)
    references: execution_pb2.References | None = None
    text: str = "Paris"

    def __iter__(self) -> Iterator[object]:
        yield self.recommendation
        yield execution_pb2.Token(text=self.text)
        yield self.summary


def said(stream: Stream, *, named: bool = False) -> list[str]:
    """Return the lines beside an answer."""
    console = Console(width=120, record=True, force_terminal=False)
    beside = Console(width=120, record=True, force_terminal=False)
    show_answer(console, stream, beside, named=named)  # type: ignore[arg-type]
    assert console.export_text() == f"{stream.text}\n"
    return beside.export_text().splitlines()


def test_notes_are_shown_a_line_each() -> None:
    """What the model was not shown stands below the answer."""
    notes = ["the documents do not fit", "2 of 8 examples"]
    lines = said(Stream(execution_pb2.AnswerSummary(model="echo", notes=notes)))
    assert [line for line in lines if line in notes] == notes


def test_what_is_cited_is_shown_and_what_is_not_is_left_out() -> None:
    """An answer rests on the passages that it cites."""
    cited = execution_pb2.AnswerSummary(citations=[execution_pb2.Citation(number=1)])
    lines = said(Stream(cited, references=READ))
    assert "[1] leave.md, bytes 0 to 90" in lines
    assert not any("draft" in line or "cites none" in line for line in lines)


def test_an_answer_that_cites_nothing_shows_what_was_read() -> None:
    """Whoever wonders at it sees the passages that were found, and how well they fit."""
    lines = said(Stream(execution_pb2.AnswerSummary(), references=READ))
    at = lines.index("The answer cites none of the passages that were read:")
    assert lines[at + 1 : at + 3] == [
        "[1] leave.md, bytes 0 to 90, relevance 0.50",
        "[2] [draft].md, bytes 7 to 80, relevance 0.12",
    ]


def test_what_the_passages_do_not_support_is_shown() -> None:
    """With the sentence that says it; what was left out is told by a note of the server."""
    missing = execution_pb2.UnsupportedSentence
    unsupported = [missing(start_byte=0, end_byte=5, missing=["Paris", "7"]), missing(missing=["gone"])]
    lines = said(Stream(execution_pb2.AnswerSummary(unsupported=unsupported)))
    assert [line for line in lines if "Not in" in line] == ["Not in the passages: Paris, 7, in: Paris"]


def test_without_retrieval_no_passages_are_missed() -> None:
    """A plain prompt has nothing to cite."""
    assert not any("passages" in line for line in said(Stream(execution_pb2.AnswerSummary())))


@pytest.mark.parametrize(
    ("named", "notes", "doubts"),
    [(False, [DOUBT], [DOUBT]), (True, [], [UNDECIDED.summary])],
)
def test_a_doubt_is_told_once(named: bool, notes: list[str], doubts: list[str]) -> None:
    """The note says what answers all the same; where that was asked for, the recommendation tells the doubt."""
    lines = said(Stream(execution_pb2.AnswerSummary(notes=notes), UNDECIDED), named=named)
    assert [line for line in lines if line in (DOUBT, UNDECIDED.summary)] == doubts


def test_one_token_is_one_token() -> None:
    """What it took agrees with its number."""
    assert (
        "1 token read, 1 written"
        in said(Stream(execution_pb2.AnswerSummary(input_tokens=1, output_tokens=1)))[-1]
    )


def test_an_answer_that_was_cut_off_says_so() -> None:
    """At how many tokens, and how to have more; one that ended by itself says nothing of it."""
    cut = execution_pb2.AnswerSummary.FINISH_REASON_LENGTH
    lines = said(Stream(execution_pb2.AnswerSummary(finish_reason=cut, output_tokens=256)))
    assert "The answer was cut off at 256 tokens: --max-tokens allows more of them." in lines
    whole = execution_pb2.AnswerSummary.FINISH_REASON_STOP
    whole_lines = said(Stream(execution_pb2.AnswerSummary(finish_reason=whole, output_tokens=256)))
    assert not any("cut off" in line for line in whole_lines)


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_answer_without_a_word_says_so(text: str) -> None:
    """Nothing is missed in what was not written, such as citations."""
    lines = said(Stream(execution_pb2.AnswerSummary(), references=READ, text=text))
    assert any(line.startswith("The model wrote nothing") for line in lines)
    assert not any("cites none" in line for line in lines)
