"""What a trial teaches, on arms made up of right and wrong answers."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.metrics.paired import mean
from advisor.trials.arms import Arm
from advisor.trials.conditions import Conditions
from advisor.trials.measured import MeasuredCase, measured_case
from advisor.trials.results import ArmResult, ArmState, Asked, Prediction
from advisor.trials.summing import Measured, summed_up
from advisor.trials.tally import figure

TOLD = {"PROMPTING": 0.2, "RAG": 0.7, "FINE_TUNING": 0.1, "HYBRID": 0.0}


def conditions(advice: str | None = "RAG", **more: Any) -> Conditions:
    given: dict[str, Any] = {
        "form": "FREE_TEXT",
        "metric": "holds",
        "labels": (),
        "max_output_tokens": 16,
        "guessed": 0.0,
        "seed": 0,
        "groups": 200,
        "facts": {"task": "QUESTION_ANSWERING"},
        "vetoes": {},
        "prediction": Prediction(advice, TOLD, {}, versions={"rules": "r", "gains": "g"}),
        "model": "m",
        "embedder": "e",
        "arms": tuple(Arm),
    }
    return Conditions(**given | more)


def arm(which: Arm, right: int, of: int = 100, state: ArmState = ArmState.DONE) -> ArmResult:
    scores = [float(number % 100 < right) for number in range(of)]
    answers = tuple(Asked(number, "a secret text", {"holds": score}) for number, score in enumerate(scores))
    return ArmResult(which, state, quality=figure(mean(scores)), answers=answers)


def case_of(*arms: ArmResult, given: Conditions | None = None) -> MeasuredCase | None:
    given = given or conditions()
    return measured_case(
        given, summed_up(given, Measured((), 44, arms, "fake", 9.0, versions={"torch": "2"}))
    )


def test_an_approach_is_scored_by_its_best_arm() -> None:
    """In per cent, with the arm that it is, an interval and a count."""
    case = case_of(arm(Arm.ZERO_SHOT, 20), arm(Arm.FEW_SHOT, 60), arm(Arm.RAG, 50))
    assert case is not None
    assert {name: round(each.value) for name, each in case.scores.items()} == {"PROMPTING": 60, "RAG": 50}
    assert case.arms == {"PROMPTING": Arm.FEW_SHOT, "RAG": Arm.RAG}
    assert case.scores["RAG"].low < 50 < case.scores["RAG"].high
    assert case.scores["RAG"].count == 100
    assert case.best == ("PROMPTING",)
    assert (case.advice, case.verdict) == ("RAG", "PROMPTING")
    assert case.regret is not None
    assert case.regret.value == pytest.approx(10)


def test_what_made_it_is_kept_and_no_text() -> None:
    """Versions of what measured and of what advised; facts before, and facts that were found."""
    case = case_of(arm(Arm.ZERO_SHOT, 20), arm(Arm.RAG, 50))
    assert case is not None
    expected = {"rules": "r", "gains": "g", "torch": "2", "model": "m", "engine": "fake", "embedder": "e"}
    assert case.versions == expected
    assert case.facts == {"task": "QUESTION_ANSWERING"}
    assert round(case.found["closed_book_score"].value, 2) == 0.2
    assert "secret" not in str(case.to_json())
    assert MeasuredCase.from_json(case.to_json()) == case


def test_a_classifier_is_no_approach() -> None:
    """Lines of reference teach nothing of approaches; a tuned model that is given passages is kept apart."""
    given = [
        arm(Arm.NEAREST_NEIGHBOURS, 90),
        arm(Arm.ZERO_SHOT, 20),
        arm(Arm.RAG, 50),
        arm(Arm.NAIVE_BOTH, 80),
    ]
    case = case_of(*given)
    assert case is not None
    assert set(case.scores) == {"PROMPTING", "RAG", "NAIVE_BOTH"}
    assert case.best == ("RAG",)
    assert case.regret is not None
    assert case.regret.value == 0


@pytest.mark.parametrize(
    "arms",
    [
        (arm(Arm.ZERO_SHOT, 20), arm(Arm.FEW_SHOT, 60)),
        (arm(Arm.ZERO_SHOT, 20), arm(Arm.RAG, 9, of=19)),
        (arm(Arm.ZERO_SHOT, 20), ArmResult(Arm.RAG, ArmState.NOT_RUN, "no documents")),
        (),
    ],
    ids=["one approach", "too few answers", "not run", "nothing"],
)
def test_one_approach_teaches_nothing(arms: tuple[ArmResult, ...]) -> None:
    """What carries over is the difference between approaches."""
    assert case_of(*arms) is None


def test_an_arm_that_was_stopped_counts_by_what_it_was_asked() -> None:
    """Otherwise that it loses would be forgotten."""
    case = case_of(arm(Arm.ZERO_SHOT, 100), arm(Arm.RAG, 5, of=30, state=ArmState.STOPPED))
    assert case is not None
    assert (round(case.scores["RAG"].value), case.scores["RAG"].count) == (17, 30)
    assert case.regret is not None
    assert (round(case.regret.value), case.regret.count) == (83, 30)


def test_what_a_veto_excludes_is_no_better_choice() -> None:
    """Advice is not blamed for what it may not say."""
    given = conditions(vetoes={"FINE_TUNING": "The law forbids it."})
    case = case_of(arm(Arm.ZERO_SHOT, 20), arm(Arm.RAG, 50), arm(Arm.FINE_TUNING, 90), given=given)
    assert case is not None
    assert case.regret is not None
    assert case.regret.value == 0


@pytest.mark.parametrize("advice", [None, "HYBRID"])
def test_advice_that_was_not_measured_has_no_regret(advice: str | None) -> None:
    case = case_of(arm(Arm.ZERO_SHOT, 20), arm(Arm.RAG, 50), given=conditions(advice))
    assert case is not None
    assert (case.advice, case.regret) == (advice, None)
