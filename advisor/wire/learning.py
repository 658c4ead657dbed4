"""What was measured, outcomes and how advice fared, as messages."""

from __future__ import annotations

from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.cases import ARMS
from advisor.knowledge.facts import facts_from_mapping
from advisor.learning.evaluation import Estimate
from advisor.metrics.paired import mean_of_sums
from advisor.names import adapter_name, use_case_name
from advisor.storage.measured_cases import KeptCase
from advisor.storage.outcomes import KeptOutcome
from advisor.trials.arms import Arm
from advisor.trials.measured import MeasuredCase
from advisor.trials.results import Figure
from advisor.trials.track import Bin, Tracked, TrackRecord
from advisor.v1 import facts_pb2, recommendation_pb2
from advisor.v1 import learning_service_pb2 as learning_pb2
from advisor.wire.messages import timestamp
from advisor.wire.recommendation import approach_to_proto
from advisor.wire.trials import arm_to_proto, figure_to_proto, figures_to_proto

__all__ = [
    "MOST_ENTRIES",
    "measured_case_to_proto",
    "outcome_to_proto",
    "outcomes_to_proto",
    "track_record_to_proto",
]

MOST_ENTRIES = 500
"""Trials that a track record lists."""
_OUTCOME = "outcome"


def outcome_to_proto(outcome: KeptOutcome) -> learning_pb2.Outcome:
    """Return what became of an answer."""
    adapter = adapter_name(outcome.use_case_id, outcome.adapter_id) if outcome.adapter_id else ""
    return learning_pb2.Outcome(
        use_case=use_case_name(outcome.use_case_id),
        approach=approach_to_proto(outcome.approach),
        adapter=adapter,
        quality=outcome.quality,
        answer_time=timestamp(outcome.answer_time),
        outcome_time=timestamp(outcome.outcome_time),
    )


def measured_case_to_proto(kept: KeptCase) -> learning_pb2.MeasuredCase:
    """Return what a trial taught."""
    case = MeasuredCase.from_json(kept.measured)
    return learning_pb2.MeasuredCase(
        origin=learning_pb2.MeasuredCase.ORIGIN_TRIAL,
        use_case=use_case_name(kept.use_case_id),
        trial=kept.trial,
        facts=facts_from_mapping(case.facts),
        measured_facts=figures_to_proto(case.found),
        metric=case.metric,
        results=(_result(name, case.scores[name], case.arms[name]) for name in ARMS if name in case.scores),
        versions=case.versions,
        create_time=timestamp(kept.create_time),
    )


def outcomes_to_proto(kept: KeptCase, facts: facts_pb2.Facts) -> learning_pb2.MeasuredCase:
    """Return what the outcomes of a use case come to, with what is known of it."""
    found = {name: mean_of_sums(*kept.measured[name]) for name in APPROACHES if name in kept.measured}
    scores = {
        name: Figure(100 * each.value, 100 * each.low, 100 * each.high, each.count)
        for name, each in found.items()
    }
    return learning_pb2.MeasuredCase(
        origin=learning_pb2.MeasuredCase.ORIGIN_OUTCOMES,
        use_case=use_case_name(kept.use_case_id),
        facts=facts,
        metric=_OUTCOME,
        results=(_result(name, score, None) for name, score in scores.items()),
        create_time=timestamp(kept.create_time),
    )


def track_record_to_proto(record: TrackRecord) -> learning_pb2.TrackRecord:
    """Return how advice fared, with the first entries."""
    return learning_pb2.TrackRecord(
        trials=record.trials,
        use_cases=record.use_cases,
        decided=record.decided,
        agreed=record.agreed,
        measured=record.measured,
        near=record.near,
        regret=_estimate(record.regret) if record.regret else None,
        calibration=map(_calibration, record.calibration),
        entries=map(_entry, record.entries[:MOST_ENTRIES]),
    )


def _result(name: str, score: Figure, arm: Arm | None) -> learning_pb2.ApproachResult:
    approach = approach_to_proto(Approach(name)) if name in set(Approach) else None
    return learning_pb2.ApproachResult(
        approach=approach, arm=arm_to_proto(arm) if arm else None, score=figure_to_proto(score)
    )


def _estimate(estimate: Estimate) -> learning_pb2.TrackRecord.Estimate:
    return learning_pb2.TrackRecord.Estimate(value=estimate.value, low=estimate.low, high=estimate.high)


def _calibration(found: Bin) -> learning_pb2.TrackRecord.Calibration:
    return learning_pb2.TrackRecord.Calibration(
        lower=found.low,
        upper=found.high,
        count=found.count,
        predicted=found.predicted,
        observed=found.observed,
    )


def _entry(entry: Tracked) -> learning_pb2.TrackRecord.Entry:
    undecided = recommendation_pb2.APPROACH_UNDECIDED
    return learning_pb2.TrackRecord.Entry(
        trial=entry.trial,
        create_time=timestamp(entry.create_time),
        advice=approach_to_proto(entry.advice) if entry.advice else undecided,
        probability=entry.probability,
        verdict=approach_to_proto(entry.verdict) if entry.verdict else None,
        best=map(approach_to_proto, entry.best),
        regret=figure_to_proto(entry.regret),
        versions=entry.versions,
    )
