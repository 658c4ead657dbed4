"""Consultations: ask, listen, and stop when the decision is stable."""

from __future__ import annotations

import numpy as np
import pytest

from advisor.decision.advisor import default_advisor
from advisor.decision.consultation import Consultation
from advisor.errors import InvalidInput
from advisor.knowledge.facts import decode_value, fact, fact_index, facts_from_mapping
from advisor.v1 import facts_pb2


def start(max_questions: int = 0, **values: object) -> Consultation:
    return Consultation(default_advisor(), facts_from_mapping(values), max_questions)


def test_the_first_question_is_the_most_informative_one() -> None:
    """The order of the recommendation's questions is the order of asking."""
    step = start().next()
    assert step.recommendation.explanation is not None
    assert step.question == step.recommendation.explanation.questions[0]
    assert step.questions_asked == 1
    assert not step.stop_reason


def test_what_nobody_can_tell_is_not_asked_again() -> None:
    """A declined question does not come back, and asking ends."""
    consultation = start()
    asked = []
    step = consultation.next()
    while step.question is not None:
        asked.append(step.question.fact)
        consultation.answer(facts_pb2.Facts(), [step.question.fact])
        step = consultation.next()
    assert len(asked) == len(set(asked))
    assert "no question left" in step.stop_reason


def test_more_names_than_there_are_facts() -> None:
    """They are refused as a whole: a search for what each was meant to be would take minutes."""
    with pytest.raises(InvalidInput, match="has 1,000,000 names; there are"):
        start().answer(facts_pb2.Facts(), ["tusk"] * 1_000_000)


def test_answers_sharpen_the_decision_until_it_is_stable() -> None:
    """Full answers lead to a stable decision before every fact is asked for."""
    advisor = default_advisor()
    world = advisor.worlds.fill(np.full(len(fact_index()), np.nan))[3]
    consultation = start()
    step = consultation.next()
    while step.question is not None:
        name = step.question.fact
        value = decode_value(fact(name), float(world[fact_index()[name]]))
        consultation.answer(facts_from_mapping({name: value}))
        step = consultation.next()
    assert step.stop_reason
    assert step.questions_asked < len(fact_index())


def test_the_limit_of_questions_holds() -> None:
    """The client says how many questions it will take."""
    consultation = start(max_questions=1)
    first = consultation.next()
    assert first.question is not None
    consultation.answer(facts_pb2.Facts(), [first.question.fact])
    assert "limit of 1" in consultation.next().stop_reason


def test_a_bad_answer_is_refused_and_nothing_of_it_is_kept() -> None:
    """The facts stay as they were."""
    consultation = start(task="CODE")
    with pytest.raises(InvalidInput) as caught:
        consultation.answer(facts_pb2.Facts(new_knowledge_share=2.0), [])
    assert caught.value.violations[0].field == "answer.facts.new_knowledge_share"
    with pytest.raises(InvalidInput, match="update_interval"):
        consultation.answer(facts_pb2.Facts(), ["update_intervall"])
    assert consultation.facts == facts_from_mapping({"task": "CODE"})
