"""The verdict: what the numbers come to, on arms made up of right and wrong answers."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.metrics.paired import mean
from advisor.trials.arms import Arm
from advisor.trials.claims import claims
from advisor.trials.comparing import compared
from advisor.trials.conditions import Conditions
from advisor.trials.results import ArmResult, ArmState, Asked, Finding, Prediction, Verdict, between
from advisor.trials.summing import Measured, summed_up
from advisor.trials.tally import figure
from advisor.trials.verdict import decide

METRIC = "holds"


def conditions(labels: tuple[str, ...] = (), guessed: float = 0.0, **known: Any) -> Conditions:
    vetoes = known.pop("vetoes", {})
    return Conditions(
        form="LABEL" if labels else "FREE_TEXT",
        metric=METRIC,
        labels=labels,
        max_output_tokens=16,
        guessed=guessed,
        seed=0,
        groups=200,
        facts=known,
        vetoes=vetoes,
        prediction=Prediction("RAG", {}, {}),
        model="m",
        embedder="e",
        arms=tuple(Arm),
    )


def arm(which: Arm, right: int, of: int = 100, *, first: int = 0, **more: Any) -> ArmResult:
    """Return an arm that answers `right` questions right, from the question `first` on."""
    scores = [float(first <= number < first + right) for number in range(of)]
    answers = tuple(Asked(number, "text", {METRIC: score}) for number, score in enumerate(scores))
    return ArmResult(which, ArmState.DONE, quality=figure(mean(scores)), answers=answers, **more)


def verdict(arms: list[ArmResult], given: Conditions | None = None) -> Verdict:
    return decide(given or conditions(), arms, compared(arms, METRIC, 0))


@pytest.mark.parametrize(
    ("prompt", "rag", "tuned", "taken"),
    [
        (20, 70, 40, "RAG"),
        (20, 70, 72, "RAG"),
        (20, 50, 90, "FINE_TUNING"),
        (80, 81, 82, "PROMPTING"),
        (60, 70, 62, "RAG"),
    ],
)
def test_the_easiest_to_keep_of_the_best_is_taken(prompt: int, rag: int, tuned: int, taken: str) -> None:
    """More is built for a gain that was seen alone."""
    arms = [arm(Arm.FEW_SHOT, prompt), arm(Arm.RAG, rag), arm(Arm.FINE_TUNING, tuned)]
    assert verdict(arms).approach == taken


def test_no_difference_is_told_as_one() -> None:
    """Where the best two are alike, the headline says so, and how many questions would tell."""
    arms = [arm(Arm.FEW_SHOT, 70), arm(Arm.RAG, 71, first=10)]
    found = verdict(arms)
    assert "no difference to RAG was seen" in found.headline
    assert found.questions_needed is not None
    assert found.questions_needed > 100


def test_a_gain_that_may_be_chance_is_told_as_one() -> None:
    """A lead of six points on a hundred questions is taken, and doubted."""
    found = verdict([arm(Arm.FEW_SHOT, 60), arm(Arm.RAG, 66, first=20)])
    assert found.approach == "RAG"
    assert "may still be chance" in found.headline


@pytest.mark.parametrize(
    ("known", "more", "reason"),
    [
        ({"vetoes": {"RAG": "Facts must be erasable."}}, {}, "Facts must be erasable."),
        ({"latency_budget": "1s"}, {"total_s": (0.5, 2.5)}, "up to 2.5 s, and 1 s are allowed"),
        ({"monthly_budget": 100.0}, {"usd_per_month": 250.0}, "$250 a month, and $100 are allowed"),
    ],
)
def test_what_the_use_case_does_not_allow_is_out(
    known: dict[str, Any], more: dict[str, Any], reason: str
) -> None:
    """The best is not taken where a veto, the time or the money excludes it."""
    found = verdict([arm(Arm.FEW_SHOT, 40), arm(Arm.RAG, 90, **more)], conditions(**known))
    assert found.approach == "PROMPTING"
    assert any(reason in each for each in found.reasons)


def test_what_users_need_ends_the_plan() -> None:
    """The first step that reaches it is taken, whatever would do better."""
    arms = [arm(Arm.FEW_SHOT, 70), arm(Arm.RAG, 95)]
    found = verdict(arms, conditions(required_quality=0.65))
    assert found.approach == "PROMPTING"
    assert "users need 65%" in found.reasons[0]


@pytest.mark.parametrize(
    ("given", "arms"),
    [
        (conditions(), [arm(Arm.FEW_SHOT, 1), arm(Arm.RAG, 4)]),
        (conditions(labels=("a", "b"), guessed=0.5), [arm(Arm.FEW_SHOT, 52), arm(Arm.FINE_TUNING, 55)]),
    ],
)
def test_at_chance_nothing_is_taken(given: Conditions, arms: list[ArmResult]) -> None:
    """Where no arm does better than by accident, the model is named, not an approach."""
    found = verdict(arms, given)
    assert found.approach is None
    assert "this base model cannot do the task" in found.headline


def test_a_plain_classifier_that_wins_is_told() -> None:
    """An approach that loses to it is not worth its cost."""
    given = conditions(labels=("a", "b"), guessed=0.3)
    arms = [arm(Arm.NEAREST_NEIGHBOURS, 88), arm(Arm.FEW_SHOT, 30), arm(Arm.FINE_TUNING, 70)]
    assert any("reaches 88%, measurably more" in each for each in verdict(arms, given).reasons)


def test_nothing_measured_is_no_verdict() -> None:
    """Without answers nothing is decided."""
    assert verdict([]).approach is None
    assert verdict([ArmResult(Arm.RAG, ArmState.NOT_RUN, "no documents")]).headline == "Nothing was measured."


def test_comparisons_are_corrected_for_their_number() -> None:
    """Three arms make three comparisons, and Holm's p is no less than the own."""
    found = compared([arm(Arm.FEW_SHOT, 50), arm(Arm.RAG, 60), arm(Arm.HYBRID, 61)], METRIC, 0)
    assert len(found) == 3
    assert all(each.p_corrected >= each.p for each in found)
    seen, turned = between(found, Arm.RAG, Arm.FEW_SHOT), between(found, Arm.FEW_SHOT, Arm.RAG)
    assert seen is not None
    assert turned is not None
    assert (seen.difference.value, seen.wins) == (-turned.difference.value, turned.losses)


