"""What a trial teaches: a measured case of facts, scores, counts and versions; no text of the use case is in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.metrics.paired import mean
from advisor.trials.arms import Arm
from advisor.trials.comparing import on_both, scores_of
from advisor.trials.conditions import Conditions
from advisor.trials.halves import chosen_apart
from advisor.trials.results import ArmResult, Figure, TrialResult
from advisor.trials.settings import LEAST_HELD_OUT
from advisor.trials.tally import figure

__all__ = ["MeasuredCase", "measured_case"]

Scores = Mapping[int, float]


@dataclass(frozen=True, slots=True)
class MeasuredCase:
    """What was measured of the approaches under conditions that are known.

    Attributes:
        facts: What was known of the use case before, as plain values.
        found: Facts that the trial measured, by name.
        metric: Name of the metric that `scores` are of.
        form: The output form, as `Facts.output_form` has it.
        scores: In per cent by approach, and of NAIVE_BOTH; an approach is scored by the arm that is best on other
            questions.
        arms: The arm that stands for each, the best of all questions.
        advice: The approach recommended before; None where undecided.
        probabilities: Of each approach to be the best, as told before.
        regret: Points by which the approach recommended lies below the best that no veto excludes, chosen on other
            questions, so that chance may make it negative; None where nothing was recommended, or that not measured.
        verdict: The approach that the trial took; None where it took none.
        versions: What measured it and what advised, by name.
    """

    facts: Mapping[str, Any]
    found: Mapping[str, Figure]
    metric: str
    form: str
    scores: Mapping[str, Figure]
    arms: Mapping[str, Arm]
    advice: Approach | None
    probabilities: Mapping[str, float]
    regret: Figure | None
    verdict: Approach | None
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def best(self) -> tuple[Approach, ...]:
        """The approaches with the highest score; several where they are equal, none where none was measured."""
        measured = {each: self.scores[each].value for each in APPROACHES if each in self.scores}
        top = max(measured.values(), default=0.0)
        return tuple(each for each, score in measured.items() if score >= top - 1e-9)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> MeasuredCase:
        """Return what `to_json` made it of."""
        from pydantic import TypeAdapter

        return TypeAdapter(cls).validate_python(dict(values))


def measured_case(conditions: Conditions, result: TrialResult) -> MeasuredCase | None:
    """Return what a trial that has ended teaches; None where it measured fewer than two approaches.

    Args:
        conditions: What it was run under.
        result: What it came to, with its answers.
    """
    asked = {name: of for name, arms in _arms(result.arms).items() if (of := _asked(arms, result))}
    if sum(name in APPROACHES for name in asked) < 2:
        return None
    scores = {name: chosen_apart(of_arms, result.seed) for name, of_arms in asked.items()}
    prediction = conditions.prediction
    advice = Approach(prediction.approach) if prediction.approach else None
    return MeasuredCase(
        facts=conditions.facts,
        found=result.facts,
        metric=result.metric,
        form=result.form,
        scores={name: found for name, each in scores.items() if (found := _per_cent(each.values(), result))},
        arms={name: max(of_arms, key=lambda arm: _mean(of_arms[arm])) for name, of_arms in asked.items()},
        advice=advice,
        probabilities=prediction.probabilities,
        regret=_regret(advice, _offered(conditions, asked), scores, result) if advice else None,
        verdict=Approach(result.verdict.approach) if result.verdict.approach else None,
        versions={
            **result.versions,
            **prediction.versions,
            "model": result.model,
            "engine": result.engine,
            "embedder": result.embedder,
        },
    )


def _arms(arms: Sequence[ArmResult]) -> dict[str, list[ArmResult]]:
    """Return the arms of each approach, and NAIVE_BOTH."""
    found: dict[str, list[ArmResult]] = {}
    for each in arms:
        name = Arm.NAIVE_BOTH.value if each.arm is Arm.NAIVE_BOTH else each.arm.approach
        if name is not None:
            found.setdefault(name, []).append(each)
    return found


def _asked(arms: Sequence[ArmResult], result: TrialResult) -> dict[Arm, Scores]:
    """Return the scores of the arms that were asked enough to tell anything."""
    scores = {each.arm: scores_of(each, result.metric) for each in arms}
    return {arm: found for arm, found in scores.items() if len(found) >= LEAST_HELD_OUT}


def _offered(conditions: Conditions, asked: Mapping[str, Mapping[Arm, Scores]]) -> dict[Arm, Scores]:
    """Return the scores of the arms that could have been recommended: no veto excludes their approach."""
    allowed = [name for name in APPROACHES if name in asked and name not in conditions.vetoes]
    return {arm: each for name in allowed for arm, each in asked[name].items()}


def _regret(
    advice: Approach, offered: Mapping[Arm, Scores], scores: Mapping[str, Scores], result: TrialResult
) -> Figure | None:
    """Return how far the approach recommended lies below the best, on the questions that both were asked."""
    if advice not in scores or not offered:
        return None
    best, own = on_both(chosen_apart(offered, result.seed), scores[advice])
    return _per_cent([top - ours for top, ours in zip(best, own, strict=True)], result)


def _per_cent(scores: Iterable[float], result: TrialResult) -> Figure | None:
    found = figure(mean(list(scores), seed=result.seed))
    if found is None:
        return None
    return Figure(100 * found.value, 100 * found.low, 100 * found.high, found.count)


def _mean(scores: Scores) -> float:
    return sum(scores.values()) / len(scores)
