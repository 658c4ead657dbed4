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


def _cited(pieces: list[str]) -> CitingStream:
    stream = CitingStream(PASSAGES, lambda text: None)
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
        ("Bananas [7] are yellow.", "Bananas  are yellow."),
        ("x [] y [a] z [1", "x [] y [a] z [1"),
        ("Run pg_dump every night\nBananas", "Run pg_dump every night [2]\nBananas"),
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
        st.sampled_from(["[1]", "[9", "]", ". ", "Its default", " is 100", "é", "\n", "[", "1"]), max_size=20
    )
)
def test_pieces_do_not_matter(pieces: list[str]) -> None:
    """However the text is cut into pieces, the answer and its marks are the same, and the bytes are right."""
    stream, other = _cited(pieces), _cited(list("".join(pieces)))
    assert (stream.text, stream.citations) == (other.text, other.citations)
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
