"""What published comparisons teach about a use case, in figures that the published cases themselves bear out.

What was learned is told of the component that it is about, such as the training of FINE_TUNING and HYBRID. It comes
from all comparisons and all facts at once: where the comparisons that are near in the one fact show the same by
themselves, their median is told; where they do not, only what was fitted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from types import MappingProxyType

from advisor.decision.evidence import points_text
from advisor.decision.gains import COMPONENTS
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.cases import MARGIN_POINTS, Case
from advisor.knowledge.facts import Fact, Row, fact, fact_index, value_to_text
from advisor.knowledge.scale import scale_width, to_scale
from backends.counts import counted

__all__ = ["STEPS", "Learned", "Lessons"]

STEPS: Mapping[str, tuple[tuple[Approach, Approach], ...]] = MappingProxyType(
    {
        component: tuple(
            (before, after)
            for after in members
            for before in APPROACHES
            if before not in members and after.parts - before.parts == 1 and after.contains(before)
        )
        for component, members in COMPONENTS.items()
    }
)
"""Each component of the gains, with the steps from an approach without it to one with it and one part more."""
_WORDS = {
    "build": "retrieval or training",
    "retrieval": "retrieval",
    "training": "training",
    "training_alone": "training alone",
    "both": "combining retrieval and training",
}
_MOST = 2
"""Facts that are told."""
_LEAST_SHARE = 0.25
"""Of what the heaviest fact weighs, what another weighs to be told beside it."""
_NEAR = 0.1
"""Of a number's usual range, how far off a comparison is near in it."""
_NEAREST = 6
"""Comparisons that are looked for, where fewer are so near, up to `_FURTHEST`."""
_FURTHEST = 0.25
_LEAST_COMPARISONS = 5
_LEAST_SOURCES = 3
"""What a median rests on at least: those who published many comparisons do not make one alone."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned of one fact of a use case: the points that it adds to the component that it moves most."""

    fact: str
    component: str
    points: float


@dataclass(frozen=True, slots=True)
class _Comparison:
    """What a component gained in a case of a task, in points, and the value of a fact there, also on its scale."""

    task: float
    value: float
    scaled: float
    gain: float
    source: str


class Lessons:
    """Tells what was learned about the facts of a use case.

    Args:
        cases: What was published.
        subjects: Facts that something was learned about, each with a component that it moves.
    """

    def __init__(self, cases: Sequence[Case], subjects: Iterable[tuple[str, str]]) -> None:
        self._count = sum(len(case.measured) > 1 for case in cases)
        self._comparisons = {
            (name, component): _comparisons(cases, fact(name), component) for name, component in set(subjects)
        }

    def tell(self, learned: Sequence[Learned], row: Row) -> str:
        """Tell what was learned of the facts that weigh most: figures first, then what no figures show.

        Args:
            learned: What was learned of each fact, heaviest first.
            row: The use case, in which these facts are known.
        """
        told, fitted = [], []
        task = float(row[fact_index()["task"]])
        for each in learned[:_MOST]:
            if abs(each.points) < _LEAST_SHARE * abs(learned[0].points):
                break
            item, words = fact(each.fact), _WORDS[each.component]
            value = float(row[fact_index()[item.name]])
            compared = self._comparisons[item.name, each.component]
            same = [found for found in compared if math.isnan(task) or found.task == task]
            near, rest = _parted(same, item, value)
            if _shown(near, rest, each.points):
                told.append(_figures(words, near, rest, item, value))
            else:
                more = "more" if each.points > 0 else "less"
                fitted.append(f"{words} adds {more} than usual {_here(item, value)}")
        if fitted:
            together = f"Fitted to {counted(self._count, 'published comparison')} together"
            told.append(f"{together}: {'; '.join(fitted)}.")
        return " ".join(told)


def _comparisons(cases: Iterable[Case], item: Fact, component: str) -> tuple[_Comparison, ...]:
    """Return what a component gained wherever it was measured and the fact is known."""
    place, task = fact_index()[item.name], fact_index()["task"]
    return tuple(
        _Comparison(
            float(case.row[task]),
            value := float(case.row[place]),
            to_scale(item, value),
            fmean(gains),
            case.source.id,
        )
        for case in cases
        if not math.isnan(case.row[place]) and (gains := _gains(case, component))
    )


def _gains(case: Case, component: str) -> list[float]:
    """Return the points of each step to a component that a case measured."""
    measured = case.of_approaches
    return [
        measured[after] - measured[before]
        for before, after in STEPS[component]
        if {before, after} <= measured.keys()
    ]


def _parted(
    compared: Sequence[_Comparison], item: Fact, value: float
) -> tuple[list[_Comparison], list[_Comparison]]:
    """Return the comparisons near a value, of a choice or flag the same, and the rest."""
    reach, here = 0.0, to_scale(item, value)
    distances = [abs(each.scaled - here) for each in compared]
    if item.kind not in ("flag", "choice"):
        width = scale_width(item)
        sixth = sorted(distances)[_NEAREST - 1] if len(distances) >= _NEAREST else math.inf
        reach = min(max(sixth, _NEAR * width), _FURTHEST * width)
    parted: tuple[list[_Comparison], list[_Comparison]] = [], []
    for each, distance in zip(compared, distances, strict=True):
        parted[distance > reach].append(each)
    return parted


def _shown(near: Sequence[_Comparison], rest: Sequence[_Comparison], points: float) -> bool:
    """Return whether figures show what the points say, and rest on enough."""
    enough = all(
        len(side) >= _LEAST_COMPARISONS and len({each.source for each in side}) >= _LEAST_SOURCES
        for side in (near, rest)
    )
    return enough and math.copysign(1.0, points) * (_gained(near) - _gained(rest)) >= MARGIN_POINTS


def _figures(
    words: str, near: Sequence[_Comparison], rest: Sequence[_Comparison], item: Fact, value: float
) -> str:
    where = _here(item, value)
    if item.kind not in ("flag", "choice"):
        values = [each.value for each in near]
        ends = dict.fromkeys(value_to_text(item, end) for end in (min(values), max(values)))
        where = f"with about the same {item.about} ({' to '.join(ends)}, here {value_to_text(item, value)})"
    added = points_text(_gained(near)).removeprefix("+")
    return (
        f"{where[0].upper()}{where[1:]}, {words} added {added} in the median of {len(near)} published comparisons of "
        f"the same task; elsewhere {_gained(rest)}, in {len(rest)}."
    )


def _here(item: Fact, value: float) -> str:
    """Say where a use case stands in a fact."""
    if item.kind == "flag":
        return f"{'where' if value else 'unless'} {item.title}"
    if item.kind == "choice":
        return f"where {item.about} is {value_to_text(item, value)}"
    return f"at {item.about} of {value_to_text(item, value)}"


def _gained(compared: Sequence[_Comparison]) -> int:
    return round(median([each.gain for each in compared]))
