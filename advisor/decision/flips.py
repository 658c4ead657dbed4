"""Flips: the nearest plausible change of each fact that changes the leading approach.

A change is plausible where a value that the knowledge base holds possible in
such a use case lies at it or beyond it: nobody is told what would follow from
a corpus of no tokens, or from sources under a label.

Along one fact everything is constant, or linear on the fact's scale, between
the ends of tests and the points of curves. So it is enough to score both sides
of each such place, and where the leader changes inside a stretch, to intersect
two lines: the flip is exact, not searched for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from advisor.decision.scoring import Scorer
from advisor.decision.worlds import Plausible
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.arrays import Floats
from advisor.knowledge.facts import Fact, Row, facts, value_to_notation, value_to_text
from advisor.knowledge.notation import Interval
from advisor.knowledge.rules import CRITERIA
from advisor.knowledge.scale import from_scale, to_scale
from backends.counts import counted

__all__ = ["Flip", "FlipFinder"]


@dataclass(frozen=True, slots=True)
class Flip:
    """A change of one fact that changes the leader.

    Attributes:
        fact: Name of the fact.
        current: Its value now, in the notation of use-case files; empty where unknown.
        change: The change, as a test.
        words: The change as a clause, for people, such as `If labelled examples were fewer than 50 (now 80)`.
        approach: The approach that would lead.
        distance: How far the fact has to move, as a share of its places; smaller is nearer.
    """

    fact: str
    current: str
    change: str
    words: str
    approach: Approach
    distance: float

    @property
    def sentence(self) -> str:
        """The change in a sentence."""
        return f"{self.words}: {self.approach}."


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Values of one fact to try, by rising value, what leads at each, and by which log-odds."""

    item: Fact
    values: tuple[float, ...]
    leaders: Sequence[Approach]
    log_odds: Floats


class FlipFinder:
    """Finds flips for one scorer, whose places of change it gathers once."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._plausible = Plausible(scorer.knowledge)
        places = _places(scorer)
        self._values = [tuple(sorted(places.get(item.name, ()))) for item in facts()]

    def find(self, row: Row, leader: Approach) -> tuple[Flip, ...]:
        """Return one flip for each fact that has a plausible one: facts known first, nearest first.

        Args:
            row: The use case, shape (facts,).
            leader: The approach that leads now.
        """
        found = []
        values: list[float] = row.tolist()
        for candidates, known in self._score(row):
            plausible = self._plausible.values(candidates.item.name, values)
            if known is None:
                flip = _unknown(candidates, plausible, leader)
            else:
                flip = _nearest(candidates, known, plausible, leader)
            if flip is not None:
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
        log_odds = np.where(scores.feasible, scores.log_odds, -np.inf)
        leaders = [APPROACHES[place] for place in scores.order[0].tolist()]
        start = 0
        for item, values, known in zip(facts(), tried, facts_known, strict=True):
            stop = start + len(values)
            if values:
                yield _Candidates(item, values, leaders[start:stop], log_odds[:, start:stop]), known
            start = stop


def _places(scorer: Scorer) -> Mapping[str, set[float]]:
    """Return, per fact, the values on both sides of every place where something changes."""
    places: dict[str, set[float]] = {}
    rules = scorer.knowledge.rules
    tests = [test for rule in rules if rule.kind != "warning" for test in rule.tests]
    tested = {test.subject for test in tests}
    curves = list(scorer.classifier.features if scorer.classifier else ())
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


def _unknown(candidates: _Candidates, plausible: Sequence[float], leader: Approach) -> Flip | None:
    """Return the outer stretch of an unknown fact that changes the leader."""
    values, leaders = candidates.values, candidates.leaders
    if candidates.item.kind in ("flag", "choice"):
        return _other_choice(candidates, math.nan, plausible, leader)
    for outwards in (range(len(values)), range(len(values) - 1, -1, -1)):
        inside = max((step for step, index in enumerate(outwards) if leaders[index] is leader), default=-1)
        if 0 <= inside < len(values) - 1:
            index, outside = outwards[inside], outwards[inside + 1]
            if _reaches(plausible, values[outside], outwards.step):
                return _boundary(candidates, index, outside, leader, None)
    return None


def _nearest(
    candidates: _Candidates, known: float, plausible: Sequence[float], leader: Approach
) -> Flip | None:
    """Return the flip nearest to a known value."""
    here = candidates.values.index(known)
    if candidates.item.kind in ("flag", "choice"):
        return _other_choice(candidates, known, plausible, leader)
    flips = [
        flip
        for indices in (range(here - 1, -1, -1), range(here + 1, len(candidates.values)))
        if (flip := _first_change(candidates, known, indices, plausible, leader))
    ]
    return min(flips, key=lambda flip: flip.distance, default=None)


def _first_change(
    candidates: _Candidates, known: float, indices: range, plausible: Sequence[float], leader: Approach
) -> Flip | None:
    """Return the first change of the leader on the way from a known value."""
    previous = candidates.values.index(known)
    for index in indices:
        if candidates.leaders[index] is not leader:
            if not _reaches(plausible, candidates.values[index], indices.step):
                return None
            return _boundary(candidates, previous, index, leader, known)
        previous = index
    return None


def _reaches(plausible: Sequence[float], value: float, step: int) -> bool:
    """Return whether a plausible value lies at a value or beyond it."""
    return any((each - value) * step >= 0 for each in plausible)


def _boundary(
    candidates: _Candidates, inside: int, outside: int, leader: Approach, known: float | None
) -> Flip:
    """Describe the change of the leader between two neighbouring values."""
    item = candidates.item
    place, approach, exact = _crossing(candidates, inside, outside, leader)
    sign = (">" if outside > inside else "<") + ("=" if exact else "")
    distance = 1.0 if known is None else abs(to_scale(item, place) - to_scale(item, known)) / _span(item)
    change = f"{sign} {value_to_notation(item, place)}"
    return _change(item, known, change, _comparison_words(item, sign, place), approach, distance)


def _crossing(
    candidates: _Candidates, inside: int, outside: int, leader: Approach
) -> tuple[float, Approach, bool]:
    """Return where the leader changes, what leads there, and whether it does at that very value."""
    values, log_odds = candidates.values, candidates.log_odds
    adjacent = math.nextafter(values[inside], values[outside]) == values[outside]
    if adjacent:  # a test ends here: name the end that a person wrote
        written = min((values[inside], values[outside]), key=lambda value: len(f"{value!r}"))
        return written, candidates.leaders[outside], written == values[outside]
    here, there = (to_scale(candidates.item, values[index]) for index in (inside, outside))
    nearest, approach = 1.0, candidates.leaders[outside]
    for other in APPROACHES:
        gap = log_odds[leader.place, inside] - log_odds[other.place, inside]
        end = log_odds[leader.place, outside] - log_odds[other.place, outside]
        if other is not leader and math.isfinite(gap) and end < 0 <= gap and gap / (gap - end) < nearest:
            nearest, approach = gap / (gap - end), other
    return from_scale(candidates.item, here + nearest * (there - here)), approach, nearest == 1.0


def _other_choice(
    candidates: _Candidates, known: float, plausible: Sequence[float], leader: Approach
) -> Flip | None:
    best = None
    for index, value in enumerate(candidates.values):
        other = candidates.leaders[index]
        if value != known and value in plausible and other is not leader:
            log_odds = candidates.log_odds[:, index]
            lead = float(log_odds[other.place] - log_odds[leader.place])
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
