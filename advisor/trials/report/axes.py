"""Axes of plots: where a value stands between two ends, and which values are written there."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["ZERO_GAP", "Axis", "axis_of", "share_axis"]

_DECADE = 10.0
_TICKS = 6
ZERO_GAP = 0.1
"""Share of a logarithmic axis between its place for zero, where it has one, and its beginning."""
_MARGIN = 1.25
_CLOSE = 0.01
"""Values that lie closer, as a part of the largest, are drawn as one."""
_ALONE = 0.1
"""Room above and below shares that are drawn as one."""


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis.

    Attributes:
        low: Value at its beginning; on a logarithmic axis the least above zero.
        high: Value at its end.
        ticks: Values that are written beside it, in order.
        logarithmic: Whether equal ratios have equal lengths.
        has_zero: Whether a logarithmic axis has a place for zero, apart from the rest.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    logarithmic: bool = False
    has_zero: bool = False

    def place(self, value: float) -> float:
        """Return where a value stands, from 0 to 1; what lies outside stands at the end."""
        if not self.logarithmic:
            return _clamped((value - self.low) / (self.high - self.low))
        if value <= 0:
            return 0.0
        share = _clamped(math.log(value / self.low) / math.log(self.high / self.low))
        start = ZERO_GAP if self.has_zero else 0.0
        return start + (1 - start) * share


def axis_of(values: Iterable[float]) -> Axis:
    """Return an axis for amounts, none below zero: logarithmic where those above it span more than a decade.

    Example:
        >>> axis_of([0.2, 30.0]).ticks, axis_of([12.0, 58.0]).ticks
        ((0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0), (0.0, 20.0, 40.0, 60.0))
    """
    amounts = sorted(values)
    positive = [each for each in amounts if each > 0]
    if positive and positive[-1] > _DECADE * positive[0]:
        return _logarithmic(positive[0], positive[-1], has_zero=amounts[0] <= 0)
    low, high = (amounts[0], amounts[-1]) if amounts else (0.0, 1.0)
    return _linear(0.0 if low < high / 2 else low, high)


def share_axis(values: Iterable[float]) -> Axis:
    """Return a linear axis for shares, which has only what lies between 0 and 1."""
    shares = sorted(values) or [0.0, 1.0]
    room = 0.0 if shares[-1] - shares[0] > _CLOSE else _ALONE
    return _linear(max(0.0, shares[0] - room), min(1.0, shares[-1] + room))


def _logarithmic(low: float, high: float, *, has_zero: bool) -> Axis:
    low, high = low / _MARGIN, high * _MARGIN
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        found = [float(f"{step}e{decade}") for decade in decades for step in steps]
        ticks = [each for each in found if low <= each <= high]
        if len(ticks) <= _TICKS + 1:
            break
    ticks = ticks[:: math.ceil(len(ticks) / (_TICKS + 1))]
    return Axis(low, high, (*((0.0,) if has_zero else ()), *ticks), logarithmic=True, has_zero=has_zero)


def _linear(low: float, high: float) -> Axis:
    if high - low <= _CLOSE * high:  # in the middle
        low, high = (low / 2, high * 1.5) if high else (0.0, 1.0)
    step = _step((high - low) / (_TICKS - 1))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(float(f"{step * each:.12g}") for each in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks)


def _step(rough: float) -> float:
    """Return the least of 1, 2, 5 times a power of ten that is not below a rough step."""
    size = 10.0 ** math.floor(math.log10(rough))
    return next(size * each for each in (1, 2, 5, 10) if size * each >= rough * (1 - 1e-9))


def _clamped(share: float) -> float:
    return min(1.0, max(0.0, share))
