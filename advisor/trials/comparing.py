"""Arms against each other, on the questions that both were asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from advisor.metrics.paired import holm, paired_difference
from advisor.trials.results import ArmResult, ArmState, Comparison
from advisor.trials.tally import figure

__all__ = ["compared", "on_both", "scores_of"]


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
        paired = paired_difference(*on_both(scores_of(one, metric), scores_of(other, metric)), seed=seed)
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


def on_both(one: Mapping[int, float], other: Mapping[int, float]) -> tuple[list[float], list[float]]:
    """Return the scores of the questions that two arms were asked, in their order."""
    both = sorted(set(one) & set(other))
    return [one[each] for each in both], [other[each] for each in both]
