"""Worlds: what is unknown, drawn from the priors that the knowledge base states.

In each world every unknown fact has a value. The share of worlds in which the
decision stays is its robustness; what knowing a fact saves is how much better
the best choice for each of its values is than the best single choice:

    saved(f) = sum over values v of P(f = v) max over a of E[points(a) | f = v] - max over a of E[points(a)]

the expected value of perfect information about the fact, in points of quality,
no more than suffices, less the tolerance for each part, retrieval or training, that an approach has.
Where no fact alone saves anything, the first is the one that foretells best what is taken:

    foretold(f) = sum over values v of P(f = v) sum over a of P(a is taken | f = v)^2
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

import numpy as np
import numpy.typing as npt

from advisor.decision.scoring import UNDECIDED, Scorer
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.arrays import Floats
from advisor.knowledge.facts import Row, Rows, fact, fact_index, facts
from advisor.knowledge.notation import Interval
from advisor.knowledge.rules import GivenWorld, Knowledge, Test

__all__ = ["WORLDS", "Outlook", "Plausible", "Worlds"]

WORLDS = 160
"""Worlds drawn: a share is then known to 4 per cent (one standard error)."""

_DIGITS = 9
"""Behind the point, to which points that are saved are told apart; what sums leave beyond is noise."""
_PARTS = np.array([float(each.parts) for each in APPROACHES])


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the worlds show.

    Attributes:
        shares: Share of worlds in which each approach is taken, in the order of `APPROACHES`.
        saved: Unknown facts with what knowing them would save, in points, most first; where none does,
            what foretells the decision best.
    """

    shares: tuple[float, ...]
    saved: tuple[tuple[str, float], ...]


class Worlds:
    """Draws of every fact, made once and filled in where a use case leaves a fact open.

    Args:
        knowledge: States the priors.
        count: Worlds to draw.
        seed: Of the draws.
    """

    def __init__(self, knowledge: Knowledge, count: int = WORLDS, seed: int = 0) -> None:
        generator = np.random.default_rng(seed)
        self._draws = np.full((len(facts()), count), np.nan)
        values: dict[int, set[float]] = {}
        for name, shares in knowledge.worlds.items():
            self._draws[fact_index()[name]] = _deck(shares, count, generator)
            values[fact_index()[name]] = {value for value, _ in shares}
        self.count = count
        self._given = [
            (fact_index()[given.fact], _conditions(given), _deck(given.values, count, generator))
            for given in knowledge.given
        ]
        for given in knowledge.given:
            values.setdefault(fact_index()[given.fact], set()).update(value for value, _ in given.values)
        pairs = sorted((column, value) for column, several in values.items() for value in several)
        self._columns = np.array(sorted(values))
        self._names = [facts()[column].name for column in sorted(values)]
        self._value_columns = np.array([column for column, _ in pairs])
        self._values = np.array([value for _, value in pairs])[:, None]
        self._starts = np.searchsorted(self._value_columns, self._columns)
        self._lengths = np.bincount(self._value_columns)[self._columns]

    def fill(self, row: Row) -> Rows:
        """Return the worlds of a use case, shape (worlds, facts)."""
        missing = np.isnan(row)
        columns = np.where(missing[:, None], self._draws, row[:, None])
        known: list[float] = row.tolist()
        unknown: list[bool] = missing.tolist()
        for column, conditions, deck in self._given:
            if not unknown[column]:
                continue
            told = [each for each in conditions if not unknown[each.column]]
            if all(each.allows(known[each.column]) for each in told):
                drawn = [each.among(columns[each.column]) for each in conditions if unknown[each.column]]
                np.copyto(columns[column], deck, where=reduce(and_, drawn, True))
        return columns.T

    def look(self, scorer: Scorer, row: Row) -> Outlook:
        """Score the worlds of a use case."""
        rows = self.fill(row)
        scores = scorer.score(rows)
        taken = scores.approach[scores.approach != UNDECIDED]
        shares = np.bincount(taken, minlength=len(APPROACHES)) / len(rows)
        # What is beyond the quality that users need is worth nothing.
        enough = np.minimum(scores.points, scores.enough)
        tolerance = scorer.knowledge.decision.tolerance
        worth = enough - tolerance * _PARTS[:, None]
        # Who sets out on what turns out to be excluded is left with the worst of the others, and has lost time.
        worst = np.where(scores.feasible, worth, np.inf).min(axis=0, initial=worth.max()) - tolerance
        saved = self._saved(row, rows, np.where(scores.feasible, worth, worst), scores.approach)
        return Outlook(tuple(shares.tolist()), saved)

    def _saved(
        self, row: Row, rows: Rows, points: Floats, taken: npt.NDArray[np.intp]
    ) -> tuple[tuple[str, float], ...]:
        """Return the points saved by knowing each unknown fact, in order.

        Args:
            row: What is known, shape (facts,).
            rows: Its worlds, shape (worlds, facts).
            points: What each approach is worth in them, shape (approaches, worlds).
            taken: Places of the approaches that are taken, shape (worlds,).
        """
        drawn = np.flatnonzero(np.isnan(row[self._columns]))
        if not drawn.size:
            return ()
        lengths = self._lengths[drawn]
        starts = np.cumsum(lengths) - lengths
        places = np.repeat(self._starts[drawn] - starts, lengths) + np.arange(lengths.sum())
        groups = (rows.T[self._value_columns[places]] == self._values[places]).astype(np.float64)
        sums = np.einsum("vw,aw->av", groups, points)
        informed = np.add.reduceat(np.maximum.reduce(sums, axis=0), starts) / len(rows)
        saved = np.maximum(informed - points.mean(axis=1).max(), 0.0).round(_DIGITS)
        order = (-(saved if saved.any() else _foretold(groups, starts, taken))).argsort(kind="stable")
        return tuple((self._names[drawn[place]], float(saved[place])) for place in order.tolist())


