"""Evidence: signed contributions in log-odds, and their combination.

    z(a) = log prior(a) + sum of rule evidence + w (log p_classifier(a) - log prior(a))
    p(a) = softmax over the feasible approaches of z / T

The contributions that an explanation lists are the terms of z: the explanation
is the calculation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from advisor.knowledge.arrays import Floats
from advisor.knowledge.rules import RuleSource

__all__ = ["Evidence", "Factor", "softmax"]

_LEAST = -1e300
"""Stands for the largest log-odds where nothing is feasible, since inf - inf is not a number."""

_TINY = float(np.finfo(float).tiny)

Kind = Literal["PRIOR", "RULE", "CLASSIFIER", "TRIAL"]


@dataclass(frozen=True, slots=True)
class Factor:
    """What one fact contributes to a piece of evidence, in nats per approach."""

    fact: str
    log_odds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One contribution to a decision.

    Attributes:
        kind: Where it comes from.
        id: Identifier of the rule, classifier or trial.
        criterion: Trade-off that it belongs to; None for the prior and the classifier.
        log_odds: Contribution per approach in the order of `APPROACHES`, in nats.
        reason: Why, with the use case's own numbers.
        sources: What it rests on.
        factors: For the classifier, what each fact contributes, heaviest first; they add up to `log_odds`,
            but for the normalisation, which is the same for every approach.
        facts: For a rule, the facts and trade-offs that it tests.
    """

    kind: Kind
    id: str
    criterion: str | None
    log_odds: tuple[float, ...]
    reason: str
    sources: tuple[RuleSource, ...] = ()
    factors: tuple[Factor, ...] = ()
    facts: tuple[str, ...] = ()

    @property
    def weight(self) -> float:
        """How far apart it puts the approaches, in nats."""
        return max(self.log_odds) - min(self.log_odds)


def softmax(log_odds: Floats, temperature: float) -> Floats:
    """Return probabilities over the first axis; all zero where everything is -inf.

    Args:
        log_odds: Shape (approaches, n); -inf for what is not feasible.
        temperature: Above 1 flattens, below 1 sharpens.
    """
    # Reductions of ufuncs, and in place: for one use case the calls are what costs.
    exponentials: Floats = log_odds - np.maximum(np.maximum.reduce(log_odds, axis=0), _LEAST)
    exponentials /= temperature
    np.exp(exponentials, out=exponentials)
    exponentials /= np.maximum(np.add.reduce(exponentials, axis=0), _TINY)
    return exponentials
