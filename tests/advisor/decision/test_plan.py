"""Plans: steps that build on each other, each with what to measure."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings

from advisor.decision.advisor import default_advisor
from advisor.decision.explanation import PlanStep
from advisor.decision.recommendation import Recommendation
from advisor.knowledge.approaches import Approach
from tests.advisor.strategies import HELP_DESK, use_cases

PROMPTING, RAG, FINE_TUNING, HYBRID = Approach
FIELDS = {"task": "EXTRACTION", "output_form": "STRUCTURED", "labelled_examples": 800, "can_train": True}


def planned(values: dict[str, object]) -> tuple[Recommendation, tuple[PlanStep, ...]]:
    recommendation = default_advisor().recommend(values)
    assert recommendation.explanation is not None
    return recommendation, recommendation.explanation.plan


def approaches(values: dict[str, object]) -> list[Approach]:
    return [step.approach for step in planned(values)[1]]


@settings(max_examples=80, deadline=None)
@given(use_cases())
def test_steps_build_on_each_other_and_add_up(values: dict[str, object]) -> None:
    """Each contains the one before and is expected to add to it; the last is the approach to take."""
    recommendation, steps = planned(values)
    points = {score.approach: score.points for score in recommendation.scores}
    feasible = {score.approach for score in recommendation.scores if score.feasible}
    goal = recommendation.approach or recommendation.leader
    assert (steps[-1].approach if steps else None) is goal
    for one, other in pairwise(steps):
        assert other.approach is not one.approach
        assert other.approach.contains(one.approach)
    assert {step.approach for step in steps} <= feasible
    if goal is not None:
        assert sum(step.points for step in steps) == pytest.approx(points[goal])
    for step in steps:
        assert step.low <= step.points <= step.high
        assert 100 <= step.questions <= 5000
    assert len({step.questions for step in steps}) <= 1


def test_retrieval_comes_before_training_on_what_it_finds() -> None:
    """The first step is what can be done today, and the next one is told with what it is expected to add."""
    _, (first, second) = planned(HELP_DESK)
    assert (first.approach, second.approach) == (RAG, HYBRID)
    assert first.text.startswith("Start with RAG: +24 points expected (+2 to +45) over a plain prompt.")
    assert "and go on only where users need more" in first.text
    assert second.text.startswith("Else train on retrieved passages, and retrieve: +")
    assert "before it goes live" in second.text


def test_a_prompt_comes_first_unless_it_is_measured_or_surely_left_behind() -> None:
    """It takes hours, and tells what the rest can gain."""
    assert approaches({"task": "QUESTION_ANSWERING"}) == [PROMPTING, RAG]
    assert approaches({"task": "QUESTION_ANSWERING", "prompted_score": 0.5}) == [RAG]
    assert approaches(HELP_DESK)[0] is RAG
    assert approaches({"task": "SUMMARIZATION", "prompted_score": 0.8}) == [PROMPTING]


def test_of_two_ways_the_one_with_what_it_takes_comes_first() -> None:
    """Code with examples of it and no documents is trained on before anything is retrieved."""
    code = {"task": "CODE", "output_form": "CODE", "labelled_examples": 3000, "can_train": True}
    assert approaches(code) == [PROMPTING, FINE_TUNING, HYBRID]
    assert approaches({**code, "labelled_examples": 150, "corpus_tokens": 2_000_000})[1] is RAG


def test_the_score_to_stop_at_follows_from_what_prompting_reaches() -> None:
    """It is the best expected less the tolerance; without a measured prompt none is told."""
    recommendation, steps = planned({**HELP_DESK, "prompted_score": 0.4})
    best = max(score.points for score in recommendation.scores)
    assert steps[0].stop_at == pytest.approx(0.4 + (best - 3) / 100)
    assert f"Stop if it reaches {steps[0].stop_at:.2f} on " in steps[0].text
    assert steps[-1].stop_at is None
    assert steps[-1].score == pytest.approx(0.4 + best / 100)
    assert all(step.stop_at is None and step.score is None for step in planned(HELP_DESK)[1])
    needed = planned({**HELP_DESK, "required_quality": 0.8})[1]
    assert (needed[0].stop_at, needed[-1].stop_at) == (0.8, None)
    assert "near to what all steps are expected to reach" in steps[0].text
    assert "Stop if it reaches 0.80 on " in needed[0].text
    assert "near to what" not in needed[0].text


def test_what_is_not_known_to_be_there_is_named() -> None:
    """Documents, examples and something to train on, each where it is needed and unknown."""
    needs = planned(
        {"task": "CODE", "output_form": "CODE", "new_knowledge_share": 0.9, "labelled_examples": 60}
    )[1]
    assert needs[-1].approach is HYBRID
    assert needs[-1].needs == (
        "the documents and some 200 examples, of which you have 60 and hardware or a service to train on"
    )
    assert planned(HELP_DESK)[1][-1].needs == ""


def test_the_plan_is_measured_on_one_set_that_shows_what_its_steps_add() -> None:
    """Eight points take more than twenty, and what somebody has to read is less."""
    wide = planned({**FIELDS, "labelled_examples": 20_000, "prompted_score": 0.3})[1]
    assert {step.questions for step in wide} == {200}
    narrow = planned({"task": "QUESTION_ANSWERING", "corpus_tokens": 20_000, "has_evaluation_set": True})[1]
    assert {step.questions for step in narrow} == {300}
    assert {step.questions for step in planned({"task": "SUMMARIZATION", "prompted_score": 0.7})[1]} == {100}


def test_too_few_examples_to_hold_out_are_said() -> None:
    """With what is trained on they do not suffice; once in a plan, where it begins."""
    first, *rest = planned({**HELP_DESK, "labelled_examples": 250})[1]
    assert "Your 250 examples are too few for that: write more, or see less." in first.text
    assert not any("too few" in step.text for step in rest)
    assert not any("too few" in step.text for step in planned({**HELP_DESK, "labelled_examples": 5000})[1])


@pytest.mark.parametrize(
    ("task", "noun"),
    [
        ("QUESTION_ANSWERING", "questions"),
        ("DIALOGUE", "questions"),
        ("CLASSIFICATION", "inputs"),
        ("EXTRACTION", "documents"),
        ("CODE", "requests"),
    ],
)
def test_what_is_held_out_goes_by_the_task(task: str, noun: str) -> None:
    """Nobody asks a question of an invoice."""
    assert all(f"held-out {noun}" in step.text for step in planned({"task": task})[1])


def test_nothing_feasible_has_no_plan() -> None:
    """What cannot be done is no step."""
    nothing = {"corpus_tokens": 0, "needs_citations": True, "labelled_examples": 0, "can_train": False}
    recommendation, steps = planned(nothing)
    assert (steps == ()) == (recommendation.leader is None)


def test_a_prompt_that_is_measured_is_worked_on() -> None:
    """It is the step where it is the end of the plan, and the first one where the use case has advice worth it."""
    summaries = {"task": "SUMMARIZATION", "prompted_score": 0.74}
    assert planned(summaries)[1][0].text.startswith("Work on the prompt, measured at 74%.")
    fields = {**FIELDS, "prompted_score": 0.6}
    assert approaches(fields) == [PROMPTING, FINE_TUNING]
    assert planned(fields)[1][0].text.startswith(
        "Work on the prompt first, measured at 60%. Stop if it reaches"
    )
    assert approaches({**fields, "output_form": "FREE_TEXT"}) == [FINE_TUNING]


def advised(values: dict[str, object]) -> list[list[str]]:
    return [[each.id for each in step.advice] for step in planned(values)[1]]


@settings(max_examples=80, deadline=None)
@given(use_cases())
def test_advice_is_for_its_step_and_told_once(values: dict[str, object]) -> None:
    """No step has more than four pieces, none is repeated, and each has its source."""
    steps = planned(values)[1]
    told = [each.id for step in steps for each in step.advice]
    assert len(told) == len(set(told))
    for step in steps:
        assert len(step.advice) <= 4
        assert all(step.approach in each.steps and each.sources for each in step.advice)


def test_documents_go_into_the_prompt_where_they_fit_and_queries_are_few() -> None:
    """At millions of queries the essentials do, and what is named is looked up; a text at hand needs neither."""
    fits = {"task": "QUESTION_ANSWERING", "corpus_tokens": 24_000}
    assert "documents-in-the-prompt-at-any-volume" in advised(fits)[0]
    assert "documents-in-the-prompt" in advised({**fits, "queries_per_month": 9000})[0]
    many = {**fits, "queries_per_month": 2_000_000}
    assert not any("documents" in each for each in advised(many)[0])
    large = {**many, "corpus_tokens": 90_000, "new_knowledge_share": 0.9}
    assert "essentials-in-the-prompt" in advised(large)[approaches(large).index(RAG)]
    assert not any(
        "prompt" in each for each in advised({**fits, "task": "EXTRACTION"})[0] if "documents" in each
    )


@pytest.mark.parametrize(
    ("labels", "examples", "held_out"),
    [
        (6, 9000, 600),
        (60, 9000, 1000),
        (6, 1000, 200),
        (900, 9000, 1800),
        (900, 90_000, 4500),
        (10**5, 10**6, 5000),
    ],
)
def test_many_labels_take_many_questions(labels: int, examples: int, held_out: int) -> None:
    """Some of each are measured, as far as that can be done and enough is left to train on."""
    steps = planned({"task": "CLASSIFICATION", "labelled_examples": examples, "label_count": labels})[1]
    assert {step.questions for step in steps} == {held_out}


def test_search_that_misses_is_raised_before_anything_rests_on_it() -> None:
    """It bounds all that retrieval gives."""
    law = {"task": "QUESTION_ANSWERING", "corpus_tokens": 80_000_000, "closed_book_score": 0.3}
    step = planned({**law, "retrieval_hit_rate": 0.68})[1][0]
    assert any("Raise search first, which finds 68%" in each.text for each in step.advice)
    assert not any(advised({**law, "retrieval_hit_rate": 0.9}))
    assert advised(law)[0] == ["measure-search-alone"]


def test_an_interval_holds_what_is_expected_though_nothing_is_left_to_gain() -> None:
    """Ends are as far as a score goes, and never on one side of the middle."""
    for step in planned({"update_interval": "1s", "prompted_score": 1.0})[1]:
        assert step.low <= step.points <= step.high
