"""Reasons: evidence as a person would give it, one reason for each thing that is known.

The rules on one fact are rungs of a ladder: each adds a little, and each has its
say. Told one by one they repeat themselves, so rules that test the same facts
are one reason, with the summed contributions and the words of the heaviest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from advisor.knowledge.approaches import APPROACHES
from advisor.v1 import recommendation_pb2 as pb

__all__ = ["Reason", "headline", "reasons_for", "rivals", "values_of"]

_LEAST_AGAINST = 0.2
"""Nats against the runner-up below which the headline does not mention them."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Pieces of evidence that belong together.

    Attributes:
        evidence: The pieces, heaviest first.
        log_odds: Their sum per approach in the order of `APPROACHES`, in nats.
    """

    evidence: tuple[pb.Evidence, ...]
    log_odds: tuple[float, ...]

    @property
    def heaviest(self) -> pb.Evidence:
        """The heaviest piece; of equals, the last, which knows most."""
        weights = [round(_spread(values_of(item.log_odds)), 9) for item in self.evidence]
        return self.evidence[len(weights) - 1 - weights[::-1].index(max(weights))]

    @property
    def weight(self) -> float:
        """How far apart it puts the approaches, in nats."""
        return _spread(self.log_odds)

    def favour(self, approach: str, others: Mapping[str, float]) -> float:
        """Return by how much it moves an approach against others, weighted, in nats."""
        weights = {name: weight for name, weight in others.items() if name != approach}
        mean = sum(self.log_odds[APPROACHES.index(name)] * weight for name, weight in weights.items())
        return self.log_odds[APPROACHES.index(approach)] - mean / (sum(weights.values()) or 1.0)


def reasons_for(message: pb.Recommendation) -> tuple[Reason, ...]:
    """Return the reasons of a recommendation, heaviest first; what was held beforehand is none."""
    groups: dict[tuple[str, ...], list[pb.Evidence]] = {}
    for item in message.evidence:
        if item.kind != pb.Evidence.KIND_PRIOR:
            groups.setdefault(tuple(sorted(item.facts)) or (item.id,), []).append(item)
    reasons = [Reason(tuple(items), _total(items)) for items in groups.values()]
    return tuple(sorted(reasons, key=lambda reason: -reason.weight))


def headline(message: pb.Recommendation) -> str:
    """Say the outcome in a sentence or three: what, why, and why not the runner-up."""
    feasible = [score for score in message.scores if score.feasible]
    if not feasible:
        return "Undecided: every approach is excluded; see what excludes them."
    leader = _name(feasible[0].approach)
    odds = ", ".join(f"{_name(score.approach)} {score.probability:.0%}" for score in feasible[:2])
    if message.approach == pb.APPROACH_UNDECIDED:
        ask = f" Find out first: {message.questions[0].text}" if message.questions else ""
        return f"Undecided: what is known does not tell the approaches apart ({odds}).{ask}"
    reasons = reasons_for(message)
    speaking = [reason for reason in reasons if reason.log_odds[APPROACHES.index(leader)] > 0] or reasons
    best = max(speaking, key=lambda reason: reason.favour(leader, rivals(message)), default=None)
    because = f" {best.heaviest.reason}" if best else ""
    against = _against(leader, _name(feasible[1].approach), reasons, best) if len(feasible) > 1 else ""
    return f"{leader} ({odds}).{because}{against}"


def rivals(message: pb.Recommendation) -> dict[str, float]:
    """Return the approaches that a leader is compared with, and how much each counts.

    Half goes by probability, so that the runner-up counts most; half is shared
    equally. Where everything else is excluded, all others count alike.
    """
    others = [score for score in message.scores[1:] if score.feasible]
    if not others:
        return {_name(score.approach): 1.0 for score in message.scores[1:]}
    total = sum(score.probability for score in others) or 1.0
    return {_name(score.approach): score.probability / total + 1 / len(others) for score in others}


def values_of(values: pb.ApproachValues) -> tuple[float, ...]:
    """Return the values in the order of `APPROACHES`."""
    return (values.prompting, values.rag, values.fine_tuning, values.hybrid)


def _against(leader: str, rival: str, reasons: Iterable[Reason], told: Reason | None) -> str:
    """Give the strongest reason against the runner-up that is not told yet."""
    position = APPROACHES.index(rival)
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


def _total(items: Iterable[pb.Evidence]) -> tuple[float, ...]:
    return tuple(sum(column) for column in zip(*(values_of(item.log_odds) for item in items), strict=True))


def _spread(values: Iterable[float]) -> float:
    numbers = tuple(values)
    return max(numbers) - min(numbers)


def _name(approach: int) -> str:
    return pb.Approach.Name(approach).removeprefix("APPROACH_")