def _foretold(groups: Floats, starts: npt.NDArray[np.intp], taken: npt.NDArray[np.intp]) -> Floats:
    """Return how well each fact foretells what is taken, times the number of worlds.

    Args:
        groups: 1 where a fact has a value, shape (values, worlds).
        starts: Where each fact's values start, shape (facts drawn,).
        taken: Places of the approaches that are taken, shape (worlds,).
    """
    outcomes = (taken == np.arange(UNDECIDED, len(APPROACHES))[:, None]).astype(np.float64)
    counts = np.einsum("vw,aw->av", groups, outcomes)
    foretold: Floats = np.add.reduceat((counts**2).sum(axis=0) / np.maximum(groups.sum(axis=1), 1.0), starts)
    return foretold


class Plausible:
    """The values that a fact may have beside the other facts of a use case, by the stated priors."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._worlds = {name: _values(world) for name, world in knowledge.worlds.items()}
        self._given: dict[str, list[tuple[list[_Condition], tuple[float, ...]]]] = {}
        for given in reversed(knowledge.given):  # later lines win
            self._given.setdefault(given.fact, []).append((_conditions(given), _values(given.values)))

    def values(self, name: str, row: Sequence[float]) -> tuple[float, ...]:
        """Return the values of a fact; of the priors given others, those count that known facts call for."""
        for conditions, values in self._given.get(name, ()):
            for each in conditions:  # a loop: a generator would cost more than the tests
                if not each.allows(row[each.column]):
                    break
            else:
                return values
        return self._worlds.get(name, ())


@dataclass(frozen=True, slots=True)
class _Condition:
    """A test on a fact: its column, and the interval or the choices that it allows."""

    column: int
    low: float
    high: float
    choices: frozenset[float]

    def allows(self, value: float) -> bool:
        return value in self.choices if self.choices else self.low <= value <= self.high

    def among(self, values: Floats) -> npt.NDArray[np.bool_]:
        """Return for which values the test holds."""
        held: npt.NDArray[np.bool_]
        if self.choices:
            held = reduce(or_, [values == choice for choice in self.choices])
        elif math.isinf(self.low):
            held = values <= self.high
        elif math.isinf(self.high):
            held = values >= self.low
        else:
            held = (values >= self.low) & (values <= self.high)
        return held


def _values(world: tuple[tuple[float, float], ...]) -> tuple[float, ...]:
    return tuple(value for value, _ in world)


def _conditions(given: GivenWorld) -> list[_Condition]:
    return [_condition(test) for test in given.tests]


def _condition(test: Test) -> _Condition:
    column = fact_index()[test.subject]
    if isinstance(test.holds, Interval):
        return _Condition(column, *test.holds.closed(), frozenset())
    item = fact(test.subject)
    names = ("false", "true") if item.kind == "flag" else ("", *item.choices)
    choices = frozenset(float(number) for number, name in enumerate(names) if name in (test.holds or ()))
    return _Condition(column, -np.inf, np.inf, choices)


def _deck(weights: tuple[tuple[float, float], ...], count: int, generator: np.random.Generator) -> Floats:
    """Return `count` values in the proportions of their weights, shuffled.

    Less noise than independent draws.
    """
    shares = np.cumsum([weight for _, weight in weights])
    positions = (np.arange(count) + 0.5) / count
    picks = np.minimum(np.searchsorted(shares, positions), len(weights) - 1)
    return generator.permutation(np.array([value for value, _ in weights])[picks])
