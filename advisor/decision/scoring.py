"""Applying the knowledge base, to one use case or a million, as arrays.

Tests are intervals on columns or sets of choices, so a conjunction of them is a
few comparisons and gathers; curves are sums of clipped ramps. Unknown facts are
NaN and make a test neither true nor false, unless it is that the fact is unknown.

Quality decides: an approach is taken that is within the tolerance of the best, or
that suffices. Among those, it is the one that is easiest to keep, by what it asks
for and what it costs. Points of quality are piecewise linear in the logarithm of
durations, counts and prices and in the value of all else, and upkeep but for the
cost is constant between the ends of tests, which is what makes flips exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from advisor.decision.evidence import softmax
from advisor.decision.gains import GainModel, TermCurves, membership
from advisor.decision.known import Known
from advisor.decision.pricing import monthly_usd
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.arrays import Bools, Floats
from advisor.knowledge.facts import Row, Rows, fact, fact_index
from advisor.knowledge.notation import Interval
from advisor.knowledge.rules import QUALITY, Knowledge, Rule, Test

__all__ = ["CHUNK", "READ_BESIDE_RULES", "UNDECIDED", "RuleTests", "Scorer", "Scores"]

CHUNK = 512
"""Use cases scored at a time, so that intermediate arrays stay in the processor's cache."""

READ_BESIDE_RULES = ("required_quality", *Known._fields)
"""Facts that decide without a rule or a term: what is needed bounds what is worth building, and so does its cost."""

UNDECIDED = -1
"""Stands for an approach where nothing is decided."""

_FINENESS = 1e9
"""Parts of a point that are told apart.

The last bits of a sum hang on how many use cases are scored beside it, and nobody may see that.
"""
_ROUNDING = 0.5 / _FINENESS
_UNFELT_USD = 100.0
"""Dollars a month: below, the cost decides nothing."""
_SURELY_OVER = 2.0
"""Times the budget: an estimate is right within a factor of two."""

_COUNT = len(APPROACHES)
_RAG, _FINE_TUNING = Approach.RAG.place, Approach.FINE_TUNING.place
"""The two of which neither contains the other."""
_BITS = 1 << np.arange(_COUNT)
_ONLY = np.full(1 << _COUNT, UNDECIDED, dtype=np.intp)
"""The one approach of a set, given as bits; `UNDECIDED` where it is empty or has several."""
_ONLY[_BITS] = np.arange(_COUNT)


@dataclass(frozen=True, slots=True)
class Scores:
    """Decisions about n use cases.

    Attributes:
        points: Quality that each approach is expected to reach, shape (approaches, n), in points; what counts
            is how far apart the approaches of a use case are.
        upkeep: What each asks of those who keep it, cost aside, in points, the same shape; more is easier.
        feasible: Whether no veto excludes the approach, the same shape.
        allowed: The points, -inf of what is not feasible, the same shape.
        approach: Place of the approach to take, or `UNDECIDED`, shape (n,).
        known: Whether the evidence suffices to decide, shape (n,).
        enough: Points from which on an approach reaches the quality that users need, shape (n,); infinite where
            that, or what prompting reaches, is unknown.
        fired: Whether the rule fired, shape (rules, n), of the rules that decide.
    """

    points: Floats
    upkeep: Floats
    feasible: Bools
    allowed: Floats
    approach: npt.NDArray[np.intp]
    known: Bools
    enough: Floats
    fired: Bools

    @property
    def order(self) -> npt.NDArray[np.intp]:
        """Approaches by falling points, what is not feasible last, shape (approaches, n)."""
        return (-self.allowed).argsort(axis=0, kind="stable")


