"""What a server measured, as a case to learn from."""

from __future__ import annotations

import pytest

from advisor.knowledge.facts import facts_from_mapping
from advisor.v1 import learning_service_pb2 as learning_pb2
from advisor.v1 import recommendation_pb2 as rec_pb2
from advisor.v1 import trial_pb2
from advisor.wire.cases import case_from_proto

TRIAL = learning_pb2.MeasuredCase.ORIGIN_TRIAL
OUTCOMES = learning_pb2.MeasuredCase.ORIGIN_OUTCOMES


def result(name: str, score: float, count: int = 100) -> learning_pb2.ApproachResult:
    figure = trial_pb2.Figure(value=score, low=score, high=score, count=count)
    if name == "NAIVE_BOTH":
        return learning_pb2.ApproachResult(arm=trial_pb2.ARM_NAIVE_BOTH, score=figure)
    return learning_pb2.ApproachResult(approach=f"APPROACH_{name}", score=figure)


def measured(*results: learning_pb2.ApproachResult, **given) -> learning_pb2.MeasuredCase:
    fields = {
        "origin": TRIAL,
        "use_case": "useCases/faq",
        "trial": "useCases/faq/trials/one",
        "facts": facts_from_mapping({"task": "CLASSIFICATION", "prompted_score": 0.9}),
    }
    return learning_pb2.MeasuredCase(**fields | given, results=results)


def test_a_trial_is_a_case_of_its_use_case() -> None:
    """Trials of one use case are one source."""
    case = case_from_proto(measured(result("PROMPTING", 40), result("RAG", 60), result("NAIVE_BOTH", 80)))
    assert case is not None
    assert (case.id, case.source.id, case.collection) == ("useCases/faq/trials/one", "useCases/faq", "own")
    assert case.scores == {"PROMPTING": 40, "RAG": 60, "NAIVE_BOTH": 80}
    assert (case.best, case.acceptable, case.grade, case.n) == ("RAG", {"RAG"}, "A", 100)


def test_what_was_measured_of_a_fact_counts_before_what_was_stated() -> None:
    """It is of the model that the scores are of."""
    found = {"prompted_score": trial_pb2.Figure(value=0.4), "retrieval_hit_rate": trial_pb2.Figure(value=0.7)}
    case = case_from_proto(measured(result("PROMPTING", 40), result("RAG", 60), measured_facts=found))
    assert case is not None
    assert case.facts == {"task": "CLASSIFICATION", "prompted_score": 0.4, "retrieval_hit_rate": 0.7}


@pytest.mark.parametrize(
    ("origin", "count", "grade"), [(TRIAL, 100, "A"), (TRIAL, 99, "B"), (OUTCOMES, 5000, "B")]
)
def test_what_few_questions_say_counts_for_less(origin, count: int, grade: str) -> None:
    """So do outcomes, whose questions are not the same for each approach."""
    case = case_from_proto(measured(result("PROMPTING", 40, count), result("RAG", 60), origin=origin))
    assert case is not None
    assert case.grade == grade


def test_what_compares_nothing_is_no_case() -> None:
    """One approach, too few answers of another, or one that this program does not know."""
    unknown = learning_pb2.ApproachResult(approach=99, score=trial_pb2.Figure(value=1, count=100))
    assert case_from_proto(measured(result("RAG", 60), unknown, result("NAIVE_BOTH", 1))) is None
    assert case_from_proto(measured(result("RAG", 60), result("PROMPTING", 40, count=49)), least=50) is None
    assert case_from_proto(measured(result("RAG", 60), result("PROMPTING", 40, count=50)), least=50)


def test_the_case_of_a_tie_has_both_as_acceptable() -> None:
    """Less than 3 points apart."""
    case = case_from_proto(measured(result("RAG", 60), result("PROMPTING", 58)))
    assert case is not None
    assert case.acceptable == {rec_pb2.Approach.Name(each).removeprefix("APPROACH_") for each in (1, 2)}
