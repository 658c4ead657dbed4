"""The notation of tests and durations in rule files and use-case files.

A test says which values of a fact it holds for. It is a DMN unary
test (Decision Model and Notation 1.5, section 7.3), of these forms:

    test       = comparison | interval | choice | choices | others | flag | unknown
    comparison = ("<" | "<=" | ">" | ">=") value
    interval   = ("[" | "(") value ".." value ("]" | ")")
    choice     = NAME                           such as LABEL
    choices    = "[" NAME ("," NAME)* "]"       one of these
    others     = "not(" NAME ("," NAME)* ")"    any but these
    flag       = "true" | "false"
    unknown    = "unknown"                      nothing is known of the fact
    value      = number | duration
    number     = digits [exponent | "K" | "M" | "B" | "T"]
    duration   = digits [exponent] ("ms" | "s" | "m" | "h" | "d" | "w" | "y")

Digits may have a fraction and underscores (2_000); an exponent is written 1e6.
K, M, B and T stand for thousand, million, billion and trillion (10B, 1.5M): in
capitals only, since `m` is a minute. A year is 365 days.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "UNKNOWN",
    "Interval",
    "NotationError",
    "duration_to_text",
    "parse_duration",
    "parse_number",
    "parse_test",
]

UNKNOWN = "unknown"
"""The test that nothing is known of a fact, which `parse_test` does not read: it tells no values apart."""

_SECONDS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_EXPONENTS = {"K": 3, "M": 6, "B": 9, "T": 12}
_DIGITS = r"[+-]?(?:[0-9]+(?:_[0-9]+)*\.?[0-9]*|\.[0-9]+)"
_DURATION = re.compile(rf"\s*({_DIGITS}(?:[eE][+-]?[0-9]+)?)\s*([A-Za-z]*)\s*\Z")
_PERCENTAGE = re.compile(rf"\s*({_DIGITS})\s*%\s*\Z")
_MULTIPLE = re.compile(rf"\s*({_DIGITS})\s*([A-Za-z]+)\s*\Z")
_COMPARISON = re.compile(r"\s*(<=|>=|<|>)(.*)\Z", re.DOTALL)
_INTERVAL = re.compile(r"\s*([\[(])(.*?)\.\.(.*?)([\])])\s*\Z", re.DOTALL)
_LISTED = re.compile(r"\s*(not\s*\(|\[)(.*)([\])])\s*\Z", re.DOTALL)


class NotationError(ValueError):
    """A text that is not in the notation.

    Attributes:
        text: The whole text.
        column: Where in it the trouble starts, from 0.
    """

    def __init__(self, message: str, text: str, column: int = 0) -> None:
        super().__init__(message)
        self.text = text
        self.column = column


@dataclass(frozen=True, slots=True)
class Interval:
    """The numbers that a test on an ordered subject holds for.

    Attributes:
        low: Lower end, -inf where there is none.
        high: Upper end, inf where there is none.
        low_open: Whether `low` itself is left out.
        high_open: Whether `high` itself is left out.
    """

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    def __contains__(self, number: float) -> bool:
        above = number > self.low if self.low_open else number >= self.low
        return above and (number < self.high if self.high_open else number <= self.high)

    @property
    def empty(self) -> bool:
        """Whether no number is in it."""
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    def closed(self) -> tuple[float, float]:
        """Return the smallest and largest float in it."""
        low = math.nextafter(self.low, math.inf) if self.low_open else self.low
        high = math.nextafter(self.high, -math.inf) if self.high_open else self.high
        return low, high

    def sides(self) -> tuple[float, ...]:
        """Return the floats next to each finite end, the one outside and the one inside."""
        low, high = self.closed()
        below = (math.nextafter(low, -math.inf), low) if math.isfinite(low) else ()
        above = (high, math.nextafter(high, math.inf)) if math.isfinite(high) else ()
        return (*below, *above)


def parse_number(text: str) -> float:
    """Read a finite number such as `0.3` or `10B`; NotationError where it is none."""
    if match := _MULTIPLE.match(text):
        digits, letter = match.groups()
        if letter not in _EXPONENTS:
            hint = f"; write {digits}{letter.upper()}" if letter.upper() in _EXPONENTS else ""
            message = f"{text.strip()!r} is not a number: {letter!r} is none of {', '.join(_EXPONENTS)}{hint}"
            raise NotationError(message, text, match.start(2))
        number = float(f"{digits}e{_EXPONENTS[letter]}")  # not a product, which would round twice
    else:
        number = _parse_plain(text)
    if not math.isfinite(number):
        raise NotationError(f"{text.strip()} is not a finite number", text)
    return number


def parse_duration(text: str) -> float:
    """Read a duration such as `7d` in seconds; NotationError where it is none."""
    match = _DURATION.match(text)
    if not match:
        raise NotationError(f"{text.strip()!r} is not a duration; write 7d, 12h, 30m or 45s", text)
    number, unit = match.groups()
    if not unit:
        raise NotationError(f"{number} has no unit; write {number}d, {number}h, {number}m or {number}s", text)
    if unit not in _SECONDS:
        message = f"{unit!r} is not a unit of time; allowed: {', '.join(_SECONDS)}"
        raise NotationError(message, text, match.start(2))
    seconds = float(number) * _SECONDS[unit]
    if not math.isfinite(seconds):
        raise NotationError(f"{text.strip()} is not a finite duration", text)
    return seconds


def duration_to_text(seconds: float) -> str:
    """Write seconds as a duration, exactly, in the largest unit that is short; see `parse_duration`."""
    for unit in ("y", "d", "h", "m", "s", "ms"):
        amount = f"{seconds / _SECONDS[unit]:.6g}"
        if float(amount) >= 1 and float(amount) * _SECONDS[unit] == seconds:
            return amount + unit
    return repr(float(seconds)).removesuffix(".0") + "s"


def parse_test(
    text: str, *, duration: bool = False, choices: Sequence[str] = ()
) -> Interval | frozenset[str]:
    """Read a test.

    Args:
        text: The test.
        duration: Whether values are durations, and so need units.
        choices: Names allowed, for a subject that is a choice; empty for an ordered one.

    Returns:
        The names that it holds for, of a choice; else the interval.

    Raises:
        NotationError: The text is not a test on such a subject.
    """
    if choices:
        return _parse_choices(text, choices)
    if match := _COMPARISON.match(text):
        sign, value = match.groups()
        number = _parse_value(value, text, match.start(2), duration=duration)
        if sign.startswith("<"):
            return Interval(high=number, high_open=sign == "<")
        return Interval(low=number, low_open=sign == ">")
    if match := _INTERVAL.match(text):
        return _parse_interval(match, text, duration=duration)
    value = "7d" if duration else "0.3"
    raise NotationError(
        f'{text!r} is not a test; write "<= {value}", "> {value}" or "[{value}..{value})"', text
    )


def _parse_plain(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        share = _PERCENTAGE.match(text)
        hint = f"; write {float(share[1]) / 100:.12g}" if share else ""
        raise NotationError(f"{text.strip()!r} is not a number{hint}", text) from None


def _parse_interval(match: re.Match[str], text: str, *, duration: bool) -> Interval:
    low = _parse_value(match[2], text, match.start(2), duration=duration)
    high = _parse_value(match[3], text, match.start(3), duration=duration)
    interval = Interval(low, high, match[1] == "(", match[4] == ")")
    if interval.empty:
        raise NotationError(
            f"{text!r} holds for no value: its ends are in the wrong order", text, match.start(3)
        )
    return interval


def _parse_value(value: str, text: str, column: int, *, duration: bool) -> float:
    try:
        return parse_duration(value) if duration else parse_number(value)
    except NotationError as error:
        skipped = len(value) - len(value.lstrip())
        raise NotationError(str(error), text, column + max(error.column, skipped)) from None


def _parse_choices(text: str, choices: Sequence[str]) -> frozenset[str]:
    match = _LISTED.match(text)
    listed = match[2].split(",") if match and (match[1] == "[") == (match[3] == "]") else [text]
    names = [name.strip() for name in listed]
    for name in names:
        if name not in choices:
            column = max(text.find(name, match.start(2) if match else 0), 0)
            raise NotationError(f"{name!r} is not one of {', '.join(choices)}", text, column)
    if not match or match[1] == "[":
        return frozenset(names)
    if others := frozenset(choices) - frozenset(names):
        return others
    raise NotationError(f"{text!r} holds for no value: every name is left out", text)
