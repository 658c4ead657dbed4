"""How good the decision is: what is lost by following it, on published cases, against baselines, with intervals.

A case measures some arms only. Of a choice that it did not measure it says nothing: such choices are counted apart, and
never as right. Intervals resample sources, since cases of one source are not independent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from advisor.decision.gains import TWO_SIDED_80
from advisor.decision.plan import route
from advisor.decision.scoring import UNDECIDED
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.arrays import Bools, Floats
from advisor.knowledge.cases import MARGIN_POINTS
from advisor.knowledge.facts import KnownFacts, Row, fact, fact_index
from advisor.learning.selection import SHIPPED, Measured, Outcome, Study

__all__ = [
    "NOT_MEASURED",
    "RESAMPLES",
    "Choices",
    "Estimate",
    "Resampling",
    "always",
    "coverage",
    "first_steps",
    "followed",
    "leading",
    "learning_curve",
    "of_rule",
    "rule_of_thumb",
    "taking",
]

RESAMPLES = 4000
NOT_MEASURED = -1
"""Stands for an approach where a case did not measure the one that was chosen, or none was."""
_SEED = 20261122


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95% interval over sources."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


@dataclass(frozen=True, slots=True)
class Choices:
    """What a method chose for each case.

    Attributes:
        places: Place of the approach, or `NOT_MEASURED`, shape (cases,).
        regret: Points lost to the best measured arm; NaN where the choice was not measured.
        right: Whether the choice was measured and less than `MARGIN_POINTS` below the best.
    """

    places: np.ndarray
    regret: Floats
    right: Bools

    @property
    def scored(self) -> Bools:
        """Whether the choice was measured, shape (cases,)."""
        scored: Bools = ~np.isnan(self.regret)
        return scored


class Resampling:
    """Cases with their sources drawn anew, with replacement.

    Args:
        sources: Source of each case.
    """

    def __init__(self, sources: Sequence[str]) -> None:
        names = list(dict.fromkeys(sources))
        shares = np.full(len(names), 1 / len(names))
        draws = np.random.default_rng(_SEED).multinomial(len(names), shares, size=RESAMPLES)
        counts = draws[:, [names.index(name) for name in sources]].astype(np.float64)
        self._weights = np.vstack((np.ones(len(sources)), counts))

    def mean(self, values: Floats | Bools) -> Estimate:
        """Return the mean of a value per case, those left aside that are NaN."""
        numbers = np.asarray(values, dtype=np.float64)
        counted = ~np.isnan(numbers)
        with np.errstate(invalid="ignore"):  # a resample may have no case that counts
            means = self._weights[:, counted] @ numbers[counted] / self._weights[:, counted].sum(axis=1)
        low, high = np.nanpercentile(means[1:], (2.5, 97.5))
        return Estimate(float(means[0]), float(low), float(high))


def leading(study: Study, points: Floats) -> Choices:
    """Return the approach with the most points among those that a case measured."""
    return followed(study.measured, study.measured.leaders(points))


def taking(study: Study, points: Floats, *, among_measured: bool) -> Choices:
    """Return the approach that would be taken: the easiest to keep within the tolerance of the best.

    Args:
        study: The cases.
        points: Shape (approaches, cases).
        among_measured: Choose among the arms that a case measured; else among all that no veto excludes.
    """
    allowed = study.measured.among if among_measured else study.feasible
    close = study.scorer.close(np.where(allowed, points, -np.inf))
    return followed(study.measured, study.scorer.easiest(close, study.upkeep))


def first_steps(study: Study, outcome: Outcome) -> Choices:
    """Return what the plan would begin with, of all that no veto excludes."""
    places = np.full(len(study.cases), NOT_MEASURED)
    allowed = np.where(study.feasible, outcome.points, -np.inf)
    goals = study.scorer.easiest(study.scorer.close(allowed), study.upkeep)
    for index, case in enumerate(study.cases):
        goal = goals[index] if goals[index] != UNDECIDED else allowed[:, index].argmax()
        above = outcome.points[:, index] - outcome.points[Approach.PROMPTING.place, index]
        points = {each: float(above[each.place]) for each in APPROACHES if study.feasible[each.place, index]}
        if points:
            tolerance = study.knowledge.decision.tolerance
            steps = route(
                APPROACHES[goal], points, KnownFacts(case.row), outcome.spread[:, :, index], tolerance
            )
            places[index] = steps[0].place
    return followed(study.measured, places)


def of_rule(study: Study, say: Callable[[Row], Approach]) -> Choices:
    """Return what a rule says that needs no learning."""
    return followed(study.measured, np.array([say(case.row).place for case in study.cases]))


def followed(measured: Measured, places: np.ndarray) -> Choices:
    """Return what following a choice leads to."""
    every = np.arange(len(places))
    chosen = places != NOT_MEASURED
    found = np.where(chosen, measured.regret[places, every], np.nan)
    return Choices(places, found, np.nan_to_num(found, nan=np.inf) < MARGIN_POINTS - 1e-9)


def coverage(study: Study, outcome: Outcome) -> Floats:
    """Return, per case, the share of its measured differences that lie in the 80% interval; NaN without any."""
    measured = study.measured
    found = np.full(len(study.cases), np.nan)
    for index in range(len(study.cases)):
        arms = np.flatnonzero(measured.among[:, index])
        inside = []
        for one, other in combinations(arms, 2):
            gap = measured.score[one, index] - measured.score[other, index]
            expected = outcome.points[one, index] - outcome.points[other, index]
            inside.append(abs(gap - expected) <= TWO_SIDED_80 * outcome.spread[one, other, index])
        if inside:
            found[index] = np.mean(inside)
    return found


def learning_curve(study: Study, sizes: Sequence[int], draws: int) -> dict[int, tuple[float, float]]:
    """Return regret and share right of what is shipped, by the number of sources that it learned from.

    Of each number, sources are drawn several times; the cases of all other sources are decided about.
    """
    rng = np.random.default_rng(_SEED)
    found = {}
    for size in sizes:
        regrets: list[float] = []
        rights: list[float] = []
        for _ in range(draws):
            learned = rng.choice(len(study.sources), size=size, replace=False)
            outside = [source for source in range(len(study.sources)) if source not in learned]
            points, held = study.decide_without(SHIPPED, outside)
            choices = leading(study, points)
            regrets.append(float(np.nanmean(choices.regret[held])))
            rights.append(float(choices.right[held].mean()))
        found[size] = (float(np.mean(regrets)), float(np.mean(rights)))
    return found


def rule_of_thumb(row: Row) -> Approach:
    """Say what many guides come down to; a test on an unknown fact is false."""

    def value(name: str) -> float:
        return float(row[fact_index()[name]])

    number, month = value("output_form"), 30 * 86400.0
    if value("can_train") == 0 or value("labelled_examples") < 50:
        return (
            Approach.RAG
            if value("new_knowledge_share") > 0.3 or value("update_interval") <= month
            else Approach.PROMPTING
        )
    if (
        value("update_interval") <= month
        or value("needs_citations") == 1
        or value("new_knowledge_share") > 0.5
    ):
        return Approach.RAG
    forms = ("LABEL", "STYLE", "STRUCTURED", "CODE")
    if not np.isnan(number) and fact("output_form").choices[int(number) - 1] in forms:
        return Approach.FINE_TUNING
    return Approach.PROMPTING if value("closed_book_score") > 0.7 else Approach.RAG


def always(approach: Approach) -> Callable[[Row], Approach]:
    """Return the baseline that always says the same."""
    return lambda _row: approach
