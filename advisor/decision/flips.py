"""Flips: the nearest plausible change of each fact that changes the approach to take.

A change is plausible where a value that the knowledge base holds possible in
such a use case lies at it or beyond it: nobody is told what would follow from
a corpus of no tokens, or from sources under a label. A fact with one possible
value means nothing there and never changes anything. Nor is a change told that
is further than a third of what is usual (20,000 examples are not fewer than 10),
or that takes away what every training needs, or makes another use case of it.

Along one fact everything is constant, or linear on the fact's scale, between
the ends of tests and the points of curves. So it is enough to score both sides
of each such place, and inside a stretch to look at where two lines come within
the tolerance of each other: the flip is exact, not searched for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from advisor.decision.scoring import READ_BESIDE_RULES, UNDECIDED, Scorer
from advisor.decision.worlds import Plausible
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.arrays import Floats
from advisor.knowledge.facts import Fact, Row, facts, value_to_notation, value_to_text
from advisor.knowledge.notation import Interval
from advisor.knowledge.rules import CRITERIA
from advisor.knowledge.scale import from_scale, to_scale
from backends.counts import counted

__all__ = ["Flip", "FlipFinder"]


_FAR = 1 / 3
"""Share of a fact's usual range."""
_OF_RETRIEVAL = ("corpus_tokens", "retrieval_hit_rate")
"""Facts of what is retrieved from: RAG and HYBRID do so alike."""
_NEEDED_TO_TRAIN = "can_train"
"""That nothing is trained where nothing can be is no news."""
_NATURE = ("task", "output_form")
"""What makes a use case what it is: with another it would be another one."""


