"""Guesses: every assumed figure as it is, at the ends of its interval, and drawn together with all others.

One array a figure, so that the formulas of `advisor.decision.pricing` price all guesses about a use case at once.
"""

from __future__ import annotations

from statistics import NormalDist
from types import SimpleNamespace

import numpy as np

from advisor.decision.known import Known
from advisor.decision.prices import FIGURES, Figure
from advisor.decision.pricing import CENTRAL
from advisor.knowledge.arrays import Floats

__all__ = ["DRAWN", "GUESSES", "MOVED", "guesses_about", "interval"]

MOVED = tuple(
    name for name, figure in FIGURES.items() if figure.low < figure.high and not name.startswith("days_")
)
"""Figures that are uncertain."""
DRAWN = 2 * len(MOVED) + 1
"""Where the draws begin: before them all as assumed, then each figure of `MOVED` at its low end and its high one."""
_DRAWS = 200
_TENTH = _DRAWS // 10
GUESSES = DRAWN + _DRAWS
"""How many there are."""


def guesses_about(known: Known) -> SimpleNamespace:
    """Return the guesses; where examples for training suffice, nobody wonders how many that takes."""
    if (known.labelled_examples or 0.0) < CENTRAL.examples:
        return _GUESSED
    return SimpleNamespace(**{**vars(_GUESSED), "examples": CENTRAL.examples})


def interval(guesses: Floats) -> tuple[Floats, Floats]:
    """Return the ends that four in five of the drawn guesses lie between, shape (...,), from (..., guesses).

    NaN counts as larger than any number.
    """
    drawn = np.sort(guesses[..., DRAWN:], axis=-1)
    return drawn[..., _TENTH], drawn[..., -_TENTH - 1]


def _guesses() -> SimpleNamespace:
    """Return every figure as assumed, at its ends, and drawn."""
    generator = np.random.default_rng(0)
    quantiles = [NormalDist().inv_cdf((place + 0.5) / _DRAWS) for place in range(_DRAWS)]
    reached = np.array(quantiles) / NormalDist().inv_cdf(0.9)  # 1 at the ends that four in five lie between
    guesses = SimpleNamespace(**vars(CENTRAL))
    for place, name in enumerate(MOVED):
        figure = FIGURES[name]
        values = np.full(GUESSES, float(figure.value))
        values[2 * place + 1 : 2 * place + 3] = figure.low, figure.high
        if not figure.stated:
            values[DRAWN:] = _drawn(figure, generator.permutation(reached))
        setattr(guesses, name, values)
    return guesses


def _drawn(figure: Figure, reached: Floats) -> Floats:
    """Return values of a figure that lie between its ends in four of five: by ratios, where an end is not 0."""
    ends = np.where(reached > 0, figure.high, figure.low)
    steps = np.abs(reached)
    ratios = np.where(ends > 0, ends / figure.value, 1.0)
    values = figure.value * np.where(ends > 0, ratios**steps, np.maximum(1 - steps, 0.0))
    return np.minimum(values, 1.0) if figure.unit.startswith("share") else values


_GUESSED = _guesses()
