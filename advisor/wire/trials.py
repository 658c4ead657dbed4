"""Trials as messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from advisor.knowledge.approaches import Approach
from advisor.storage.operations import State
from advisor.storage.trials import Trial
from advisor.trials.arms import Arm
from advisor.trials.codec import arm_from_json, result_from_json
from advisor.trials.conditions import Conditions
from advisor.trials.results import (
    ArmResult,
    Claim,
    Comparison,
    Figure,
    Freshness,
    Prediction,
    Training,
    TrialResult,
    Verdict,
)
from advisor.v1 import recommendation_pb2, trial_pb2
from advisor.wire.messages import duration_from_seconds, timestamp
from advisor.wire.recommendation import approach_to_proto

__all__ = [
    "arm_from_proto",
    "arm_to_proto",
    "figure_to_proto",
    "figures_to_proto",
    "given_settings",
    "trial_to_proto",
]

_STATES = {
    State.QUEUED: trial_pb2.Trial.STATE_RUNNING,
    State.RUNNING: trial_pb2.Trial.STATE_RUNNING,
    State.SUCCEEDED: trial_pb2.Trial.STATE_SUCCEEDED,
    State.FAILED: trial_pb2.Trial.STATE_FAILED,
    State.CANCELLED: trial_pb2.Trial.STATE_CANCELLED,
}


_ARMS: Mapping[Arm, trial_pb2.Arm] = {arm: getattr(trial_pb2, f"ARM_{arm}") for arm in Arm}


def arm_to_proto(arm: Arm) -> trial_pb2.Arm:
    """Return an arm as a value of the enum."""
    return _ARMS[arm]


def arm_from_proto(value: trial_pb2.Arm) -> Arm | None:
    """Return the arm that a value of the enum stands for; None where it stands for none."""
    if value == trial_pb2.ARM_UNSPECIFIED or value not in trial_pb2.Arm.values():
        return None
    return Arm(trial_pb2.Arm.Name(value).removeprefix("ARM_"))


def trial_to_proto(trial: Trial, *, brief: bool = False) -> trial_pb2.Trial:
    """Return a stored trial; of one that has not ended, its arms so far.

    Args:
        trial: The trial.
        brief: Without comparisons, claims, and metrics other than quality.
    """
    conditions = Conditions.from_json(trial.conditions)
    message = trial_pb2.Trial(
        name=trial.name,
        state=_STATES[trial.state],
        create_time=timestamp(trial.create_time),
        metric=conditions.metric,
        output_form=f"OUTPUT_FORM_{conditions.form}",
        groups=conditions.groups,
        base_model=conditions.model,
        embedder=conditions.embedder,
        seed=conditions.seed,
        prediction=_prediction(conditions.prediction),
        notes=conditions.notes,
    )
    if trial.result is None:
        message.arms.extend(_arm(arm_from_json(each, ()), brief=brief) for each in trial.arms)
        return message
    _add_result(message, result_from_json(trial.result, (), {}), brief=brief)
    return message


def given_settings(message: trial_pb2.TrialSettings) -> dict[str, Any]:
    """Return the fields of `TrialSettings` that a message gives; arms that are not known are left out."""
    given: dict[str, Any] = {}
    if message.arms:
        given["arms"] = tuple(arm for each in message.arms if (arm := arm_from_proto(each)))
    for name in ("held_out", "seed"):
        if message.HasField(name):
            given[name] = getattr(message, name)
    if message.HasField("max_duration"):
        given["max_duration_s"] = message.max_duration.ToMicroseconds() / 1e6
    if message.metric:
        given["metric"] = message.metric
    given["curve"] = message.learning_curve
    given["output_schema"] = message.output_schema
    return given


def _add_result(message: trial_pb2.Trial, result: TrialResult, *, brief: bool) -> None:
    message.MergeFrom(
        trial_pb2.Trial(
            verdict=_verdict(result.verdict),
            arms=[_arm(each, brief=brief) for each in result.arms],
            comparisons=[] if brief else map(_comparison, result.comparisons),
            claims=[] if brief else map(_claim, result.claims),
            curve=(
                trial_pb2.CurvePoint(examples=examples, quality=figure_to_proto(quality))
                for examples, quality in sorted(result.curve.items())
            ),
            measured_facts=figures_to_proto(result.facts),
            held_out_examples=max((each.quality.count for each in result.arms if each.quality), default=0),
            training_examples=result.training_examples,
            base_model=result.model,
            engine=result.engine,
            embedder=result.embedder,
            seed=result.seed,
            duration=duration_from_seconds(result.seconds),
            versions=result.versions,
            freshness=_freshness(result.freshness),
        )
    )
    message.ClearField("notes")
    message.notes.extend(result.notes)
    if result.prediction is not None:
        message.prediction.CopyFrom(_prediction(result.prediction))


def _freshness(freshness: Freshness | None) -> trial_pb2.Freshness | None:
    if freshness is None:
        return None
    return trial_pb2.Freshness(
        changed=freshness.changed,
        in_step=figure_to_proto(freshness.in_step),
        not_in_step=figure_to_proto(freshness.not_in_step),
        not_retrained=figure_to_proto(freshness.not_retrained),
        p=freshness.p,
        index_duration=duration_from_seconds(freshness.index_s),
    )


def _arm(arm: ArmResult, *, brief: bool) -> trial_pb2.ArmResult:
    message = trial_pb2.ArmResult(
        arm=arm_to_proto(arm.arm),
        state=f"STATE_{arm.state}",
        reason=arm.reason,
        quality=figure_to_proto(arm.quality),
        metrics={} if brief else figures_to_proto(arm.metrics),
        input_tokens=arm.input_tokens,
        output_tokens=arm.output_tokens,
        usd_per_1000=arm.usd_per_1000,
        usd_per_month=arm.usd_per_month,
        training=_training(arm.training),
        found=figure_to_proto(arm.found),
        quality_where_found=figure_to_proto(arm.right_where_found),
        quality_where_not_found=figure_to_proto(arm.right_where_not),
        index_bytes=arm.index_bytes,
        forgotten=figure_to_proto(arm.forgotten),
        memory_bytes=arm.memory_bytes,
        answered=arm.quality.count if arm.quality else 0,
    )
    for name, ends in (("first_token", arm.first_token_s), ("total", arm.total_s)):
        if ends is not None:
            getattr(message, f"{name}_p50").CopyFrom(duration_from_seconds(ends[0]))
            getattr(message, f"{name}_p95").CopyFrom(duration_from_seconds(ends[1]))
    return message


def figure_to_proto(figure: Figure | None) -> trial_pb2.Figure | None:
    """Return a measured number as a message; None of None."""
    if figure is None:
        return None
    return trial_pb2.Figure(value=figure.value, low=figure.low, high=figure.high, count=figure.count)


def figures_to_proto(figures: Mapping[str, Figure]) -> dict[str, trial_pb2.Figure]:
    """Return measured numbers as messages, by the same names."""
    return {name: found for name, each in figures.items() if (found := figure_to_proto(each)) is not None}


def _training(training: Training | None) -> trial_pb2.TrainingCost | None:
    if training is None:
        return None
    return trial_pb2.TrainingCost(
        examples=training.examples,
        tokens=training.tokens,
        duration=duration_from_seconds(training.seconds),
        held_out_loss=training.held_out_loss,
        usd=training.usd,
        memory_bytes=training.memory_bytes,
    )


def _comparison(each: Comparison) -> trial_pb2.Comparison:
    return trial_pb2.Comparison(
        one=arm_to_proto(each.one),
        other=arm_to_proto(each.other),
        difference=figure_to_proto(each.difference),
        wins=each.wins,
        losses=each.losses,
        p=each.p,
        p_corrected=each.p_corrected,
    )


def _claim(claim: Claim) -> trial_pb2.Claim:
    return trial_pb2.Claim(
        approach=approach_to_proto(claim.approach),
        text=claim.text,
        finding=f"FINDING_{claim.finding}",
        measured=claim.measured,
    )


def _prediction(prediction: Prediction) -> trial_pb2.Prediction:
    return trial_pb2.Prediction(
        approach=_approach(prediction.approach),
        probabilities=prediction.probabilities,
        points=prediction.points,
        regret=prediction.regret,
    )


def _verdict(verdict: Verdict) -> trial_pb2.Verdict:
    return trial_pb2.Verdict(
        approach=_approach(verdict.approach),
        arm=arm_to_proto(verdict.arm) if verdict.arm else trial_pb2.ARM_UNSPECIFIED,
        headline=verdict.headline,
        reasons=verdict.reasons,
        questions_needed=verdict.questions_needed,
    )


def _approach(approach: str | None) -> recommendation_pb2.Approach:
    return approach_to_proto(Approach(approach)) if approach else recommendation_pb2.APPROACH_UNSPECIFIED
