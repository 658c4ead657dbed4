"""Reasons: evidence as a person would give it, one reason for each thing that is known.

The rules on one fact are rungs of a ladder, and each that fires adds a little.
Listed one by one they repeat themselves, so rules about the same facts are one
reason, with the summed contributions and the words of the heaviest. What an
exception takes back of a ladder is of that ladder's fact, and so is netted. Points
of quality and of upkeep are never summed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from advisor.decision.evidence import Evidence, points_text, summed
from advisor.decision.explanation import ExpectedQuality, PlanStep, Question
from advisor.decision.recommendation import Recommendation, Score
from advisor.knowledge.approaches import Approach

__all__ = ["SHAKY", "Reason", "headline", "passed_over", "reasons_for", "rivals"]

SHAKY = 0.5
"""Share of worlds that keep a decision, below which it hangs on what is unknown."""
_ROUNDING = 1e-9
_LEAST_AGAINST = 1.0
"""Points against the runner-up below which the headline does not mention them."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Pieces of evidence that belong together.

    Attributes:
        evidence: The pieces, heaviest first.
        points: Their sum per approach in the order of `APPROACHES`, in points.
    """

    evidence: tuple[Evidence, ...]
    points: tuple[float, ...]

    @property
    def heaviest(self) -> Evidence:
        """The heaviest piece; of several as heavy, the last: a later rung says more about the value."""
        weights = [round(item.weight, 9) for item in self.evidence]
        return self.evidence[len(weights) - 1 - weights[::-1].index(max(weights))]

    @property
    def weight(self) -> float:
        """How far apart it puts the approaches, in points."""
        return max(self.points) - min(self.points)

    @property
    def is_upkeep(self) -> bool:
        """Whether its points are of upkeep."""
        return self.evidence[0].is_upkeep

    def favour(self, approach: Approach, others: Mapping[Approach, float]) -> float:
        """Return by how much it moves an approach against others, weighted, in points."""
        weights = {other: weight for other, weight in others.items() if other != approach}
        mean = sum(self.points[other.place] * weight for other, weight in weights.items())
        return self.points[approach.place] - mean / (sum(weights.values()) or 1.0)


def reasons_for(evidence: Iterable[Evidence]) -> tuple[Reason, ...]:
    """Return evidence as reasons, heaviest first; what was held beforehand is none."""
    groups: dict[tuple[object, ...], list[Evidence]] = {}
    for item in evidence:
        if item.kind != "PRIOR":
            about = tuple(sorted(item.facts)) or (item.id,)
            groups.setdefault((item.is_upkeep, *about), []).append(item)
    reasons = [Reason(tuple(items), summed(item.points for item in items)) for items in groups.values()]
    return tuple(sorted(reasons, key=lambda reason: -reason.weight))


def headline(
    recommendation: Recommendation,
    expected: Sequence[ExpectedQuality],
    evidence: Iterable[Evidence],
    questions: Sequence[Question],
    plan: Sequence[PlanStep] = (),
    kept: float = 1.0,
    instead: str = "",
) -> str:
    """Say the outcome in a sentence or three: what, why, and why not another.

    Args:
        recommendation: The outcome, explained or not.
        expected: What each approach is expected to reach.
        evidence: What it rests on.
        questions: What to find out, what saves most first.
        plan: What to do, in order.
        kept: Share of worlds, drawn for what is unknown, in which the decision stays.
        instead: Why not the one that is expected to do best; see `passed_over`.
    """
    outcome = _outcome(recommendation, expected, evidence, questions, plan, instead)
    shaky = ""
    if recommendation.approach is not None and kept < SHAKY and questions:
        shaky = f" What is unknown may change it: it stays in {kept:.0%} of cases. Find out first: {questions[0].text}"
    return outcome + shaky


def rivals(scores: Sequence[Score], approach: Approach) -> dict[Approach, float]:
    """Return the approaches that one is compared with, and how much each counts.

    Half goes by probability, so that the best of the others counts most; half is
    shared equally. Where everything else is excluded, all others count alike.

    Args:
        scores: One per approach.
        approach: The one that is compared.
    """
    rest = [score for score in scores if score.approach is not approach]
    others = [score for score in rest if score.feasible]
    if not others:
        return {score.approach: 1.0 for score in rest}
    total = sum(score.probability for score in others) or 1.0
    return {score.approach: score.probability / total + 1 / len(others) for score in others}


def _outcome(
    recommendation: Recommendation,
    expected: Sequence[ExpectedQuality],
    evidence: Iterable[Evidence],
    questions: Sequence[Question],
    plan: Sequence[PlanStep],
    instead: str,
) -> str:
    approach, leader, second = recommendation.approach, recommendation.leader, recommendation.runner_up
    if leader is None:
        return "Undecided: every approach is excluded; see what excludes them."
    if approach is None:
        ask = f" Find out first: {questions[0].text}" if questions else ""
        start = f"; start with {plan[0].approach}" if plan else ""
        return f"Undecided: what is known does not tell {_named(leader, second)} apart{start}.{ask}"
    # What was learned of many cases at once is a sum, and no argument that a person can follow.
    reasons = [
        reason
        for reason in reasons_for(evidence)
        if reason.heaviest.kind != "CLASSIFIER" and not reason.is_upkeep
    ]
    speaking = [reason for reason in reasons if reason.points[approach.place] > 0] or reasons
    others = rivals(recommendation.scores, approach)
    best = max(speaking, key=lambda reason: reason.favour(approach, others), default=None)
    because = f" {best.heaviest.reason}" if best else ""
    rest = instead or (_against(approach, second, reasons, best) if second else "")
    return f"{approach} ({_reach(expected[approach.place])}).{because}{rest}"


def _named(leader: Approach, second: Approach | None) -> str:
    return f"{leader} and {second}" if second else "the approaches"


def _reach(expected: ExpectedQuality) -> str:
    """Say what is expected of an approach."""
    if expected.low == expected.high:
        return "against which the others are measured"
    score = "" if expected.score is None else f", which makes {expected.score:.0%}"
    return (
        f"{points_text(expected.points)} over a plain prompt expected{score}; "
        f"four times in five {expected.low:+.0f} to {expected.high:+.0f}"
    )


def passed_over(recommendation: Recommendation, tolerance: float, *, suffices: bool) -> str:
    """Say why the approach that is expected to do best is not taken; empty where it is, or none is.

    Args:
        recommendation: The outcome.
        tolerance: Points below which two approaches are not told apart.
        suffices: Whether the approach that is taken reaches what users need.
    """
    approach, leader = recommendation.approach, recommendation.leader
    if approach is None or leader is None or approach is leader:
        return ""
    points = {score.approach: score.points for score in recommendation.scores}
    more = points[leader] - points[approach]
    if round(more) < 1:
        return f" {leader} is expected to do no better, and asks for more."
    better = f" {leader} is expected to do {points_text(more).removeprefix('+')} better"
    if suffices:
        return f"{better}, which users do not need."
    if more <= tolerance + _ROUNDING:
        return f"{better}: too little to tell, and it asks for more."
    return f"{better}, and costs far more than the budget."


def _against(leader: Approach, rival: Approach, reasons: Iterable[Reason], told: Reason | None) -> str:
    """Give the strongest reason against the runner-up that is not given yet."""
    against = [
        reason
        for reason in reasons
        if reason is not told
        and reason.points[rival.place] < -_LEAST_AGAINST
        and reason.favour(leader, {rival: 1.0}) > 0
    ]
    if not against:
        return ""
    strongest = max(against, key=lambda reason: reason.favour(leader, {rival: 1.0}))
    return f" Against {rival}: {strongest.heaviest.reason}"
