"""Explanations: everything that stands behind a decision, as values."""

from __future__ import annotations

from dataclasses import dataclass

from advisor.decision.cost import CostEstimate
from advisor.decision.evidence import Evidence
from advisor.decision.flips import Flip
from advisor.decision.similar import SimilarCase
from advisor.knowledge.rules import RuleSource

__all__ = [
    "CriterionFactor",
    "CriterionScore",
    "Explanation",
    "Question",
    "Robustness",
    "RuleWarning",
    "UnconsideredRule",
]


@dataclass(frozen=True, slots=True)
class CriterionFactor:
    """What one fact adds to a trade-off.

    Attributes:
        fact: Name of the fact.
        weight: Weight within the trade-off, 0 to 1.
        value: The fact's value on the trade-off's curve, 0 to 1; None where unknown.
    """

    fact: str
    weight: float
    value: float | None


@dataclass(frozen=True, slots=True)
class CriterionScore:
    """How strongly one trade-off presses.

    Attributes:
        name: One of `CRITERIA`.
        value: From the facts that are known, 0 to 1; None where none is known.
        lower: Smallest value that the unknown facts allow.
        upper: Largest value that the unknown facts allow.
        factors: Facts that the value comes from.
    """

    name: str
    value: float | None
    lower: float
    upper: float
    factors: tuple[CriterionFactor, ...]


@dataclass(frozen=True, slots=True)
class UnconsideredRule:
    """A rule that needs facts that are unknown."""

    id: str
    missing_facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleWarning:
    """A danger that comes with the use case: what to do about what, and what says so."""

    id: str
    text: str
    sources: tuple[RuleSource, ...]


@dataclass(frozen=True, slots=True)
class Robustness:
    """How much the outcome depends on what is unknown.

    Attributes:
        leader_share: Share of worlds in which the leader stays; 1 where every fact is known.
        shares: Share of worlds in which each approach leads, in the order of `APPROACHES`.
        worlds: Number of worlds drawn.
    """

    leader_share: float
    shares: tuple[float, ...]
    worlds: int


@dataclass(frozen=True, slots=True)
class Question:
    """An unknown fact worth finding out.

    Attributes:
        fact: Name of the fact.
        text: The question, for a person.
        measure: How to measure the answer.
        information_gain: Expected information about the best approach, in nats.
        choices: Values that the answer may take, where they are few.
    """

    fact: str
    text: str
    measure: str
    information_gain: float
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What stands behind a decision.

    Attributes:
        summary: The outcome in a sentence or three.
        criteria: The trade-offs, in the order of `CRITERIA`.
        evidence: All evidence, heaviest first, the prior last; per approach it adds up to the log-odds.
        unconsidered_rules: Rules that could not be considered for want of facts.
        warnings: Dangers that come with the use case, most serious first.
        flips: For each fact, the nearest plausible change of it that changes the leader.
        robustness: How much the outcome depends on what is unknown.
        questions: Unknown facts worth finding out, most informative first.
        similar_cases: Published and measured cases of different sources, nearest first.
        cost: What each approach would cost.
    """

    summary: str
    criteria: tuple[CriterionScore, ...]
    evidence: tuple[Evidence, ...]
    unconsidered_rules: tuple[UnconsideredRule, ...]
    warnings: tuple[RuleWarning, ...]
    flips: tuple[Flip, ...]
    robustness: Robustness
    questions: tuple[Question, ...]
    similar_cases: tuple[SimilarCase, ...]
    cost: CostEstimate
