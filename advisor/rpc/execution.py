"""`advisor.v1.ExecutionService`: answers, tuning, passages made anew, adapters."""
# ruff: noqa: N802 - the names of the handlers are those of the proto

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from google.longrunning import operations_pb2
from google.protobuf import empty_pb2

from advisor.execution.answering import Ask, Execution, Plan
from advisor.execution.attribution import Attribution, token_of
from advisor.knowledge.approaches import Approach
from advisor.names import adapter_name
from advisor.rpc.asking import TRAINED, check_question, checked_ask, refuse_schema
from advisor.rpc.edge import Context
from advisor.rpc.erasing import Eraser
from advisor.rpc.lanes import Lane, Last, Slots
from advisor.rpc.operations import operation_with_response
from advisor.rpc.requests import Checks, fingerprint
from advisor.rpc.tuning import tuning_settings
from advisor.settings import Settings
from advisor.storage import adapters, outcomes
from advisor.storage.database import Database
from advisor.storage.passage_filters import restriction_of
from advisor.storage.records import Request
from advisor.telemetry.metrics import Metrics
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import execution_service_pb2_grpc as execution_grpc
from advisor.v1 import use_case_pb2
from advisor.wire.messages import (
    adapter_to_proto,
    duration_from_seconds,
    event_to_proto,
    references_to_proto,
)
from advisor.wire.recommendation import approach_to_proto, recommendation_to_proto
from advisor.work.jobs import JobRequest
from advisor.work.reindexing import ReindexJob
from advisor.work.submission import WorkQueue
from advisor.work.tuning import TuneJob
from backends.base import Answer, AnswerEvent, Token
from backends.training.stores import AdapterFiles

__all__ = ["ExecutionServicer"]

T = TypeVar("T")

MOST_FOUND = 100
USUALLY_FOUND = 10
"""Passages that a search returns where no limit is given."""


class ExecutionServicer(execution_grpc.ExecutionServiceServicer):
    """Carries approaches out.

    Args:
        execution: Does the work; blocks.
        database: Where adapters are listed.
        settings: Limits.
        files: Of adapters.
        eraser: Clears away what a deleted adapter leaves.
        queue: Takes long work.
        lane: Threads for the database.
        schema_lane: Threads that look into schemas.
        answer_lane: Threads for answers.
        answer_slots: Answers under way, those that wait for a thread included.
        metrics: Where answers and searches are measured.
    """

    def __init__(
        self,
        execution: Execution,
        database: Database,
        settings: Settings,
        *,
        files: AdapterFiles,
        eraser: Eraser,
        queue: WorkQueue,
        lane: Lane,
        schema_lane: Lane,
        answer_lane: Lane,
        answer_slots: Slots,
        metrics: Metrics,
    ) -> None:
        self._execution = execution
        self._queue = queue
        self._database = database
        self._settings = settings
        self._files = files
        self._eraser = eraser
        self._lane = lane
        self._schema_lane = schema_lane
        self._answer_lane = answer_lane
        self._answer_slots = answer_slots
        self._metrics = metrics
        self._key = b""

    async def Answer(
        self, request: execution_pb2.AnswerRequest, _context: Context
    ) -> AsyncIterator[execution_pb2.AnswerResponse]:
        """Answer a question; see the proto."""
        clock = _Clock(time.monotonic())
        ask = checked_ask(request, self._settings.question_characters)
        with self._answer_slots.taken():
            await refuse_schema(ask.options.output_schema, "options.output_schema", self._schema_lane)
            plan = await self._blocking(lambda: self._prepare(ask))
            yield execution_pb2.AnswerResponse(recommendation=recommendation_to_proto(plan.recommendation))
            work = partial(self._execution.answer, plan)
            async with aclosing(self._answer_lane.stream(work)) as events:
                async for event in events:
                    if isinstance(event, Last):
                        adapter = plan.adapter
                        name = adapter_name(adapter.use_case_id, adapter.id) if adapter else ""
                        summary = _summary(event.value, plan.approach, name, clock)
                        summary.attribution_token = self._token(plan, event.value.model)
                        _measure(self._metrics, plan.approach, event.value, summary)
                        yield execution_pb2.AnswerResponse(summary=summary)
                    else:
                        clock.note(event)
                        yield event_to_proto(event)

    async def Search(
        self, request: execution_pb2.SearchRequest, _context: Context
    ) -> execution_pb2.SearchResponse:
        """Find passages; see the proto."""
        checks = Checks()
        use_case_id = checks.use_case(request.use_case, "use_case")
        check_question(checks, request.question, self._settings.question_characters)
        if not 0 <= request.limit <= MOST_FOUND:
            checks.add("limit", f"is {request.limit}; it must be 1 to {MOST_FOUND}, or 0 for {USUALLY_FOUND}")
        within = None
        with checks.gather():
            within = restriction_of(request.filter, "filter")
        checks.refuse()
        limit = request.limit or USUALLY_FOUND
        with self._answer_slots.taken(), self._metrics.searching():
            hits = await self._answer_lane.run(
                partial(self._execution.search, use_case_id, request.question, limit, within)
            )
        return execution_pb2.SearchResponse(references=references_to_proto(hits))

    async def Tune(self, request: execution_pb2.TuneRequest, _context: Context) -> operations_pb2.Operation:
        """Start to train an adapter; see the proto."""
        checks = Checks()
        use_case_id = checks.use_case(request.parent, "parent")
        approach = checks.approach(request.approach, "approach", TRAINED) or Approach.FINE_TUNING
        adapter_id = checks.new_id(request.adapter_id, "adapter_id")
        request_id = checks.request_id(request.request_id)
        settings = tuning_settings(checks, request.settings, "settings", approach)
        checks.refuse()
        job = TuneJob(use_case_id, adapter_id, approach, settings)
        named = fingerprint("Tune", request, request_id)
        return await self._submitted(job, named, keep=not request.validate_only)

    async def Reindex(
        self, request: execution_pb2.ReindexRequest, _context: Context
    ) -> operations_pb2.Operation:
        """Start to make all passages anew; see the proto."""
        checks = Checks()
        request_id = checks.request_id(request.request_id)
        checks.refuse()
        job = ReindexJob(self._settings.embedder)
        return await self._submitted(job, fingerprint("Reindex", request, request_id))

    async def GetAdapter(
        self, request: execution_pb2.GetAdapterRequest, _context: Context
    ) -> use_case_pb2.Adapter:
        """Return an adapter; see the proto."""
        ids = _adapter(request.name)
        return adapter_to_proto(await self._blocking(lambda: adapters.get(self._database, *ids)))

    async def ListAdapters(
        self, request: execution_pb2.ListAdaptersRequest, _context: Context
    ) -> execution_pb2.ListAdaptersResponse:
        """List the adapters of a use case; see the proto."""
        checks = Checks()
        use_case_id = checks.use_case(request.parent, "parent")
        checks.page(request.page_size)
        checks.refuse()
        page = await self._blocking(
            lambda: adapters.list_page(
                self._database, use_case_id, size=request.page_size, token=request.page_token
            )
        )
        return execution_pb2.ListAdaptersResponse(
            adapters=map(adapter_to_proto, page.items), next_page_token=page.next_page_token
        )

    async def DeleteAdapter(
        self, request: execution_pb2.DeleteAdapterRequest, _context: Context
    ) -> empty_pb2.Empty:
        """Delete an adapter; see the proto."""
        ids = _adapter(request.name)
        await self._blocking(lambda: adapters.delete(self._database, *ids, self._files))
        self._eraser.clear(ids[0])
        return empty_pb2.Empty()

    async def _submitted(
        self, job: JobRequest, request: Request | None, *, keep: bool = True
    ) -> operations_pb2.Operation:
        def submit() -> operations_pb2.Operation:
            operation = self._queue.submit(job, request, keep=keep)
            # A repetition may find it ended.
            return operation_with_response(self._database, operation, kept=keep)

        return await self._blocking(submit)

    def _prepare(self, ask: Ask) -> Plan:
        plan = self._execution.prepare(ask)
        if plan.use_case is not None and not self._key:
            self._key = outcomes.signing_key(self._database)
        return plan

    def _token(self, plan: Plan, model: str) -> str:
        """Return what names an answer where its outcome is recorded; empty where nothing is kept of the use case."""
        if plan.use_case is None:
            return ""
        attribution = Attribution(
            plan.use_case.id,
            plan.use_case.create_time,
            plan.approach,
            plan.adapter.id if plan.adapter else None,
            datetime.now(UTC),
            {**plan.recommendation.versions.by_name, "model": model},
            uuid.uuid4(),
        )
        return token_of(attribution, self._key)

    async def _blocking(self, work: Callable[[], T]) -> T:
        return await self._lane.run(lambda _: work())


