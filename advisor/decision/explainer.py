"""The explainer: what stands behind a decision, from the arrays that made it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from advisor.decision.classifier import LinearClassifier
from advisor.decision.cost import estimate_cost
from advisor.decision.evidence import Evidence, Factor
from advisor.decision.explanation import (
    CriterionFactor,
    CriterionScore,
    Explanation,
    Question,
    Robustness,
    RuleWarning,
    UnconsideredRule,
)
from advisor.decision.flips import FlipFinder
from advisor.decision.reasons import headline
from advisor.decision.recommendation import Recommendation
from advisor.decision.rulebook import Rulebook
from advisor.decision.scoring import Scorer, Scores
from advisor.decision.similar import CaseIndex, SimilarCase
from advisor.decision.worlds import Outlook, Worlds
from advisor.knowledge.cases import Case
from advisor.knowledge.facts import Row, fact, facts
from advisor.knowledge.rules import CRITERIA
from backends.counts import counted

__all__ = ["Explainer"]

_LEAST_GAIN = 0.01
"""Expected information gain in nats below which a question is noise."""
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
        log_prior = tuple(math.log(share) for share in knowledge.decision.prior)
        self._prior = Evidence("PRIOR", "prior", None, log_prior, "What is held before any fact is known.")
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
        leader = decision.scores[0].approach
        evidence = self._evidence(row, scores, index)
        outlook = self.worlds.look(self._scorer, row)
        questions = tuple(_questions(outlook))
        return Explanation(
            summary=headline(decision, evidence, questions, taken),
            criteria=tuple(self._criteria(row)),
            evidence=evidence,
            unconsidered_rules=self._unconsidered(row),
            warnings=tuple(
                RuleWarning(rule.id, self._rulebook.reason(rule, row), self._rulebook.sources(rule))
                for rule in self._rulebook.fired("warning", scores, index)
            ),
            flips=self._flips.find(row, leader),
            robustness=Robustness(outlook.shares[leader.place], outlook.shares, self.worlds.count),
            questions=questions,
            similar_cases=self._similar(row),
            cost=estimate_cost(row),
        )

    def _evidence(self, row: Row, scores: Scores, index: int) -> tuple[Evidence, ...]:
        """Return every term of the log-odds, heaviest first, the prior last."""
        found = [
            Evidence(
                "RULE",
                rule.id,
                rule.criterion,
                rule.log_odds,
                self._rulebook.reason(rule, row),
                self._rulebook.sources(rule),
                facts=tuple(test.subject for test in rule.tests),
            )
            for rule in self._rulebook.fired("evidence", scores, index)
        ]
        if self._scorer.classifier is not None:
            found.append(self._learned(self._scorer.classifier, row, scores, index))
        found.sort(key=lambda item: -item.weight)
        return (*found, self._prior)

    def _learned(self, classifier: LinearClassifier, row: Row, scores: Scores, index: int) -> Evidence:
        features = self._scorer.features(row[None, :])[:, 0]
        _, contributions = classifier.contributions(features)
        factors = tuple(Factor(name, tuple(values.tolist())) for name, values in contributions.items())
        named = ", ".join(item.fact for item in factors[:3]) or "no fact that it knows"
        return Evidence(
            "CLASSIFIER",
            "classifier",
            None,
            tuple(scores.classifier[:, index].tolist()),
            f"Learned from {counted(len(self._cases), 'published case')}, mostly by {named}.",
            factors=factors,
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


def _known(number: float) -> float | None:
    return None if math.isnan(number) else number


def _questions(outlook: Outlook) -> Iterator[Question]:
    for name, gain in outlook.gains:
        if gain < _LEAST_GAIN:
            break
        item = fact(name)
        choices = ("yes", "no") if item.kind == "flag" else item.choices
        yield Question(name, item.question, item.measure, gain, choices)
