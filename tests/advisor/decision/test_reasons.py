"""Reasons: evidence put as a person would put it."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.decision.advisor import default_advisor
from advisor.decision.evidence import Evidence
from advisor.decision.explanation import Question
from advisor.decision.reasons import headline, reasons_for, rivals
from advisor.decision.recommendation import Recommendation, Score, Versions
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.facts import facts
from tests.advisor.strategies import use_cases

SUPPORT = {"task": "QUESTION_ANSWERING", "update_interval": "1d", "labelled_examples": 60}
RAG, HYBRID = Approach.RAG, Approach.HYBRID
PROMPTING, FINE_TUNING = Approach.PROMPTING, Approach.FINE_TUNING
COUNTS = [item.name for item in facts() if item.kind == "count" and item.minimum <= 1]
ONE = re.compile(r"(?<![\d.,])1 (?!is\b)[a-z]+s\b|\bare 1\b")


def piece(name: str, fact: str, **log_odds: float) -> Evidence:
    values = tuple(log_odds.get(each.lower(), 0.0) for each in APPROACHES)
    return Evidence("RULE", name, None, values, f"{name}.", facts=(fact,))


def outcome(probabilities: dict[Approach, float], *, decided: bool = True) -> Recommendation:
    ranked = sorted(APPROACHES, key=lambda each: -probabilities.get(each, 0.0))
    scores = tuple(Score(each, probabilities.get(each, 0.0), 0.0, each in probabilities) for each in ranked)
    leader, runner_up = (each if each in probabilities else None for each in ranked[:2])
    return Recommendation(leader if decided else None, leader, runner_up, scores, (), Versions("", "", None))


def supported() -> tuple[Recommendation, tuple[Evidence, ...]]:
    recommendation = default_advisor().recommend(SUPPORT)
    assert recommendation.explanation is not None
    return recommendation, recommendation.explanation.evidence


def test_rules_on_the_same_facts_are_one_reason() -> None:
    """Three rungs of a ladder are summed, and put in the words of the heaviest."""
    _, evidence = supported()
    ladder = next(each for each in reasons_for(evidence) if each.heaviest.facts == ("update_interval",))
    assert len(ladder.evidence) == 4
    for index, total in enumerate(ladder.log_odds):
        assert total == pytest.approx(sum(item.log_odds[index] for item in ladder.evidence))
    assert ladder.heaviest.id == "knowledge-changes-within-a-day"


def test_reasons_and_prior_add_up_to_the_log_odds() -> None:
    """Nothing is lost by grouping."""
    recommendation, evidence = supported()
    prior = next(item.log_odds for item in evidence if item.kind == "PRIOR")
    for score in recommendation.scores:
        place = score.approach.place
        total = math.fsum(reason.log_odds[place] for reason in reasons_for(evidence)) + prior[place]
        assert total == pytest.approx(score.log_odds)


def test_of_equal_rungs_the_last_speaks() -> None:
    """The rung that was reached last says most about the value."""
    reasons = reasons_for((piece("first", "task", rag=0.3), piece("second", "task", rag=0.3)))
    assert reasons[0].heaviest.id == "second"


@pytest.mark.parametrize(
    ("against", "said"),
    [
        (piece("Few", "labelled_examples", hybrid=-0.5), "Against HYBRID: Few."),
        (piece("Slow", "latency_budget", hybrid=-0.1), ""),  # a tenth of a nat is no argument
    ],
)
def test_the_headline_names_the_reason_for_and_the_reason_against(against: Evidence, said: str) -> None:
    """The runner-up is dismissed by what counts against it, not by what counts for the leader."""
    fresh = piece("Fresh", "update_interval", rag=0.6, hybrid=0.4, fine_tuning=-0.6)
    text = headline(outcome({RAG: 0.7, HYBRID: 0.3}), (fresh, against), ())
    assert text == f"RAG (70%, HYBRID 30%). Fresh. {said}".rstrip()


def test_an_open_decision_names_the_first_question() -> None:
    """What would tell most is asked for in the headline."""
    question = Question("task", "What kind of task is it?", "", 0.5, ())
    text = headline(outcome({RAG: 0.5, HYBRID: 0.4}, decided=False), (), (question,))
    assert text == (
        "Undecided: what is known does not tell the approaches apart (RAG 50%, HYBRID 40%). "
        "Find out first: What kind of task is it?"
    )


def test_what_was_taken_from_the_data_ends_the_headline() -> None:
    """A reader sees which facts nobody stated."""
    text = headline(outcome({RAG: 1.0}), (), (), "labelled_examples 40")
    assert text == "RAG (100%). Counted from the documents and examples: labelled_examples 40."


def test_the_runner_up_counts_most_and_what_is_excluded_not_at_all() -> None:
    """A leader is compared with what could take its place."""
    weights = rivals(outcome({RAG: 0.6, HYBRID: 0.3, PROMPTING: 0.1}).scores)
    assert set(weights) == {HYBRID, PROMPTING}
    assert weights[HYBRID] > weights[PROMPTING] > 0
    assert set(rivals(outcome({RAG: 1.0}).scores)) == {HYBRID, PROMPTING, FINE_TUNING}


def test_nothing_feasible_is_undecided() -> None:
    """Where everything is excluded the headline points to what excludes it."""
    text = headline(outcome({}, decided=False), (), ())
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