@dataclass(slots=True)
class _Clock:
    """When an answer began, and when its first token came."""

    began: float
    first_token: float | None = None

    def note(self, event: AnswerEvent) -> None:
        if self.first_token is None and isinstance(event, Token):
            self.first_token = time.monotonic()


def _adapter(name: str) -> tuple[str, str]:
    checks = Checks()
    ids = checks.adapter(name, "name")
    checks.refuse()
    return ids


def _measure(
    metrics: Metrics, approach: Approach, answer: Answer, summary: execution_pb2.AnswerSummary
) -> None:
    metrics.answered(
        approach,
        answer.finish_reason,
        input_tokens=answer.input_tokens,
        output_tokens=answer.output_tokens,
        first_token_s=summary.time_to_first_token.ToMicroseconds() / 1e6,
        total_s=summary.total_time.ToMicroseconds() / 1e6,
    )


def _summary(answer: Answer, approach: Approach, adapter: str, clock: _Clock) -> execution_pb2.AnswerSummary:
    ended = time.monotonic()
    return execution_pb2.AnswerSummary(
        finish_reason=f"FINISH_REASON_{answer.finish_reason}",
        approach=approach_to_proto(approach),
        adapter=adapter,
        model=answer.model,
        engine=answer.engine,
        input_tokens=answer.input_tokens,
        output_tokens=answer.output_tokens,
        time_to_first_token=duration_from_seconds((clock.first_token or ended) - clock.began),
        total_time=duration_from_seconds(ended - clock.began),
        citations=(
            execution_pb2.Citation(number=each.number, start_byte=each.start_byte, end_byte=each.end_byte)
            for each in answer.citations
        ),
        notes=answer.notes,
        unsupported=(
            execution_pb2.UnsupportedSentence(
                start_byte=each.start_byte, end_byte=each.end_byte, missing=each.missing
            )
            for each in answer.unsupported
        ),
    )
