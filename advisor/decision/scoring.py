"""Applying the knowledge base, to one use case or a million, as arrays.

Tests are intervals on columns or sets of choices, so a conjunction of them is a
few comparisons and gathers; curves are sums of clipped ramps. Unknown facts are
NaN and make a test neither true nor false. Everything is piecewise linear in
the logarithm of durations, counts and prices and in the value of all else,
which is what makes flips exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from advisor.decision.curves import Curves, Scale
from advisor.decision.evidence import softmax
from advisor.decision.gains import GainModel, TermCurves, membership
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.arrays import Bools, Floats
from advisor.knowledge.facts import Row, Rows, fact, fact_index
from advisor.knowledge.notation import Interval
from advisor.knowledge.rules import CRITERIA, Knowledge, Rule, Test

__all__ = ["CHUNK", "READ_BESIDE_RULES", "UNDECIDED", "CriterionValues", "Scorer", "Scores"]

CHUNK = 512
"""Use cases scored at a time, so that intermediate arrays stay in the processor's cache."""

READ_BESIDE_RULES = ("required_quality",)
"""Facts that decide without a rule or a term: what is needed bounds what is worth building."""

UNDECIDED = -1
"""Stands for an approach where nothing is decided."""

_ROUNDING = 1e-11
"""Points below which two count as equal: ties, which round weights make, do not hang on the order of summation."""


def _simplest(close: int) -> int:
    """Return the one approach that contains no other of a set, given as bits; `UNDECIDED` where there is not one."""
    among = [each for each in APPROACHES if close >> each.place & 1]
    least = [each for each in among if not any(each is not other and each.contains(other) for other in among)]
    return least[0].place if len(least) == 1 else UNDECIDED


_BITS = 1 << np.arange(len(APPROACHES))
_SIMPLEST = np.array([_simplest(close) for close in range(1 << len(APPROACHES))], dtype=np.intp)


@dataclass(frozen=True, slots=True)
class CriterionValues:
    """The trade-offs, each of shape (criteria, n).

    Attributes:
        value: From the known facts alone; NaN where none is known.
        lower: Smallest value that the unknown facts allow.
        upper: Largest value that the unknown facts allow.
        curves: The curves that they are the weighted means of, shape (curves, n); NaN where unknown.
    """

    value: Floats
    lower: Floats
    upper: Floats
    curves: Floats


@dataclass(frozen=True, slots=True)
class Scores:
    """Decisions about n use cases.

    Attributes:
        points: Quality that each approach is expected to reach, shape (approaches, n), in points; what counts
            is how far apart the approaches of a use case are.
        feasible: Whether no veto excludes the approach, the same shape.
        probabilities: That the approach is best, calibrated, the same shape.
        order: Approaches by falling points, what is not feasible last, the same shape.
        approach: Place of the approach to take, or `UNDECIDED`, shape (n,).
        known: Whether the evidence suffices to decide, shape (n,).
        enough: Points from which on an approach reaches the quality that users need, shape (n,); infinite where
            that, or what prompting reaches, is unknown.
        fired: Whether the rule fired, shape (rules, n).
    """

    points: Floats
    feasible: Bools
    probabilities: Floats
    order: npt.NDArray[np.intp]
    approach: npt.NDArray[np.intp]
    known: Bools
    enough: Floats
    fired: Bools


