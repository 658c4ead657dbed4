"""The published and measured cases that are nearest to a use case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from advisor.knowledge.arrays import Bools, Floats
from advisor.knowledge.cases import Case
from advisor.knowledge.facts import Row, facts
from advisor.knowledge.scale import scale_floor, to_scale

__all__ = ["MIN_SIMILARITY", "SimilarCase", "similar_cases"]

MIN_SIMILARITY = 0.5
_MATCH = 0.8


@dataclass(frozen=True, slots=True)
class SimilarCase:
    """A case near to a use case.

    Attributes:
        case: The case.
        similarity: 0 to 1; 1 is approached as many shared facts agree.
        matching: Shared facts that agree, in the order of the facts.
        differing: Shared facts that do not.
    """

    case: Case
    similarity: float
    matching: tuple[str, ...]
    differing: tuple[str, ...]


def similar_cases(row: Row, cases: Sequence[Case], limit: int = 3) -> tuple[SimilarCase, ...]:
    """Return the cases nearest to a use case, nearest first.

    The similarity is Gower's over the n facts that both know: the mean of
    1 - |difference| / usual range on the fact's scale, or of equality for
    choices and flags; times n / (n + 1), since few shared facts say little.
    Cases below `MIN_SIMILARITY` are left out; equals keep the order of `cases`.
    """
    if not cases:
        return ()
    alike = _alikeness(row, np.stack([case.row for case in cases]))
    shared = (~np.isnan(alike)).sum(axis=1)
    similarity = np.nansum(alike, axis=1) / (shared + 1)
    order = [index for index in np.argsort(-similarity, kind="stable") if similarity[index] >= MIN_SIMILARITY]
    names = [item.name for item in facts()]
    return tuple(
        SimilarCase(
            case=cases[index],
            similarity=float(similarity[index]),
            matching=tuple(name for name, value in zip(names, alike[index], strict=True) if value >= _MATCH),
            differing=tuple(name for name, value in zip(names, alike[index], strict=True) if value < _MATCH),
        )
        for index in order[:limit]
    )


def _alikeness(row: Row, others: Floats) -> Floats:
    """Return how alike each fact is, 0 to 1, shape (len(others), facts); NaN where either is unknown."""
    widths, logarithmic, nominal, floors = _scales()
    both = np.vstack((row[None, :], others))
    scaled = np.where(logarithmic, np.log(np.maximum(both, floors)), both)
    distance = np.abs(scaled[1:] - scaled[0]) / widths
    distance = np.where(nominal & (distance > 0), 1.0, distance)
    alike: Floats = np.maximum(1.0 - distance, 0.0)
    return alike


@cache
def _scales() -> tuple[Floats, Bools, Bools, Floats]:
    """Return per fact: the width of its usual range, whether it is logarithmic or nominal, its floor."""
    items = facts()
    ends = [[to_scale(item, end) for end in item.usual] for item in items]
    widths = np.array([high - low if high > low else 1.0 for low, high in ends])
    logarithmic = np.array([item.logarithmic for item in items])
    nominal = np.array([item.kind in ("flag", "choice") for item in items])
    floors = np.array([scale_floor(item) if item.logarithmic else 1.0 for item in items])
    return widths, logarithmic, nominal, floors