class Scorer:
    """A knowledge base and a model of gains, compiled to arrays.

    Args:
        knowledge: The rules.
        gains: What cases taught; None where rules decide alone.

    Attributes:
        rules: Those that decide, in the order of the knowledge base.
    """

    def __init__(self, knowledge: Knowledge, gains: GainModel | None = None) -> None:
        self.knowledge = knowledge
        self.gains = gains or GainModel.of_rules_alone()
        self.rules = knowledge.deciding
        self._tests = RuleTests(self.rules)
        heard = replace(self.gains, terms=tuple(term for term in self.gains.terms if term.weight))
        self._heard = TermCurves(heard.terms)
        self._weights = self._heard.summed(heard.weights)
        self._curves = TermCurves(self.gains.terms)
        self._required, self._prompted, self._budget = (
            fact_index()[name] for name in ("required_quality", "prompted_score", "monthly_budget")
        )
        self._bears = membership([term.component for term in self.gains.terms])
        self._learned_weights = np.array([term.weight for term in self.gains.terms])
        self._offsets = membership(list(self.gains.offsets))
        self.before = self.gains.approach_offsets
        self.parts = np.array(knowledge.decision.upkeep)
        self._effects = self._compile_effects()

    def _compile_effects(self) -> Floats:
        """Return what rules do where they fire, shape (13, rules): one product with what fired gives all of it.

        Points of quality per approach, of upkeep, vetoes, and nats for how much is known.
        """
        rules = self.rules
        evidence = np.array([rule.log_odds for rule in rules]).T.reshape(_COUNT, -1)
        quality = np.array([rule.criterion in QUALITY for rule in rules], dtype=bool)
        vetoes = np.array([[name in rule.excludes for rule in rules] for name in APPROACHES], dtype=float)
        knows = np.array([any(test.holds is not None for test in rule.tests) for rule in rules], dtype=bool)
        strength = np.where(knows, evidence.max(axis=0) - evidence.min(axis=0), 0.0)
        points = self.gains.slope * evidence
        parts = (points * quality, points * ~quality, vetoes, strength[None, :])
        return np.concatenate(parts)

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

    def terms(self, rows: Rows) -> Floats:
        """Return the curves of the model's terms for each row, shape (terms, n); unknown facts give 0."""
        return self._curves(rows.T)

    def probabilities(self, scores: Scores) -> Floats:
        """Return the probability that each approach is best, calibrated, shape (approaches, n)."""
        return softmax(scores.allowed, self.gains.temperature)

    def cost_points(self, month: Floats) -> Floats:
        """Return what dollars a month count for in upkeep, in points, of the same shape."""
        points: Floats = -self.knowledge.decision.tenfold * np.log10(_UNFELT_USD + month)
        return points

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
        rules = points - bears @ self._learned_weights - self.before
        inputs = np.column_stack((rules / gains.slope, self._offsets, bears))
        spreads: Floats = gains.spreads(inputs) * (1 - np.eye(_COUNT))
        return spreads

    def unconsidered(self, rows: Rows) -> Bools:
        """Return, shape (rules, n), which rules that decide neither fired nor failed for want of facts."""
        true, false = self._tests(rows.T)
        return ~self._tests.all(true) & ~self._tests.any(false)

    def _score(self, columns: Floats) -> Scores:
        # For one use case the calls are what costs: of those that do the same, `dot` and `take` cost least.
        fired = self._tests.fired(columns)
        effects = self._effects.dot(fired.astype(np.float64))
        learned = self._learned(columns)
        points = effects[:_COUNT] + learned
        points += self.before[:, None]
        points = np.rint(points * _FINENESS) / _FINENESS
        upkeep = effects[_COUNT : 2 * _COUNT] + self.parts[:, None]
        feasible = effects[2 * _COUNT : 3 * _COUNT] == 0
        known = effects[-1] >= self.knowledge.decision.evidence
        if not known.all():
            apart = np.maximum.reduce(learned, axis=0) - np.minimum.reduce(learned, axis=0)
            known = effects[-1] + apart / self.gains.slope >= self.knowledge.decision.evidence
        allowed = np.where(feasible, points, -np.inf)
        enough = np.full(len(known), np.inf)
        if not np.isnan(columns[self._required]).all():
            needed = 100 * (columns[self._required] - columns[self._prompted])
            np.copyto(enough, points[Approach.PROMPTING.place] + needed, where=~np.isnan(needed))
        approach = np.where(known, self._take(columns, allowed, enough, upkeep), UNDECIDED)
        return Scores(points, upkeep, feasible, allowed, approach, known, enough, fired)

    def _learned(self, columns: Floats) -> Floats:
        if not self._weights.size:
            return np.zeros((_COUNT, columns.shape[1]))
        learned: Floats = self._weights.dot(self._heard.distinct(columns))
        return learned

    def _take(self, columns: Floats, allowed: Floats, enough: Floats, upkeep: Floats) -> npt.NDArray[np.intp]:
        """Take what is within the tolerance; where that is more than one, or a budget is known, the cost has a say."""
        close = self.close(allowed, enough)
        only: npt.NDArray[np.intp] = _ONLY[_BITS @ close]
        unlimited = np.isnan(columns[self._budget])
        boundless = bool(unlimited.all())
        if boundless and not (only == UNDECIDED).any():
            return only
        month = monthly_usd(columns)
        if not boundless:
            affordable = (unlimited | (month <= _SURELY_OVER * columns[self._budget])) & (allowed > -np.inf)
            affordable |= ~affordable.any(axis=0)  # where nothing is, the budget decides nothing
            close = self.close(np.where(affordable, allowed, -np.inf), enough)
        return self.easiest(close, upkeep + self.cost_points(month))

    def close(self, allowed: Floats, enough: Floats | float = np.inf) -> Bools:
        """Return which approaches suffice, or are within the tolerance of the best.

        Args:
            allowed: Points, shape (approaches, n); -inf for what is not feasible.
            enough: Points that suffice, shape (n,).
        """
        near = np.maximum.reduce(allowed, axis=0) - self.knowledge.decision.tolerance
        close: Bools = allowed >= np.minimum(near, enough) - _ROUNDING
        close &= allowed > -np.inf
        return close

    def easiest(self, close: Bools, upkeep: Floats) -> npt.NDArray[np.intp]:
        """Return the place of the approach that is easiest to keep.

        Args:
            close: Which are to choose from, shape (approaches, n).
            upkeep: Points, the same shape.

        Returns:
            Shape (n,); `UNDECIDED` where there is none, or where RAG and FINE_TUNING are as easy.
        """
        among = np.where(close, upkeep, -np.inf)
        places: npt.NDArray[np.intp] = among.argmax(axis=0)
        even = close[_RAG] & close[_FINE_TUNING] & ((places == _RAG) | (places == _FINE_TUNING))
        even &= np.abs(upkeep[_RAG] - upkeep[_FINE_TUNING]) < self.knowledge.decision.apart - _ROUNDING
        places[even | ~close.any(axis=0)] = UNDECIDED
        return places

    def decides_alone(self, row: Row, scores: Scores, index: int) -> bool:
        """Return whether quality alone decides: one approach is good enough, and no budget is known.

        Args:
            row: The use case, shape (facts,).
            scores: What it was decided by.
            index: The use case's place in them.
        """
        close = self.close(scores.allowed[:, index : index + 1], scores.enough[index])
        return bool(np.isnan(row[self._budget]) and close.sum() == 1)


