"""The published and measured cases that are nearest to a use case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from advisor.decision.curves import Scale
from advisor.knowledge.arrays import Floats
from advisor.knowledge.cases import Case
from advisor.knowledge.facts import Fact, Row, fact_index, facts, value_to_text
from advisor.knowledge.scale import to_scale

__all__ = ["MIN_SIMILARITY", "CaseIndex", "Difference", "SimilarCase"]

MIN_SIMILARITY = 0.5
_MATCH = 0.8


@dataclass(frozen=True, slots=True)
class Difference:
    """A fact in which a case and a use case differ, with both values in words."""

    fact: str
    case: str
    use_case: str


@dataclass(frozen=True, slots=True)
class SimilarCase:
    """A case near to a use case.

    Attributes:
        case: The case.
        similarity: 0 to 1; 1 is approached as many shared facts agree.
        matching: Shared facts that agree, in the order of the facts: a flag also where it is false for both.
        differing: Shared facts that do not.
    """

    case: Case
    similarity: float
    matching: tuple[str, ...]
    differing: tuple[Difference, ...]


class CaseIndex:
    """Cases, ready to be compared with use cases.

    The similarity is Gower's over the n facts that both know: the mean of
    1 - |difference| / usual range on the fact's scale, or of equality for
    choices and flags; times n / (n + 1), since few shared facts say little.
    """

    def __init__(self, cases: Sequence[Case]) -> None:
        self._cases = tuple(cases)
        self._scale = Scale()
        rows = np.array([case.row for case in cases]).reshape(len(cases), len(facts()))
        self._scaled = np.ascontiguousarray(self._scale(rows.T).T)
        self._widths = np.array([_width(item) for item in facts()])
        self._nominal = np.array([item.kind in ("flag", "choice") for item in facts()])
        self._tasks = rows[:, fact_index()["task"]]
        self.comparisons = sum(len(case.measured) > 1 for case in cases)

    def nearest(self, row: Row) -> Iterator[SimilarCase]:
        """Yield cases, nearest first, down to `MIN_SIMILARITY`; equals keep their order.

        Where the use case's task is known, only cases of the same task: what did best at another says little.
        """
        alike = self._alikeness(row)
        shared = (~np.isnan(alike)).sum(axis=1)
        similarity = np.nansum(alike, axis=1) / (shared + 1)
        task = row[fact_index()["task"]]
        similarity[~np.isnan(task) & (self._tasks != task)] = 0.0
        for index in np.argsort(-similarity, kind="stable").tolist():
            if similarity[index] < MIN_SIMILARITY:
                return
            case, likeness = self._cases[index], alike[index]
            yield SimilarCase(
                case=case,
                similarity=float(similarity[index]),
                matching=tuple(facts()[place].name for place in np.flatnonzero(likeness >= _MATCH)),
                differing=tuple(
                    _difference(facts()[place], case.row[place], row[place])
                    for place in np.flatnonzero(likeness < _MATCH)
                ),
            )

    def _alikeness(self, row: Row) -> Floats:
        """Return how alike each fact is, 0 to 1, shape (cases, facts); NaN where either is unknown."""
        distance = np.abs(self._scaled - self._scale(row[:, None])[:, 0]) / self._widths
        distance[self._nominal & (distance > 0)] = 1.0
        alike: Floats = np.maximum(1.0 - distance, 0.0)
        return alike


def _difference(item: Fact, case: float, use_case: float) -> Difference:
    return Difference(item.name, value_to_text(item, case), value_to_text(item, use_case))


def _width(item: Fact) -> float:
    """Return the width of a fact's usual range on its scale; 1 where it has none."""
    low, high = (to_scale(item, end) for end in item.usual)
    return high - low if high > low else 1.0
