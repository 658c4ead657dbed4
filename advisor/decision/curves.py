"""Piecewise-linear functions of facts, evaluated together as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from advisor.knowledge.arrays import Floats
from advisor.knowledge.facts import fact, facts
from advisor.knowledge.rules import Curve
from advisor.knowledge.scale import scale_floor, to_scale

__all__ = ["Curves", "Scale"]


class Scale:
    """Puts columns on the scales that curves are linear in."""

    def __init__(self) -> None:
        self._rows = np.array([index for index, item in enumerate(facts()) if item.logarithmic])
        self._floors = np.array([scale_floor(item) for item in facts() if item.logarithmic])[:, None]

    def __call__(self, columns: Floats) -> Floats:
        """Return columns of shape (facts, n) on their scales."""
        scaled = columns.copy()
        scaled[self._rows] = np.log(np.maximum(columns[self._rows], self._floors))
        return scaled


class Curves:
    """Piecewise-linear functions of facts, evaluated together."""

    def __init__(self, curves: Sequence[Curve]) -> None:
        longest = max((len(curve.points) for curve in curves), default=1)
        shape = (len(curves), longest - 1, 1)
        self._starts, self._widths, self._slopes = np.zeros(shape), np.ones(shape), np.zeros(shape)
        self._base = np.array([[curve.points[0][1]] for curve in curves]).reshape(len(curves), 1)
        for index, curve in enumerate(curves):
            places = [to_scale(fact(curve.subject), x) for x, _ in curve.points]
            for segment, (left, right) in enumerate(pairwise(places)):
                self._starts[index, segment] = left
                self._widths[index, segment] = right - left
                rise = curve.points[segment + 1][1] - curve.points[segment][1]
                self._slopes[index, segment] = rise / (right - left)

    def __call__(self, scaled: Floats) -> Floats:
        """Evaluate, from each curve's own column on its scale, shape (curves, n), to the same shape."""
        ramps = scaled[:, None, :] - self._starts
        np.minimum(np.maximum(ramps, 0.0, out=ramps), self._widths, out=ramps)
        ramps *= self._slopes
        values: Floats = ramps.sum(axis=1) + self._base
        return values
