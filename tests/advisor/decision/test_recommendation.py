"""Recommendations: complete, explained exactly, and honest about what is open."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings

from advisor.decision.recommendation import BASIC, FULL, Advisor, approach_name, default_advisor
from advisor.errors import InvalidInput
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.facts import encode_facts, facts, facts_from_mapping
from advisor.knowledge.rulefile import load_default_rules
from advisor.v1 import facts_pb2
from advisor.v1 import recommendation_pb2 as pb
from tests.advisor.strategies import use_cases

SUPPORT = {
    "update_interval": "7d",
    "needs_citations": True,
    "task": "QUESTION_ANSWERING",
    "new_knowledge_share": 0.6,
}
ROUTING = {"task": "CLASSIFICATION", "output_form": "LABEL", "labelled_examples": 2000, "can_train": True,
           "update_interval": "1y", "distribution_shift": False, "new_knowledge_share": 0}  # fmt: skip


def values_of(message: pb.ApproachValues) -> dict[str, float]:
    return {name: getattr(message, name.lower()) for name in APPROACHES}


@settings(max_examples=60, deadline=None)
@given(use_cases())
def test_evidence_adds_up_to_the_log_odds(values: dict[str, object]) -> None:
    """The explanation is the calculation."""
    message = default_advisor().recommend(values)
    for score in message.scores:
        name = approach_name(score.approach)
        total = math.fsum(values_of(item.log_odds)[name] for item in message.evidence)
        assert total == pytest.approx(score.log_odds, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(use_cases())
def test_the_same_facts_give_the_same_bytes(values: dict[str, object]) -> None:
    """A decision does not depend on when or how often it is asked for."""
    first = Advisor(load_default_rules()).recommend(values)
    second = Advisor(load_default_rules()).recommend(values)
    assert first.SerializeToString(deterministic=True) == second.SerializeToString(deterministic=True)


@pytest.mark.parametrize(("values", "expected"), [(SUPPORT, "RAG"), (ROUTING, "FINE_TUNING")])
def test_clear_cases_get_the_obvious_answer(values: dict[str, object], expected: str) -> None:
    """Changing knowledge with citations is retrieved; a fixed labelled form is trained."""
    assert approach_name(default_advisor().recommend(values).approach) == expected


def test_no_facts_are_undecided_and_say_what_to_tell_next() -> None:
    """Nothing known is never a guess dressed up."""
    message = default_advisor().recommend({})
    assert message.approach == pb.APPROACH_UNDECIDED
    assert len(message.questions) > 0
    assert message.questions[0].text in message.summary
    assert len(message.unconsidered_rules) > 0


def test_a_veto_excludes_and_says_why() -> None:
    """What cannot be trained has no probability."""
    message = default_advisor().recommend({**ROUTING, "can_train": False})
    excluded = {approach_name(each) for veto in message.vetoes for each in veto.approaches}
    assert {"FINE_TUNING", "HYBRID"} <= excluded
    assert all(veto.reason and veto.sources for veto in message.vetoes)
    assert all(score.probability == 0 for score in message.scores if not score.feasible)


def test_reasons_carry_the_users_own_numbers() -> None:
    """A reason is about this use case."""
    message = default_advisor().recommend(SUPPORT)
    assert any("7 days" in item.reason for item in message.evidence)
    assert any("60%" in item.reason for item in message.evidence)
    assert not any("{" in item.reason for item in message.evidence)


def test_the_basic_view_is_the_start_of_the_full_one() -> None:
    """A small view leaves out, and changes nothing."""
    basic, full = (default_advisor().recommend(SUPPORT, view) for view in (BASIC, FULL))
    assert list(basic.scores) == list(full.scores)
    assert basic.approach == full.approach
    assert not basic.evidence
    assert not basic.flips


def test_rows_decide_as_single_use_cases_do() -> None:
    """One code path scores one or many."""
    rows = np.stack([encode_facts(facts_from_mapping(values)) for values in (SUPPORT, ROUTING)])
    together = default_advisor().recommend_rows(rows, [FULL, BASIC])
    alone = [default_advisor().recommend(SUPPORT, FULL), default_advisor().recommend(ROUTING, BASIC)]
    for one, other in zip(together, alone, strict=True):
        assert one.approach == other.approach
        assert [each.probability for each in one.scores] == pytest.approx(
            [each.probability for each in other.scores]
        )
        assert [each.id for each in one.evidence] == [each.id for each in other.evidence]


def test_bad_facts_are_all_reported_by_path() -> None:
    """Every violation comes at once, where it stands in the request."""
    message = facts_pb2.Facts(new_knowledge_share=1.5, labelled_examples=-1, closed_book_score=math.nan)
    with pytest.raises(InvalidInput) as caught:
        default_advisor().recommend(message, path="inline_use_case.facts")
    assert {each.field for each in caught.value.violations} == {
        f"inline_use_case.facts.{name}"
        for name in ("new_knowledge_share", "labelled_examples", "closed_book_score")
    }


def test_every_fact_of_the_descriptor_is_read_by_a_rule_or_a_feature() -> None:
    """No fact is asked for in vain."""
    scorer = default_advisor().scorer
    read = {test.subject for rule in scorer.knowledge.rules for test in rule.tests}
    read |= {curve.subject for curve in scorer.classifier.features} if scorer.classifier else set()
    assert {item.name for item in facts()} <= read
