"""What the numbers of a trial come to.

Of the arms of an approach the best stands for it. An approach is out where a
veto excludes it, or where it is slower or dearer than the use case allows. Of
the others the easiest to keep is taken that

* reaches the quality that users need, where that is known and one does;
* else loses neither significantly nor by more than the tolerance to the best.

So more is built only for a gain that was seen, and the verdict says whether
that gain may still be chance, and how many questions would tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from advisor.knowledge.approaches import Approach
from advisor.metrics.paired import SIGNIFICANCE, questions_needed
from advisor.trials.comparing import on_both, scores_of
from advisor.trials.conditions import Conditions
from advisor.trials.results import ArmResult, ArmState, Comparison, Verdict, between
from backends.counts import counted

__all__ = ["decide"]

TOLERANCE = 0.03
"""Of quality, below which two approaches are not told apart: as in the decision."""
_CHANCE = 0.05
"""Of quality at most: nothing was answered but by accident, where answers are no labels."""
_UPKEEP = (Approach.PROMPTING, Approach.RAG, Approach.FINE_TUNING, Approach.HYBRID)
"""From the easiest to keep: documents are brought in step by an import, weights by training."""


@dataclass(frozen=True, slots=True)
class _Measured:
    """An approach, by the arm that did best of its arms."""

    approach: Approach
    result: ArmResult
    out: str = ""

    @property
    def value(self) -> float:
        return self.result.score


def decide(conditions: Conditions, arms: Sequence[ArmResult], comparisons: Sequence[Comparison]) -> Verdict:
    """Return what the numbers come to."""
    measured = _approaches(conditions, arms)
    allowed = [each for each in measured if not each.out]
    reasons = [f"{each.approach} is out: {each.out}." for each in measured if each.out]
    if not allowed:
        headline = (
            "No approach that the use case allows was measured." if measured else "Nothing was measured."
        )
        return Verdict(None, None, headline, tuple(reasons))
    best = max(allowed, key=lambda each: each.value)
    if hopeless := _at_chance(conditions, best):
        return Verdict(None, None, hopeless, tuple(reasons))
    taken, why = _taken(conditions, allowed, best, comparisons)
    reference = _reference(arms, taken, comparisons)
    told = [why, *_beside(taken, allowed, comparisons), *reference, *reasons]
    return Verdict(
        taken.approach,
        taken.result.arm,
        _headline(taken, allowed, comparisons),
        tuple(filter(None, told)),
        _needed(taken, allowed, conditions, comparisons),
    )


def _approaches(conditions: Conditions, arms: Sequence[ArmResult]) -> list[_Measured]:
    """Return the approaches that were measured, the easiest to keep first."""
    found = []
    for approach in _UPKEEP:
        own = [each for each in arms if each.arm.approach is approach and each.quality is not None]
        done = [each for each in own if each.state is ArmState.DONE] or own
        if done:
            best = max(done, key=lambda each: each.score)
            found.append(_Measured(approach, best, _out(conditions, approach, best)))
    return found


def _out(conditions: Conditions, approach: Approach, result: ArmResult) -> str:
    """Return why the use case does not allow an approach; empty where it does."""
    if veto := conditions.vetoes.get(approach):
        return veto.rstrip(".")
    budget_s, late = conditions.known.get("latency_budget"), result.total_s
    if budget_s is not None and late is not None and late[1] > budget_s:
        return f"95% of answers took up to {late[1]:.2g} s, and {budget_s:g} s are allowed"
    dollars, spent = conditions.known.get("monthly_budget"), result.usd_per_month
    if dollars is not None and spent is not None and spent > dollars:
        return f"it would cost ${spent:,.0f} a month, and ${dollars:,.0f} are allowed"
    return ""


def _at_chance(conditions: Conditions, best: _Measured) -> str:
    """Return that no arm does better than chance; empty where one does."""
    quality = best.result.quality
    if quality is None:
        return "Nothing was answered."
    if conditions.labels:
        guessed = conditions.guessed
        if quality.low <= guessed:
            return (
                f"No approach does better than always saying the most frequent label ({guessed:.0%} right; the best "
                f"is right in {quality.value:.0%}): this base model cannot do the task; try a larger one."
            )
    elif quality.value <= _CHANCE:
        return (
            f"No approach answers more than {quality.value:.0%}: this base model cannot do the task, or the documents "
            "and examples do not hold what is asked for."
        )
    return ""


def _taken(
    conditions: Conditions,
    allowed: Sequence[_Measured],
    best: _Measured,
    comparisons: Sequence[Comparison],
) -> tuple[_Measured, str]:
    """Return the approach to take, and why."""
    required = conditions.known.get("required_quality")
    if required is not None:
        for each in allowed:
            if each.value >= required:
                return each, (
                    f"{each.approach} reaches {each.value:.0%}, and users need {required:.0%}: "
                    "more is not worth building."
                )
    for each in allowed:
        seen = between(comparisons, best.result.arm, each.result.arm)
        lost = best.value - each.value
        if each is best:
            break
        if lost <= TOLERANCE and (seen is None or seen.p_corrected >= SIGNIFICANCE):
            return each, (
                f"{each.approach} is the easiest to keep of those that are not measurably worse: "
                f"{_points(lost)} below {best.approach}."
            )
    if required is not None:
        return best, f"It does best, and still misses the {required:.0%} that users need."
    return best, "It does best."


def _headline(taken: _Measured, allowed: Sequence[_Measured], comparisons: Sequence[Comparison]) -> str:
    quality = taken.result.quality
    if quality is None:
        return f"{taken.approach}."
    heading = taken.result.arm.heading
    named = taken.approach if heading == taken.approach else f"{taken.approach} ({heading})"
    told = f"{named}: {quality.value:.0%} [{quality.low:.0%}, {quality.high:.0%}]"
    told = f"{told} on {counted(quality.count, 'held-out question')}"
    rival = _rival(taken, allowed)
    if rival is None:
        return f"{told}; no other approach was measured."
    seen = between(comparisons, taken.result.arm, rival.result.arm)
    if seen is None:
        return f"{told}."
    gap = seen.difference
    apart = f"{gap.value * 100:+.0f} points [{gap.low * 100:+.0f}, {gap.high * 100:+.0f}] against {rival.approach}"
    if seen.p_corrected < SIGNIFICANCE:
        return f"{told}, {apart}."
    if abs(gap.value) <= TOLERANCE:
        return f"{told}: no difference to {rival.approach} was seen."
    return f"{told}, {apart}, which may still be chance."


def _rival(taken: _Measured, allowed: Sequence[_Measured]) -> _Measured | None:
    """Return the best of the other approaches; None without one."""
    return max((each for each in allowed if each is not taken), key=lambda each: each.value, default=None)


def _beside(taken: _Measured, allowed: Sequence[_Measured], comparisons: Sequence[Comparison]) -> list[str]:
    """Return how each other approach did beside the one taken."""
    told = []
    for each in sorted(allowed, key=lambda each: -each.value):
        seen = between(comparisons, taken.result.arm, each.result.arm)
        if each is taken or seen is None:
            continue
        sure = "more than chance would give" if seen.p_corrected < SIGNIFICANCE else "which may be chance"
        told.append(
            f"{each.approach} reaches {each.value:.0%}: they differ on "
            f"{counted(seen.wins + seen.losses, 'question')}, {seen.wins} of them in favour of {taken.approach}, "
            f"{sure} (p = {seen.p_corrected:.2g})."
        )
    return told


def _reference(arms: Sequence[ArmResult], taken: _Measured, comparisons: Sequence[Comparison]) -> list[str]:
    """Return what a plain classifier says of what the approach is worth."""
    lines = [each for each in arms if each.arm.is_reference and each.quality is not None]
    if not lines:
        return []
    line = max(lines, key=lambda each: each.score)
    value = line.score
    if value < taken.value:
        return [f"A plain classifier on embeddings ({line.arm.heading}) reaches {value:.0%}, less than this."]
    seen = between(comparisons, line.arm, taken.result.arm)
    sure = seen is not None and seen.p_corrected < SIGNIFICANCE
    told = (
        f"A plain classifier on embeddings ({line.arm.heading}) reaches {value:.0%}, "
        f"{'measurably more' if sure else 'no less'}, and costs next to nothing: a language model is not worth its "
        "cost for these labels as it stands."
    )
    return [told]


def _needed(
    taken: _Measured,
    allowed: Sequence[_Measured],
    conditions: Conditions,
    comparisons: Sequence[Comparison],
) -> int | None:
    """Return how many questions would tell the two best apart; None where they are told apart."""
    rival = _rival(taken, allowed)
    if rival is None:
        return None
    seen = between(comparisons, taken.result.arm, rival.result.arm)
    if seen is None or seen.p_corrected < SIGNIFICANCE:
        return None
    ours, theirs = (scores_of(each.result, conditions.metric) for each in (taken, rival))
    return questions_needed(*on_both(ours, theirs))


def _points(lost: float) -> str:
    return counted(round(lost * 100), "point")
