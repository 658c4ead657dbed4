"""Worlds: what is unknown, drawn from the priors that the knowledge base states.

In each world every unknown fact has a value. The share of worlds in which the
leader stays is its robustness; how much a fact's value tells about the best
approach over the worlds is the information gained by asking for it:

    gain(f) = H(mean of p) - sum over values v of P(f = v) H(mean of p where f = v)

the mutual information between the fact and the best approach, in nats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from advisor.evidence import APPROACHES, Floats
from advisor.facts import Row, Rows, fact, fact_index, facts
from advisor.notation import Interval
from advisor.rules import Knowledge, Test
from advisor.scoring import Scorer

__all__ = ["WORLDS", "Outlook", "Worlds", "plausible_values"]

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
    """Draws of every fact, made once and filled in where a use case leaves a fact open.

    Args:
        knowledge: States the priors.
        count: Worlds to draw.
        seed: Of the draws.
    """

    def __init__(self, knowledge: Knowledge, count: int = WORLDS, seed: int = 0) -> None:
        generator = np.random.default_rng(seed)
        self._draws = np.full((len(facts()), count), np.nan)
        values: dict[int, set[float]] = {}
        for name, shares in knowledge.worlds.items():
            self._draws[fact_index()[name]] = _deck(shares, count, generator)
            values[fact_index()[name]] = {value for value, _ in shares}
        self._given = [(given, _deck(given.values, count, generator)) for given in knowledge.given]
        for given in knowledge.given:
            values.setdefault(fact_index()[given.fact], set()).update(value for value, _ in given.values)
        pairs = sorted((column, value) for column, several in values.items() for value in several)
        self._columns = sorted(values)
        self._value_columns = np.array([column for column, _ in pairs])
        self._values = np.array([value for _, value in pairs])[:, None]
        self._starts = np.searchsorted(self._value_columns, self._columns)

    def fill(self, row: Row) -> Rows:
        """Return the worlds of a use case, shape (worlds, facts)."""
        unknown = np.isnan(row)
        columns = np.where(unknown[:, None], self._draws, row[:, None])
        for given, deck in self._given:
            column = fact_index()[given.fact]
            if unknown[column]:
                holds = np.logical_and.reduce([_holds(test, columns) for test in given.tests])
                columns[column] = np.where(holds, deck, columns[column])
        return columns.T

    def look(self, scorer: Scorer, row: Row) -> Outlook:
        """Score the worlds of a use case."""
        rows = self.fill(row)
        scores = scorer.score(rows)
        shares = np.bincount(scores.order[0], minlength=len(APPROACHES)) / len(rows)
        gains = self._gains(rows, scores.probabilities).tolist()
        named = [
            (facts()[column].name, gain)
            for column, gain in zip(self._columns, gains, strict=True)
            if np.isnan(row[column])
        ]
        return Outlook(shares, tuple(sorted(named, key=lambda pair: -pair[1])))

    def _gains(self, rows: Rows, probabilities: Floats) -> Floats:
        """Return the information gained by each fact's value, shape (facts drawn,)."""
        groups = (rows.T[self._value_columns] == self._values).astype(np.float64)
        sizes = groups.sum(axis=1)
        sums = np.einsum("vw,aw->av", groups, probabilities)
        entropies = _entropy(sums / np.maximum(sizes, 1.0))
        left = np.add.reduceat(entropies * sizes, self._starts) / len(rows)
        gains: Floats = np.maximum(_entropy(probabilities.mean(axis=1)) - left, 0.0)
        return gains


def plausible_values(knowledge: Knowledge, name: str, row: Row) -> Sequence[float]:
    """Return the values that a fact may have beside the other facts of a use case, by the stated priors.

    Of the priors given other facts, those count whose tests hold by facts that are known.
    """
    world = knowledge.worlds.get(name, ())
    for given in knowledge.given:
        if given.fact == name and all(_holds(test, row) for test in given.tests):
            world = given.values
    return [value for value, _ in world]


def _holds(test: Test, columns: Floats) -> npt.NDArray[np.bool_]:
    """Return in which worlds a test on a fact holds."""
    values = columns[fact_index()[test.subject]]
    if isinstance(test.holds, Interval):
        low, high = test.holds.closed()
        inside: npt.NDArray[np.bool_] = (values >= low) & (values <= high)
        return inside
    item = fact(test.subject)
    names = ("false", "true") if item.kind == "flag" else ("", *item.choices)
    allowed = [float(number) for number, name in enumerate(names) if name in test.holds]
    holds: npt.NDArray[np.bool_] = np.isin(values, allowed)
    return holds


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
