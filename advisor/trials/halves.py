"""The best of several, chosen on one half of the questions and scored on the other.

On the questions that it was chosen by, the best of several arms is better than it is: of four that are equally good
and right half the time, the best of 50 questions is expected some 7 points above them. So each half of the questions is
scored by what is best on the other half, and the halves are drawn several times, since one draw is luck as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import numpy as np

from advisor.knowledge.arrays import Floats

__all__ = ["HALVINGS", "chosen_apart"]

HALVINGS = 20
"""How often the questions are halved."""

K = TypeVar("K")


def chosen_apart(options: Mapping[K, Mapping[int, float]], seed: int = 0) -> dict[int, float]:
    """Return, per question, the score of what is best on questions other than it.

    An option that was not asked a question cannot be chosen for it. Of options that are equally good on the other half,
    all count alike. With one option, its own scores come back.

    Args:
        options: Scores of each by the number of the question, 0 to 1; none is empty.
        seed: Of the halves. The same numbers of questions and the same seed give the same halves, whatever the options.

    Returns:
        The mean over the halvings, of every question that an option was asked.
    """
    if len(options) == 1:
        return dict(*options.values())
    numbers = _all_numbers(options.values())
    scores = np.array([[each.get(number, np.nan) for number in numbers] for each in options.values()])
    rng = np.random.default_rng(seed)
    sums = np.zeros(len(numbers))
    for _ in range(HALVINGS):
        first = np.isin(np.arange(len(numbers)), rng.permutation(len(numbers))[: len(numbers) // 2])
        for half in (first, ~first):
            sums[half] += _of_the_best(scores[:, half], _means(scores[:, ~half]))
    return {number: float(total) / HALVINGS for number, total in zip(numbers, sums, strict=True)}


def _of_the_best(scores: Floats, means: Floats) -> Floats:
    """Return, per question, the mean score of the options with the highest mean among those that were asked it."""
    asked = ~np.isnan(scores)
    known = np.where(asked, means[:, None], -np.inf)
    best = asked & (known >= known.max(axis=0) - 1e-12)
    found: Floats = np.where(best, scores, 0.0).sum(axis=0) / best.sum(axis=0)
    return found


def _means(scores: Floats) -> Floats:
    """Return the mean of each option; -1, below any score, where it was asked nothing."""
    asked = ~np.isnan(scores)
    counts = asked.sum(axis=1)
    means: Floats = np.where(
        counts > 0, np.where(asked, scores, 0.0).sum(axis=1) / np.maximum(counts, 1), -1.0
    )
    return means


def _all_numbers(scores: Iterable[Mapping[int, float]]) -> list[int]:
    return sorted({number for each in scores for number in each})
