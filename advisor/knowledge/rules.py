"""The knowledge base, as values.

Rules are data. A rule is a conjunction of tests on facts; where it
fires it adds evidence, vetoes approaches, warns or advises. `advisor.knowledge.rulefile` reads
them from `rules.yaml`, `advisor.decision.scoring` applies them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from advisor.knowledge.notation import Interval
from advisor.knowledge.yamltree import Place

__all__ = [
    "CRITERIA",
    "DECIDING",
    "QUALITY",
    "UPKEEP",
    "Curve",
    "Decision",
    "GivenWorld",
    "Knowledge",
    "Monotonicity",
    "Rule",
    "RuleKind",
    "RuleSource",
    "Test",
]

QUALITY = ("freshness", "specialization")
"""Trade-offs that bear on how good answers are."""
UPKEEP = ("cost", "retraining")
"""Trade-offs that bear on what it takes to keep them so."""
CRITERIA = (*QUALITY, *UPKEEP)
"""The documented trade-offs; each rule belongs to one."""

RuleKind = Literal["evidence", "veto", "warning", "advice"]
DECIDING: tuple[RuleKind, ...] = ("evidence", "veto")
"""Kinds of rules that decide; the others tell what to mind and how to go about it."""


@dataclass(frozen=True, slots=True)
class RuleSource:
    """A publication, guide or measurement that rules rest on."""

    id: str
    title: str
    reference: str


@dataclass(frozen=True, slots=True)
class Test:
    """One test of a rule: the subject, a fact, and the values it holds for.

    Attributes:
        holds: An interval, or names of choices; None for a test that the fact is unknown.
    """

    subject: str
    text: str
    holds: Interval | frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Rule:
    """A conjunction of tests, and what follows where all hold.

    Attributes:
        about: Facts that it is about: of a rung that of its ladder, else all that are tested.
        log_odds: Evidence per approach in the order of `APPROACHES`, in nats.
        excludes: Approaches that a veto excludes.
        reason: Why; `{fact}` stands for the use case's value.
        fire: Facts on which it fires.
        silent: Facts on which it does not.
        steps: Approaches whose step in a plan an advice is for.
        first: Whether an advice is worth a step of its own, where the plan would leave it out as done already.
    """

    id: str
    kind: RuleKind
    criterion: str | None
    tests: tuple[Test, ...]
    about: tuple[str, ...]
    log_odds: tuple[float, ...]
    excludes: frozenset[str]
    reason: str
    sources: tuple[str, ...]
    fire: tuple[Mapping[str, object], ...]
    silent: tuple[Mapping[str, object], ...]
    place: Place
    steps: frozenset[str] = frozenset()
    first: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """A piecewise-linear function of a fact, constant beyond its ends.

    Attributes:
        subject: Fact that it reads.
        points: Pairs of the subject's value, in a row's units, and the curve's, by rising value.
    """

    subject: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """How evidence becomes a decision.

    Attributes:
        tolerance: Points of quality that an approach may be expected to lose to the best, to be chosen for its upkeep.
        evidence: Smallest sum of the weights of what is known, in nats, that decides.
        apart: Points of upkeep from which on one of two approaches, neither of which contains the other, is the
            cheaper to keep.
        upkeep: What an approach asks of those who keep it before any fact is known, in points, in the order of
            `APPROACHES`.
        tenfold: Points of upkeep for ten times the cost.
    """

    tolerance: float
    evidence: float
    apart: float
    upkeep: tuple[float, ...]
    tenfold: float


@dataclass(frozen=True, slots=True)
class Monotonicity:
    """A promise: as `fact` moves in `direction`, `raises` never falls against `against`, in quality or in upkeep."""

    fact: str
    direction: Literal["increasing", "decreasing"]
    raises: str
    against: str
    place: Place


@dataclass(frozen=True, slots=True)
class GivenWorld:
    """How an unknown fact is distributed where tests on other facts hold.

    Attributes:
        fact: The fact.
        tests: What must hold, all of it.
        values: Values with probabilities.
    """

    fact: str
    tests: tuple[Test, ...]
    values: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A whole knowledge base.

    Attributes:
        rules: Evidence, vetoes, warnings and advice, in the order of the files.
        worlds: Per fact, values with probabilities, for what is unknown.
        given: Distributions that replace those of `worlds` where something else holds; later ones win.
        digest: SHA-256 of the files, in hexadecimal.
    """

    decision: Decision
    sources: Mapping[str, RuleSource]
    rules: tuple[Rule, ...]
    worlds: Mapping[str, tuple[tuple[float, float], ...]]
    given: tuple[GivenWorld, ...]
    monotonic: tuple[Monotonicity, ...]
    digest: str

    @property
    def deciding(self) -> tuple[Rule, ...]:
        """The rules that decide."""
        return tuple(rule for rule in self.rules if rule.kind in DECIDING)

    @property
    def telling(self) -> tuple[Rule, ...]:
        """The rules that do not decide: warnings and advice."""
        return tuple(rule for rule in self.rules if rule.kind not in DECIDING)

    def without(self, ids: Iterable[str]) -> Knowledge:
        """Return the same knowledge less the rules named."""
        dropped = frozenset(ids)
        return replace(self, rules=tuple(rule for rule in self.rules if rule.id not in dropped))
