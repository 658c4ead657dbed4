"""The explainer: what stands behind a decision, from the arrays that made it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from advisor.decision.cost import CostEstimate, estimate_cost
from advisor.decision.evidence import Evidence, Factor, score_of
from advisor.decision.explanation import (
    CriterionFactor,
    CriterionScore,
    ExpectedQuality,
    Explanation,
    Question,
    Robustness,
    RuleWarning,
    UnconsideredRule,
)
from advisor.decision.flips import FlipFinder
from advisor.decision.gains import TWO_SIDED_80
from advisor.decision.lessons import lesson
from advisor.decision.plan import plan_steps
from advisor.decision.reasons import SHAKY, headline
from advisor.decision.recommendation import Recommendation
from advisor.decision.rulebook import Rulebook
from advisor.decision.scoring import Scorer, Scores
from advisor.decision.similar import CaseIndex, SimilarCase
from advisor.decision.worlds import Outlook, Worlds
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.arrays import Floats
from advisor.knowledge.cases import Case
from advisor.knowledge.facts import KnownFacts, Row, fact, fact_index, facts
from advisor.knowledge.rules import CRITERIA

__all__ = ["Explainer"]

_LEAST_SAVED = 0.1
"""Points that knowing the answer saves, below which a question is noise."""
_MOST_SIMILAR = 3


class Explainer:
    """Explains the decisions of a scorer.

    Args:
        scorer: Decides.
        rulebook: Has the words of its rules.
        cases: Cases to show beside a decision.
    """

    def __init__(self, scorer: Scorer, rulebook: Rulebook, cases: Sequence[Case]) -> None:
        self._scorer = scorer
        self._rulebook = rulebook
        self._cases = CaseIndex(cases)
        knowledge = scorer.knowledge
        self._prior = Evidence(
            "PRIOR", "prior", None, _above(scorer.before), "What is held before any fact is known."
        )
        self._weights = scorer.gains.weights
        self._curve_shares = [
            [
                (curve.subject, curve.weight / sum(each.weight for each in item.curves))
                for curve in item.curves
            ]
            for item in knowledge.criteria
        ]

    @cached_property
    def worlds(self) -> Worlds:
        """Draws of the facts, for what is unknown."""
        return Worlds(self._scorer.knowledge)

    @cached_property
    def _flips(self) -> FlipFinder:
        return FlipFinder(self._scorer)

    def explain(
        self, decision: Recommendation, row: Row, scores: Scores, index: int, taken: str = ""
    ) -> Explanation:
        """Explain a decision.

        Args:
            decision: What was decided.
            row: The use case, shape (facts,).
            scores: What it was decided by.
            index: The use case's place in them.
            taken: Which facts come from the user's data, in words, for the summary.
        """
        evidence = self._evidence(row, scores, index)
        spreads = self._scorer.spreads(row, scores.points[:, index])
        expected = _expected(row, decision, spreads)
        cost = estimate_cost(row)
        plan = plan_steps(decision, row, spreads, cost, self._scorer.knowledge.decision.tolerance)
        outlook = self.worlds.look(self._scorer, row)
        kept = _kept(decision, outlook)
        questions = tuple(_questions(outlook, kept))
        return Explanation(
            summary=headline(decision, expected, evidence, questions, plan, kept, taken),
            criteria=tuple(self._criteria(row)),
            expected=expected,
            plan=plan,
            evidence=evidence,
            unconsidered_rules=self._unconsidered(row),
            warnings=(
                *_out_of_reach(decision, row, expected),
                *self._warnings(row, scores, index),
                *_over_budget(decision, row, cost),
            ),
            flips=self._flips.find(row, decision.approach),
            robustness=Robustness(kept, outlook.shares, self.worlds.count),
            questions=questions,
            similar_cases=self._similar(row),
            cost=cost,
        )

    def _warnings(self, row: Row, scores: Scores, index: int) -> Iterator[RuleWarning]:
        for rule in self._rulebook.fired("warning", scores, index):
            yield RuleWarning(rule.id, self._rulebook.reason(rule, row), self._rulebook.sources(rule))

    def _evidence(self, row: Row, scores: Scores, index: int) -> tuple[Evidence, ...]:
        """Return every term of the points, heaviest first, the prior last."""
        found = [
            Evidence(
                "RULE",
                rule.id,
                rule.criterion,
                _above(self._scorer.gains.slope * np.array(rule.log_odds)),
                self._rulebook.reason(rule, row),
                self._rulebook.sources(rule),
                facts=tuple(test.subject for test in rule.tests),
            )
            for rule in self._rulebook.fired("evidence", scores, index)
        ]
        if learned := self._learned(row):
            found.append(learned)
        found.sort(key=lambda item: -item.weight)
        return (*found, self._prior)

    def _learned(self, row: Row) -> Evidence | None:
        """Return what published cases teach about the facts, by fact; None where they teach nothing of them."""
        points = self._weights * self._scorer.terms(row[None, :])[:, 0]
        parts: dict[str, Floats] = {}
        for place in np.flatnonzero(points.any(axis=0)).tolist():
            term = self._scorer.gains.terms[place]
            unknown = np.isnan(row[fact_index()[term.curve.subject]])
            curve = term.instead if unknown and term.instead else term.curve
            parts[curve.subject] = parts.get(curve.subject, 0.0) + points[:, place]
        if not parts:
            return None
        factors = [Factor(name, _above(points)) for name, points in parts.items()]
        factors.sort(key=lambda item: -float(np.ptp(item.points)))
        return Evidence(
            "CLASSIFIER",
            "published-cases",
            None,
            tuple(sum(column) for column in zip(*(item.points for item in factors), strict=True)),
            lesson(factors, row, self._cases.comparisons),
            factors=tuple(factors),
        )

    def _criteria(self, row: Row) -> Iterator[CriterionScore]:
        found = self._scorer.criteria(row[None, :])
        values, lowers, uppers = (each[:, 0].tolist() for each in (found.value, found.lower, found.upper))
        curves = iter(found.curves[:, 0].tolist())
        for item, shares, value, lower, upper in zip(
            self._scorer.knowledge.criteria, self._curve_shares, values, lowers, uppers, strict=True
        ):
            yield CriterionScore(
                item.name,
                _known(min(max(value, lower), upper)),
                lower,
                upper,
                tuple(CriterionFactor(subject, share, _known(next(curves))) for subject, share in shares),
            )

    def _unconsidered(self, row: Row) -> tuple[UnconsideredRule, ...]:
        rules = self._scorer.knowledge.rules
        unknown = {item.name for item, value in zip(facts(), row.tolist(), strict=True) if math.isnan(value)}
        unknown.update(CRITERIA)
        return tuple(
            UnconsideredRule(
                rules[i].id, tuple(test.subject for test in rules[i].tests if test.subject in unknown)
            )
            for i in np.flatnonzero(self._scorer.unconsidered(row[None, :])[:, 0]).tolist()
        )

    def _similar(self, row: Row) -> tuple[SimilarCase, ...]:
        """Return the nearest cases, one of each source: more of the same would say the same."""
        nearest: dict[str, SimilarCase] = {}
        for similar in self._cases.nearest(row):
            nearest.setdefault(similar.case.source.id, similar)
            if len(nearest) == _MOST_SIMILAR:
                break
        return tuple(nearest.values())


def _above(points: Floats) -> tuple[float, ...]:
    """Return points per approach above those of PROMPTING."""
    above: list[float] = (points - points[Approach.PROMPTING.place]).tolist()
    return tuple(above)


def _expected(row: Row, decision: Recommendation, spreads: Floats) -> tuple[ExpectedQuality, ...]:
    """Return what each approach is expected to reach, with what a measurement might find instead."""
    prompted = KnownFacts(row).get("prompted_score")
    points = {score.approach: score.points for score in decision.scores}
    found = []
    for approach, spread in zip(APPROACHES, spreads[:, Approach.PROMPTING.place].tolist(), strict=True):
        above, reach = points[approach], TWO_SIDED_80 * spread
        found.append(
            ExpectedQuality(approach, above, above - reach, above + reach, score_of(prompted, above))
        )
    return tuple(found)


def _out_of_reach(
    decision: Recommendation, row: Row, expected: Sequence[ExpectedQuality]
) -> Iterator[RuleWarning]:
    """Warn where no approach is expected to reach what users need."""
    required, best = KnownFacts(row).get("required_quality"), decision.leader
    reached = None if best is None else expected[best.place].score
    if reached is None or required is None or reached >= required:
        return
    text = (
        f"No approach is expected to reach the {required:.0%} that users need: {best}, the best, is at {reached:.0%}. "
        "A stronger model, better documents or more examples may; or let a person check what is unsure."
    )
    yield RuleWarning("out-of-reach", text, ())


def _over_budget(decision: Recommendation, row: Row, cost: CostEstimate) -> Iterator[RuleWarning]:
    """Warn where what is to be taken costs more than there is, and say what does not."""
    budget, taken = KnownFacts(row).get("monthly_budget"), decision.approach or decision.leader
    if taken is None or budget is None or not cost.approaches[taken.place].over_budget:
        return
    month = cost.approaches[taken.place].per_month_usd
    within = [
        score.approach
        for score in decision.scores
        if score.feasible and not cost.approaches[score.approach.place].over_budget
    ]
    instead = f"{' and '.join(within)} would not" if within else "so does everything else"
    text = (
        f"{taken} costs about ${month:,.0f} a month, more than the budget of ${budget:,.0f}; {instead}. "
        "Check the assumptions of the estimate that weigh most, or raise the budget, before building it."
    )
    yield RuleWarning("over-budget", text, ())


def _kept(decision: Recommendation, outlook: Outlook) -> float:
    """Return the share of worlds in which the decision stays."""
    taken = decision.approach
    return 1.0 - sum(outlook.shares) if taken is None else outlook.shares[taken.place]


def _known(number: float) -> float | None:
    return None if math.isnan(number) else number


def _questions(outlook: Outlook, kept: float) -> Iterator[Question]:
    """Yield what is worth asking; where the decision hangs on what is unknown, the first of it in any case."""
    for place, (name, saved) in enumerate(outlook.saved):
        if saved < _LEAST_SAVED and not (place == 0 and kept < SHAKY):
            break
        item = fact(name)
        choices = ("yes", "no") if item.kind == "flag" else item.choices
        yield Question(name, item.question, item.measure, saved, choices)
