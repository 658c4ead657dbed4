"""Evidence: signed contributions in points above PROMPTING, and what follows from their sum.

    points(a) = sum over the evidence on quality of its points for a
    upkeep(a) = sum over the evidence on upkeep of its points for a
    p(a) = softmax over the feasible approaches of points / temperature

The contributions that an explanation lists are the terms of the sum: the
explanation is the calculation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.arrays import Floats
from advisor.knowledge.rules import UPKEEP, RuleSource
from backends.counts import counted

__all__ = ["Evidence", "Factor", "bounded", "points_text", "score_of", "softmax", "summed"]

_LEAST = -1e300
"""Stands for the most points where nothing is feasible, since inf - inf is not a number."""

_TINY = float(np.finfo(float).tiny)

Kind = Literal["PRIOR", "RULE", "CLASSIFIER", "TRIAL", "COST"]


@dataclass(frozen=True, slots=True)
class Factor:
    """What one fact contributes to a piece of evidence, in points above PROMPTING per approach."""

    fact: str
    points: tuple[float, ...]

    @property
    def weight(self) -> float:
        """How far apart it puts the approaches, in points."""
        return max(self.points) - min(self.points)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One contribution to a decision.

    Attributes:
        kind: Where it comes from.
        id: Identifier of the rule, model or trial.
        criterion: Trade-off that it belongs to; None for what holds before any fact is known of quality, and for the
            model.
        points: Contribution per approach in the order of `APPROACHES`, in points of quality, or by its trade-off of
            upkeep, above PROMPTING, whose own is 0.
        reason: Why, with the use case's own numbers.
        sources: What it rests on.
        factors: For the model, what each fact contributes, heaviest first; they add up to `points`.
        facts: For a rule, the facts that it is about.
    """

    kind: Kind
    id: str
    criterion: str | None
    points: tuple[float, ...]
    reason: str
    sources: tuple[RuleSource, ...] = ()
    factors: tuple[Factor, ...] = ()
    facts: tuple[str, ...] = ()

    @property
    def weight(self) -> float:
        """How far apart it puts the approaches, in points."""
        return max(self.points) - min(self.points)

    @property
    def is_upkeep(self) -> bool:
        """Whether its points are of upkeep."""
        return self.criterion in UPKEEP


def points_text(points: float) -> str:
    """Return points as they are said, such as `+1 point`."""
    return f"{points:+.0f}"[0] + counted(abs(round(points)), "point")


def summed(points: Iterable[Sequence[float]]) -> tuple[float, ...]:
    """Return the sum per approach of points, each in the order of `APPROACHES`; zeros where there are none."""
    sums = tuple(sum(column) for column in zip(*points, strict=True))
    return sums or (0.0,) * len(APPROACHES)


def bounded(prompted: float, points: float) -> float:
    """Return points above prompting as far as a score goes: nothing scores less than 0, or more than 1."""
    return min(max(points, -100 * prompted), 100 * (1.0 - prompted))


def score_of(prompted: float | None, points: float) -> float | None:
    """Return the score that so many points above prompting make, 0 to 1; None where prompting's is unknown."""
    return None if prompted is None else min(max(prompted + points / 100, 0.0), 1.0)


def softmax(points: Floats, temperature: float | Floats) -> Floats:
    """Return probabilities over the first axis; all zero where everything is -inf.

    Args:
        points: Shape (approaches, n); -inf for what is not feasible.
        temperature: Points that stand for one nat, or an array of shape (n,).
    """
    # Reductions of ufuncs, and in place: for one use case the calls are what costs.
    exponentials: Floats = points - np.maximum.reduce(points, axis=0, initial=_LEAST)
    exponentials /= temperature
    np.exp(exponentials, out=exponentials)
    exponentials /= np.add.reduce(exponentials, axis=0, initial=_TINY)
    return exponentials
