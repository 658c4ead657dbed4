"""Decisions over the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import duration_pb2

from advisor.decision.recommendation import BASIC
from advisor.execution.current import CurrentAdvisor
from advisor.rpc.decision import DecisionServicer
from advisor.v1 import decision_service_pb2 as decision_pb2
from advisor.v1 import decision_service_pb2_grpc as decision_grpc
from advisor.v1 import facts_pb2, recommendation_pb2, use_case_pb2
from advisor.v1 import use_case_service_pb2 as service_pb2
from advisor.v1 import use_case_service_pb2_grpc as service_grpc
from advisor.wire.recommendation import recommendation_to_proto

DAILY = facts_pb2.Facts(update_interval=duration_pb2.Duration(seconds=86400))


def inline(facts: facts_pb2.Facts, **fields: object) -> decision_pb2.RecommendRequest:
    return decision_pb2.RecommendRequest(inline_use_case=use_case_pb2.UseCase(facts=facts), **fields)


@pytest.fixture
def stub(channel: grpc.Channel) -> decision_grpc.DecisionServiceStub:
    return decision_grpc.DecisionServiceStub(channel)


def test_recommends_by_facts(stub):
    """Daily changes lead to retrieval, with everything that explains it."""
    found = stub.Recommend(inline(DAILY)).recommendation
    assert found.approach == recommendation_pb2.APPROACH_RAG
    assert found.evidence[0].id == "fresh"


def test_basic_view_leaves_explanations_out(stub):
    """The basic view has scores and no evidence."""
    found = stub.Recommend(inline(DAILY, view=recommendation_pb2.RECOMMENDATION_VIEW_BASIC)).recommendation
    assert len(found.scores) == 4
    assert not found.evidence


def test_calls_at_once_answer_each_for_itself(stub, rules_advisor):
    """Among calls that come together each gets what it asked for, and what is wrong with one fails that one."""
    asked = [
        facts_pb2.Facts(update_interval=duration_pb2.Duration(seconds=seconds), needs_citations=cites)
        for seconds in (0, 3600, 86400, 10**7)  # at least 1 is allowed
        for cites in (True, False)
    ] * 8
    basic = recommendation_pb2.RECOMMENDATION_VIEW_BASIC
    calls = [stub.Recommend.future(inline(facts, view=basic)) for facts in asked]
    calls[-1].cancel()
    for facts, call in zip(asked[:-1], calls[:-1], strict=True):
        if facts.update_interval.seconds:
            expected = recommendation_to_proto(rules_advisor.recommend(facts, BASIC))
            assert call.result().recommendation == expected
        else:
            assert call.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_calls_at_once_keep_the_rules_they_began_with(rules_advisor):
    """New rules between two calls that are decided in one go count for the second alone."""
    current = CurrentAdvisor(rules_advisor)
    unused: Any = None
    servicer = DecisionServicer(current, unused, unused)
    request = inline(DAILY, view=recommendation_pb2.RECOMMENDATION_VIEW_BASIC)

    async def by_new_rules() -> decision_pb2.RecommendResponse:
        current.reload()
        return await servicer.Recommend(request, unused)

    found = await asyncio.gather(servicer.Recommend(request, unused), by_new_rules())
    rules = [each.recommendation.versions.rules for each in found]
    assert rules == [rules_advisor.versions.rules, current.version]
    assert rules[0] != rules[1]


def test_no_facts_is_undecided(stub):
    """Nothing known means no decision, and questions."""
    found = stub.Recommend(inline(facts_pb2.Facts())).recommendation
    assert found.approach == recommendation_pb2.APPROACH_UNDECIDED


def test_all_violations_at_once(stub, failure):
    """Every fact out of bounds is listed by its path."""
    bad = facts_pb2.Facts(new_knowledge_share=1.5, retrieval_hit_rate=float("nan"), corpus_tokens=-1)
    found = failure(lambda: stub.Recommend(inline(bad)))
    assert (found.code, found.reason) == ("INVALID_ARGUMENT", "INVALID_INPUT")
    assert set(found.fields) == {
        f"inline_use_case.facts.{name}"
        for name in ("new_knowledge_share", "retrieval_hit_rate", "corpus_tokens")
    }


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (decision_pb2.RecommendRequest(), ("target",)),
        (decision_pb2.RecommendRequest(use_case="faq", view=9), ("use_case", "view")),
        (inline(DAILY, view=9), ("view",)),
    ],
)
def test_refuses_bad_requests(stub, failure, request_, fields):
    """A request without a target, with a bad name or an unknown view is refused with all its faults."""
    assert failure(lambda: stub.Recommend(request_)).fields == fields


def test_stored_use_case(stub, channel):
    """A stored use case is decided by its facts."""
    use_case = use_case_pb2.UseCase(facts=DAILY)
    create = service_grpc.UseCaseServiceStub(channel).CreateUseCase
    create(service_pb2.CreateUseCaseRequest(use_case=use_case, use_case_id="faq"))
    found = stub.Recommend(decision_pb2.RecommendRequest(use_case="useCases/faq")).recommendation
    assert found.approach == recommendation_pb2.APPROACH_RAG


def test_missing_use_case(stub, failure):
    """A use case that does not exist is named."""
    found = failure(lambda: stub.Recommend(decision_pb2.RecommendRequest(use_case="useCases/none")))
    assert (found.code, found.metadata) == ("NOT_FOUND", {"resource": "useCases/none"})


def test_batch_keeps_order_and_puts_failures_in_place(stub):
    """Results come in order; a use case that does not exist is a status in its place."""
    requests = [
        inline(DAILY),
        decision_pb2.RecommendRequest(use_case="useCases/none"),
        inline(facts_pb2.Facts()),
    ]
    results = stub.BatchRecommend(decision_pb2.BatchRecommendRequest(requests=requests)).results
    assert [result.WhichOneof("result") for result in results] == [
        "recommendation",
        "error",
        "recommendation",
    ]
    assert results[1].error.code == grpc.StatusCode.NOT_FOUND.value[0]
    assert results[0].recommendation.approach == recommendation_pb2.APPROACH_RAG
    assert not results[0].recommendation.evidence


def test_batch_names_items_at_fault(stub, failure):
    """Invalid input fails the whole batch, with the path of each item at fault."""
    bad = facts_pb2.Facts(new_knowledge_share=2)
    batch = decision_pb2.BatchRecommendRequest(requests=[inline(DAILY), inline(bad), inline(bad)])
    assert failure(lambda: stub.BatchRecommend(batch)).fields == (
        "requests[1].inline_use_case.facts.new_knowledge_share",
        "requests[2].inline_use_case.facts.new_knowledge_share",
    )


@pytest.mark.parametrize("number", [0, 1001])
def test_batch_is_bounded(stub, failure, number):
    """An empty batch and one above the maximum are refused."""
    batch = decision_pb2.BatchRecommendRequest(requests=[inline(DAILY)] * number)
    assert failure(lambda: stub.BatchRecommend(batch)).fields == ("requests",)


def test_responses_that_no_client_takes(stub, failure, monkeypatch):
    """What would be too large to receive is refused with the way round."""
    monkeypatch.setattr("advisor.rpc.decision.RESPONSE_BYTES", 1000)
    batch = decision_pb2.BatchRecommendRequest(requests=[inline(DAILY)] * 20)
    found = failure(lambda: stub.BatchRecommend(batch))
    assert (found.code, found.reason) == ("RESOURCE_EXHAUSTED", "RESPONSE_TOO_LARGE")


def test_long_lists_of_violations_fit_the_trailers(stub, failure):
    """A thousand faults are cut to what clients accept as metadata, and the rest is counted."""
    bad = facts_pb2.Facts(new_knowledge_share=2, retrieval_hit_rate=2)
    batch = decision_pb2.BatchRecommendRequest(requests=[inline(bad)] * 1000)
    found = failure(lambda: stub.BatchRecommend(batch))
    assert found.code == "INVALID_ARGUMENT"
    assert found.fields[0].startswith("requests[0]")
    assert found.fields[-1] == ""


def test_rules_come_in_pages(stub, rules_advisor):
    """All rules are listed once, in the order of the file."""
    names, token = [], ""
    while True:
        page = stub.ListRules(decision_pb2.ListRulesRequest(page_size=2, page_token=token))
        names += [rule.id for rule in page.rules]
        if not (token := page.next_page_token):
            break
    assert names == [rule.id for rule in rules_advisor.knowledge.rules]


def test_a_source_is_the_same_wherever_it_is_cited(stub):
    """Its id is the key alone, and the place within it is part of the reference."""
    listed = stub.ListRules(decision_pb2.ListRulesRequest()).rules[0].sources
    evidence = stub.Recommend(inline(DAILY)).recommendation.evidence[0]
    assert list(listed) == list(evidence.sources)
    assert [(source.id, source.reference) for source in listed] == [("tests", "none, rule 1")]


def test_rules_refuse_foreign_tokens(stub, failure):
    """A token that the list did not hand out is refused."""
    found = failure(lambda: stub.ListRules(decision_pb2.ListRulesRequest(page_token="bm9uZQ==")))  # noqa: S106
    assert found.fields == ("page_token",)


def test_consultation_asks_until_it_is_stable(stub):
    """The server asks; an answer that decides ends the consultation with a reason."""

    def say() -> Iterator[decision_pb2.ConsultRequest]:
        yield decision_pb2.ConsultRequest(start=decision_pb2.ConsultStart())
        yield decision_pb2.ConsultRequest(answer=decision_pb2.ConsultAnswer(facts=DAILY))

    said = list(stub.Consult(say()))
    assert said[0].question.fact
    assert said[1].recommendation.approach == recommendation_pb2.APPROACH_RAG
    assert said[-1].questions_asked >= 1


def test_consultation_starts_with_start(stub, failure):
    """An answer to nothing is refused, and what was expected is told."""
    wrong = decision_pb2.ConsultRequest(answer=decision_pb2.ConsultAnswer())
    found = failure(lambda: list(stub.Consult(iter([wrong]))))
    assert found.fields == ("messages[0]",)
    assert "expected start" in found.message
