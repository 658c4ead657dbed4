"""All that a trial measured, put together: at its end, and of one that was cut short what there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from advisor.trials.arms import Arm
from advisor.trials.claims import claims
from advisor.trials.comparing import compared
from advisor.trials.conditions import Conditions
from advisor.trials.facts import facts_of
from advisor.trials.results import ArmResult, Figure, Freshness, Given, Prediction, TrialResult
from advisor.trials.tally import not_run
from advisor.trials.verdict import decide

__all__ = ["Measured", "summed_up"]


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured, arm by arm.

    Attributes:
        given: The held-out questions.
        training: Examples to learn from.
        arms: Those that have ended.
        engine: What computed it.
        seconds: That it took.
        curve: FINE_TUNING by the number of examples.
        versions: Of the packages, by name.
        freshness: How answers follow changes of the documents.
    """

    given: tuple[Given, ...]
    training: int
    arms: tuple[ArmResult, ...]
    engine: str
    seconds: float
    curve: Mapping[int, Figure] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    freshness: Freshness | None = None


def summed_up(conditions: Conditions, measured: Measured) -> TrialResult:
    """Compare the arms that were run, and say what that comes to.

    Args:
        conditions: Under which they were run.
        measured: What was measured.
    """
    ran = {each.arm for each in measured.arms}
    skipped = [not_run(Arm(name), reason) for name, reason in conditions.not_run.items()]
    left = [not_run(arm, "the trial ended before") for arm in conditions.arms if arm not in ran]
    comparisons = compared(measured.arms, conditions.metric, conditions.seed)
    verdict = decide(conditions, measured.arms, comparisons)
    return TrialResult(
        metric=conditions.metric,
        form=conditions.form,
        model=conditions.model,
        engine=measured.engine,
        embedder=conditions.embedder,
        seed=conditions.seed,
        training_examples=measured.training,
        groups=conditions.groups,
        given=measured.given,
        arms=(*measured.arms, *left, *skipped),
        comparisons=comparisons,
        verdict=verdict,
        prediction=_judged(conditions.prediction, measured.arms),
        curve=measured.curve,
        facts=facts_of(measured.arms, conditions.metric, conditions.form),
        claims=claims(measured.arms, comparisons, conditions.metric, measured.freshness),
        notes=conditions.notes,
        seconds=measured.seconds,
        versions=measured.versions,
        freshness=measured.freshness,
    )


def _judged(prediction: Prediction, arms: Sequence[ArmResult]) -> Prediction:
    """Return the prediction with how far the approach recommended lies below the best that was measured."""
    best: dict[str, float] = {}
    for each in arms:
        if each.arm.approach is not None and each.quality is not None:
            best[each.arm.approach] = max(best.get(each.arm.approach, 0.0), each.quality.value)
    if prediction.approach is None or prediction.approach not in best:
        return prediction
    return replace(prediction, regret=100 * (max(best.values()) - best[prediction.approach]))
