"""Texts as they are compared, and their words."""

from __future__ import annotations

import pytest

from advisor.metrics.words import count_words, normalised, spoken, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The  Default\n", "default"),
        ("“Yes”.", "yes"),
        ("`--quiet`", "--quiet"),
        ("**5**", "5"),
        ("it’s", "it's"),
        ("1,000", "1000"),
        ("1\u202f000\u202f000", "1000000"),
        ("1'000", "1000"),
        ("１０", "10"),
        ("−5", "-5"),
        ("5–10", "5-10"),
        ("Mu\u0308ller", "Müller"),
        ("STRASSE", "straße"),
        ("soft\u00adware\ufeff", "software"),
        ("an answer!", "answer"),
    ],
)
def test_what_is_no_difference(one: str, other: str) -> None:
    """Case, white space, quotes, closing marks, articles, forms of Unicode and grouped digits do not count."""
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5", "-5"),
        ("1.5", "15"),
        ("1,5", "15"),
        ("3.10", "3.1"),  # versions
        ("10²", "102"),
        ("5½", "51/2"),
        ("C++", "C"),
        ("A", "the"),
        ("''", '"'),
        ("...", "?"),
        ("👍", "👎"),
        ("a_b", "ab"),
        ("5%", "5"),
        ("no", "not"),
    ],
)
def test_what_is_a_difference(one: str, other: str) -> None:
    """Signs, points and marks that mean something stay, and a text of marks alone is not empty."""
    assert normalised(one) != normalised(other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("The wal_sender_timeout's value.", ["wal_sender_timeout", "value"]),
        ("set --quiet, not -5", ["set", "--quiet", "not", "-5"]),
        ("10MB, 10-minute, 5 %", ["10", "MB", "10", "min", "5", "%"]),
        ("10 MB/s 10mb/s", ["10", "MB/s", "10", "MB/s"]),
        ("three seconds; seconds", ["3", "s", "seconds"]),
        ("C++ and C#", ["c++", "and", "c#"]),
        ("https://docs.example.org/3/.", ["docs.example.org/3"]),
        ("localhost:5432 at 10:30", ["localhost", "5432", "at", "10:30"]),
        ("v1.2.3 .5", ["1.2.3", "0.5"]),
        ("word—word", ["word", "word"]),
        ("答えは5です", ["答", "え", "は", "5", "で", "す"]),
        ("हिन्दी", ["हिन्दी"]),
        ("->", ["->"]),
        ("a", ["a"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    """Names are whole, numbers apart from their units, and articles are left out where there is more."""
    assert words(text) == expected


def test_a_word_knows_the_marks_around_it() -> None:
    """A mark or the end of a line closes; a hyphen that begins the next word does not."""
    found = spoken("No, it is on\nby --force (yes)")
    assert [each.text for each in found if each.closes] == ["no", "on", "--force", "yes"]
    assert [each.text for each in found if each.opens] == ["no", "it", "by", "yes"]


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), ("one two", 2), ("東京です", 2), ("東京 is 東", 3), ("->", 1)]
)
def test_words_are_counted_in_any_script(text: str, count: int) -> None:
    """Two characters are a word where no spaces are set."""
    assert count_words(text) == count
