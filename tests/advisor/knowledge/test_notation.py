"""The notation of tests and durations."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.knowledge.notation import (
    Interval,
    NotationError,
    duration_to_text,
    parse_duration,
    parse_number,
    parse_test,
)

FORMS = ("FREE_TEXT", "LABEL", "STYLE")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5), ("45s", 45), ("30m", 1_800), ("12h", 43_200), ("7d", 604_800),
        ("2w", 1_209_600), ("1y", 31_536_000), ("1.5h", 5_400), (" 7 d ", 604_800), ("1e3s", 1_000), ("1_000s", 1_000),
        (".5s", 0.5),
    ],
)  # fmt: skip
def test_durations_are_read_in_seconds(text: str, seconds: float) -> None:
    """Every unit is known, and numbers may have a fraction, an exponent or underscores."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("7", "7 has no unit; write 7d, 7h, 7m or 7s", 0),
        ("7x", "'x' is not a unit of time; allowed: ms, s, m, h, d, w, y", 1),
        (" 7 D", "'D' is not a unit of time", 3),
        ("", "'' is not a duration; write 7d, 12h, 30m or 45s", 0),
        ("week", "'week' is not a duration", 0),
        ("nan", "'nan' is not a duration", 0),
        ("inf", "'inf' is not a duration", 0),
        ("1e400d", "1e400d is not a finite duration", 0),
        ("1__0s", "'1__0s' is not a duration", 0),
        ("1_s", "'1_s' is not a duration", 0),
        ("7d 3h", "'7d 3h' is not a duration", 0),
    ],
)
def test_what_is_no_duration_is_refused(text: str, message: str, column: int) -> None:
    """The error says what is wrong, what is allowed, and where it starts."""
    with pytest.raises(NotationError) as caught:
        parse_duration(text)
    assert message in str(caught.value)
    assert (caught.value.text, caught.value.column) == (text, column)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"), (0.5, "500ms"), (1, "1s"), (61, "61s"), (90, "1.5m"), (3_600, "1h"), (86_400, "1d"),
        (604_800, "7d"), (31_536_000, "1y"), (90_061, "90061s"), (123_456_789, "123456789s"), (-5, "-5s"),
    ],
)  # fmt: skip
def test_durations_are_written_short(seconds: float, text: str) -> None:
    """The largest unit that leaves a short number is chosen."""
    assert duration_to_text(seconds) == text


@given(st.floats(0, 1e12))
def test_a_duration_written_reads_the_same(seconds: float) -> None:
    """Writing and reading give the very same number."""
    assert parse_duration(duration_to_text(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1e6", 1e6), ("2_000_000", 2e6), (" -3.5 ", -3.5), ("0", 0), ("200", 200),
        ("200K", 200_000), ("1.5M", 1_500_000), ("10B", 10_000_000_000), ("2T", 2e12),
        (" .5 K ", 500), ("-1_000K", -1e6), ("4.35K", 4_350), ("0.3B", 300_000_000),
    ],
)  # fmt: skip
def test_numbers_are_read(text: str, number: float) -> None:
    """Numbers may have an exponent, underscores, or a letter for thousand, million, billion or trillion."""
    assert parse_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "1__0",
        "0x10",
        "35%",
        "1__0K",
        "1e3K",
        "K",
        "10 KB",
        "9" * 308 + "T",
    ],
)
def test_what_is_no_finite_number_is_refused(text: str) -> None:
    """Neither words nor infinity are numbers."""
    with pytest.raises(NotationError, match="is not a (finite )?number"):
        parse_number(text)


@pytest.mark.parametrize(("text", "column"), [("10k", 2), (" 10 b", 4), ("7d", 1), ("1.5m", 3), ("5e", 1)])
def test_letters_of_numbers_are_capitals(text: str, column: int) -> None:
    """A letter that no number has is pointed at; small ones could be units of time."""
    with pytest.raises(NotationError, match="is none of K, M, B, T") as caught:
        parse_number(text)
    assert caught.value.column == column


