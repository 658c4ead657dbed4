"""Flips: the nearest plausible change of each fact that changes the approach to take.

A change is plausible where a value that the knowledge base holds possible in
such a use case lies at it or beyond it: nobody is told what would follow from
a corpus of no tokens, or from sources under a label. A fact with one possible
value means nothing there and never changes anything. Nor is a change told that
is further than a third of what is usual (20,000 examples are not fewer than 10),
or that takes away what every training needs, or makes another use case of it.

Along one fact quality is constant, or linear on the fact's scale, between the
ends of tests and the points of curves. So it is enough to score both sides of
each such place, and inside a stretch to look at where two lines come within the
tolerance of each other: the flip is exact, not searched for. What a fact does to
the cost is no line; there the place is searched, and told to two digits, which is
more than an estimate knows. Searched, and told in full, is also where enough is
known to decide.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from advisor.decision.places import places_of_change
from advisor.decision.pricing import Known
from advisor.decision.scoring import UNDECIDED, Scorer
from advisor.decision.worlds import Plausible
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.arrays import Floats
from advisor.knowledge.facts import Fact, Row, fact_index, facts, value_to_notation, value_to_text
from advisor.knowledge.scale import from_scale, to_scale
from backends.counts import counted

__all__ = ["Flip", "FlipFinder"]


_FAR = 1 / 3
"""Share of a fact's usual range."""
_OF_RETRIEVAL = ("corpus_tokens", "retrieval_hit_rate")
"""Facts of what is retrieved from: RAG and HYBRID do so alike."""
_NEEDED_TO_TRAIN = "can_train"
"""That nothing is trained where nothing can be is no news."""
_MOST_STRETCHES = 4096
_GRID, _ROUNDS = 33, 3
_BEYOND = 1e-6
"""Places tried at a time, and how often, to find where the cost changes the approach."""
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
        row: The use case, shape (facts,).
        taken: None where nothing is decided.
        points: Shape (approaches + 1, values); -inf for what is not feasible; last, the points that suffice.
    """

    item: Fact
    row: Row
    values: tuple[float, ...]
    taken: Sequence[Approach | None]
    points: Floats

    def changes(self, index: int, now: Approach | None) -> bool:
        """Return whether another approach is taken at a value; that none is, is no change to tell of."""
        return self.taken[index] is not None and self.taken[index] is not now


_Tried = tuple[int, tuple[float, ...], float | None, tuple[float, ...]]
"""Column of a fact, values to try, the known one, the plausible ones."""


class FlipFinder:
    """Finds flips for one scorer, whose places of change it gathers once."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._plausible = Plausible(scorer.knowledge)
        places = places_of_change(scorer)
        self._values = [tuple(sorted(places.get(item.name, ()))) for item in facts()]
        read = {test.subject for rule in scorer.knowledge.rules for test in rule.tests}
        read |= {curve.subject for curve in scorer.gains.curves} | {"monthly_budget"}
        self._of_cost_alone = {fact_index()[name] for name in Known._fields if name not in read}
        self._stretches: dict[tuple[int, float, float], tuple[float, ...]] = {}

    def find(self, row: Row, now: Approach | None, *, alone: bool = False) -> tuple[Flip, ...]:
        """Return one flip for each fact that has a plausible one: facts known first, nearest first.

        Args:
            row: The use case, shape (facts,).
            now: The approach that is taken now; None where none is.
            alone: Whether no other approach is as good, and no budget is known, so that its cost has no say.
        """
        found = []
        values: list[float] = row.tolist()
        skipped = self._of_cost_alone if alone else frozenset()
        tried = [
            (column, *values_tried)
            for column, known in enumerate(values)
            if column not in skipped and (values_tried := self._tried(column, known, values)) is not None
        ]
        for candidates, known, plausible in self._score(row, tried, now) if tried else ():
            if known is None:
                flip = self._unknown(candidates, plausible, now)
            else:
                flip = self._nearest(candidates, known, plausible, now)
            if flip is not None and (known is None or not flip.is_far) and not _only_of_retrieval(flip, now):
                found.append(flip)
        return tuple(sorted(found, key=lambda flip: (not flip.current, flip.distance)))

    def _score(
        self, row: Row, tried: Sequence[_Tried], now: Approach | None
    ) -> Iterator[tuple[_Candidates, float | None, tuple[float, ...]]]:
        """Score at once every value of every fact; yield what flips something, with what is known and plausible."""
        lengths = [len(values) for _, values, _, _ in tried]
        rows = np.repeat(row[None, :], sum(lengths), axis=0)
        rows[np.arange(len(rows)), np.repeat([column for column, *_ in tried], lengths)] = [
            value for _, values, _, _ in tried for value in values
        ]
        scores = self._scorer.score(rows)
        points = np.vstack((scores.allowed, scores.enough))
        starts = np.cumsum([0, *lengths[:-1]])
        changed = (scores.approach != UNDECIDED) & (
            scores.approach != (UNDECIDED if now is None else now.place)
        )
        flipping = np.logical_or.reduceat(changed, starts)
        for place in np.flatnonzero(flipping).tolist():
            column, values, known, plausible = tried[place]
            part = slice(int(starts[place]), int(starts[place]) + len(values))
            taken = [_approach(each) for each in scores.approach[part].tolist()]
            yield _Candidates(facts()[column], row, values, taken, points[:, part]), known, plausible

    def _tried(
        self, column: int, number: float, known_values: Sequence[float]
    ) -> tuple[tuple[float, ...], float | None, tuple[float, ...]] | None:
        """Return values of a fact to try, the known one and the plausible ones; None where it flips nothing.

        No flip is told beyond what is plausible.
        """
        name, known = facts()[column].name, None if math.isnan(number) else number
        if name == _NEEDED_TO_TRAIN or (name in _NATURE and known is not None):
            return None
        plausible = self._plausible.values(name, known_values)
        if len(plausible) < 2 or not self._values[column]:
            return None
        if known is None:
            return self._between(column, min(plausible), max(plausible)), known, plausible
        values = self._between(column, min(*plausible, known), max(*plausible, known))
        return tuple(sorted({*values, known})), known, plausible

    def _between(self, column: int, low: float, high: float) -> tuple[float, ...]:
        """Return values of a fact to try, those of each stretch found once."""
        found = self._stretches.get((column, low, high))
        if found is None:
            found = tuple(value for value in self._values[column] if low <= value <= high)
            if len(self._stretches) < _MOST_STRETCHES:
                self._stretches[column, low, high] = found
        return found

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
        ends = [0.0, *_meetings(start, end, self._scorer.knowledge.decision.tolerance), 1.0]
        after = [here + (left + _BEYOND * (right - left)) * (there - here) for left, right in pairwise(ends)]
        for left, approach in zip(ends, self._taken(candidates, after), strict=False):
            if left and approach is not None and approach is not now:
                return from_scale(candidates.item, here + left * (there - here)), approach, False
        return self._searched(candidates, here, there, now) or (values[outside], beyond, True)

    def _searched(
        self, candidates: _Candidates, here: float, there: float, now: Approach | None
    ) -> tuple[float, Approach, bool] | None:
        """Return where the approach changes between two places on the fact's scale, to two digits where it costs."""
        item = candidates.item
        for _ in range(_ROUNDS):
            places = np.linspace(here, there, _GRID).tolist()
            taken = self._taken(candidates, places)
            changed = [i for i, each in enumerate(taken) if i and each is not None and each is not now]
            if not changed:
                return None
            here, there, approach = places[changed[0] - 1], places[changed[0]], taken[changed[0]]
        value = from_scale(item, there)
        if item.name not in Known._fields:  # a line after all: from there on enough is known
            return (value, approach, True) if approach is not None else None
        digits = 1 - math.floor(math.log10(abs(value))) if value else 0
        if item.kind == "count":  # told as a whole number
            digits = min(digits, 0)
        for rounded in (
            round(value, digits),
            round(value + math.copysign(10.0**-digits, there - here), digits),
        ):
            (found,) = self._taken(candidates, [to_scale(item, rounded)])
            if found is approach and approach is not None:
                return rounded, approach, True
        return (value, approach, True) if approach is not None else None

    def _taken(self, candidates: _Candidates, places: Sequence[float]) -> list[Approach | None]:
        """Return what is taken with the fact at places on its scale."""
        rows = np.repeat(candidates.row[None, :], len(places), axis=0)
        rows[:, fact_index()[candidates.item.name]] = [from_scale(candidates.item, each) for each in places]
        return [_approach(place) for place in self._scorer.score(rows).approach.tolist()]


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