@pytest.mark.parametrize(
    ("arms", "text", "finding"),
    [
        ([arm(Arm.ZERO_SHOT, 10), arm(Arm.RAG, 60)], "more relevant", Finding.CONFIRMED),
        ([arm(Arm.ZERO_SHOT, 60), arm(Arm.RAG, 10)], "more relevant", Finding.CONTRADICTED),
        ([arm(Arm.ZERO_SHOT, 50), arm(Arm.RAG, 52)], "more relevant", Finding.UNDECIDED),
        ([arm(Arm.ZERO_SHOT, 50)], "more relevant", Finding.NOT_TESTABLE),
        ([arm(Arm.ZERO_SHOT, 10), arm(Arm.FINE_TUNING, 60)], "specialises", Finding.CONFIRMED),
        (
            [arm(Arm.RAG, 10, total_s=(0.1, 0.2)), arm(Arm.FINE_TUNING, 10, total_s=(0.5, 0.9))],
            "faster",
            Finding.CONFIRMED,
        ),
        (
            [arm(Arm.RAG, 10, usd_per_month=90.0), arm(Arm.FINE_TUNING, 10, usd_per_month=50.0)],
            "costs less",
            Finding.CONTRADICTED,
        ),
    ],
)
def test_claims_are_held_against_the_numbers(arms: list[ArmResult], text: str, finding: Finding) -> None:
    """Confirmed, contradicted, undecided or not testable, and never without the numbers."""
    (found,) = [each for each in claims(arms, compared(arms, METRIC, 0), METRIC) if text in each.text]
    assert found.finding is finding
    assert found.measured


def test_the_prediction_is_held_against_the_best() -> None:
    """Regret is how far the approach recommended lies below the best one, in points."""
    arms = (arm(Arm.FEW_SHOT, 20), arm(Arm.RAG, 55), arm(Arm.FINE_TUNING, 80))
    result = summed_up(conditions(), Measured((), 100, arms, "e", 1.0))
    assert result.prediction is not None
    assert result.prediction.regret == pytest.approx(25.0)
    assert {each.arm for each in result.arms} == set(Arm)