@dataclass(frozen=True, slots=True)
class Flip:
    """A change of one fact that changes the approach to take.

    Attributes:
        fact: Name of the fact.
        current: Its value now, in the notation of use-case files; empty where unknown.
        change: The change, as a test.
        words: The change as a clause, for people, such as `If labelled examples were fewer than 50 (now 80)`.
        approach: The approach that would be taken.
        distance: How far the fact has to move, as a share of its places; smaller is nearer.
    """

    fact: str
    current: str
    change: str
    words: str
    approach: Approach
    distance: float

    @property
    def is_far(self) -> bool:
        """Whether a number has to move further than a use case does while it stays the same."""
        return self.change[0] in "<>" and self.distance > _FAR

    @property
    def sentence(self) -> str:
        """The change in a sentence."""
        return f"{self.words}: {self.approach}."


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Values of one fact to try, by rising value, with what is taken at each and what each approach is worth.

    Attributes:
        taken: None where nothing is decided.
        points: Shape (approaches + 1, values); -inf for what is not feasible; last, the points that suffice.
        known: Whether the evidence suffices to decide.
    """

    item: Fact
    values: tuple[float, ...]
    taken: Sequence[Approach | None]
    points: Floats
    known: Sequence[bool]

    def changes(self, index: int, now: Approach | None) -> bool:
        """Return whether another approach is taken at a value; that none is, is no change to tell of."""
        return self.taken[index] is not None and self.taken[index] is not now


class FlipFinder:
    """Finds flips for one scorer, whose places of change it gathers once."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._plausible = Plausible(scorer.knowledge)
        places = _places(scorer)
        self._values = [tuple(sorted(places.get(item.name, ()))) for item in facts()]

    def find(self, row: Row, now: Approach | None) -> tuple[Flip, ...]:
        """Return one flip for each fact that has a plausible one: facts known first, nearest first.

        Args:
            row: The use case, shape (facts,).
            now: The approach that is taken now; None where none is.
        """
        found = []
        values: list[float] = row.tolist()
        for candidates, known in self._score(row):
            plausible = self._plausible.values(candidates.item.name, values)
            name = candidates.item.name
            if len(plausible) < 2 or name == _NEEDED_TO_TRAIN or (name in _NATURE and known is not None):
                continue
            if known is None:
                flip = self._unknown(candidates, plausible, now)
            else:
                flip = self._nearest(candidates, known, plausible, now)
            if flip is not None and (known is None or not flip.is_far) and not _only_of_retrieval(flip, now):
                found.append(flip)
        return tuple(sorted(found, key=lambda flip: (not flip.current, flip.distance)))

    def _score(self, row: Row) -> Iterable[tuple[_Candidates, float | None]]:
        """Score every value of every fact at once."""
        tried = []
        facts_known = [None if math.isnan(value) else value for value in row.tolist()]
        for known, values in zip(facts_known, self._values, strict=True):
            tried.append(tuple(sorted({*values, known})) if known is not None and values else values)
        rows = np.repeat(row[None, :], sum(map(len, tried)), axis=0)
        start = 0
        for column, values in enumerate(tried):
            rows[start : start + len(values), column] = values
            start += len(values)
        scores = self._scorer.score(rows)
        points = np.vstack((np.where(scores.feasible, scores.points, -np.inf), scores.enough))
        taken = [_approach(place) for place in scores.approach.tolist()]
        enough: list[bool] = scores.known.tolist()
        start = 0
        for item, values, known in zip(facts(), tried, facts_known, strict=True):
            stop = start + len(values)
            if values:
                part = slice(start, stop)
                yield _Candidates(item, values, taken[part], points[:, part], enough[part]), known
            start = stop

    def _unknown(
        self, candidates: _Candidates, plausible: Sequence[float], now: Approach | None
    ) -> Flip | None:
        """Return the outer stretch of an unknown fact that changes the approach."""
        values = candidates.values
        if candidates.item.kind in ("flag", "choice"):
            return _other_choice(candidates, math.nan, plausible, now)
        for outwards in (range(len(values)), range(len(values) - 1, -1, -1)):
            same = [step for step, index in enumerate(outwards) if not candidates.changes(index, now)]
            inside = max(same, default=-1)
            if 0 <= inside < len(values) - 1:
                index, outside = outwards[inside], outwards[inside + 1]
                if _reaches(plausible, values[outside], outwards.step):
                    return self._boundary(candidates, index, outside, now, None)
        return None

    def _nearest(
        self, candidates: _Candidates, known: float, plausible: Sequence[float], now: Approach | None
    ) -> Flip | None:
        """Return the flip nearest to a known value."""
        here = candidates.values.index(known)
        if candidates.item.kind in ("flag", "choice"):
            return _other_choice(candidates, known, plausible, now)
        flips = [
            flip
            for indices in (range(here - 1, -1, -1), range(here + 1, len(candidates.values)))
            if (flip := self._first_change(candidates, known, indices, plausible, now))
        ]
        return min(flips, key=lambda flip: flip.distance, default=None)

    def _first_change(
        self,
        candidates: _Candidates,
        known: float,
        indices: range,
        plausible: Sequence[float],
        now: Approach | None,
    ) -> Flip | None:
        """Return the first change of the approach on the way from a known value."""
        previous = candidates.values.index(known)
        for index in indices:
            if candidates.changes(index, now):
                if not _reaches(plausible, candidates.values[index], indices.step):
                    return None
                return self._boundary(candidates, previous, index, now, known)
            previous = index
        return None

    def _boundary(
        self, candidates: _Candidates, inside: int, outside: int, now: Approach | None, known: float | None
    ) -> Flip:
        """Describe the change of the approach between two neighbouring values."""
        item = candidates.item
        place, approach, exact = self._crossing(candidates, inside, outside, now)
        sign = (">" if outside > inside else "<") + ("=" if exact else "")
        distance = 1.0 if known is None else abs(to_scale(item, place) - to_scale(item, known)) / _span(item)
        change = f"{sign} {value_to_notation(item, place)}"
        return _change(item, known, change, _comparison_words(item, sign, place), approach, distance)

    def _crossing(
        self, candidates: _Candidates, inside: int, outside: int, now: Approach | None
    ) -> tuple[float, Approach, bool]:
        """Return where the approach changes, what is taken there, and whether it is at that very value.

        Inside a stretch the points are straight lines and what is taken changes only where two of them are equal or
        the tolerance apart, or where one comes to suffice; between two such places it is the same.
        """
        values = candidates.values
        beyond = candidates.taken[outside] or APPROACHES[0]  # one is taken, else it would be no change
        if math.nextafter(values[inside], values[outside]) == values[outside]:
            # A test ends here: name the end that a person wrote.
            written = min((values[inside], values[outside]), key=lambda value: len(f"{value!r}"))
            return written, beyond, written == values[outside]
        here, there = (to_scale(candidates.item, values[index]) for index in (inside, outside))
        start, end = candidates.points[:, inside], candidates.points[:, outside]
        places = _meetings(start, end, self._scorer.knowledge.decision.tolerance)
        known = candidates.known[inside]
        for left, right in pairwise([0.0, *places, 1.0]):
            middle = (left + right) / 2
            mixed = (1 - middle) * start + middle * end
            simplest = self._scorer.simplest(mixed[:-1, None], mixed[-1:])
            taken = _approach(int(simplest[0])) if known else None
            if taken is not None and taken is not now:
                return from_scale(candidates.item, here + left * (there - here)), taken, False
        return values[outside], beyond, True