class Scorer:
    """A knowledge base and a model of gains, compiled to arrays.

    Args:
        knowledge: The rules.
        gains: What cases taught; None where rules decide alone.
    """

    def __init__(self, knowledge: Knowledge, gains: GainModel | None = None) -> None:
        self.knowledge = knowledge
        self.gains = gains or GainModel.of_rules_alone()
        self._scale = Scale()
        self._criteria = _Criteria(knowledge)
        self._tests = _Tests(knowledge.rules, self._criteria)
        heard = replace(self.gains, terms=tuple(term for term in self.gains.terms if term.weight))
        self._heard, self._weights = TermCurves(heard.terms), heard.weights
        self._curves = TermCurves(self.gains.terms)
        self._required, self._prompted = fact_index()["required_quality"], fact_index()["prompted_score"]
        self._bears = membership([term.component for term in self.gains.terms])
        self._offsets = membership(list(self.gains.offsets))
        prior = np.log(np.array(knowledge.decision.prior))
        self.before = self.gains.slope * prior + self.gains.approach_offsets
        evidence = np.array([rule.log_odds for rule in knowledge.rules]).T.reshape(len(APPROACHES), -1)
        vetoes = [[name in rule.excludes for rule in knowledge.rules] for name in APPROACHES]
        strength = evidence.max(axis=0) - evidence.min(axis=0)
        # One product with what fired gives points, vetoes and strength together.
        self._effects = np.concatenate(
            (self.gains.slope * evidence, np.array(vetoes, dtype=float), strength[None, :])
        )

    def score(self, rows: Rows) -> Scores:
        """Decide about each row, shape (n, facts), in time proportional to n."""
        if len(rows) <= CHUNK:
            return self._score(np.ascontiguousarray(rows.T))
        parts = [
            self._score(np.ascontiguousarray(rows[start : start + CHUNK].T))
            for start in range(0, len(rows), CHUNK)
        ]
        return Scores(
            *(np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in Scores.__slots__)
        )

    def criteria(self, rows: Rows) -> CriterionValues:
        """Return the trade-offs of each row."""
        return self._criteria(self._scale(rows.T))

    def terms(self, rows: Rows) -> Floats:
        """Return the curves of the model's terms for each row, shape (terms, n); unknown facts give 0."""
        return self._curves(rows.T)

    def spreads(self, row: Row, points: Floats) -> Floats:
        """Return how far measured differences between approaches may be from those of the points.

        Args:
            row: One use case, shape (facts,).
            points: Its points, shape (approaches,).

        Returns:
            Standard deviations in points, shape (approaches, approaches); 0 from an approach to itself.
        """
        gains = self.gains
        bears = self._bears * self.terms(row[None, :])[:, 0]
        rules = points - bears @ np.array([term.weight for term in gains.terms]) - gains.approach_offsets
        inputs = np.column_stack((rules / gains.slope, self._offsets, bears))
        spreads: Floats = gains.spreads(inputs) * (1 - np.eye(len(APPROACHES)))
        return spreads

    def unconsidered(self, rows: Rows) -> Bools:
        """Return, shape (rules, n), which rules neither fired nor failed for want of facts."""
        columns = rows.T
        true, false = self._tests(columns, self._scale)
        return ~self._tests.all(true) & ~self._tests.any(false)

    def _score(self, columns: Floats) -> Scores:
        fired = self._tests.all(self._tests.true(columns, self._scale))
        # Not `@`: on arrays this small, the threads of BLAS cost more than they save.
        effects = np.einsum("er,rn->en", self._effects, fired.astype(np.float64))
        count = len(APPROACHES)
        points = effects[:count] + self.before[:, None] + self._learned(columns)
        feasible = effects[count : 2 * count] == 0
        known = effects[-1] >= self.knowledge.decision.evidence
        allowed = np.where(feasible, np.rint(points / _ROUNDING) * _ROUNDING, -np.inf)
        probabilities = softmax(allowed, self.gains.temperature)
        order = (-allowed).argsort(axis=0, kind="stable")
        enough = points[Approach.PROMPTING.place] + 100 * (columns[self._required] - columns[self._prompted])
        enough[np.isnan(enough)] = np.inf
        approach = np.where(known, self.simplest(allowed, enough), UNDECIDED)
        return Scores(points, feasible, probabilities, order, approach, known, enough, fired)

    def _learned(self, columns: Floats) -> Floats:
        if not self._weights.size:
            return np.zeros((len(APPROACHES), columns.shape[1]))
        learned: Floats = np.einsum("at,tn->an", self._weights, self._heard(columns))
        return learned

    def simplest(self, allowed: Floats, enough: Floats | float = np.inf) -> npt.NDArray[np.intp]:
        """Return the place of the simplest approach that suffices, or is within the tolerance of the best.

        Args:
            allowed: Points, shape (approaches, n); -inf for what is not feasible.
            enough: Points that suffice, shape (n,).

        Returns:
            Shape (n,); `UNDECIDED` where nothing is feasible, or where two of which neither contains the other are
            that close and no simpler one is.
        """
        near = np.maximum.reduce(allowed, axis=0) - self.knowledge.decision.tolerance
        close = allowed >= np.minimum(near, enough) - _ROUNDING
        close &= allowed > -np.inf
        places: npt.NDArray[np.intp] = _SIMPLEST[_BITS @ close]
        return places


class _Criteria:
    """The trade-offs, as weighted means of curves."""

    def __init__(self, knowledge: Knowledge) -> None:
        curves = [curve for item in knowledge.criteria for curve in item.curves]
        self._curves = Curves(curves)
        weights = np.zeros((len(CRITERIA), len(curves)))
        column = 0
        for index, item in enumerate(knowledge.criteria):
            for curve in item.curves:
                weights[index, column] = curve.weight
                column += 1
            weights[index] /= weights[index].sum()
        self._weights = weights
        self._minima = weights * self._curves.minimum
        self._maxima = weights * self._curves.maximum

    def __call__(self, scaled: Floats) -> CriterionValues:
        curves = self._curves(scaled)
        known = ~np.isnan(curves)
        summed = self._weights @ np.where(known, curves, 0.0)
        weight = self._weights @ known
        value = summed / np.where(weight > 0, weight, np.nan)
        return CriterionValues(value, summed + self._minima @ ~known, summed + self._maxima @ ~known, curves)


