"""Recommendations as messages, and approaches, views, evidence and scores both ways.

Nothing here needs grpc: `advisor recommend` prints messages and never loads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from advisor.decision.cost import ApproachCost, CostEstimate
from advisor.decision.evidence import Evidence, Factor, Kind
from advisor.decision.explanation import CriterionScore, Explanation, Question, Robustness
from advisor.decision.recommendation import Recommendation, Score, Versions, View
from advisor.decision.similar import SimilarCase
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.rules import RuleSource
from advisor.v1 import recommendation_pb2 as pb

__all__ = [
    "approach_from_proto",
    "approach_to_proto",
    "approach_values_to_proto",
    "criterion_to_proto",
    "evidence_from_proto",
    "question_to_proto",
    "recommendation_to_proto",
    "score_from_proto",
    "sources_to_proto",
    "view_from_proto",
]

_APPROACHES = {
    Approach.PROMPTING: pb.APPROACH_PROMPTING,
    Approach.RAG: pb.APPROACH_RAG,
    Approach.FINE_TUNING: pb.APPROACH_FINE_TUNING,
    Approach.HYBRID: pb.APPROACH_HYBRID,
}
_FROM_APPROACHES = {value: each for each, value in _APPROACHES.items()}
_CRITERIA = {
    None: pb.CRITERION_UNSPECIFIED,
    "freshness": pb.CRITERION_FRESHNESS,
    "specialization": pb.CRITERION_SPECIALIZATION,
    "cost": pb.CRITERION_COST,
    "retraining": pb.CRITERION_RETRAINING,
}
_FROM_CRITERIA = {value: name for name, value in _CRITERIA.items()}
_KINDS: dict[Kind, pb.Evidence.Kind] = {
    "PRIOR": pb.Evidence.KIND_PRIOR,
    "RULE": pb.Evidence.KIND_RULE,
    "CLASSIFIER": pb.Evidence.KIND_CLASSIFIER,
    "TRIAL": pb.Evidence.KIND_TRIAL,
}
_FROM_KINDS = {value: kind for kind, value in _KINDS.items()}
_FROM_VIEWS = {pb.RECOMMENDATION_VIEW_BASIC: View.BASIC, pb.RECOMMENDATION_VIEW_FULL: View.FULL}


def recommendation_to_proto(recommendation: Recommendation) -> pb.Recommendation:
    """Return a recommendation as it is sent, explained where it is."""
    approach, leader, runner_up = recommendation.approach, recommendation.leader, recommendation.runner_up
    message = pb.Recommendation(
        approach=_APPROACHES[approach] if approach else pb.APPROACH_UNDECIDED,
        leader=_APPROACHES[leader] if leader else None,
        runner_up=_APPROACHES[runner_up] if runner_up else None,
        scores=[_score(each) for each in recommendation.scores],
        vetoes=[
            pb.Veto(
                id=veto.id,
                approaches=_approaches(veto.approaches),
                reason=veto.reason,
                sources=sources_to_proto(veto.sources),
            )
            for veto in recommendation.vetoes
        ],
        versions=_versions(recommendation.versions),
    )
    if recommendation.explanation is not None:
        _explain(message, recommendation.explanation)
    return message


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
    prompting, rag, fine_tuning, hybrid = values
    return pb.ApproachValues(prompting=prompting, rag=rag, fine_tuning=fine_tuning, hybrid=hybrid)


def criterion_to_proto(name: str | None) -> pb.Criterion:
    """Return a trade-off as a value of the enum; unspecified where there is none."""
    return _CRITERIA[name]


def sources_to_proto(sources: Iterable[RuleSource]) -> list[pb.Source]:
    """Return publications, guides and measurements."""
    return [pb.Source(id=each.id, title=each.title, reference=each.reference) for each in sources]


def question_to_proto(question: Question) -> pb.Question:
    """Return a question."""
    return pb.Question(
        fact=question.fact,
        text=question.text,
        measure=question.measure,
        information_gain=question.information_gain,
        choices=question.choices,
    )


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
        log_odds=_numbers(message.log_odds),
        reason=message.reason,
        sources=tuple(RuleSource(each.id, each.title, each.reference) for each in message.sources),
        factors=tuple(Factor(each.fact, _numbers(each.log_odds)) for each in message.factors),
        facts=tuple(message.facts),
    )


def score_from_proto(message: pb.ApproachScore) -> Score:
    """Return a score that was sent; KeyError where it is of no approach."""
    approach = _FROM_APPROACHES[message.approach]
    return Score(approach, message.probability, message.log_odds, message.feasible)


def _explain(message: pb.Recommendation, explanation: Explanation) -> None:
    message.summary = explanation.summary
    message.criteria.extend(map(_criterion, explanation.criteria))
    message.evidence.extend(map(_evidence, explanation.evidence))
    for rule in explanation.unconsidered_rules:
        message.unconsidered_rules.add(id=rule.id, missing_facts=rule.missing_facts)
    for warning in explanation.warnings:
        message.warnings.add(id=warning.id, text=warning.text, sources=sources_to_proto(warning.sources))
    for flip in explanation.flips:
        message.flips.add(
            fact=flip.fact,
            current=flip.current,
            change=flip.change,
            approach=_APPROACHES[flip.approach],
            sentence=flip.sentence,
        )
    message.robustness.CopyFrom(_robustness(explanation.robustness))
    message.questions.extend(map(question_to_proto, explanation.questions))
    message.similar_cases.extend(map(_case, explanation.similar_cases))
    message.cost.CopyFrom(_cost(explanation.cost))


def _approaches(approaches: Iterable[Approach]) -> list[pb.Approach]:
    return [_APPROACHES[each] for each in approaches]


def _score(score: Score) -> pb.ApproachScore:
    return pb.ApproachScore(
        approach=_APPROACHES[score.approach],
        probability=score.probability,
        log_odds=score.log_odds,
        feasible=score.feasible,
    )


def _versions(versions: Versions) -> pb.Versions:
    return pb.Versions(advisor=versions.advisor, rules=versions.rules, classifier=versions.classifier)


def _criterion(score: CriterionScore) -> pb.CriterionScore:
    return pb.CriterionScore(
        criterion=_CRITERIA[score.name],
        value=score.value,
        lower=score.lower,
        upper=score.upper,
        factors=[
            pb.CriterionFactor(fact=each.fact, weight=each.weight, value=each.value) for each in score.factors
        ],
    )


def _evidence(item: Evidence) -> pb.Evidence:
    return pb.Evidence(
        kind=_KINDS[item.kind],
        id=item.id,
        criterion=_CRITERIA[item.criterion],
        log_odds=approach_values_to_proto(item.log_odds),
        reason=item.reason,
        sources=sources_to_proto(item.sources),
        factors=[
            pb.EvidenceFactor(fact=each.fact, log_odds=approach_values_to_proto(each.log_odds))
            for each in item.factors
        ],
        facts=item.facts,
    )


def _robustness(robustness: Robustness) -> pb.Robustness:
    return pb.Robustness(
        leader_share=robustness.leader_share,
        shares=approach_values_to_proto(robustness.shares),
        worlds=robustness.worlds,
    )


def _case(similar: SimilarCase) -> pb.SimilarCase:
    case = similar.case
    return pb.SimilarCase(
        id=case.id,
        best=_APPROACHES[case.best],
        acceptable=_approaches(each for each in APPROACHES if each in case.acceptable),
        similarity=similar.similarity,
        scores=[
            pb.CaseScore(arm=arm, value=value, gain=gain)
            for arms, gain in ((case.scores, False), (case.gains, True))
            for arm, value in arms.items()
        ],
        source=sources_to_proto((case.source,))[0],
        matching_facts=similar.matching,
        note=case.note,
    )


def _cost(estimate: CostEstimate) -> pb.CostEstimate:
    return pb.CostEstimate(
        approaches=map(_approach_cost, estimate.approaches),
        break_even_queries_per_month=estimate.break_even_queries_per_month,
        assumptions=[
            pb.CostAssumption(name=each.name, value=each.value, reason=each.reason)
            for each in estimate.assumptions
        ],
        summary=estimate.summary,
    )


def _approach_cost(cost: ApproachCost) -> pb.ApproachCost:
    return pb.ApproachCost(
        approach=_APPROACHES[cost.approach],
        per_answer_usd=cost.per_answer_usd,
        per_month_usd=cost.per_month_usd,
        training_run_usd=cost.training_run_usd,
        training_runs_per_month=cost.training_runs_per_month,
        tokens_per_query=cost.tokens_per_query,
        over_budget=cost.over_budget,
    )


def _numbers(values: pb.ApproachValues) -> tuple[float, ...]:
    """Return one number per approach in the order of `APPROACHES`."""
    return (values.prompting, values.rag, values.fine_tuning, values.hybrid)
