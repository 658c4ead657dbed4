"""What a report shows of a result: places, the best, differences to it, errors, expectations."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from advisor.knowledge.approaches import Approach
from advisor.trials.arms import Arm
from advisor.trials.report.standings import (
    answer_metric,
    error_kinds,
    expectations,
    looked_at,
    standings,
)
from advisor.trials.results import (
    ArmResult,
    ArmState,
    Asked,
    Comparison,
    Figure,
    Given,
    Prediction,
    TrialResult,
    Verdict,
)
from advisor.trials.results import between as as_seen_from
from tests.advisor.trials.results import made_up_result


def arm(
    name: Arm, quality: float | None, state: ArmState = ArmState.DONE, scores: Sequence[float] = ()
) -> ArmResult:
    answers = tuple(Asked(number, "", {"holds": score}) for number, score in enumerate(scores))
    figure = None if quality is None else Figure(quality, quality, quality, 10)
    return ArmResult(name, state, quality=figure, answers=answers)


def result(*arms: ArmResult, taken: Arm | None = None, **fields: object) -> TrialResult:
    told = {"given": (), "comparisons": (), "verdict": Verdict(None, taken, "."), **fields}
    return TrialResult("holds", "LABEL", "m", "e", "", 1, 0, 0, arms=arms, **told)  # type: ignore[arg-type]


def between(one: Arm, other: Arm, value: float) -> Comparison:
    return Comparison(one, other, Figure(value, value - 0.1, value + 0.2, 10), 4, 3, 0.5, 1.0)


def test_places_are_by_quality() -> None:
    """Arms without a quality come last, in the order they were run."""
    told = result(
        arm(Arm.RAG, None, ArmState.NOT_RUN),
        arm(Arm.ZERO_SHOT, 0.2),
        arm(Arm.HYBRID, None),
        arm(Arm.FEW_SHOT, 0.9),
    )
    places = standings(told)
    assert [each.result.arm for each in places] == [Arm.FEW_SHOT, Arm.ZERO_SHOT, Arm.RAG, Arm.HYBRID]
    assert [each.number for each in places] == [1, 2, 3, 4]


def test_the_best_is_one_that_is_done() -> None:
    """What was stopped after few answers leads by luck."""
    told = result(arm(Arm.RAG, 0.9, ArmState.STOPPED), arm(Arm.FEW_SHOT, 0.5), arm(Arm.ZERO_SHOT, 0.2))
    assert [each.result.arm for each in standings(told) if each.is_best] == [Arm.FEW_SHOT]


def test_differences_are_turned_towards_the_best() -> None:
    """Signs, ends of the interval, wins and losses change places together."""
    comparison = between(Arm.RAG, Arm.ZERO_SHOT, 0.3)
    told = result(arm(Arm.RAG, 0.5), arm(Arm.ZERO_SHOT, 0.2), comparisons=(comparison,))
    difference = standings(told)[1].to_best
    assert difference
    assert (difference.one, difference.other) == (Arm.ZERO_SHOT, Arm.RAG)
    assert difference.difference == Figure(-0.3, pytest.approx(-0.5), pytest.approx(-0.2), 10)
    assert (difference.wins, difference.losses) == (3, 4)
    assert as_seen_from((comparison,), Arm.RAG, Arm.ZERO_SHOT) is comparison
    assert as_seen_from((comparison,), Arm.RAG, Arm.HYBRID) is None


@pytest.mark.parametrize(
    ("scores", "shown"),
    [
        ({"holds": 1.0, "exact_match": 0.0}, "holds"),
        ({"exact_match": 1.0, "accuracy": 1.0}, "accuracy"),
        ({"exact_match": 1.0}, "exact_match"),
        ({}, ""),
    ],
)
def test_answers_are_shown_by_a_metric_that_they_have(scores: dict[str, float], shown: str) -> None:
    """A metric of all answers together is none of a single one."""
    answered = ArmResult(Arm.RAG, ArmState.DONE, answers=(Asked(0, "", scores),))
    assert answer_metric(result(answered)) == shown


def test_errors_are_counted_by_kind() -> None:
    """Kinds with most errors of the arm looked at come first; answers without a score count for nothing."""
    given = tuple(Given(number, f"{number}?", "right", kind) for number, kind in enumerate("aabb"))
    scored = arm(Arm.RAG, 0.5, scores=(1.0, 0.4, 0.0, 0.0))
    partly = ArmResult(
        Arm.ZERO_SHOT, ArmState.STOPPED, answers=(Asked(0, "", {"holds": 0.0}), Asked(1, "", {}))
    )
    first, second = error_kinds(result(scored, partly, given=given), Arm.RAG)
    assert (first.name, first.questions) == ("b", 2)
    assert first.wrong == {Arm.RAG: (2, 2), Arm.ZERO_SHOT: (0, 0)}
    assert [each.given.number for each in first.examples] == [2, 3]
    assert second.wrong == {Arm.RAG: (1, 2), Arm.ZERO_SHOT: (1, 1)}


@pytest.mark.parametrize(
    ("taken", "looked"), [(Arm.ZERO_SHOT, Arm.ZERO_SHOT), (None, Arm.RAG), (Arm.HYBRID, Arm.RAG)]
)
def test_errors_are_those_of_what_is_taken(taken: Arm | None, looked: Arm) -> None:
    """Else of the best; an arm that answered nothing has none."""
    told = result(
        arm(Arm.ZERO_SHOT, 0.2, scores=(0.2,)),
        arm(Arm.RAG, 0.5, scores=(0.5,)),
        arm(Arm.HYBRID, None),
        taken=taken,
    )
    shown = looked_at(standings(told))
    assert shown
    assert shown.result.arm == looked


def test_nothing_answered_is_nothing_to_look_at() -> None:
    """No arm has errors."""
    assert looked_at(standings(made_up_result(0))) is None


def test_approaches_count_by_their_best_arm() -> None:
    """Expected and measured stand side by side, and what was not measured is absent."""
    told = result(
        arm(Arm.ZERO_SHOT, 0.2),
        arm(Arm.FEW_SHOT, 0.4),
        arm(Arm.RAG, 0.5),
        comparisons=(between(Arm.FEW_SHOT, Arm.RAG, -0.1), between(Arm.ZERO_SHOT, Arm.RAG, -0.3)),
        prediction=Prediction(Approach.RAG, {"RAG": 0.6, "OTHER": 0.1}, {"PROMPTING": 0.0, "RAG": 20.0}),
    )
    rows = {each.name: each for each in expectations(told)}
    assert list(rows) == ["PROMPTING", "RAG", "FINE_TUNING", "HYBRID", "OTHER"]
    prompt, rag, tuned = rows["PROMPTING"], rows["RAG"], rows["FINE_TUNING"]
    assert prompt.arm
    assert (prompt.arm.arm, prompt.measured, prompt.probability) == (Arm.FEW_SHOT, None, None)
    assert rag.measured
    assert (rag.measured.difference.value, rag.probability, rag.points) == (pytest.approx(0.1), 0.6, 20.0)
    assert (tuned.arm, tuned.measured, tuned.points) == (None, None, None)


def test_without_a_prediction_nothing_was_expected() -> None:
    """A trial may come before any recommendation."""
    assert expectations(result(arm(Arm.RAG, 0.5))) == ()
