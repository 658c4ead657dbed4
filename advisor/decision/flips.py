"""Flips: the nearest plausible change of each fact that changes the approach to take.

A change is plausible where a value that the knowledge base holds possible in
such a use case lies at it or beyond it: nobody is told what would follow from
a corpus of no tokens, or from sources under a label. A fact with one possible
value means nothing there and never changes anything. Nor is a change told that
is further than a third of what is usual (20,000 examples are not fewer than 10),
or that takes away what every training or purchase needs, or makes another use case of it.

Along one fact quality is constant, or linear on the fact's scale, between the
ends of tests and the points of curves, so it is enough to score both sides of each
such place. Where a test of a rule ends, a flip is told as the rule has it; a change
between two such places is learned or estimated, and told to two digits, at a value
where it is true (`advisor.decision.crossings`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from advisor.decision.clauses import change_to_clause, value_to_clause
from advisor.decision.crossings import Crossing, Stretch, meetings
from advisor.decision.known import Known
from advisor.decision.places import places_of_change
from advisor.decision.scoring import UNDECIDED, Scorer
from advisor.decision.worlds import Plausible
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.arrays import Floats
from advisor.knowledge.facts import Fact, Row, fact_index, facts, value_to_notation
from advisor.knowledge.scale import scale_width, to_scale

__all__ = ["Flip", "FlipFinder"]


_FAR = 1 / 3
"""Share of a fact's usual range."""
_OF_RETRIEVAL = ("corpus_tokens", "retrieval_hit_rate")
"""Facts of what is retrieved from: RAG and HYBRID do so alike."""
_NO_NEWS = ("can_train", "monthly_budget")
"""That nothing is trained where nothing can be, nor bought that costs far too much, need not be told."""
_MOST_STRETCHES = 4096
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
        read = {test.subject for rule in scorer.rules for test in rule.tests}
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
        if name in _NO_NEWS or (name in _NATURE and known is not None):
            return None
        plausible = self._plausible.values(name, known_values)
        if len(plausible) < 2 or not self._values[column]:
            return None
        if known is None:
            values = self._between(column, min(plausible), max(plausible))
        else:
            values = self._between(column, min(*plausible, known), max(*plausible, known))
            values = tuple(sorted({*values, known}))
        return (values, known, plausible) if len(values) > 1 else None

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
        inside: int | None = candidates.values.index(known)
        for index in indices:
            if not candidates.changes(index, now):
                inside = index
            elif inside is not None:
                if not _reaches(plausible, candidates.values[index], indices.step):
                    return None
                if flip := self._boundary(candidates, inside, index, now, known):
                    return flip
                inside = None
        return None

    def _boundary(
        self, candidates: _Candidates, inside: int, outside: int, now: Approach | None, known: float | None
    ) -> Flip | None:
        """Describe the change of the approach between two neighbouring values; None where it is too narrow."""
        item = candidates.item
        crossing = self._crossing(candidates, inside, outside, now)
        if crossing is None:
            return None
        value, approach, included = crossing
        sign = (">" if outside > inside else "<") + ("=" if included else "")
        distance = (
            1.0 if known is None else abs(to_scale(item, value) - to_scale(item, known)) / scale_width(item)
        )
        change = f"{sign} {value_to_notation(item, value)}"
        words = change_to_clause(item, sign, value, known)
        return Flip(item.name, _current(item, known), change, words, approach, distance)

    def _crossing(
        self, candidates: _Candidates, inside: int, outside: int, now: Approach | None
    ) -> Crossing | None:
        """Return where to tell that the approach changes between two neighbouring values."""
        values = candidates.values
        start, end = values[inside], values[outside]
        beyond = candidates.taken[outside] or APPROACHES[0]  # one is taken, else it would be no change
        if math.nextafter(start, end) == end:
            # A test ends here: name the end that a person wrote.
            written = min((start, end), key=lambda value: len(f"{value!r}"))
            return Crossing(written, beyond, included=written == end)
        item, taken = candidates.item, partial(self._taken, candidates)
        stretch = Stretch(item, start, end, now, taken, costs=item.name in Known._fields)
        points = candidates.points
        shares = meetings(points[:, inside], points[:, outside], self._scorer.knowledge.decision.tolerance)
        return stretch.crossing(shares)

    def _taken(self, candidates: _Candidates, values: Sequence[float]) -> list[Approach | None]:
        """Return what is taken with the fact at each value."""
        rows = np.repeat(candidates.row[None, :], len(values), axis=0)
        rows[:, fact_index()[candidates.item.name]] = values
        return [_approach(place) for place in self._scorer.score(rows).approach.tolist()]


def _only_of_retrieval(flip: Flip, now: Approach | None) -> bool:
    """Return whether a flip is between two that retrieve, by what documents there are and how well they are found."""
    return flip.fact in _OF_RETRIEVAL and now is not None and now.retrieves and flip.approach.retrieves


def _approach(place: int) -> Approach | None:
    return None if place == UNDECIDED else APPROACHES[place]


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
    item, current = candidates.item, None if math.isnan(known) else known
    words = value_to_clause(item, value, current)
    return Flip(item.name, _current(item, current), value_to_notation(item, value), words, other, 1.0)


def _current(item: Fact, known: float | None) -> str:
    return "" if known is None else value_to_notation(item, known)
