"""Sentences get the marks of the passages that they rest on, while they stream."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.approaches.citations import CitingStream
from backends.base import Passage

TEXTS = (
    "The setting max_connections limits how many clients connect at the same time. Its default is 100.",
    "Run pg_dump every night, then store the file on another machine.",
)
PASSAGES = tuple(Passage(str(index), "a.md", 0, 0, text) for index, text in enumerate(TEXTS))


def _cited(pieces: list[str], *, leave_out: bool = False) -> CitingStream:
    stream = CitingStream(PASSAGES, lambda text: None, leave_out=leave_out)
    for piece in pieces:
        stream.write(piece)
    stream.finish()
    return stream


@pytest.mark.parametrize(
    ("written", "cited"),
    [
        ("Its default is 100.", "Its default is 100 [1]."),
        ("Run pg_dump every night", "Run pg_dump every night [2]"),
        ("Its default is 100. Run pg_dump!", "Its default is 100 [1]. Run pg_dump [2]!"),
        ("Bananas are yellow and sweet.", "Bananas are yellow and sweet."),
        ("100", "100"),
        ("Its default is 100 [1].", "Its default is 100 [1]."),
        ("Its default is 100 [2].", "Its default is 100 [2]."),
        ("Its default is 100.5 clients", "Its default is 100.5 clients"),
        ("Bananas [7] are yellow.", "Bananas are yellow."),
        ("x [] y [a] z [1", "x [] y [a] z [1"),
        ("Run pg_dump every night\nBananas", "Run pg_dump every night [2]\nBananas"),
        ("One hundred, that is 100 by itself.", "One hundred, that is 100 by itself [1]."),
        ("Its default is 200.", "Its default is 200."),
        ("Take pg_dump and 100 of them.", "Take pg_dump and 100 of them."),
        ("It is 100. [1] Store it. [2]", "It is 100. [1] Store it. [2]"),
        ("1. Run pg_dump every night.", "1. Run pg_dump every night [2]."),
        ("```\nrun pg_dump every night\n```", "```\nrun pg_dump every night\n```"),
        ("", ""),
    ],
)
def test_sentences_are_marked(written: str, cited: str) -> None:
    """A sentence's own mark stays where it names a passage; a bare one gets its support's mark, if any."""
    stream = _cited(list(written))
    assert stream.text == cited
    marks = [stream.text.encode()[mark.start_byte : mark.end_byte] for mark in stream.citations]
    assert marks == [f"[{mark.number}]".encode() for mark in stream.citations]


@given(
    st.lists(
        st.sampled_from(
            ["[1]", "[9", "]", ". ", "Its default", " is 100", "é", "\n", "[", "1", " is 7", "."]
        ),
        max_size=20,
    )
)
def test_pieces_do_not_matter(pieces: list[str]) -> None:
    """However the text is cut into pieces, the answer and its marks are the same, and the bytes are right."""
    for leave_out in (False, True):
        stream = _cited(pieces, leave_out=leave_out)
        other = _cited(list("".join(pieces)), leave_out=leave_out)
        assert (stream.text, stream.citations) == (other.text, other.citations)
        assert stream.unsupported == other.unsupported
    for mark in stream.citations:
        assert stream.text.encode()[mark.start_byte : mark.end_byte] == f"[{mark.number}]".encode()


def test_text_is_passed_on_as_it_comes() -> None:
    """Only signs that may become a mark or a sentence's end are held."""
    emitted: list[str] = []
    stream = CitingStream(PASSAGES, emitted.append)
    stream.write("Its default is 100")
    assert "".join(emitted) == "Its default is 100"
    stream.write(".")
    assert "".join(emitted) == "Its default is 100"
    stream.write(" Next")
    assert "".join(emitted) == "Its default is 100 [1]. Next"


@pytest.mark.parametrize(
    ("written", "flagged", "missing"),
    [
        ("Its default is 100.", [], []),
        ("Its default is 250.", ["Its default is 250."], [("250",)]),
        ("Its default is 100 [2].", ["Its default is 100 [2]."], [("100",)]),
        ("Größe. Set min_connections to 100. Run.", ["Set min_connections to 100."], [("min_connections",)]),
        ("Let pg_dump take 100.", ["Let pg_dump take 100."], [("pg_dump",)]),
        ("Let pg_dump take 100 [1][2].", [], []),
        ("Run pg_dump daily for Oracle", ["Run pg_dump daily for Oracle"], [("Oracle",)]),
    ],
)
def test_what_does_not_stand_in_the_passages_is_told(
    written: str, flagged: list[str], missing: list[tuple[str, ...]]
) -> None:
    """By the bytes of the sentence, its mark included, against what it cites, or any one where it cites none."""
    stream = _cited([written])
    text = stream.text.encode()
    assert [text[each.start_byte : each.end_byte].decode() for each in stream.unsupported] == flagged
    assert [each.missing for each in stream.unsupported] == missing


def test_sentences_can_be_left_out() -> None:
    """What stays is as it was, its marks by their bytes, and it is told where something stood."""
    stream = _cited(
        list("It is 250. Its default is 100.\n2. Ask Oracle.\nRun pg_dump every night."), leave_out=True
    )
    assert stream.text == "Its default is 100 [1].\nRun pg_dump every night [2]."
    assert [each.missing for each in stream.unsupported] == [("250",), ("Oracle",)]
    assert [(each.start_byte, each.end_byte) for each in stream.unsupported] == [(0, 0), (23, 23)]
    for mark in stream.citations:
        assert stream.text.encode()[mark.start_byte : mark.end_byte] == f"[{mark.number}]".encode()


def test_sentences_are_held_until_they_are_checked() -> None:
    """Where unsupported ones are left out, a sentence comes whole, or not at all."""
    emitted: list[str] = []
    stream = CitingStream(PASSAGES, emitted.append, leave_out=True)
    stream.write("Its default is 100. It is")
    assert emitted == ["Its default is 100 [1]."]
    stream.write(" 7 on Mars.")
    stream.finish()
    assert emitted == ["Its default is 100 [1]."]
