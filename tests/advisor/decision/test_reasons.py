"""Reasons: evidence put as a person would put it."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.decision.advisor import default_advisor
from advisor.decision.evidence import Evidence
from advisor.decision.explanation import ExpectedQuality, Question, Robustness
from advisor.decision.reasons import headline, passed_over, reasons_for, rivals
from advisor.decision.recommendation import Recommendation, Score, Versions
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.facts import facts
from tests.advisor.strategies import use_cases

SUPPORT = {"task": "QUESTION_ANSWERING", "update_interval": "1d", "labelled_examples": 60}
RAG, HYBRID = Approach.RAG, Approach.HYBRID
PROMPTING, FINE_TUNING = Approach.PROMPTING, Approach.FINE_TUNING
COUNTS = [item.name for item in facts() if item.kind == "count" and item.minimum <= 1]
ONE = re.compile(r"(?<![\d.,])1 (?!is\b)[a-z]+s\b|\bare 1\b")


def piece(name: str, fact: str, **points: float) -> Evidence:
    values = tuple(points.get(each.lower(), 0.0) for each in APPROACHES)
    return Evidence("RULE", name, None, values, f"{name}.", facts=(fact,))


def outcome(points: dict[Approach, float], taken: Approach | None) -> Recommendation:
    """Return a decision: what is not named is excluded."""
    ranked = sorted(APPROACHES, key=lambda each: -points.get(each, -100.0))
    scores = tuple(
        Score(each, 0.9 / (1 + place) if each in points else 0.0, points.get(each, 0.0), each in points)
        for place, each in enumerate(ranked)
    )
    leader, runner_up = (each if each in points else None for each in ranked[:2])
    return Recommendation(taken, leader, runner_up, scores, (), Versions("", "", None))


def reach(points: dict[Approach, float], score: float | None = None) -> tuple[ExpectedQuality, ...]:
    found = []
    for each in APPROACHES:
        wide = 0.0 if each is PROMPTING else 10.0
        above = points.get(each, 0.0)
        found.append(ExpectedQuality(each, above, above - wide, above + wide, score))
    return tuple(found)


def supported() -> tuple[Recommendation, tuple[Evidence, ...]]:
    recommendation = default_advisor().recommend(SUPPORT)
    assert recommendation.explanation is not None
    return recommendation, recommendation.explanation.evidence


def test_rules_on_the_same_facts_are_one_reason() -> None:
    """Three rungs of a ladder are summed, and put in the words of the heaviest."""
    _, evidence = supported()
    ladder = next(each for each in reasons_for(evidence) if each.evidence[0].facts == ("update_interval",))
    assert len(ladder.evidence) == 4
    for index, total in enumerate(ladder.points):
        assert total == pytest.approx(sum(item.points[index] for item in ladder.evidence))
    assert ladder.speaking(RAG, {FINE_TUNING: 1.0}).id == "knowledge-changes-within-a-day"


def test_reasons_and_prior_add_up_to_the_points() -> None:
    """Nothing is lost by grouping, and quality and upkeep are kept apart."""
    recommendation, evidence = supported()
    prior = next(item.points for item in evidence if item.kind == "PRIOR")
    reasons = [reason for reason in reasons_for(evidence) if not reason.is_upkeep]
    for score in recommendation.scores:
        place = score.approach.place
        total = math.fsum(reason.points[place] for reason in reasons) + prior[place]
        assert total == pytest.approx(score.points)


def test_of_equal_rungs_the_last_speaks() -> None:
    """The rung that was reached last says most about the value."""
    reasons = reasons_for((piece("first", "task", rag=0.3), piece("second", "task", rag=0.3)))
    assert reasons[0].speaking(RAG, {PROMPTING: 1.0}).id == "second"


def test_what_speaks_goes_the_way_of_the_sum() -> None:
    """Where an exception outweighs a ladder for an approach, the exception is told, however heavy the ladder is."""
    (reason,) = reasons_for(
        (piece("ladder", "task", rag=2.0, fine_tuning=-3.0), piece("exception", "task", rag=-2.5))
    )
    assert reason.speaking(RAG, {PROMPTING: 1.0}).id == "exception"
    assert reason.speaking(RAG, {FINE_TUNING: 1.0}).id == "ladder"


@pytest.mark.parametrize(
    ("against", "said"),
    [
        (piece("Few", "labelled_examples", hybrid=-5), "Against HYBRID: Few."),
        (piece("Slow", "latency_budget", hybrid=-0.5), ""),  # half a point is no argument
    ],
)
def test_the_headline_names_the_reason_for_and_the_reason_against(against: Evidence, said: str) -> None:
    """The runner-up is dismissed by what counts against it, not by what counts for what is taken."""
    fresh = piece("Fresh", "update_interval", rag=6, hybrid=4, fine_tuning=-6)
    points = {RAG: 12.4, HYBRID: 3.0}
    text = headline(outcome(points, RAG), reach(points), (fresh, against), ())
    expected = "RAG (+12 points over a plain prompt expected; four times in five +2 to +22). Fresh."
    assert text == f"{expected} {said}".rstrip()


@pytest.mark.parametrize(
    ("better", "suffices", "said"),
    [
        (0.3, False, "HYBRID is expected to do no better, and asks for more."),
        (2.0, False, "HYBRID is expected to do 2 points better: too little to tell, and it asks for more."),
        (
            9.0,
            True,
            "HYBRID is expected to do 9 points better, which users do not need if RAG does what is expected.",
        ),
        (9.0, False, "HYBRID is expected to do 9 points better, and costs far more than the budget."),
    ],
)
def test_the_headline_says_why_the_best_is_not_taken(better: float, suffices: bool, said: str) -> None:
    """What the other is expected to add is told, and why that is not worth it."""
    points = {RAG: 12.0, HYBRID: 12.0 + better}
    taken = replace(outcome(points, RAG), leader=HYBRID, runner_up=RAG)
    instead = passed_over(taken, 3.0, suffices=suffices)
    text = headline(taken, reach(points, 0.62), (piece("Fresh", "task", rag=6),), (), instead=instead)
    assert text == (
        "RAG (+12 points over a plain prompt expected, which makes 62%; four times in five +2 to +22). Fresh. "
        f"{said}"
    )


def test_what_would_cost_far_less_at_a_small_loss_is_said() -> None:
    """Thousands of dollars a month are worth a word, and some points that they buy are named."""
    posts = {
        "task": "CLASSIFICATION",
        "output_form": "LABEL",
        "labelled_examples": 20_000,
        "distribution_shift": True,
        "stronger_prompted_model": True,
        "prompted_score": 0.8,
        "input_price": 2.5,
        "tuned_input_price": 0.2,
        "context_tokens": 400,
        "can_train": True,
    }
    many, few = (
        default_advisor().recommend({**posts, "queries_per_month": count}) for count in (3_000_000, 30_000)
    )
    assert many.approach is few.approach is PROMPTING
    assert many.explanation is not None
    assert few.explanation is not None
    told = many.explanation.summary
    assert re.search(
        r"FINE_TUNING would cost about \$\d+ a month in place of \$[\d,]+, and is expected to do \d+", told
    )
    assert "in place of" not in few.explanation.summary


def test_what_is_taken_is_not_passed_over() -> None:
    """Nor is anything where nothing is taken."""
    points = {RAG: 12.0, HYBRID: 9.0}
    assert passed_over(outcome(points, RAG), 3.0, suffices=False) == ""
    assert passed_over(outcome(points, None), 3.0, suffices=False) == ""


def test_a_reason_against_the_rival_counts_against_it_alone() -> None:
    """What costs what is taken nearly as much is no argument for it, and what was learned at large is none at all."""
    points = {RAG: 12.0, HYBRID: 3.0}
    both = piece("Both", "task", rag=-6, hybrid=-7)
    alone = piece("Alone", "can_train", hybrid=-4)
    learned = Evidence("CLASSIFIER", "published-cases", None, (0.0, 9.0, 0.0, -9.0), "Learned.")
    text = headline(
        outcome(points, RAG), reach(points), (piece("Fresh", "x", rag=6), both, alone, learned), ()
    )
    assert text.endswith("Fresh. Against HYBRID: Alone.")


def test_prompting_is_what_there_is_already() -> None:
    """What the others are measured against has no gain of its own."""
    points = {PROMPTING: 0.0, RAG: -2.0}
    text = headline(outcome(points, PROMPTING), reach(points), (piece("Fits", "task", prompting=6),), ())
    assert text == "PROMPTING (against which the others are measured). Fits."


def test_an_open_decision_names_the_first_question() -> None:
    """What would save most is asked for in the headline."""
    question = Question("task", "What kind of task is it?", "", 0.5, ())
    points = {RAG: 5.0, HYBRID: 4.0}
    text = headline(outcome(points, None), reach(points), (), (question,))
    assert text == (
        "Undecided: what is known does not tell RAG and HYBRID apart. Find out first: What kind of task is it?"
    )


def test_a_decision_that_hangs_on_what_is_unknown_says_so() -> None:
    """Where it stays in less than half of the worlds, the headline does not sound sure, and asks."""
    question = Question("task", "What kind of task is it?", "", 0.5, ())
    points = {RAG: 12.0}

    def said(*shares: float) -> str:
        robustness = Robustness(shares[RAG.place], shares, 100)
        return headline(outcome(points, RAG), reach(points), (), (question,), robustness=robustness)

    ask = "Find out first: What kind of task is it?"
    assert said(0.6, 0.3, 0.1, 0).endswith(
        f"It hangs on what is unknown, most of which would speak for PROMPTING. {ask}"
    )
    assert said(0, 0.4, 0.1, 0.2).endswith(
        f"It hangs on what is unknown, some of which would speak for HYBRID. {ask}"
    )
    assert said(0, 0.1, 0, 0).endswith(f"It hangs on what is unknown. {ask}")
    assert "hangs" not in said(0.4, 0.6, 0, 0)


@given(use_cases())
def test_lead_and_robustness_do_not_contradict_each_other(known: dict[str, object]) -> None:
    """Whatever is decided and stays in less than half of the worlds comes with a question, in the headline as well."""
    told = default_advisor().recommend(known)
    assert told.explanation is not None
    if told.approach is not None and told.explanation.robustness.kept < 0.5:
        assert told.explanation.questions
        assert f"Find out first: {told.explanation.questions[0].text}" in told.explanation.summary


def test_the_best_rival_counts_most_and_what_is_excluded_not_at_all() -> None:
    """An approach is compared with what could take its place."""
    points = {RAG: 6.0, HYBRID: 3.0, PROMPTING: 0.0}
    weights = rivals(outcome(points, RAG).scores, RAG)
    assert set(weights) == {HYBRID, PROMPTING}
    assert weights[HYBRID] > weights[PROMPTING] > 0
    assert set(rivals(outcome(points, RAG).scores, HYBRID)) == {RAG, PROMPTING}
    assert set(rivals(outcome({RAG: 1.0}, RAG).scores, RAG)) == {HYBRID, PROMPTING, FINE_TUNING}


def test_nothing_feasible_is_undecided() -> None:
    """Where everything is excluded the headline points to what excludes it."""
    text = headline(outcome({}, None), reach({}), (), ())
    assert text == "Undecided: every approach is excluded; see what excludes them."


@given(use_cases(), st.sets(st.sampled_from(COUNTS), min_size=1))
def test_one_of_a_thing_is_told_in_the_singular(known: dict[str, object], ones: set[str]) -> None:
    """Whatever is known besides, no sentence says `1 tokens`, or that there are 1."""
    told = default_advisor().recommend(known | dict.fromkeys(ones, 1))
    assert told.explanation is not None
    sentences = [
        told.explanation.summary,
        *(item.reason for item in told.explanation.evidence),
        *(veto.reason for veto in told.vetoes),
        *(warning.text for warning in told.explanation.warnings),
        *(flip.sentence for flip in told.explanation.flips),
        *(each.value for each in told.explanation.cost.assumptions),
        told.explanation.cost.summary,
    ]
    assert [text for text in sentences if ONE.search(text)] == []