@pytest.mark.parametrize(("text", "hint"), [("10k", "; write 10K"), (" 1.5 m", "; write 1.5M"), ("7d", "T")])
def test_a_small_letter_is_answered_by_what_to_write(text: str, hint: str) -> None:
    """Where there is such a capital."""
    with pytest.raises(NotationError) as caught:
        parse_number(text)
    assert str(caught.value).endswith(hint)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("<= 7", (7, 0, -1e9), (7.1,)),
        ("< 7", (6.9,), (7,)),
        (">= 7", (7, 1e9), (6.9,)),
        (">7", (7.1,), (7,)),
        ("[5..10)", (5, 9.9), (4.9, 10)),
        ("(5 .. 10]", (5.1, 10), (5, 10.1)),
        ("[5..5]", (5,), (4.9, 5.1)),
        ("<= 10B", (1e10,), (1e10 + 1,)),
        ("(32K..1.5M]", (32_001, 1_500_000), (32_000,)),
    ],
)
def test_a_test_holds_within_its_bounds(
    text: str, inside: tuple[float, ...], outside: tuple[float, ...]
) -> None:
    """Comparisons and intervals hold for the numbers that mathematics says."""
    interval = parse_test(text)
    assert isinstance(interval, Interval)
    assert all(number in interval for number in inside)
    assert not any(number in interval for number in outside)
    assert math.nan not in interval


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9), st.booleans(), st.booleans(), st.floats(-1e9, 1e9))
def test_closing_an_interval_changes_nothing(
    one: float, other: float, low_open: bool, high_open: bool, number: float
) -> None:
    """The closed ends contain exactly the floats that the interval contains."""
    interval = Interval(min(one, other), max(one, other), low_open, high_open)
    low, high = interval.closed()
    for probe in (number, one, other, low, high):
        assert (probe in interval) == (low <= probe <= high)


def test_durations_in_tests_are_seconds() -> None:
    """A test on a duration reads units."""
    assert parse_test("[1d..7d)", duration=True) == Interval(86_400, 604_800, high_open=True)


@pytest.mark.parametrize(
    ("text", "duration", "column", "message"),
    [
        ("<= 7x", True, 4, "'x' is not a unit"),
        ("<=7x", True, 3, "'x' is not a unit"),
        ("<=   7x", True, 6, "'x' is not a unit"),
        ("[1d..9x)", True, 6, "'x' is not a unit"),
        ("[1z..9d)", True, 2, "'z' is not a unit"),
        ("<= 7", True, 3, "7 has no unit"),
        ("<= 1__0s", True, 3, "'1__0s' is not a duration"),
        ("<= 7d", False, 4, "'7d' is not a number"),
        ("<= 7M", True, 4, "'M' is not a unit of time"),
        ("[10K..20k)", False, 8, "'20k' is not a number: 'k' is none of K, M, B, T"),
        ("<= 12.5 %", False, 3, "'12.5 %' is not a number; write 0.125"),
        ("< nan", False, 2, "nan is not a finite number"),
        (">= inf", False, 3, "inf is not a finite number"),
        ("[7..1)", False, 4, "holds for no value"),
        ("(1..1)", False, 4, "holds for no value"),
        ("0.3", False, 0, 'write "<= 0.3", "> 0.3"'),
        ("== 7d", True, 0, 'write "<= 7d", "> 7d"'),
        ("", False, 0, "is not a test"),
    ],
)
def test_a_bad_test_is_pointed_at(text: str, duration: bool, column: int, message: str) -> None:
    """The error's column is that of the character at fault."""
    with pytest.raises(NotationError) as caught:
        parse_test(text, duration=duration)
    assert message in str(caught.value)
    assert caught.value.column == column


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("LABEL", {"LABEL"}),
        ("[LABEL, STYLE]", {"LABEL", "STYLE"}),
        (" [ LABEL ] ", {"LABEL"}),
        ("not(FREE_TEXT)", {"LABEL", "STYLE"}),
        (" not ( FREE_TEXT, STYLE ) ", {"LABEL"}),
    ],
)
def test_choices_are_read_as_names(text: str, names: set[str]) -> None:
    """One name or a list of names holds for those; `not` for the others."""
    assert parse_test(text, choices=FORMS) == names


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("LABLE", 0), ("[STYLE, LABLE]", 8), ("label", 0), ("[]", 1), ("<= 3", 0), ("[LABEL", 0),
        ("not(LABLE)", 4), ("not(o)", 4), ("not LABEL", 0), ("not(LABEL]", 0), ("[LABEL)", 0),
    ],
)  # fmt: skip
def test_an_unknown_choice_is_refused(text: str, column: int) -> None:
    """The error lists the names allowed."""
    with pytest.raises(NotationError, match="is not one of FREE_TEXT, LABEL, STYLE") as caught:
        parse_test(text, choices=FORMS)
    assert caught.value.column == column


def test_a_test_that_leaves_every_name_out_is_refused() -> None:
    """It would hold for nothing."""
    with pytest.raises(NotationError, match="holds for no value"):
        parse_test("not(FREE_TEXT, LABEL, STYLE)", choices=FORMS)
