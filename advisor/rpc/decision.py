"""`advisor.v1.DecisionService`: needs no database for what is given inline."""
# ruff: noqa: N802 - the names of the handlers are those of the proto

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Protocol

import numpy as np
from google.rpc import status_pb2

from advisor.decision.advisor import Advisor
from advisor.decision.consultation import Consultation
from advisor.decision.recommendation import BASIC, FULL, Recommendation, View
from advisor.decision.rulebook import cite
from advisor.errors import AdvisorError, ResourceExhausted
from advisor.execution.current import CurrentAdvisor
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.facts import Row, encode_facts, encode_many
from advisor.knowledge.rules import Knowledge, Rule
from advisor.rpc.batches import Batches
from advisor.rpc.edge import Context
from advisor.rpc.lanes import Lane
from advisor.rpc.requests import Checks
from advisor.rpc.uploads import Messages
from advisor.storage import pages
from advisor.v1 import decision_service_pb2 as decision_pb2
from advisor.v1 import decision_service_pb2_grpc as decision_grpc
from advisor.wire.recommendation import (
    approach_to_proto,
    approach_values_to_proto,
    criterion_to_proto,
    question_to_proto,
    recommendation_to_proto,
    sources_to_proto,
    view_from_proto,
)
from advisor.wire.status import error_to_status

__all__ = ["BATCH", "DecisionServicer", "StoredDecisions"]

BATCH = 1_000
"""Most requests of one BatchRecommend."""
RESPONSE_BYTES = 4 * 1024 * 1024
"""What clients accept unless they are told otherwise."""
CONSULT_IDLE_S = 1800.0
"""Silence after which a consultation is given up; people answer slowly."""


class StoredDecisions(Protocol):
    """Decides about stored use cases."""

    def recommend_stored(self, use_case_id: str, view: View, advisor: Advisor) -> Recommendation:
        """Return an advisor's recommendation for a stored use case; NotFound where it does not exist."""
        ...


class DecisionServicer(decision_grpc.DecisionServiceServicer):
    """Recommends an approach; every call goes on to its end with the rules that it began with.

    Args:
        current: Decides; fast enough to run in the event loop, the basic view about all that wait in one go.
        stored: Decides about stored use cases; blocks.
        lane: Threads for whatever is too slow for the event loop.
    """

    def __init__(self, current: CurrentAdvisor, stored: StoredDecisions, lane: Lane) -> None:
        self._current = current
        self._stored = stored
        self._lane = lane
        self._batches = Batches(_decide_all)

    async def Recommend(
        self, request: decision_pb2.RecommendRequest, _context: Context
    ) -> decision_pb2.RecommendResponse:
        """Recommend an approach; see the proto."""
        checks = Checks()
        use_case_id = _check(checks, request, "")
        checks.refuse()
        view = view_from_proto(request.view) or FULL
        advisor = self._current.now
        facts, path = request.inline_use_case.facts, "inline_use_case.facts"
        if not use_case_id and view is BASIC:
            return await self._batches.do((advisor, encode_facts(facts, path)))
        if not use_case_id:
            found = advisor.recommend(facts, view, path)
        else:
            found = await self._lane.run(lambda _: self._stored.recommend_stored(use_case_id, view, advisor))
        return _response(found)

    async def BatchRecommend(
        self, request: decision_pb2.BatchRecommendRequest, _context: Context
    ) -> decision_pb2.BatchRecommendResponse:
        """Recommend an approach for each of many use cases; see the proto."""
        checks = Checks()
        if not 1 <= len(request.requests) <= BATCH:
            checks.add("requests", f"has {len(request.requests):,} items; allowed: 1 to {BATCH:,}")
        else:
            for number, item in enumerate(request.requests):
                _check(checks, item, f"requests[{number}].")
        checks.refuse()
        advisor = self._current.now
        results = await self._lane.run(lambda cancelled: self._batch(request.requests, advisor, cancelled))
        response = decision_pb2.BatchRecommendResponse(results=results)
        if response.ByteSize() > RESPONSE_BYTES:
            raise ResourceExhausted(
                "RESPONSE_TOO_LARGE",
                f"the response would take {response.ByteSize():,} bytes, and clients accept {RESPONSE_BYTES:,}; "
                "send fewer requests at a time, or ask for the BASIC view",
            )
        return response

    async def ListRules(
        self, request: decision_pb2.ListRulesRequest, _context: Context
    ) -> decision_pb2.ListRulesResponse:
        """List the knowledge base; see the proto."""
        knowledge = self._current.now.knowledge
        size = pages.page_size(request.page_size, default=100, maximum=500)
        listing = f"rules/{knowledge.digest}"
        start = pages.start(request.page_token, listing, [rule.id for rule in knowledge.rules])
        page = pages.page_of(
            knowledge.rules[start : start + size + 1], size, listing, lambda rule: (rule.id,)
        )
        return decision_pb2.ListRulesResponse(
            rules=(rule_to_proto(rule, knowledge) for rule in page.items),
            next_page_token=page.next_page_token,
        )

    async def Consult(
        self, request_iterator: AsyncIterator[decision_pb2.ConsultRequest], _context: Context
    ) -> AsyncIterator[decision_pb2.ConsultResponse]:
        """Ask the most informative question next; see the proto."""
        messages = Messages(request_iterator, CONSULT_IDLE_S)
        first = await messages.next()
        part = None if first is None else first.WhichOneof("message")
        if first is None or part != "start":
            messages.unexpected(part, "start")
        consultation = Consultation(self._current.now, first.start.facts, first.start.max_questions)
        while True:
            step = await self._lane.run(lambda _: consultation.next())
            yield decision_pb2.ConsultResponse(
                recommendation=recommendation_to_proto(step.recommendation),
                question=question_to_proto(step.question) if step.question else None,
                stop_reason=step.stop_reason,
                questions_asked=step.questions_asked,
            )
            if step.stop_reason or (message := await messages.next()) is None:
                return
            if message.WhichOneof("message") != "answer":
                messages.unexpected(message.WhichOneof("message"), "an answer")
            consultation.answer(message.answer.facts, message.answer.unknown)

    def _batch(
        self,
        requests: Sequence[decision_pb2.RecommendRequest],
        advisor: Advisor,
        cancelled: Callable[[], bool],
    ) -> list[decision_pb2.BatchRecommendResult]:
        """Decide about all that is inline at once, and about what is stored one by one."""
        results = [decision_pb2.BatchRecommendResult() for _ in requests]
        inline = [number for number, item in enumerate(requests) if item.HasField("inline_use_case")]
        rows = encode_many(
            [requests[number].inline_use_case.facts for number in inline],
            [f"requests[{number}].inline_use_case.facts" for number in inline],
        )
        views = [view_from_proto(requests[number].view) or BASIC for number in inline]
        found = advisor.recommend_rows(rows, views)
        for number, recommendation in zip(inline, found, strict=True):
            results[number].recommendation.CopyFrom(recommendation_to_proto(recommendation))
        for item, result in zip(requests, results, strict=True):
            if item.HasField("use_case") and not cancelled():
                self._decide_stored(item, advisor, result)
        return results

    def _decide_stored(
        self, item: decision_pb2.RecommendRequest, advisor: Advisor, result: decision_pb2.BatchRecommendResult
    ) -> None:
        try:
            use_case_id = Checks().use_case(item.use_case, "use_case")
            found = self._stored.recommend_stored(use_case_id, view_from_proto(item.view) or BASIC, advisor)
            result.recommendation.CopyFrom(recommendation_to_proto(found))
        except AdvisorError as error:
            result.error.CopyFrom(error_to_status(error) or status_pb2.Status())


