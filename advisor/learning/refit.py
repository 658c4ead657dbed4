"""The model of gains learned again, with cases of one's own beside those that the package ships.

What learning from one's own cases is worth is told by leaving one source out: each source is decided about by what all
others teach, once with one's own cases among them and once without. A use case is a source. How large weights may be,
variances and temperature are chosen once for each of the two models, from all that it learns from: choosing them anew
for each source that is left out would take minutes in place of seconds, and both have the same advantage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from advisor.decision.gains import GainModel
from advisor.knowledge.arrays import Bools, Floats
from advisor.knowledge.cases import Case, default_cases_paths, load_default_cases
from advisor.knowledge.rules import Knowledge
from advisor.learning.evaluation import Estimate, Resampling
from advisor.learning.selection import SHIPPED, Choice, Measured, Study

__all__ = ["LEAST_OUTCOMES", "LEAST_SOURCES", "Compared", "Refit", "lacking", "refit", "shipped_cases"]

LEAST_SOURCES = 2
"""Use cases of one's own that were measured: each is judged by what the others teach."""
LEAST_OUTCOMES = 50
"""Outcomes of an approach before they count: a share is known to some 14 points either way."""
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Compared:
    """Points lost by the leader among what cases measured, before and after learning from one's own.

    Attributes:
        cases: How many.
        before: Learned from what is shipped.
        after: Learned from one's own cases as well.
        difference: After less before, case by case; intervals are over sources.
        changed: Cases about which the two say something else.
        log_loss_before: Negative log of the probability given to what is less than 3 points below the best.
        log_loss_after: The same.
    """

    cases: int
    before: Estimate
    after: Estimate
    difference: Estimate
    changed: int
    log_loss_before: float
    log_loss_after: float


@dataclass(frozen=True, slots=True)
class Refit:
    """A model that was learned again, and what that is worth.

    Attributes:
        model: Learned from all cases; not saved yet.
        choice: How much it was allowed to learn.
        every: Over all cases.
        own: Over one's own.
        own_sources: Use cases of one's own.
    """

    model: GainModel
    choice: Choice
    every: Compared
    own: Compared
    own_sources: int

    @property
    def fault(self) -> str:
        """Why it is no better than the model without one's own cases; empty where it is to be taken.

        One's own cases must not lose more points; where they lose the same, what is told of them must not be less
        probable. All cases together must not lose measurably more: some move either way whatever is learned, so it
        counts where the interval of the difference, case by case, lies above 0.
        """
        own, every = self.own, self.every
        if own.difference.value > _SAME:
            return (
                f"your own cases would lose {own.after.value:.2f} points in place of {own.before.value:.2f}"
            )
        if own.difference.value > -_SAME and own.log_loss_after > own.log_loss_before + _SAME:
            return (
                "your own cases would lose as many points, and what is best in them would be told with less "
                f"probability (log loss {own.log_loss_after:.2f} in place of {own.log_loss_before:.2f})"
            )
        if every.difference.low > _SAME:
            return f"all cases together would lose measurably more points: by {every.difference}"
        return ""


def shipped_cases() -> tuple[tuple[Case, ...], tuple[Path, ...]]:
    """Return the cases that the package ships, published ones and those measured for it, and their files."""
    return load_default_cases(), default_cases_paths()


def lacking(own: Sequence[Case]) -> str:
    """Return what is needed before there is something to learn from; empty where there is enough."""
    sources = {case.source.id for case in own}
    if len(sources) >= LEAST_SOURCES:
        return ""
    there = f"only {min(sources)} was" if sources else "none was"
    return (
        f"learning takes {LEAST_SOURCES} use cases of which two approaches or more were measured, and {there}: each is "
        "judged by what the others teach; measure some with RunTrial, or record "
        f"{LEAST_OUTCOMES} outcomes of each of two approaches with RecordOutcome"
    )


def refit(shipped: Sequence[Case], own: Sequence[Case], knowledge: Knowledge, given: Choice) -> Refit:
    """Learn from shipped cases and one's own, and compare with learning from the shipped ones alone.

    Args:
        shipped: Cases that the package ships; those that measured one arm are passed over.
        own: Cases of one's own, each of at least two approaches.
        knowledge: The rules.
        given: How much the shipped model was allowed to learn.
    """
    import sklearn.linear_model  # noqa: F401 - before the limit, which holds for what is loaded
    from threadpoolctl import threadpool_limits  # scikit-learn brings it

    with threadpool_limits(limits=1):  # on data this small, threads only wait for each other
        return _refit([case for case in shipped if len(case.measured) > 1], own, knowledge, given)


def _refit(base: Sequence[Case], own: Sequence[Case], knowledge: Knowledge, given: Choice) -> Refit:
    study = Study([*base, *own], knowledge)
    choice = study.choose(SHIPPED)
    mine = np.arange(len(study.cases)) >= len(base)
    before = _left_out(study, given, np.unique(study.source_of_case[mine]))
    after = _left_out(study, choice, ())
    return Refit(
        model=study.train(choice),
        choice=choice,
        every=_compared(study, (before, given), (after, choice), np.ones_like(mine)),
        own=_compared(study, (before, given), (after, choice), mine),
        own_sources=len({case.source.id for case in own}),
    )


def _left_out(study: Study, choice: Choice, never: Sequence[int] | np.ndarray) -> Floats:
    """Return points of every case by what the other sources teach, some of which are learned from never."""
    points = np.zeros_like(study.base)
    for source in range(len(study.sources)):
        held = study.source_of_case == source
        points[:, held] = study.points_without(SHIPPED, (*never, source), choice)[:, held]
    return points


def _compared(
    study: Study, before: tuple[Floats, Choice], after: tuple[Floats, Choice], among: Bools
) -> Compared:
    measured: Measured = study.measured
    sources = [case.source.id for case, counts in zip(study.cases, among, strict=True) if counts]
    resampling = Resampling(sources)
    places = [measured.leaders(points)[among] for points, _ in (before, after)]
    cases = np.flatnonzero(among)
    regrets = [measured.regret[place, cases] for place in places]
    losses = [
        float(measured.log_loss(points, choice.temperature)[among].mean())
        for points, choice in (before, after)
    ]
    return Compared(
        cases=len(cases),
        before=resampling.mean(regrets[0]),
        after=resampling.mean(regrets[1]),
        difference=resampling.mean(regrets[1] - regrets[0]),
        changed=int((places[0] != places[1]).sum()),
        log_loss_before=losses[0],
        log_loss_after=losses[1],
    )
