"""Text by words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.generation.words import LONGEST_WORD, UNSPACED, WordStream


def passed_on(pieces: list[str]) -> list[str]:
    """Return what a stream passes on of a text that is written in pieces."""
    got: list[str] = []
    stream = WordStream(got.append)
    for piece in pieces:
        stream.write(piece)
    stream.finish()
    return got


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["Par", "is", ",", " the", " city"], ["Paris, ", "the ", "city"]),
        (["\n", "\n", "a", "\n", " b", "\n"], ["\n\na\n", " b\n"]),
        (["It costs 3", ".", "14", " each"], ["It costs ", "3.14 ", "each"]),
        (["one two three ", "four"], ["one two three ", "four"]),
        (["internationali", "sation", " counts"], ["internationalisation ", "counts"]),
        ([], []),
    ],
)
def test_a_word_is_passed_on_when_it_is_over(pieces: list[str], expected: list[str]) -> None:
    """White space ends a word, and nothing else does; what is left comes at the end."""
    assert passed_on(pieces) == expected


def test_a_text_without_spaces_streams() -> None:
    """Chinese, Japanese and Thai come in parts of a bounded length."""
    text = "北京是一座历史悠久的城市，有许多名胜古迹。" * 3
    got = passed_on(list(text))
    assert "".join(got) == text
    assert {len(part) for part in got[:-1]} == {UNSPACED}


@pytest.mark.parametrize("number", ["2", "12", "123"])
@pytest.mark.parametrize("before", range(LONGEST_WORD - 4, LONGEST_WORD + 1))
def test_a_citation_mark_stays_whole(before: int, number: str) -> None:
    """Wherever a long word would be parted, a mark in it is not."""
    got = passed_on(list(f"{'x' * before}[{number}]{'y' * LONGEST_WORD}"))
    assert any(f"[{number}]" in part for part in got)


@given(st.lists(st.text(alphabet="ab [1]\n北", max_size=20)))
def test_nothing_is_lost_or_said_twice(pieces: list[str]) -> None:
    """However a text is cut before, it is the same text after, and no part of it is empty."""
    got = passed_on(pieces)
    assert "".join(got) == "".join(pieces)
    assert "" not in got
