"""The published and measured cases that are nearest to a use case."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from advisor.decision.curves import Scale
from advisor.knowledge.arrays import Floats
from advisor.knowledge.cases import Case
from advisor.knowledge.facts import Fact, Row, fact_index, facts, value_to_text
from advisor.knowledge.scale import scale_width

__all__ = ["ALIKE", "METRICS", "CaseIndex", "Difference", "SimilarCase", "counts_answers"]

ALIKE = 0.5
"""Similarity from which a case is like a use case; below it is what is nearest, and unlike it or too little known."""
_MATCHING = 0.5
"""Part of what makes a case unlike, up to which a fact agrees."""
_UNLIKE_SHARE = 0.2
_UNLIKE_RATIO = 10.0
"""What is further apart than this in a fact is unlike: in shares and qualities, and in counts, times and prices."""
_LEAST_MATCHING = 2
"""Facts that a case shares with a use case that it is like, beside those that most cases share."""
_COMMON = ("task", "output_form", "can_train")
METRICS = ("ROUGE", "COMET", "chrF", "semantic similarity")
"""What cases measured that is no share of right answers, as their notes name it."""
_SCORED = ("prompted_score", "closed_book_score")
"""Facts that are told by what a case measured."""


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
        similarity: 0 to 1; from `ALIKE` on, the case is like the use case.
        matching: Shared facts that agree, in the order of the facts: a flag also where it is false for both.
        differing: Shared facts that do not, what differs most first.
    """

    case: Case
    similarity: float
    matching: tuple[str, ...]
    differing: tuple[Difference, ...]


class CaseIndex:
    """Cases, ready to be compared with use cases.

    The similarity is Gower's over the n facts that both know: the mean of
    1 - |difference| / usual range on the fact's scale, or of equality for
    choices and flags; times n / (n + 1), since few shared facts say little. How
    many labels there are counts as shared where the use case knows it, alike or
    not: one of two is another task than one of a thousand. The similarity is
    halved where the case is not like the use case: where a choice or flag is
    another, or a number of another size; where hardly more than task and form of
    the output is known to agree; and where only the use case knows its labels.
    What a case scored on a metric of its own is not compared.
    """

    def __init__(self, cases: Sequence[Case]) -> None:
        self._cases = tuple(cases)
        self._scale = Scale()
        rows = np.array([case.row for case in cases]).reshape(len(cases), len(facts()))
        otherwise = [not counts_answers(case.note) for case in cases]
        rows[np.ix_(otherwise, [fact_index()[name] for name in _SCORED])] = np.nan
        self._scaled = np.ascontiguousarray(self._scale(rows.T).T)
        self._widths = np.array([scale_width(item) for item in facts()])
        self._nominal = np.array([item.kind in ("flag", "choice") for item in facts()])
        self._unlike = np.array([_unlike(item) for item in facts()])
        self._telling = np.array([item.name not in _COMMON for item in facts()])
        self._task, self._labels = fact_index()["task"], fact_index()["label_count"]
        self._tasks = rows[:, self._task]

    def nearest(self, row: Row) -> Iterator[SimilarCase]:
        """Yield cases, those that are like the use case before others, each nearest first; equals keep their order.

        Where the use case's task is known, only cases of the same task: what did best at another says little.
        """
        task = row[self._task]
        places = np.arange(len(self._cases)) if np.isnan(task) else np.flatnonzero(self._tasks == task)
        known = np.flatnonzero(~np.isnan(row))
        distance = np.abs(self._scaled[places[:, None], known] - self._scale(row[:, None])[known, 0])
        distance[self._nominal[known] & (distance > 0)] = np.inf
        alike, apart = 1.0 - np.minimum(distance / self._widths[known], 1.0), distance / self._unlike[known]
        similarity = self._similarity(alike, apart, known)
        for index in np.argsort(-similarity, kind="stable").tolist():
            if similarity[index] < ALIKE / 2:
                return
            case, agree = self._cases[places[index]], apart[index] <= _MATCHING
            order = np.argsort(alike[index], kind="stable")
            differing = known[order[apart[index, order] > _MATCHING]]
            yield SimilarCase(
                case=case,
                similarity=float(similarity[index]),
                matching=tuple(facts()[place].name for place in known[agree]),
                differing=tuple(
                    _difference(facts()[place], case.row[place], row[place]) for place in differing
                ),
            )

    def _similarity(self, alike: Floats, apart: Floats, known: npt.NDArray[np.intp]) -> Floats:
        """Return the similarity of cases, shape (cases,).

        Args:
            alike: How alike each fact is, 0 to 1, shape (cases, known); NaN where the case does not know it.
            apart: How far apart it is, where more than 1 is unlike; likewise.
            known: Places of the facts that the use case knows.
        """
        missing = np.isnan(alike)
        unlabelled = missing[:, known == self._labels].any(axis=1)
        found: Floats = np.where(missing, 0.0, alike).sum(axis=1)
        found /= len(known) - missing.sum(axis=1) + 1 + unlabelled
        telling = (apart[:, self._telling[known]] <= _MATCHING).sum(axis=1)
        like = (telling >= _LEAST_MATCHING) & ~unlabelled & ~(apart > 1.0).any(axis=1)
        found[~like | (self._task not in known)] *= 0.5
        return found


def counts_answers(note: str) -> bool:
    """Return whether a case measured a share of right answers: its note names no other metric before the remarks."""
    measured = note.partition("; ")[0]
    return not any(metric in measured for metric in METRICS)


def _difference(item: Fact, case: float, use_case: float) -> Difference:
    return Difference(item.name, value_to_text(item, case), value_to_text(item, use_case))


def _unlike(item: Fact) -> float:
    """Return how far apart values are on a fact's scale, beyond which they are unlike, with room for rounding."""
    return (1 + 1e-9) * (math.log(_UNLIKE_RATIO) if item.logarithmic else _UNLIKE_SHARE)
