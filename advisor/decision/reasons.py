"""Reasons: evidence as a person would give it, one reason for each thing that is known.

The rules on one fact are rungs of a ladder, and each that fires adds a little.
Listed one by one they repeat themselves, so rules about the same facts are one
reason, with the summed contributions and the words of the piece that speaks loudest. What an
exception takes back of a ladder is of that ladder's fact, and so is netted. Points
of quality and of upkeep are never summed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from advisor.decision.cost import CostEstimate
from advisor.decision.evidence import Evidence, points_text, summed
from advisor.decision.explanation import ExpectedQuality, PlanStep, Question, Robustness
from advisor.decision.prices import dollars
from advisor.decision.recommendation import Recommendation, Score
from advisor.knowledge.approaches import APPROACHES, Approach

__all__ = ["SHAKY", "Reason", "cheaper", "headline", "passed_over", "reasons_for", "rivals"]

SHAKY = 0.5
"""Share of worlds that keep a decision, below which it hangs on what is unknown."""
_ROUNDING = 1e-9
_LEAST_AGAINST = 1.0
"""Points against the runner-up below which the headline does not mention them."""
_FAR_LESS, _LARGE_USD, _SMALL_LOSS = 3.0, 1000.0, 10.0
"""An approach is worth a word that costs so many times less, so many dollars a month, at so many points at most."""


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
    def weight(self) -> float:
        """How far apart it puts the approaches, in points."""
        return max(self.points) - min(self.points)

    @property
    def is_upkeep(self) -> bool:
        """Whether its points are of upkeep."""
        return self.evidence[0].is_upkeep

    def favour(self, approach: Approach, others: Mapping[Approach, float]) -> float:
        """Return by how much it moves an approach against others, weighted, in points."""
        return _favour(self.points, approach, others)

    def speaking(self, approach: Approach, others: Mapping[Approach, float]) -> Evidence:
        """Return the piece that moves an approach most the way that the sum does.

        Pieces that move the approach itself come before those that move only the others. Of several that do as much,
        it is the last: a later rung says more about the value.
        """
        way = math.copysign(1.0, self.favour(approach, others))
        own = [item for item in self.evidence if way * item.points[approach.place] > 0] or self.evidence
        moved = [round(way * _favour(item.points, approach, others), 9) for item in own]
        return own[len(moved) - 1 - moved[::-1].index(max(moved))]


def _favour(points: Sequence[float], approach: Approach, others: Mapping[Approach, float]) -> float:
    weights = {other: weight for other, weight in others.items() if other != approach}
    mean = sum(points[other.place] * weight for other, weight in weights.items())
    return points[approach.place] - mean / (sum(weights.values()) or 1.0)


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
    robustness: Robustness | None = None,
    instead: str = "",
) -> str:
    """Say the outcome in a sentence or three: what, why, and why not another.

    Args:
        recommendation: The outcome, explained or not.
        expected: What each approach is expected to reach.
        evidence: What it rests on.
        questions: What to find out, what saves most first.
        plan: What to do, in order.
        robustness: How much it depends on what is unknown.
        instead: Why not the one that is expected to do best, or what would cost less; see `passed_over` and `cheaper`.
    """
    outcome = _outcome(recommendation, expected, evidence, questions, plan, instead)
    return outcome + _shaky(recommendation.approach, questions, robustness)


def _shaky(approach: Approach | None, questions: Sequence[Question], robustness: Robustness | None) -> str:
    """Say that a decision hangs on what is unknown; empty where it does not."""
    if approach is None or robustness is None or robustness.kept >= SHAKY or not questions:
        return ""
    other = max(
        (each for each in APPROACHES if each is not approach), key=lambda each: robustness.shares[each.place]
    )
    share = robustness.shares[other.place]
    if share > robustness.kept:
        hangs = f"It hangs on what is unknown, most of which would speak for {other}."
    elif share:
        hangs = f"It hangs on what is unknown, some of which would speak for {other}."
    else:
        hangs = "It hangs on what is unknown."
    return f" {hangs} Find out first: {questions[0].text}"


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
        if reason.evidence[0].kind != "CLASSIFIER" and not reason.is_upkeep
    ]
    speaking = [reason for reason in reasons if reason.points[approach.place] > 0] or reasons
    # What contains the runner-up is taken for what it adds to it.
    beside = second is not None and approach.contains(second)
    others = {second: 1.0} if second and beside else rivals(recommendation.scores, approach)
    best = max(speaking, key=lambda reason: reason.favour(approach, others), default=None)
    because = f" {best.speaking(approach, others).reason}" if best else ""
    rest = instead or (_against(approach, second, reasons, best) if second else "")
    return f"{approach} ({_reach(expected[approach.place])}).{because}{rest}"


def _named(leader: Approach, second: Approach | None) -> str:
    return f"{leader} and {second}" if second else "the approaches"


def _reach(expected: ExpectedQuality) -> str:
    """Say what is expected of an approach."""
    if expected.approach is Approach.PROMPTING:
        measured = "against which the others are measured"
        return measured if expected.score is None else f"measured at {expected.score:.0%}"
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
        return f"{better}, which users do not need if {approach} does what is expected."
    if more <= tolerance + _ROUNDING:
        return f"{better}: too little to tell, and it asks for more."
    return f"{better}, and costs far more than the budget."


def cheaper(recommendation: Recommendation, cost: CostEstimate) -> str:
    """Say what would cost far less at some loss; empty where nothing would.

    Args:
        recommendation: The outcome.
        cost: What each approach costs.
    """
    approach = recommendation.approach
    if approach is None:
        return ""
    points = {score.approach: score.points for score in recommendation.scores if score.feasible}
    month = {each: cost.approaches[each.place].per_month_usd for each in points}
    saved = {
        each: month[approach] - usd
        for each, usd in month.items()
        if month[approach] - usd >= _LARGE_USD
        and month[approach] >= _FAR_LESS * usd
        and points[approach] - points[each] <= _SMALL_LOSS
    }
    if not saved:
        return ""
    other = max(saved, key=lambda each: (points[each], saved[each]))
    lost = points_text(points[approach] - points[other]).removeprefix("+")
    return (
        f" {other} would cost about {dollars(month[other])} a month in place of {dollars(month[approach])}, and is "
        f"expected to do {lost} less."
    )


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
    return f" Against {rival}: {strongest.speaking(leader, {rival: 1.0}).reason}"
