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
import numpy.typing as npt

__all__ = ["APPROACHES", "CRITERIA", "Approach", "Evidence", "Factor", "Floats", "softmax"]

APPROACHES = ("PROMPTING", "RAG", "FINE_TUNING", "HYBRID")
CRITERIA = ("freshness", "specialization", "cost", "retraining")

Approach = str
Floats = npt.NDArray[np.float64]
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
        sources: What it rests on: keys of the knowledge base, with a locator after a colon.
        factors: For the classifier, what each fact contributes, heaviest first.
    """

    kind: Kind
    id: str
    criterion: str | None
    log_odds: tuple[float, ...]
    reason: str
    sources: tuple[str, ...] = ()
    factors: tuple[Factor, ...] = ()

    @property
    def weight(self) -> float:
        """How far apart it puts the approaches, in nats."""
        return max(self.log_odds) - min(self.log_odds)


def softmax(log_odds: Floats, feasible: npt.NDArray[np.bool_], temperature: float) -> Floats:
    """Return probabilities per approach, zero for those that are not feasible.

    Args:
        log_odds: Shape (approaches, n).
        feasible: The same shape; where no approach of a column is, all its probabilities are zero.
        temperature: Above 1 flattens, below 1 sharpens.
    """
    scaled = np.where(feasible, log_odds / temperature, -np.inf)
    top = scaled.max(axis=0)
    exponentials = np.exp(scaled - np.where(np.isfinite(top), top, 0.0))
    total = exponentials.sum(axis=0)
    probabilities: Floats = exponentials / np.where(total > 0, total, 1.0)
    return probabilities