class _Tests:
    """The tests of all rules, each distinct one made once."""

    def __init__(self, rules: Sequence[Rule], criteria: _Criteria) -> None:
        self._criteria = criteria
        kinds: dict[str, dict[tuple[str, object], Test]] = {"fact": {}, "choice": {}, "criterion": {}}
        for test in (test for rule in rules for test in rule.tests):
            kind = (
                "criterion"
                if test.subject in CRITERIA
                else "fact"
                if isinstance(test.holds, Interval)
                else "choice"
            )
            kinds[kind].setdefault((test.subject, test.holds), test)
        self._compile_intervals(list(kinds["fact"].values()))
        self._compile_choices(list(kinds["choice"].values()))
        self._compile_criteria(list(kinds["criterion"].values()))
        position = {key: row for row, key in enumerate(key for kind in kinds.values() for key in kind)}
        longest = max((len(rule.tests) for rule in rules), default=1)
        places = np.zeros((longest, len(rules)), dtype=np.intp)
        for column, rule in enumerate(rules):  # a rule with fewer tests repeats its first
            found = [position[test.subject, test.holds] for test in rule.tests]
            places[:, column] = found + found[:1] * (longest - len(found))
        self._places = places

    def true(self, columns: Floats, scale: Scale) -> Bools:
        """Return which tests hold, shape (tests, n)."""
        values = columns[self._columns]
        parts = [(values >= self._lows) & (values <= self._highs), self._chosen(columns)]
        if len(self._criterion_rows):
            criteria = self._criteria(scale(columns))
            low, high = criteria.lower[self._criterion_rows], criteria.upper[self._criterion_rows]
            parts.append((low >= self._criterion_lows) & (high <= self._criterion_highs))
        return np.concatenate(parts)

    def __call__(self, columns: Floats, scale: Scale) -> tuple[Bools, Bools]:
        """Return which tests hold and which fail; those on unknown facts do neither."""
        true = self.true(columns, scale)
        known = ~np.isnan(columns)
        failed = [~true[: len(self._columns)] & known[self._columns]]
        stop = len(self._columns) + len(self._choice_columns)
        failed.append(~true[len(self._columns) : stop] & known[self._choice_columns])
        if len(self._criterion_rows):
            criteria = self._criteria(scale(columns))
            low, high = criteria.lower[self._criterion_rows], criteria.upper[self._criterion_rows]
            failed.append((high < self._criterion_lows) | (low > self._criterion_highs))
        return true, np.concatenate(failed)

    def all(self, true: Bools) -> Bools:
        """Return, shape (rules, n), where every test of a rule is among those that hold."""
        result: Bools = np.logical_and.reduce(true[self._places], axis=0)
        return result

    def any(self, false: Bools) -> Bools:
        """Return, shape (rules, n), where some test of a rule is among those that fail."""
        result: Bools = np.logical_or.reduce(false[self._places], axis=0)
        return result

    def _chosen(self, columns: Floats) -> Bools:
        # Unknown is -1 and takes the entry before those of its test, which is always False.
        numbers = np.fmax(columns[self._choice_columns], -1.0).astype(np.intp)
        numbers += self._choice_starts
        chosen: Bools = self._table.take(numbers)
        return chosen

    def _compile_intervals(self, tests: Sequence[Test]) -> None:
        self._columns = np.array([fact_index()[test.subject] for test in tests], dtype=np.intp)
        self._lows, self._highs = _ends(tests)

    def _compile_choices(self, tests: Sequence[Test]) -> None:
        self._choice_columns = np.array([fact_index()[test.subject] for test in tests], dtype=np.intp)
        width = max((len(fact(test.subject).choices) for test in tests), default=0) + 3
        table = np.zeros((len(tests), width), dtype=bool)
        for row, test in enumerate(tests):
            for number in _numbers(test):
                table[row, number + 1] = True
        self._table = table.ravel()
        self._choice_starts = np.arange(len(tests))[:, None] * width + 1

    def _compile_criteria(self, tests: Sequence[Test]) -> None:
        self._criterion_rows = np.array([CRITERIA.index(test.subject) for test in tests], dtype=np.intp)
        self._criterion_lows, self._criterion_highs = _ends(tests)


def _ends(tests: Sequence[Test]) -> tuple[Floats, Floats]:
    """Return the smallest and largest float that each interval test holds for, each of shape (tests, 1)."""
    ends = np.array([test.holds.closed() for test in tests if isinstance(test.holds, Interval)]).reshape(
        -1, 2
    )
    return ends[:, :1], ends[:, 1:]


def _numbers(test: Test) -> list[int]:
    """Return the row values that a test on a choice or flag holds for."""
    item = fact(test.subject)
    names = ("false", "true") if item.kind == "flag" else ("", *item.choices)
    return [
        number
        for number, name in enumerate(names)
        if isinstance(test.holds, frozenset) and name in test.holds
    ]
