"""The scale on which differences of a fact are equal: logarithmic for durations, counts and prices."""

from __future__ import annotations

import math

from advisor.knowledge.facts import Fact

__all__ = ["from_scale", "scale_floor", "scale_width", "to_scale"]


def to_scale(item: Fact, number: float) -> float:
    """Put a value on its scale."""
    return math.log(max(number, scale_floor(item))) if item.logarithmic else number


def from_scale(item: Fact, number: float) -> float:
    """Take a value back from its scale."""
    return math.exp(number) if item.logarithmic else number


def scale_floor(item: Fact) -> float:
    """Return where a logarithmic scale ends, since it has no zero."""
    return {"count": 1.0, "duration": 1e-3}.get(item.kind, 1e-4)


def scale_width(item: Fact) -> float:
    """Return the width of a fact's usual range on its scale; 1 where it has none."""
    low, high = (to_scale(item, end) for end in item.usual)
    return high - low if high > low else 1.0
