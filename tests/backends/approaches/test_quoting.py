"""Small models quote: the best statement with the mark of its passage."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.approaches.evidence import evidence_for
from backends.approaches.quoting import QUOTED_NOTE, quoted, quotes
from backends.base import Answer, FinishReason, GenerationOptions, Hit, Passage
from tests.doubles import FakeGenerator, WordEmbedder

OPTIONS = GenerationOptions()
HITS = [
    Hit(Passage("1", "a.md", 0, 9, "The sun shines on größe. Rain is wet!"), 1.0),
    Hit(Passage("2", "b.md", 0, 9, "Lamps give light"), 0.9),
    Hit(Passage("3", "c.md", 0, 9, "Lamps give light to those who read"), 0.8),
]


def quote(question: str, hits: list[Hit], options: GenerationOptions = OPTIONS) -> Answer:
    """Return the quote that answers a question."""
    return quoted(question, hits, evidence_for(question, hits, WordEmbedder()).near, options, "small")


@pytest.mark.parametrize(
    ("parameters", "adapter", "expected"),
    [
        (135_000_000, None, True),
        (135_000_000, Path("adapter"), False),
        (8_000_000_000, None, False),
        (None, None, False),
    ],
)
def test_small_models_without_an_adapter_quote(
    parameters: int | None, adapter: Path | None, expected: bool
) -> None:
    """Large ones write, and so do those of unknown size and those trained on passages."""
    generator = FakeGenerator()
    generator.parameters = parameters
    assert quotes(generator, adapter) is expected


@pytest.mark.parametrize(
    ("question", "text", "number"),
    [
        ("What of the größe of the sun?", "The sun shines on größe [1].", 1),
        ("How wet is rain?", "Rain is wet [1]!", 1),
        ("What do lamps give?", "Lamps give light [2]", 2),
    ],
)
def test_the_mark_stands_before_the_end_of_the_sentence(question: str, text: str, number: int) -> None:
    """Its bytes are those of the mark, and it names the passage; the third passage is not read."""
    answer = quote(question, HITS)
    assert (answer.text, answer.finish_reason, answer.notes) == (text, FinishReason.STOP, (QUOTED_NOTE,))
    (citation,) = answer.citations
    marked = answer.text.encode()[citation.start_byte : citation.end_byte]
    assert (marked.decode(), citation.number) == (f"[{number}]", number)


def test_a_quote_is_cut_where_fewer_words_are_allowed() -> None:
    """And the answer says so."""
    options = GenerationOptions(max_output_tokens=3)
    answer = quote("What of the sun?", HITS, options)
    assert (answer.text, answer.finish_reason) == ("The sun shines [1]", FinishReason.LENGTH)


def test_signs_alone_are_not_quoted() -> None:
    """Where no passage states anything the answer is empty."""
    answer = quote("What?", [Hit(Passage("1", "a", 0, 3, "***"), 1.0)])
    assert (answer.text, answer.citations) == ("", ())
