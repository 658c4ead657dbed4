"""Results as JSON, in pairs. What was asked and answered is kept apart, and so no part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, TypeVar

from advisor.trials.results import ArmResult, Asked, Freshness, Given, TrialResult

__all__ = [
    "arm_from_json",
    "arm_to_json",
    "asked_from_json",
    "asked_to_json",
    "freshness_from_json",
    "freshness_to_json",
    "result_from_json",
    "result_to_json",
]

T = TypeVar("T")


def asked_to_json(asked: Asked) -> dict[str, Any]:
    """Return what was measured of an answer as JSON, without its text."""
    values = asdict(asked)
    del values["text"]
    return values


def asked_from_json(values: Mapping[str, Any], text: str | None) -> Asked:
    """Return an answer from what `asked_to_json` made of it, and its text."""
    return _read(Asked, {**values, "text": text})


def arm_to_json(arm: ArmResult) -> dict[str, Any]:
    """Return the result of an arm as JSON, without its answers."""
    return asdict(replace(arm, answers=()))


def arm_from_json(values: Mapping[str, Any], answers: Sequence[Asked]) -> ArmResult:
    """Return the result of an arm from what `arm_to_json` made of it, and its answers."""
    return replace(_read(ArmResult, values), answers=tuple(answers))


def freshness_to_json(freshness: Freshness) -> dict[str, Any]:
    """Return how answers followed changes as JSON."""
    return asdict(freshness)


def freshness_from_json(values: Mapping[str, Any]) -> Freshness:
    """Return what `freshness_to_json` made it of."""
    return _read(Freshness, values)


def result_to_json(result: TrialResult) -> dict[str, Any]:
    """Return all that a trial measured as JSON, without questions and answers."""
    arms = tuple(replace(arm, answers=()) for arm in result.arms)
    values = asdict(replace(result, arms=arms, given=()))
    return {**values, "curve": {str(count): figure for count, figure in values["curve"].items()}}


def result_from_json(
    values: Mapping[str, Any], given: Sequence[Given], answers: Mapping[str, Sequence[Asked]]
) -> TrialResult:
    """Return a result from what `result_to_json` made of it.

    Args:
        values: The JSON.
        given: The held-out questions.
        answers: What each arm answered, by its name.
    """
    result = _read(TrialResult, values)
    arms = tuple(replace(arm, answers=tuple(answers.get(arm.arm, ()))) for arm in result.arms)
    return replace(result, arms=arms, given=tuple(given))


def _read(kind: type[T], values: Mapping[str, Any]) -> T:
    from pydantic import TypeAdapter

    return TypeAdapter(kind).validate_python(dict(values))
