"""Crossings: where along one fact the approach to take changes, and the value at which to tell of it.

Between two neighbouring values at which anything may change, points of quality are straight lines on the fact's scale:
the approach changes where two of them meet. What a fact does to the cost is no line, and no more is where enough comes
to be known to decide; there the place is searched.

Such a place was learned or estimated, and nobody knows it to three digits. It is told to two, of a share to a whole per
cent: the first such value beyond the place, with what is taken at that very value. A change that does not last until
there is narrower than what can be known, and is none to tell of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np

from advisor.knowledge.approaches import Approach
from advisor.knowledge.arrays import Floats
from advisor.knowledge.facts import BARE_UNITS, Fact
from advisor.knowledge.scale import from_scale, to_scale

__all__ = ["Crossing", "Stretch", "meetings", "round_value"]

_GRID, _ROUNDS = 129, 2
"""Places tried at a time, and how often, to find where the approach changes."""
_BEYOND = 1e-6
"""Share of the way, to see what is taken just before or after a meeting."""
_BETWEEN = 33
"""Places tried besides, up to the last meeting, to see whether the cost has a say before."""
_DIGITS = 2
"""That a place is told to."""
_CLOCK = (86400.0, 3600.0, 60.0, 1.0)
"""Units that durations are told in, in seconds."""
_LEAST = 1e-9
"""Below, all is as good as none."""
_NOISE = 1e-6
"""Share of the last digit by which a place that was computed may miss a round value."""


class Crossing(NamedTuple):
    """A change of the approach along a fact, as it is told.

    Attributes:
        value: The fact's value.
        approach: What is taken there.
        included: Whether at that very value, or only beyond it.
    """

    value: float
    approach: Approach
    included: bool = True


@dataclass(frozen=True, slots=True)
class Stretch:
    """The values of a fact between two at which one approach is taken, and another.

    Attributes:
        item: The fact.
        inside: Value to start from.
        outside: Value at which another approach is taken.
        now: The approach that is taken inside; None where none is.
        taken: What is taken at each of several values; None where nothing is decided.
        costs: Whether the cost of an approach depends on the fact.
    """

    item: Fact
    inside: float
    outside: float
    now: Approach | None
    taken: Callable[[Sequence[float]], Sequence[Approach | None]]
    costs: bool

    def crossing(self, shares: Sequence[float]) -> Crossing | None:
        """Return where to tell that the approach changes; None where it does for less than is told apart.

        Args:
            shares: Where the points meet, as shares of the way, rising.
        """
        if not shares:
            return self._searched()
        count = len(shares)
        after = [self._at(one + _BEYOND * (other - one)) for one, other in pairwise((*shares, 1.0))]
        told = [self._rounded(self._at(share)) for share in shares]
        between: list[float] = []
        if self.costs:
            grid = np.linspace(0.0, shares[-1], _BETWEEN).tolist()
            between = sorted((*grid, *(share * (1.0 - _BEYOND) for share in shares)))
        taken = self.taken([*after, *told, *(self._at(share) for share in between)])
        place, early = self._first(taken[:count]), self._first(taken[2 * count :])
        if place is None or (early is not None and between[early] < shares[place]):
            return self._searched()
        return self._told(told[place:], taken[count + place : 2 * count])

    def _searched(self) -> Crossing | None:
        """Return the same where the points do not tell: the change may be anywhere, or at the outer end."""
        start, end = 0.0, 1.0
        for _ in range(_ROUNDS):
            shares = np.linspace(start, end, _GRID).tolist()
            place = self._first(self.taken([self._at(share) for share in shares])[1:])
            start, end = shares[place : place + 2] if place is not None else shares[-1:] * 2
        told = [self._rounded(value) for value in (self._at(start), self._at(end), self.outside)]
        return self._told(told, self.taken(told))

    def _told(self, values: Sequence[float], taken: Sequence[Approach | None]) -> Crossing | None:
        """Return the first of several values at which something else is taken."""
        for value, approach in zip(values, taken, strict=True):
            if approach is not None and approach is not self.now:
                return Crossing(value, approach)
        return None

    def _first(self, taken: Sequence[Approach | None]) -> int | None:
        """Return the place of what is first taken instead."""
        changed = (place for place, each in enumerate(taken) if each is not None and each is not self.now)
        return next(changed, None)

    def _at(self, share: float) -> float:
        """Return the value at a share of the way, by the fact's scale."""
        here, there = to_scale(self.item, self.inside), to_scale(self.item, self.outside)
        return from_scale(self.item, here + share * (there - here))

    def _rounded(self, value: float) -> float:
        return round_value(self.item, value, up=self.outside > self.inside)


def meetings(start: Floats, end: Floats, tolerance: float) -> list[float]:
    """Return, as shares of the way, where two of several lines are equal or the tolerance apart.

    The last of them is what suffices; nothing turns on the tolerance to it, and to look there costs nothing.

    Args:
        start: Points at one end, shape (lines,); those that are not finite meet nothing.
        end: Points at the other.
        tolerance: In points.
    """
    found: set[float] = set()
    feasible = np.flatnonzero(np.isfinite(start) & np.isfinite(end)).tolist()
    for one, other in combinations(feasible, 2):
        gap, last = start[one] - start[other], end[one] - end[other]
        if gap != last:
            found.update((gap - apart) / (gap - last) for apart in (-tolerance, 0.0, tolerance))
    return sorted(float(place) for place in found if 0.0 < place < 1.0)


def round_value(item: Fact, value: float, *, up: bool) -> float:
    """Return the nearest round value that a fact may have at a value or beyond it.

    To two significant digits, of a share or a quality to a whole per cent; counts stay whole.

    >>> from advisor.knowledge.facts import fact
    >>> round_value(fact("model_parameters"), 38.05e9, up=True)
    39000000000.0
    >>> round_value(fact("closed_book_score"), 0.2669, up=False)
    0.26

    Args:
        item: The fact.
        value: Where to start.
        up: Whether beyond is above.
    """
    size = next((each for each in _CLOCK if value >= each), 1.0) if item.kind == "duration" else 1.0
    places = _DIGITS
    if item.unit not in BARE_UNITS:
        places = _DIGITS - 1 - math.floor(math.log10(max(value / size, _LEAST)))
    if item.kind == "count":
        places = min(places, 0)
    last = value / size * 10.0**places
    whole: float = size * (math.ceil(last - _NOISE) if up else math.floor(last + _NOISE))
    rounded: float = whole / 10**places if places > 0 else whole * 10**-places
    return min(max(rounded, item.minimum), item.maximum)
