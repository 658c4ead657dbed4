"""Applying the knowledge base, to one use case or a million, as arrays.

Tests are intervals on columns or sets of choices, so a conjunction of them is a
few comparisons and gathers; curves are sums of clipped ramps. Unknown facts are
NaN and make a test neither true nor false. Everything is piecewise linear in
the logarithm of durations, counts and prices and in the value of all else,
which is what makes flips exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from advisor.decision.curves import Curves, Scale
from advisor.decision.evidence import softmax
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.arrays import Bools, Floats
from advisor.knowledge.facts import Rows, fact, fact_index
from advisor.knowledge.notation import Interval
from advisor.knowledge.rules import CRITERIA, Knowledge, Rule, Test

if TYPE_CHECKING:
    from advisor.decision.classifier import LinearClassifier

__all__ = ["CHUNK", "CriterionValues", "Scorer", "Scores"]

CHUNK = 512
"""Use cases scored at a time, so that intermediate arrays stay in the processor's cache."""


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
        log_odds: z per approach, shape (approaches, n), in nats.
        feasible: Whether no veto excludes the approach, the same shape.
        probabilities: Calibrated, the same shape.
        order: Approaches by falling probability, the same shape.
        decided: Whether lead and evidence suffice, shape (n,).
        fired: Whether the rule fired, shape (rules, n).
        classifier: Log-odds from the classifier, its weight applied, shape (approaches, n).
    """

    log_odds: Floats
    feasible: Bools
    probabilities: Floats
    order: npt.NDArray[np.intp]
    decided: Bools
    fired: Bools
    classifier: Floats


class Scorer:
    """A knowledge base, and a classifier or none, compiled to arrays."""

    def __init__(self, knowledge: Knowledge, classifier: LinearClassifier | None = None) -> None:
        self.knowledge = knowledge
        self.classifier = classifier
        self._scale = Scale()
        self._criteria = _Criteria(knowledge)
        self._tests = _Tests(knowledge.rules, self._criteria)
        self._features = Curves(classifier.features if classifier else ())
        self._prior = np.log(np.array(knowledge.decision.prior))[:, None]
        evidence = np.array([rule.log_odds for rule in knowledge.rules]).T.reshape(len(APPROACHES), -1)
        vetoes = [[name in rule.excludes for rule in knowledge.rules] for name in APPROACHES]
        strength = evidence.max(axis=0) - evidence.min(axis=0)
        # One product with what fired gives log-odds, vetoes and strength together.
        self._effects = np.concatenate((evidence, np.array(vetoes, dtype=float), strength[None, :]))

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

    def features(self, rows: Rows) -> Floats:
        """Return the classifier's features of each row, shape (features, n); unknown facts give 0."""
        return self._learnable(self._scale(rows.T))

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
        learned = self._learned(columns)
        log_odds = effects[:count] + self._prior + learned
        feasible = effects[count : 2 * count] == 0
        decision = self.knowledge.decision
        allowed = np.where(feasible, log_odds, -np.inf)
        probabilities = softmax(allowed, decision.temperature)
        # Rounded, so that ties, which round weights make, do not hang on the order of summation.
        order = np.rint(allowed * -1e9).argsort(axis=0, kind="stable")
        ranked = np.sort(probabilities, axis=0)
        decided = (
            (ranked[-1] - ranked[-2] >= decision.lead) & (effects[-1] >= decision.evidence) & (ranked[-1] > 0)
        )
        return Scores(log_odds, feasible, probabilities, order, decided, fired, learned)

    def _learned(self, columns: Floats) -> Floats:
        if self.classifier is None:
            return np.zeros((len(APPROACHES), columns.shape[1]))
        features = self._learnable(self._scale(columns))
        learned: Floats = self.classifier.weight * (self.classifier.log_probabilities(features) - self._prior)
        return learned

    def _learnable(self, scaled: Floats) -> Floats:
        values = self._features(scaled)
        values[np.isnan(values)] = 0.0
        return values


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
