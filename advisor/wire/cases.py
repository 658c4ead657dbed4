"""What a server measured, as a case to learn from; needs neither gRPC nor a database."""

from __future__ import annotations

from types import MappingProxyType

from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.cases import MARGIN_POINTS, Case
from advisor.knowledge.facts import encode_facts, facts_from_mapping, facts_to_mapping
from advisor.knowledge.rules import RuleSource
from advisor.trials.arms import Arm
from advisor.v1 import learning_service_pb2 as learning_pb2
from advisor.v1 import trial_pb2
from advisor.wire.recommendation import approach_from_proto

__all__ = ["A_QUESTIONS", "OWN", "case_from_proto"]

A_QUESTIONS = 100
"""Questions from which on a comparison counts as strong: a score is known to some 10 points either way."""
OWN = "own"
"""The collection of cases that a server measured."""


def case_from_proto(message: learning_pb2.MeasuredCase, least: int = 1) -> Case | None:
    """Return what was measured as a case to learn from; None where it compares fewer than two approaches.

    What the trial found of a fact counts before what was stated: it is of the model that was measured.

    Args:
        message: What was measured.
        least: Answers that an approach needs to count.
    """
    scores = {
        _name(each): each.score.value for each in message.results if each.score.count >= least and _name(each)
    }
    approaches = {each: scores[each] for each in APPROACHES if each in scores}
    if len(approaches) < 2:
        return None
    known = facts_to_mapping(message.facts)
    facts = facts_from_mapping(
        {**known, **{name: each.value for name, each in message.measured_facts.items()}}
    )
    row = encode_facts(facts)
    row.flags.writeable = False
    count = min(each.score.count for each in message.results if _name(each) in approaches)
    best = max(approaches, key=lambda each: approaches[each])
    of_trial = message.origin == learning_pb2.MeasuredCase.ORIGIN_TRIAL
    return Case(
        id=message.trial or f"{message.use_case} outcomes",
        source=RuleSource(message.use_case, message.use_case, "measured on this server"),
        facts=MappingProxyType(facts_to_mapping(facts)),
        row=row,
        assumed=frozenset(),
        scores=MappingProxyType(scores),
        gains=MappingProxyType({}),
        best=best,
        acceptable=frozenset(
            each for each, score in approaches.items() if approaches[best] - score < MARGIN_POINTS
        ),
        # Outcomes are of questions that chance or clients chose, other ones for each approach.
        grade="A" if of_trial and count >= A_QUESTIONS else "B",
        read="primary",
        n=count,
        top=None,
        note="",
        collection="own",
    )


def _name(result: learning_pb2.ApproachResult) -> str:
    """Return what a result is of, as a case names it; empty where this program does not know it."""
    if result.arm == trial_pb2.ARM_NAIVE_BOTH:
        return Arm.NAIVE_BOTH.value
    return approach_from_proto(result.approach) or ""