def _places(scorer: Scorer) -> Mapping[str, set[float]]:
    """Return, per fact, the values on both sides of every place where something changes."""
    places: dict[str, set[float]] = {}
    rules = scorer.knowledge.rules
    tests = [test for rule in rules if rule.kind != "warning" for test in rule.tests]
    tested = {test.subject for test in tests}
    curves = list(scorer.gains.curves)
    tested.update(READ_BESIDE_RULES)
    for criterion in scorer.knowledge.criteria:
        if criterion.name in tested:
            curves.extend(criterion.curves)
            tested.update(curve.subject for curve in criterion.curves)
    for test in tests:
        if test.subject not in CRITERIA:
            sides = test.holds.sides() if isinstance(test.holds, Interval) else ()
            places.setdefault(test.subject, set()).update(sides)
    for curve in curves:
        places.setdefault(curve.subject, set()).update(x for x, _ in curve.points)
    for item in facts():
        if item.name in tested or item.name in places:
            extremes = _whole(item) if item.choices or item.kind == "flag" else (item.minimum, item.maximum)
            places.setdefault(item.name, set()).update(extremes)
            places[item.name] = {
                value for value in places[item.name] if item.minimum <= value <= item.maximum
            }
    return places


def _whole(item: Fact) -> tuple[float, ...]:
    return tuple(float(value) for value in range(int(item.minimum), int(item.maximum) + 1))


def _only_of_retrieval(flip: Flip, now: Approach | None) -> bool:
    """Return whether a flip is between two that retrieve, by what documents there are and how well they are found."""
    return flip.fact in _OF_RETRIEVAL and now is not None and now.retrieves and flip.approach.retrieves


def _approach(place: int) -> Approach | None:
    return None if place == UNDECIDED else APPROACHES[place]


def _meetings(start: Floats, end: Floats, tolerance: float) -> list[float]:
    """Return, between 0 and 1, where two of several lines are equal or the tolerance apart.

    The last of them is what suffices; nothing turns on the tolerance to it, and to look there costs nothing.
    """
    found: set[float] = set()
    feasible = np.flatnonzero(np.isfinite(start) & np.isfinite(end)).tolist()
    for one, other in combinations(feasible, 2):
        gap, last = start[one] - start[other], end[one] - end[other]
        if gap != last:
            found.update((gap - apart) / (gap - last) for apart in (-tolerance, 0.0, tolerance))
    return sorted(float(place) for place in found if 0.0 < place < 1.0)


def _reaches(plausible: Sequence[float], value: float, step: int) -> bool:
    """Return whether a plausible value lies at a value or beyond it."""
    return any((each - value) * step >= 0 for each in plausible)


def _other_choice(
    candidates: _Candidates, known: float, plausible: Sequence[float], now: Approach | None
) -> Flip | None:
    best = None
    for index, value in enumerate(candidates.values):
        other = candidates.taken[index]
        if value != known and value in plausible and other is not None and candidates.changes(index, now):
            points = candidates.points[:, index]
            lead = float(points[other.place] - points[now.place if now else 0])
            if best is None or lead > best[0]:
                best = (lead, value, other)
    if best is None:
        return None
    _, value, other = best
    item = candidates.item
    if item.kind == "flag":
        words = f"{'If' if value else 'Unless'} {item.title}"
    else:
        words = f"If {item.title} were {value_to_text(item, value)}"
    return _change(item, known, value_to_notation(item, value), words, other, 1.0)


def _change(
    item: Fact, known: float | None, change: str, words: str, approach: Approach, distance: float
) -> Flip:
    if known is None or math.isnan(known):
        return Flip(item.name, "", change, words, approach, distance)
    now = "" if item.kind == "flag" else f" (now {value_to_text(item, known)})"
    current = value_to_notation(item, known)
    return Flip(item.name, current, change, words + now, approach, distance)


def _comparison_words(item: Fact, sign: str, place: float) -> str:
    words = {">=": "at least", ">": "more than", "<=": "at most", "<": "less than"}[sign]
    if item.kind == "count" and sign == "<":
        words = "fewer than"
    amount = counted(round(place), "token") if item.unit == "tokens" else value_to_text(item, place)
    return f"If {item.title} were {words} {amount}"


def _span(item: Fact) -> float:
    """Return the width of a fact's usual range on its scale, to compare distances of different facts."""
    low, high = (to_scale(item, end) for end in item.usual)
    return high - low
