"""The places along each fact where something about a decision may change."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from advisor.decision.known import Known
from advisor.decision.scoring import READ_BESIDE_RULES, Scorer
from advisor.knowledge.facts import Fact, facts
from advisor.knowledge.notation import Interval
from advisor.knowledge.scale import from_scale, to_scale

__all__ = ["places_of_change"]

_COARSE = 5
"""Values of what the cost reads, over what is usual, between which a change is searched."""


def places_of_change(scorer: Scorer) -> Mapping[str, set[float]]:
    """Return, per fact, the values on both sides of every place where something changes."""
    places: dict[str, set[float]] = {}
    for test in (test for rule in scorer.rules for test in rule.tests):
        sides = test.holds.sides() if isinstance(test.holds, Interval) else ()
        places.setdefault(test.subject, set()).update(sides)
    for curve in scorer.gains.curves:
        places.setdefault(curve.subject, set()).update(x for x, _ in curve.points)
    for item in facts():
        if item.name in Known._fields and item.kind not in ("flag", "choice"):
            low, high = (to_scale(item, end) for end in item.usual)
            places.setdefault(item.name, set()).update(
                from_scale(item, place) for place in np.linspace(low, high, _COARSE).tolist()
            )
        if item.name in READ_BESIDE_RULES or item.name in places:
            extremes = _whole(item) if item.choices or item.kind == "flag" else (item.minimum, item.maximum)
            places.setdefault(item.name, set()).update(extremes)
            places[item.name] = {
                value for value in places[item.name] if item.minimum <= value <= item.maximum
            }
    return places


def _whole(item: Fact) -> tuple[float, ...]:
    return tuple(float(value) for value in range(int(item.minimum), int(item.maximum) + 1))
