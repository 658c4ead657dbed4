"""Recommendations as messages, and approaches, views, evidence and scores both ways.

Nothing here needs grpc: `advisor recommend` prints messages and never loads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from advisor.decision.cost import ApproachCost, Assumption, CostEstimate
from advisor.decision.evidence import Evidence, Factor, Kind
from advisor.decision.explanation import (
    Advice,
    Explanation,
    PlanStep,
    Question,
    Robustness,
    RuleWarning,
    ScorecardRow,
)
from advisor.decision.flips import Flip
from advisor.decision.recommendation import Recommendation, Score, Versions, Veto, View
from advisor.decision.similar import SimilarCase
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.rules import CRITERIA, RuleSource
from advisor.v1 import recommendation_pb2 as pb

__all__ = [
    "approach_from_proto",
    "approach_to_proto",
    "approach_values_from_proto",
    "approach_values_to_proto",
    "criterion_to_proto",
    "evidence_from_proto",
    "question_to_proto",
    "recommendation_to_proto",
    "score_from_proto",
    "sources_to_proto",
    "versions_to_proto",
    "view_from_proto",
]

# Of a message inside another one: protobuf takes fields faster than messages, which it copies.
_Fields = dict[str, Any]

_APPROACHES: dict[Approach, pb.Approach] = {each: getattr(pb, f"APPROACH_{each}") for each in APPROACHES}
_FROM_APPROACHES = {value: each for each, value in _APPROACHES.items()}
# Fields of ApproachValues, in the order of `APPROACHES`.
_VALUES = tuple(each.lower() for each in APPROACHES)
_CRITERIA: dict[str | None, pb.Criterion] = {
    None: pb.CRITERION_UNSPECIFIED,
    **{name: getattr(pb, f"CRITERION_{name.upper()}") for name in CRITERIA},
}
_FROM_CRITERIA = {value: name for name, value in _CRITERIA.items()}
_KINDS: dict[Kind, pb.Evidence.Kind] = {
    "PRIOR": pb.Evidence.KIND_PRIOR,
    "RULE": pb.Evidence.KIND_RULE,
    "CLASSIFIER": pb.Evidence.KIND_CLASSIFIER,
    "TRIAL": pb.Evidence.KIND_TRIAL,
    "COST": pb.Evidence.KIND_COST,
}
_FROM_KINDS = {value: kind for kind, value in _KINDS.items()}
_FROM_VIEWS = {pb.RECOMMENDATION_VIEW_BASIC: View.BASIC, pb.RECOMMENDATION_VIEW_FULL: View.FULL}


def recommendation_to_proto(recommendation: Recommendation) -> pb.Recommendation:
    """Return a recommendation as it is sent, explained where it is."""
    approach, leader, runner_up = recommendation.approach, recommendation.leader, recommendation.runner_up
    explanation = recommendation.explanation
    return pb.Recommendation(
        approach=_APPROACHES[approach] if approach else pb.APPROACH_UNDECIDED,
        leader=_APPROACHES[leader] if leader else None,
        runner_up=_APPROACHES[runner_up] if runner_up else None,
        scores=[_score(each, explanation) for each in recommendation.scores],
        vetoes=[_veto(each) for each in recommendation.vetoes],
        versions=versions_to_proto(recommendation.versions),
        **_explanation(explanation) if explanation else {},
    )


def approach_to_proto(approach: Approach) -> pb.Approach:
    """Return an approach as a value of the enum."""
    return _APPROACHES[approach]


def approach_from_proto(value: pb.Approach) -> Approach | None:
    """Return the approach that a value of the enum stands for; None where it stands for none."""
    return _FROM_APPROACHES.get(value)


def view_from_proto(value: pb.RecommendationView) -> View | None:
    """Return the view that a value of the enum stands for; None where it stands for none."""
    return _FROM_VIEWS.get(value)


def approach_values_to_proto(values: Sequence[float]) -> pb.ApproachValues:
    """Return one number per approach, given in the order of `APPROACHES`."""
    return pb.ApproachValues(**_values(values))


def approach_values_from_proto(message: pb.ApproachValues) -> tuple[float, ...]:
    """Return one number per approach, in the order of `APPROACHES`."""
    return tuple(getattr(message, name) for name in _VALUES)


def criterion_to_proto(name: str | None) -> pb.Criterion:
    """Return a trade-off as a value of the enum; unspecified where there is none."""
    return _CRITERIA[name]


def sources_to_proto(sources: Iterable[RuleSource]) -> list[pb.Source]:
    """Return publications, guides and measurements."""
    return [pb.Source(**_source(each)) for each in sources]


def question_to_proto(question: Question) -> pb.Question:
    """Return a question."""
    return pb.Question(**_question(question))


def evidence_from_proto(message: pb.Evidence) -> Evidence:
    """Return a piece of evidence that was sent; ValueError where its kind is unknown here."""
    if message.kind not in _FROM_KINDS:
        raise ValueError(
            f"evidence {message.id!r} is of a kind that this version does not know; update the client"
        )
    return Evidence(
        kind=_FROM_KINDS[message.kind],
        id=message.id,
        criterion=_FROM_CRITERIA.get(message.criterion),
        points=approach_values_from_proto(message.points),
        reason=message.reason,
        sources=tuple(RuleSource(each.id, each.title, each.reference) for each in message.sources),
        factors=tuple(Factor(each.fact, approach_values_from_proto(each.points)) for each in message.factors),
        facts=tuple(message.facts),
    )


def score_from_proto(message: pb.ApproachScore) -> Score:
    """Return a score that was sent; KeyError where it is of no approach."""
    approach = _FROM_APPROACHES[message.approach]
    return Score(approach, message.probability, message.points, message.feasible)


def _explanation(explanation: Explanation) -> _Fields:
    return {
        "summary": explanation.summary,
        "plan": [_step(each) for each in explanation.plan],
        "evidence": [_evidence(each) for each in explanation.evidence],
        "unconsidered_rules": [
            {"id": each.id, "missing_facts": each.missing_facts} for each in explanation.unconsidered_rules
        ],
        "warnings": [_told(each) for each in explanation.warnings],
        "flips": [_flip(each) for each in explanation.flips],
        "robustness": _robustness(explanation.robustness),
        "questions": [_question(each) for each in explanation.questions],
        "similar_cases": [_case(each) for each in explanation.similar_cases],
        "cost": _cost(explanation.cost),
        "scorecard": {
            "quality": [_scorecard_row(each) for each in explanation.scorecard.quality],
            "quality_points": _values(explanation.scorecard.quality_points),
            "upkeep": [_scorecard_row(each) for each in explanation.scorecard.upkeep],
            "upkeep_points": _values(explanation.scorecard.upkeep_points),
        },
    }


def _score(score: Score, explanation: Explanation | None) -> _Fields:
    fields: _Fields = {
        "approach": _APPROACHES[score.approach],
        "probability": score.probability,
        "points": score.points,
        "feasible": score.feasible,
    }
    if explanation:
        expected = explanation.expected[score.approach.place]
        fields["expected_quality"] = {"lower": expected.low, "upper": expected.high, "score": expected.score}
        fields["upkeep"] = explanation.scorecard.upkeep_points[score.approach.place]
    return fields


def _step(step: PlanStep) -> _Fields:
    return {
        "approach": _APPROACHES[step.approach],
        "text": step.text,
        "points": step.points,
        "lower": step.low,
        "upper": step.high,
        "expected_score": step.score,
        "stop_score": step.stop_at,
        "held_out_questions": step.questions,
        "needs": step.needs,
        "per_month_usd": step.per_month_usd,
        "advice": [_told(each) for each in step.advice],
    }


def _veto(veto: Veto) -> _Fields:
    return {
        "id": veto.id,
        "approaches": [_APPROACHES[each] for each in veto.approaches],
        "reason": veto.reason,
        "sources": [_source(each) for each in veto.sources],
    }


def versions_to_proto(versions: Versions) -> pb.Versions:
    """Return what made a decision."""
    return pb.Versions(advisor=versions.advisor, rules=versions.rules, classifier=versions.gains)


def _source(source: RuleSource) -> _Fields:
    return {"id": source.id, "title": source.title, "reference": source.reference}


def _values(values: Sequence[float]) -> _Fields:
    return dict(zip(_VALUES, values, strict=True))


def _scorecard_row(row: ScorecardRow) -> _Fields:
    return {
        "title": row.title,
        "criterion": _CRITERIA[row.criterion],
        "points": _values(row.points),
        "evidence_ids": row.evidence,
    }


def _evidence(item: Evidence) -> _Fields:
    return {
        "kind": _KINDS[item.kind],
        "id": item.id,
        "criterion": _CRITERIA[item.criterion],
        "points": _values(item.points),
        "reason": item.reason,
        "sources": [_source(each) for each in item.sources],
        "factors": [{"fact": each.fact, "points": _values(each.points)} for each in item.factors],
        "facts": item.facts,
    }


def _told(told: RuleWarning | Advice) -> _Fields:
    return {"id": told.id, "text": told.text, "sources": [_source(each) for each in told.sources]}


def _flip(flip: Flip) -> _Fields:
    return {
        "fact": flip.fact,
        "current": flip.current,
        "change": flip.change,
        "approach": _APPROACHES[flip.approach],
        "sentence": flip.sentence,
    }


def _robustness(robustness: Robustness) -> _Fields:
    return {
        "kept_share": robustness.kept,
        "shares": _values(robustness.shares),
        "worlds": robustness.worlds,
    }


def _question(question: Question) -> _Fields:
    return {
        "fact": question.fact,
        "text": question.text,
        "measure": question.measure,
        "points_saved": question.points_saved,
        "choices": question.choices,
    }


def _case(similar: SimilarCase) -> _Fields:
    case = similar.case
    return {
        "id": case.id,
        "best": _APPROACHES[case.best],
        "acceptable": [_APPROACHES[each] for each in APPROACHES if each in case.acceptable],
        "similarity": similar.similarity,
        "scores": [
            {"arm": arm, "value": value, "gain": gain}
            for arms, gain in ((case.scores, False), (case.gains, True))
            for arm, value in arms.items()
        ],
        "source": _source(case.source),
        "matching_facts": similar.matching,
        "note": case.note,
        "differing_facts": [
            {"fact": each.fact, "case_value": each.case, "use_case_value": each.use_case}
            for each in similar.differing
        ],
    }


def _cost(estimate: CostEstimate) -> _Fields:
    volume = estimate.break_even
    return {
        "approaches": [_approach_cost(each) for each in estimate.approaches if each.possible],
        "break_even_queries_per_month": volume.value if volume else None,
        "break_even_low": volume.low if volume else None,
        "break_even_high": volume.high if volume else None,
        "assumptions": [_assumption(each) for each in estimate.assumptions],
        "queries_per_month": estimate.queries_per_month,
        "notes": estimate.notes,
        "summary": estimate.summary,
    }


def _approach_cost(cost: ApproachCost) -> _Fields:
    days = cost.building_days
    return {
        "approach": _APPROACHES[cost.approach],
        "per_answer_usd": cost.per_answer_usd,
        "per_month_usd": cost.per_month_usd,
        "per_month_low_usd": cost.per_month_low_usd,
        "per_month_high_usd": cost.per_month_high_usd,
        "training_run_usd": cost.training_run_usd,
        "training_runs_per_month": cost.training_runs_per_month,
        "tokens_per_query": cost.tokens_per_query,
        "cached_tokens_per_query": cost.cached_tokens_per_query,
        "prompt": cost.prompt,
        "building_days": days.value,
        "building_days_low": days.low,
        "building_days_high": days.high,
        "over_budget": cost.over_budget,
    }


def _assumption(item: Assumption) -> _Fields:
    return {
        "name": item.name,
        "value": item.value,
        "reason": item.reason,
        "source": item.source,
        "date": item.date,
        "low": item.low,
        "high": item.high,
        "month_at_low_usd": _values(item.month_at_low) if item.month_at_low else None,
        "month_at_high_usd": _values(item.month_at_high) if item.month_at_high else None,
    }