class RuleTests:
    """The tests of rules, each distinct one made once."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        kinds: dict[type, dict[tuple[str, object], Test]] = {Interval: {}, frozenset: {}, type(None): {}}
        for test in (test for rule in rules for test in rule.tests):
            kinds[type(test.holds)].setdefault((test.subject, test.holds), test)
        intervals, choices, unknown = (list(kind.values()) for kind in kinds.values())
        self._columns = _columns(intervals)
        self._lows, self._highs = _ends(intervals)
        self._compile_choices(choices)
        self._unknown_columns = _columns(unknown)
        self._every_column = np.concatenate((self._columns, self._choice_columns))
        position = {key: row for row, key in enumerate(key for kind in kinds.values() for key in kind)}
        longest = max((len(rule.tests) for rule in rules), default=1)
        places = np.zeros((longest, len(rules)), dtype=np.intp)
        for column, rule in enumerate(rules):  # a rule with fewer tests repeats its first
            found = [position[test.subject, test.holds] for test in rule.tests]
            places[:, column] = found + found[:1] * (longest - len(found))
        self._places = places

    def fired(self, columns: Floats) -> Bools:
        """Return, shape (rules, n), which rules fire, from columns of shape (facts, n)."""
        return self.all(self.true(columns))

    def true(self, columns: Floats) -> Bools:
        """Return which tests hold, shape (tests, n)."""
        values = columns.take(self._columns, axis=0)
        within = (values >= self._lows) & (values <= self._highs)
        return np.concatenate(
            (within, self._chosen(columns), np.isnan(columns.take(self._unknown_columns, axis=0)))
        )

    def __call__(self, columns: Floats) -> tuple[Bools, Bools]:
        """Return which tests hold and which fail; those on values that are unknown do neither."""
        true = self.true(columns)
        told = ~np.isnan(columns.take(self._every_column, axis=0))
        false = ~true
        false[: len(told)] &= told
        return true, false

    def all(self, true: Bools) -> Bools:
        """Return, shape (rules, n), where every test of a rule is among those that hold."""
        result: Bools = np.logical_and.reduce(true.take(self._places, axis=0), axis=0)
        return result

    def any(self, false: Bools) -> Bools:
        """Return, shape (rules, n), where some test of a rule is among those that fail."""
        result: Bools = np.logical_or.reduce(false.take(self._places, axis=0), axis=0)
        return result

    def _chosen(self, columns: Floats) -> Bools:
        # Unknown is -1 and takes the entry before those of its test, which is always False.
        numbers = np.fmax(columns.take(self._choice_columns, axis=0), -1.0).astype(np.intp)
        numbers += self._choice_starts
        chosen: Bools = self._table.take(numbers)
        return chosen

    def _compile_choices(self, tests: Sequence[Test]) -> None:
        self._choice_columns = _columns(tests)
        width = max((len(fact(test.subject).choices) for test in tests), default=0) + 3
        table = np.zeros((len(tests), width), dtype=bool)
        for row, test in enumerate(tests):
            for number in _numbers(test):
                table[row, number + 1] = True
        self._table = table.ravel()
        self._choice_starts = np.arange(len(tests))[:, None] * width + 1


def _columns(tests: Sequence[Test]) -> npt.NDArray[np.intp]:
    return np.array([fact_index()[test.subject] for test in tests], dtype=np.intp)


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
