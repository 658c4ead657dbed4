"""Arms against each other, on the questions that both were asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

from advisor.metrics.paired import holm, paired_difference
from advisor.trials.arms import Arm
from advisor.trials.results import ArmResult, ArmState, Comparison, Figure
from advisor.trials.tally import figure

__all__ = ["between", "compared", "scores_of"]


def compared(arms: Sequence[ArmResult], metric: str, seed: int) -> tuple[Comparison, ...]:
    """Return every two arms that were asked, with p-values corrected for how many comparisons there are.

    Args:
        arms: What was measured.
        metric: Name of the metric that counts.
        seed: Of the resampling.
    """
    told = [each for each in arms if each.state is not ArmState.NOT_RUN and each.answers]
    found = []
    for one, other in combinations(told, 2):
        ours, theirs = scores_of(one, metric), scores_of(other, metric)
        both = sorted(set(ours) & set(theirs))
        paired = paired_difference([ours[each] for each in both], [theirs[each] for each in both], seed=seed)
        if paired is not None and (difference := figure(paired.difference)) is not None:
            found.append((one.arm, other.arm, difference, paired))
    corrected = holm([paired.p for *_, paired in found])
    return tuple(
        Comparison(one, other, difference, paired.wins, paired.losses, paired.p, p)
        for (one, other, difference, paired), p in zip(found, corrected, strict=True)
    )


def scores_of(arm: ArmResult, metric: str) -> dict[int, float]:
    """Return an arm's scores by the number of the question."""
    return {each.number: each.scores[metric] for each in arm.answers if metric in each.scores}


def between(comparisons: Iterable[Comparison], one: Arm, other: Arm) -> Comparison | None:
    """Return the comparison of two arms as seen from the first of them; None where there is none."""
    for each in comparisons:
        if (each.one, each.other) == (one, other):
            return each
        if (each.one, each.other) == (other, one):
            return _turned(each)
    return None


def _turned(each: Comparison) -> Comparison:
    seen = each.difference
    difference = Figure(-seen.value, -seen.high, -seen.low, seen.count)
    return Comparison(each.other, each.one, difference, each.losses, each.wins, each.p, each.p_corrected)
