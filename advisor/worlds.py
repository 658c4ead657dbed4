"""Worlds: what is unknown, drawn from the priors that the knowledge base states.

In each world every unknown fact has a value. The share of worlds in which the
leader stays is its robustness; how much a fact's value tells about the best
approach over the worlds is the information gained by asking for it:

    gain(f) = H(mean of p) - sum over values v of P(f = v) H(mean of p where f = v)

the mutual information between the fact and the best approach, in nats.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from advisor.evidence import APPROACHES, Floats
from advisor.facts import Row, Rows, facts
from advisor.rules import Knowledge
from advisor.scoring import Scorer

__all__ = ["WORLDS", "Outlook", "Worlds"]

WORLDS = 256
"""Worlds drawn: a share is then known to 3 points (one standard error)."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the worlds show.

    Attributes:
        shares: Share of worlds in which each approach leads, shape (approaches,).
        gains: Unknown facts with what asking for them would tell, in nats, most first.
    """

    shares: Floats
    gains: tuple[tuple[str, float], ...]


class Worlds:
    """Draws of every fact, made once and filled in where a use case leaves a fact open."""

    def __init__(self, knowledge: Knowledge, count: int = WORLDS, seed: int = 0) -> None:
        generator = np.random.default_rng(seed)
        self._draws = np.full((count, len(facts())), np.nan)
        self._columns = [column for column, item in enumerate(facts()) if item.name in knowledge.worlds]
        groups = []
        for column in self._columns:
            values = knowledge.worlds[facts()[column].name]
            self._draws[:, column] = _deck(values, count, generator)
            groups.append([self._draws[:, column] == value for value, _ in values])
        self._starts = np.cumsum([0, *(len(group) for group in groups[:-1])])
        self._groups = np.array([members for group in groups for members in group], dtype=np.float64)
        self._sizes = self._groups.sum(axis=1)

    def fill(self, row: Row) -> Rows:
        """Return the worlds of a use case, shape (worlds, facts)."""
        return np.where(np.isnan(row), self._draws, row)

    def look(self, scorer: Scorer, row: Row) -> Outlook:
        """Score the worlds of a use case."""
        rows = self.fill(row)
        scores = scorer.score(rows)
        shares = np.bincount(scores.order[0], minlength=len(APPROACHES)) / len(rows)
        gains = self._gains(scores.probabilities).tolist()
        named = [
            (facts()[column].name, gain)
            for column, gain in zip(self._columns, gains, strict=True)
            if np.isnan(row[column])
        ]
        return Outlook(shares, tuple(sorted(named, key=lambda pair: -pair[1])))

    def _gains(self, probabilities: Floats) -> Floats:
        """Return the information gained by each fact's value, shape (facts drawn,)."""
        sums = np.einsum("vw,aw->av", self._groups, probabilities)
        entropies = _entropy(sums / np.maximum(self._sizes, 1.0))
        left = np.add.reduceat(entropies * self._sizes, self._starts) / probabilities.shape[1]
        gains: Floats = np.maximum(_entropy(probabilities.mean(axis=1)) - left, 0.0)
        return gains


def _deck(weights: tuple[tuple[float, float], ...], count: int, generator: np.random.Generator) -> Floats:
    """Return `count` values in the proportions of their weights, shuffled.

    Less noise than independent draws.
    """
    shares = np.cumsum([weight for _, weight in weights])
    positions = (np.arange(count) + 0.5) / count
    picks = np.minimum(np.searchsorted(shares, positions), len(weights) - 1)
    return generator.permutation(np.array([value for value, _ in weights])[picks])


def _entropy(probabilities: Floats) -> Floats:
    """Return the entropy in nats over the first axis, approaches."""
    logs = np.log(np.where(probabilities > 0, probabilities, 1.0))
    entropies: Floats = -(probabilities * logs).sum(axis=0)
    return entropies
