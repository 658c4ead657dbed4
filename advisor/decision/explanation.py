"""Explanations: everything that stands behind a decision, as values."""

from __future__ import annotations

from dataclasses import dataclass

from advisor.decision.cost import CostEstimate
from advisor.decision.evidence import Evidence, summed
from advisor.decision.flips import Flip
from advisor.decision.similar import SimilarCase
from advisor.knowledge.approaches import Approach
from advisor.knowledge.rules import RuleSource

__all__ = [
    "Advice",
    "ExpectedQuality",
    "Explanation",
    "PlanStep",
    "Question",
    "Robustness",
    "RuleWarning",
    "Scorecard",
    "ScorecardRow",
    "UnconsideredRule",
]


@dataclass(frozen=True, slots=True)
class ScorecardRow:
    """What the evidence on one trade-off comes to.

    Attributes:
        title: What it is about, in a few words.
        criterion: The trade-off; None for what holds before any fact is known, and for what was learned.
        points: Sum of the evidence per approach in the order of `APPROACHES`, in points above PROMPTING.
        evidence: Identifiers of the evidence, heaviest first.
    """

    title: str
    criterion: str | None
    points: tuple[float, ...]
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The approaches scored against the trade-offs: quality decides, upkeep chooses among what is as good.

    Attributes:
        quality: What bears on how good answers are.
        upkeep: What bears on what it takes to keep them so.
    """

    quality: tuple[ScorecardRow, ...]
    upkeep: tuple[ScorecardRow, ...]

    @property
    def quality_points(self) -> tuple[float, ...]:
        """The sum per approach, in points of quality above PROMPTING."""
        return summed(row.points for row in self.quality)

    @property
    def upkeep_points(self) -> tuple[float, ...]:
        """The sum per approach, in points of upkeep above PROMPTING."""
        return summed(row.points for row in self.upkeep)


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
class Advice:
    """How to go about a step of a plan in a use case, and what says so.

    Attributes:
        steps: Approaches whose step it is for.
        first: Whether it is worth a step of its own, where the plan would leave that out as done already.
    """

    id: str
    text: str
    sources: tuple[RuleSource, ...]
    steps: frozenset[str]
    first: bool


@dataclass(frozen=True, slots=True)
class Robustness:
    """How much the outcome depends on what is unknown.

    Attributes:
        kept: Share of worlds in which the decision stays: the approach taken, or where none is, that none is.
        shares: Share of worlds in which each approach is taken, in the order of `APPROACHES`; in the others none is.
        worlds: Number of worlds drawn.
    """

    kept: float
    shares: tuple[float, ...]
    worlds: int


@dataclass(frozen=True, slots=True)
class ExpectedQuality:
    """What an approach is expected to reach.

    Attributes:
        approach: The approach.
        points: Quality above PROMPTING, in points; 0 for PROMPTING itself.
        low: End of the 80% interval of what a measurement would find, in points.
        high: Its other end.
        score: Score that follows from what prompting reaches, 0 to 1; None where that is unknown.
    """

    approach: Approach
    points: float
    low: float
    high: float
    score: float | None


@dataclass(frozen=True, slots=True)
class Question:
    """An unknown fact worth finding out.

    Attributes:
        fact: Name of the fact.
        text: The question, for a person.
        measure: How to measure the answer.
        points_saved: Quality that knowing the answer is expected to save, in points: the regret of deciding without.
        choices: Values that the answer may take, where they are few.
    """

    fact: str
    text: str
    measure: str
    points_saved: float
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step of a plan.

    Attributes:
        approach: What to carry out.
        points: Quality that it is expected to add to the step before, or to a plain prompt, in points.
        low: End of the 80% interval of that.
        high: Its other end.
        score: Score that is expected of it, 0 to 1; None where what prompting reaches is unknown.
        stop_at: Score from which on the next step is not worth it, 0 to 1: what users need, or else what is near to
            the best expected; None for the last step, or where neither is known.
        questions: Held-out questions to measure it on, so that what the next step adds would show.
        needs: What it takes that is not known to be there, in a clause; empty where all of it is.
        per_month_usd: What a month of it costs.
        text: The step in a sentence or two.
        advice: How to go about it, what counts most first.
    """

    approach: Approach
    points: float
    low: float
    high: float
    score: float | None
    stop_at: float | None
    questions: int
    needs: str
    per_month_usd: float
    text: str
    advice: tuple[Advice, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What stands behind a decision.

    Attributes:
        summary: The outcome in a sentence or three.
        scorecard: The approaches scored against the trade-offs.
        expected: What each approach is expected to reach, in the order of `APPROACHES`.
        plan: Steps towards the approach to take, in order.
        evidence: All evidence, heaviest first; per approach that on quality adds up to the points expected, that on
            upkeep to the points of upkeep.
        unconsidered_rules: Rules that could not be considered for want of facts.
        warnings: Dangers that come with the use case, most serious first.
        flips: For each fact, the nearest plausible change of it that changes the approach.
        robustness: How much the outcome depends on what is unknown.
        questions: Unknown facts worth finding out, those first that save most.
        similar_cases: Published and measured cases of different sources, nearest first.
        cost: What each approach would cost.
    """

    summary: str
    scorecard: Scorecard
    expected: tuple[ExpectedQuality, ...]
    plan: tuple[PlanStep, ...]
    evidence: tuple[Evidence, ...]
    unconsidered_rules: tuple[UnconsideredRule, ...]
    warnings: tuple[RuleWarning, ...]
    flips: tuple[Flip, ...]
    robustness: Robustness
    questions: tuple[Question, ...]
    similar_cases: tuple[SimilarCase, ...]
    cost: CostEstimate