def _decide_all(asked: Sequence[tuple[Advisor, Row]]) -> list[decision_pb2.RecommendResponse]:
    """Decide, in the basic view, about what each call asks of the advisor that it began with."""
    responses: list[decision_pb2.RecommendResponse] = []
    for advisor, calls in groupby(asked, key=itemgetter(0)):
        rows = np.array([row for _, row in calls])
        responses.extend(map(_response, advisor.recommend_rows(rows, [BASIC] * len(rows))))
    return responses


def _response(found: Recommendation) -> decision_pb2.RecommendResponse:
    return decision_pb2.RecommendResponse(recommendation=recommendation_to_proto(found))


def rule_to_proto(rule: Rule, knowledge: Knowledge) -> decision_pb2.Rule:
    """Return a rule of the knowledge base."""
    return decision_pb2.Rule(
        id=rule.id,
        kind=f"KIND_{rule.kind.upper()}",
        criterion=criterion_to_proto(rule.criterion),
        tests=(decision_pb2.RuleTest(subject=test.subject, test=test.text) for test in rule.tests),
        log_odds=approach_values_to_proto(rule.log_odds) if rule.kind == "evidence" else None,
        steps=[approach_to_proto(each) for each in APPROACHES if each in rule.steps],
        excludes=[approach_to_proto(each) for each in APPROACHES if each in rule.excludes],
        reason=rule.reason,
        sources=sources_to_proto(cite(rule.sources, knowledge)),
    )


def _check(checks: Checks, request: decision_pb2.RecommendRequest, prefix: str) -> str:
    """Check a request's target and view; return the id of the stored use case, where it names one."""
    use_case_id = ""
    if request.HasField("use_case"):
        use_case_id = checks.use_case(request.use_case, f"{prefix}use_case")
    elif not request.HasField("inline_use_case"):
        checks.add(f"{prefix}target", "is missing; name a use_case, or give an inline_use_case")
    if request.view and view_from_proto(request.view) is None:
        checks.add(f"{prefix}view", f"{request.view} is not a view; allowed: BASIC, FULL, or unspecified")
    return use_case_id
