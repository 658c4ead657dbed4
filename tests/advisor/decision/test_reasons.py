"""Reasons: evidence told as a person would tell it."""

from __future__ import annotations

import math

import pytest

from advisor.decision.reasons import headline, reasons_for, rivals, values_of
from advisor.decision.recommendation import approach_name, default_advisor
from advisor.knowledge.approaches import APPROACHES
from advisor.v1 import recommendation_pb2 as pb

SUPPORT = {"task": "QUESTION_ANSWERING", "update_interval": "1d", "labelled_examples": 60}


def piece(name: str, facts: list[str], **log_odds: float) -> pb.Evidence:
    values = pb.ApproachValues(**log_odds)
    return pb.Evidence(kind="KIND_RULE", id=name, facts=facts, log_odds=values, reason=f"{name}.")


def outcome(*evidence: pb.Evidence, **probabilities: float) -> pb.Recommendation:
    ranked = sorted(APPROACHES, key=lambda name: -probabilities.get(name, 0.0))
    return pb.Recommendation(
        approach=f"APPROACH_{ranked[0]}",
        leader=f"APPROACH_{ranked[0]}",
        scores=[
            pb.ApproachScore(
                approach=f"APPROACH_{name}",
                probability=probabilities.get(name, 0.0),
                feasible=name in probabilities,
            )
            for name in ranked
        ],
        evidence=evidence,
    )


def test_rules_on_the_same_facts_are_one_reason() -> None:
    """Three rungs of a ladder are summed, and told in the words of the heaviest."""
    message = default_advisor().recommend(SUPPORT)
    ladder = next(each for each in reasons_for(message) if list(each.heaviest.facts) == ["update_interval"])
    assert len(ladder.evidence) == 4
    for index, total in enumerate(ladder.log_odds):
        assert total == pytest.approx(sum(values_of(item.log_odds)[index] for item in ladder.evidence))
    assert ladder.heaviest.id == "knowledge-changes-within-a-day"


def test_reasons_and_prior_add_up_to_the_log_odds() -> None:
    """Nothing is lost by grouping."""
    message = default_advisor().recommend(SUPPORT)
    prior = next(values_of(item.log_odds) for item in message.evidence if item.kind == pb.Evidence.KIND_PRIOR)
    for score in message.scores:
        index = APPROACHES.index(approach_name(score.approach))
        total = math.fsum(reason.log_odds[index] for reason in reasons_for(message)) + prior[index]
        assert total == pytest.approx(score.log_odds)


def test_of_equal_rungs_the_last_speaks() -> None:
    """The rung that was reached last knows most about the value."""
    message = outcome(piece("first", ["task"], rag=0.3), piece("second", ["task"], rag=0.3), RAG=1.0)
    assert reasons_for(message)[0].heaviest.id == "second"


def test_the_headline_names_the_reason_for_and_the_reason_against() -> None:
    """The runner-up is dismissed by what counts against it, not by what counts for the leader."""
    message = outcome(
        piece("Fresh", ["update_interval"], rag=0.6, hybrid=0.4, fine_tuning=-0.6),
        piece("Few", ["labelled_examples"], hybrid=-0.5),
        RAG=0.7,
        HYBRID=0.3,
    )
    assert headline(message) == "RAG (RAG 70%, HYBRID 30%). Fresh. Against HYBRID: Few."


def test_a_weak_reason_against_is_left_out() -> None:
    """A tenth of a nat is no argument."""
    message = outcome(
        piece("Fresh", ["update_interval"], rag=0.6),
        piece("Slow", ["latency_budget"], hybrid=-0.1),
        RAG=0.7,
        HYBRID=0.3,
    )
    assert headline(message) == "RAG (RAG 70%, HYBRID 30%). Fresh."


def test_the_runner_up_counts_most_and_what_is_excluded_not_at_all() -> None:
    """A leader is compared with what could take its place."""
    weights = rivals(outcome(RAG=0.6, HYBRID=0.3, PROMPTING=0.1))
    assert set(weights) == {"HYBRID", "PROMPTING"}
    assert weights["HYBRID"] > weights["PROMPTING"] > 0
    assert set(rivals(outcome(RAG=1.0))) == {"HYBRID", "PROMPTING", "FINE_TUNING"}


def test_nothing_feasible_is_undecided() -> None:
    """Where everything is excluded the headline points to what excludes it."""
    assert headline(outcome()) == "Undecided: every approach is excluded; see what excludes them."
