"""Recommendations: the outcome of a decision, as values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

from advisor.decision.explanation import Explanation
from advisor.knowledge.approaches import Approach
from advisor.knowledge.rules import RuleSource

__all__ = ["BASIC", "FULL", "Recommendation", "Score", "Versions", "Veto", "View"]


class View(StrEnum):
    """How much of a recommendation to make: the decision alone, or its explanation as well."""

    BASIC = "BASIC"
    FULL = "FULL"


BASIC, FULL = View


@dataclass(frozen=True, slots=True)
class Score:
    """How an approach fares.

    Attributes:
        approach: The approach.
        probability: Calibrated probability that it is the best, 0 to 1; 0 where vetoed.
        points: Quality that it is expected to reach, in points above PROMPTING, vetoes aside: the sum of all
            evidence for it.
        feasible: Whether no veto excludes it.
    """

    approach: Approach
    probability: float
    points: float
    feasible: bool


@dataclass(frozen=True, slots=True)
class Veto:
    """A rule that excludes approaches, why, and what it rests on."""

    id: str
    approaches: tuple[Approach, ...]
    reason: str
    sources: tuple[RuleSource, ...]


@dataclass(frozen=True, slots=True)
class Versions:
    """What made a decision: the program's version, and hashes.

    Attributes:
        advisor: Version of the program.
        rules: Hash of the knowledge base.
        gains: Hash of the model of gains; None where rules decide alone.
    """

    advisor: str
    rules: str
    gains: str | None

    @property
    def by_name(self) -> dict[str, str]:
        """The versions that there are, by the names of these fields."""
        return {name: version for name, version in asdict(self).items() if version}


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The outcome of a decision.

    Attributes:
        approach: The approach to take: of those that are not expected to lose more than the tolerance to the best,
            the easiest to keep; None where the evidence does not decide.
        leader: The approach that is expected to do best, decided or not; None where everything is excluded.
        runner_up: The feasible approach that is expected to do second best; None without one.
        scores: One per approach, the best expected first, what is excluded last.
        vetoes: Approaches that are out of the question, and why.
        versions: What made the decision.
        explanation: What stands behind it; None in the basic view.
    """

    approach: Approach | None
    leader: Approach | None
    runner_up: Approach | None
    scores: tuple[Score, ...]
    vetoes: tuple[Veto, ...]
    versions: Versions
    explanation: Explanation | None = None
