"""Reasons: evidence as a person would give it, one reason for each thing that is known.

The rules on one fact are rungs of a ladder, and each that fires adds a little.
Listed one by one they repeat themselves, so rules that test the same facts are
one reason, with the summed contributions and the words of the heaviest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from advisor.decision.evidence import Evidence
from advisor.decision.explanation import Question
from advisor.decision.recommendation import Recommendation, Score
from advisor.knowledge.approaches import Approach

__all__ = ["Reason", "headline", "reasons_for", "rivals"]

_LEAST_AGAINST = 0.2
"""Nats against the runner-up below which the headline does not mention them."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Pieces of evidence that belong together.

    Attributes:
        evidence: The pieces, heaviest first.
        log_odds: Their sum per approach in the order of `APPROACHES`, in nats.
    """

    evidence: tuple[Evidence, ...]
    log_odds: tuple[float, ...]

    @property
    def heaviest(self) -> Evidence:
        """The heaviest piece; of several as heavy, the last: a later rung says more about the value."""
        weights = [round(item.weight, 9) for item in self.evidence]
        return self.evidence[len(weights) - 1 - weights[::-1].index(max(weights))]

    @property
    def weight(self) -> float:
        """How far apart it puts the approaches, in nats."""
        return max(self.log_odds) - min(self.log_odds)

    def favour(self, approach: Approach, others: Mapping[Approach, float]) -> float:
        """Return by how much it moves an approach against others, weighted, in nats."""
        weights = {other: weight for other, weight in others.items() if other != approach}
        mean = sum(self.log_odds[other.place] * weight for other, weight in weights.items())
        return self.log_odds[approach.place] - mean / (sum(weights.values()) or 1.0)


def reasons_for(evidence: Iterable[Evidence]) -> tuple[Reason, ...]:
    """Return evidence as reasons, heaviest first; what was held beforehand is none."""
    groups: dict[tuple[str, ...], list[Evidence]] = {}
    for item in evidence:
        if item.kind != "PRIOR":
            groups.setdefault(tuple(sorted(item.facts)) or (item.id,), []).append(item)
    reasons = [Reason(tuple(items), _total(items)) for items in groups.values()]
    return tuple(sorted(reasons, key=lambda reason: -reason.weight))


def headline(
    recommendation: Recommendation,
    evidence: Iterable[Evidence],
    questions: Sequence[Question],
    taken: str = "",
) -> str:
    """Say the outcome in a sentence or three: what, why, and why not the runner-up.

    Args:
        recommendation: The outcome, explained or not.
        evidence: What it rests on.
        questions: What to find out, most informative first.
        taken: Facts that were taken from the user's data, in words; empty where there are none.
    """
    source = f" Counted from the documents and examples: {taken}." if taken else ""
    return _outcome(recommendation, evidence, questions) + source


def rivals(scores: Sequence[Score]) -> dict[Approach, float]:
    """Return the approaches that a leader is compared with, and how much each counts.

    Half goes by probability, so that the runner-up counts most; half is shared
    equally. Where everything else is excluded, all others count alike.

    Args:
        scores: One per approach, the leader's first.
    """
    others = [score for score in scores[1:] if score.feasible]
    if not others:
        return {score.approach: 1.0 for score in scores[1:]}
    total = sum(score.probability for score in others) or 1.0
    return {score.approach: score.probability / total + 1 / len(others) for score in others}


def _outcome(
    recommendation: Recommendation, evidence: Iterable[Evidence], questions: Sequence[Question]
) -> str:
    scores = recommendation.scores
    feasible = [score for score in scores if score.feasible]
    if not feasible:
        return "Undecided: every approach is excluded; see what excludes them."
    odds = ", ".join(f"{score.approach} {score.probability:.0%}" for score in feasible[:2])
    if recommendation.approach is None:
        ask = f" Find out first: {questions[0].text}" if questions else ""
        return f"Undecided: what is known does not tell the approaches apart ({odds}).{ask}"
    leader, others = feasible[0].approach, rivals(scores)
    reasons = reasons_for(evidence)
    speaking = [reason for reason in reasons if reason.log_odds[leader.place] > 0] or reasons
    best = max(speaking, key=lambda reason: reason.favour(leader, others), default=None)
    because = f" {best.heaviest.reason}" if best else ""
    against = _against(leader, feasible[1].approach, reasons, best) if len(feasible) > 1 else ""
    # The leader's name stands in front already.
    return f"{leader} ({odds.removeprefix(f'{leader} ')}).{because}{against}"


def _against(leader: Approach, rival: Approach, reasons: Iterable[Reason], told: Reason | None) -> str:
    """Give the strongest reason against the runner-up that is not given yet."""
    position = rival.place
    against = [
        reason
        for reason in reasons
        if reason is not told
        and reason.log_odds[position] < -_LEAST_AGAINST
        and reason.favour(leader, {rival: 1.0}) > 0
    ]
    if not against:
        return ""
    strongest = min(against, key=lambda reason: reason.log_odds[position])
    return f" Against {rival}: {strongest.heaviest.reason}"


def _total(items: Iterable[Evidence]) -> tuple[float, ...]:
    return tuple(sum(column) for column in zip(*(item.log_odds for item in items), strict=True))
