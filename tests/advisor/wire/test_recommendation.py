"""Recommendations as messages: nothing is lost, and nothing is made up."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from advisor.decision.advisor import default_advisor
from advisor.decision.recommendation import BASIC, FULL, View
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.rules import CRITERIA
from advisor.v1 import recommendation_pb2 as pb
from advisor.wire.recommendation import (
    approach_from_proto,
    approach_to_proto,
    approach_values_from_proto,
    criterion_to_proto,
    evidence_from_proto,
    recommendation_to_proto,
    score_from_proto,
    view_from_proto,
)
from tests.advisor.strategies import use_cases

SUPPORT = {"task": "QUESTION_ANSWERING", "update_interval": "7d", "needs_citations": True}


@pytest.mark.parametrize("approach", APPROACHES)
def test_approaches_go_both_ways(approach: Approach) -> None:
    """Names agree with the enum's."""
    value = approach_to_proto(approach)
    assert pb.Approach.Name(value) == f"APPROACH_{approach}"
    assert approach_from_proto(value) is approach


@pytest.mark.parametrize("value", [pb.APPROACH_UNSPECIFIED, pb.APPROACH_UNDECIDED, 99])
def test_what_is_no_approach_is_none(value: pb.Approach) -> None:
    """Neither undecided nor unspecified nor what a later version adds is taken for an approach."""
    assert approach_from_proto(value) is None


def test_criteria_have_the_enums_names() -> None:
    """Every trade-off of the knowledge base can be sent."""
    names = {pb.Criterion.Name(criterion_to_proto(name)) for name in CRITERIA}
    assert names == {f"CRITERION_{name.upper()}" for name in CRITERIA}


@pytest.mark.parametrize("view", View)
def test_views_have_the_enums_names(view: View) -> None:
    """A view that is asked for by number is the view of that name."""
    assert view_from_proto(pb.RecommendationView.Value(f"RECOMMENDATION_VIEW_{view}")) is view
    assert view_from_proto(pb.RECOMMENDATION_VIEW_UNSPECIFIED) is None


@settings(max_examples=40, deadline=None)
@given(use_cases())
def test_a_message_holds_all_of_an_explanation(values: dict[str, object]) -> None:
    """What is repeated has as many entries, in the same order, and texts are the same."""
    recommendation = default_advisor().recommend(values)
    explanation, message = recommendation.explanation, recommendation_to_proto(recommendation)
    assert explanation is not None
    assert message.summary == explanation.summary
    assert [each.id for each in message.vetoes] == [each.id for each in recommendation.vetoes]
    assert [each.id for each in message.warnings] == [each.id for each in explanation.warnings]
    assert [each.sentence for each in message.flips] == [each.sentence for each in explanation.flips]
    assert [each.fact for each in message.questions] == [each.fact for each in explanation.questions]
    assert [each.id for each in message.similar_cases] == [each.case.id for each in explanation.similar_cases]
    for case, similar in zip(message.similar_cases, explanation.similar_cases, strict=True):
        assert tuple(case.matching_facts) == similar.matching
        told = [(each.fact, each.case_value, each.use_case_value) for each in case.differing_facts]
        assert told == [(each.fact, each.case, each.use_case) for each in similar.differing]
    for score in message.scores:
        expected = explanation.expected[approach_from_proto(score.approach).place]
        told = score.expected_quality
        assert (told.lower, told.upper) == (expected.low, expected.high)
        assert (told.score if told.HasField("score") else None) == expected.score
    assert len(message.unconsidered_rules) == len(explanation.unconsidered_rules)
    card = message.scorecard
    assert {row.criterion for row in (*card.quality, *card.upkeep)} >= {
        criterion_to_proto(name) for name in CRITERIA
    }
    assert {score.approach: score.upkeep for score in message.scores} == {
        approach_to_proto(each): points
        for each, points in zip(APPROACHES, approach_values_from_proto(card.upkeep_points), strict=True)
    }
    possible = [each for each in explanation.cost.approaches if each.possible]
    assert [each.per_month_low_usd for each in message.cost.approaches] == [
        each.per_month_low_usd for each in possible
    ]
    assert [each.name for each in message.cost.assumptions] == [
        each.name for each in explanation.cost.assumptions
    ]
    for sent, told in zip(message.cost.assumptions, explanation.cost.assumptions, strict=True):
        assert sent.HasField("month_at_low_usd") == bool(told.month_at_low)
        if told.month_at_high:
            assert approach_values_from_proto(sent.month_at_high_usd) == tuple(told.month_at_high)


@settings(max_examples=40, deadline=None)
@given(use_cases())
def test_evidence_and_scores_come_back_as_they_were(values: dict[str, object]) -> None:
    """What a person is shown of a message from a server is what the server held."""
    recommendation = default_advisor().recommend(values)
    message = recommendation_to_proto(recommendation)
    assert recommendation.explanation is not None
    assert tuple(map(evidence_from_proto, message.evidence)) == recommendation.explanation.evidence
    assert tuple(map(score_from_proto, message.scores)) == recommendation.scores


def test_the_basic_view_is_the_start_of_the_full_one() -> None:
    """A small message leaves out, and changes nothing."""
    basic, full = (
        recommendation_to_proto(default_advisor().recommend(SUPPORT, view)) for view in (BASIC, FULL)
    )
    kept = {field.name for field, _ in basic.ListFields()}
    assert kept == {"approach", "leader", "runner_up", "scores", "vetoes", "versions"}
    for name in kept - {"scores"}:
        assert getattr(basic, name) == getattr(full, name)
    for small, large in zip(basic.scores, full.scores, strict=True):
        assert not small.HasField("expected_quality")
        assert not small.HasField("upkeep")
        large.ClearField("expected_quality")
        large.ClearField("upkeep")
        assert small == large


def test_an_open_decision_is_undecided_and_has_a_leader() -> None:
    """What leads is told even where the lead does not suffice."""
    message = recommendation_to_proto(default_advisor().recommend({}))
    assert message.approach == pb.APPROACH_UNDECIDED
    assert message.leader == message.scores[0].approach


def test_evidence_of_a_kind_that_is_unknown_is_refused() -> None:
    """A client that is too old says so."""
    with pytest.raises(ValueError, match="update the client"):
        evidence_from_proto(pb.Evidence(id="new", kind=9))
