"""`advisor.v1.LearningService`: outcomes recorded, what was measured listed, how advice fared."""
# ruff: noqa: N802 - the names of the handlers are those of the proto

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from advisor.execution.attribution import Attribution, check_current, read_token
from advisor.execution.stored_facts import known_facts
from advisor.names import principal, use_case_name
from advisor.rpc.edge import Context
from advisor.rpc.lanes import Lane
from advisor.rpc.requests import Checks, fingerprint
from advisor.storage import measured_cases, outcomes, use_cases
from advisor.storage.database import Database
from advisor.storage.measured_cases import KeptCase
from advisor.storage.outcomes import KeptOutcome
from advisor.v1 import learning_service_pb2 as learning_pb2
from advisor.v1 import learning_service_pb2_grpc as learning_grpc
from advisor.wire.learning import (
    measured_case_to_proto,
    outcome_to_proto,
    outcomes_to_proto,
    track_record_to_proto,
)
from advisor.work.reporting import track_record

__all__ = ["LearningServicer"]

T = TypeVar("T")

EVERY = "useCases/-"
CLOCKS = timedelta(minutes=1)
"""How far the clocks of client and server may be apart."""
_TIME = "outcome_time"


class LearningServicer(learning_grpc.LearningServiceServicer):
    """Keeps what was measured.

    Args:
        database: Where it is kept.
        lane: Threads for the database.
    """

    def __init__(self, database: Database, lane: Lane) -> None:
        self._database = database
        self._lane = lane

    async def RecordOutcome(
        self, request: learning_pb2.RecordOutcomeRequest, _context: Context
    ) -> learning_pb2.RecordOutcomeResponse:
        """Record what became of an answer; see the proto."""
        checks = Checks()
        use_case_id = checks.use_case(request.parent, "parent")
        quality = _quality(checks, request)
        told = _told_at(checks, request)
        request_id = checks.request_id(request.request_id)
        checks.refuse()
        named = fingerprint("RecordOutcome", request, request_id)

        def work() -> KeptOutcome:
            attribution = self._attributed(request.attribution_token, use_case_id)
            check_current(attribution, use_cases.get(self._database, use_case_id))
            outcome = _outcome(attribution, quality, told)
            return outcomes.record(self._database, outcome, request=named)

        return learning_pb2.RecordOutcomeResponse(outcome=outcome_to_proto(await self._blocking(work)))

    async def ListMeasuredCases(
        self, request: learning_pb2.ListMeasuredCasesRequest, _context: Context
    ) -> learning_pb2.ListMeasuredCasesResponse:
        """List what was measured; see the proto."""
        checks = Checks()
        use_case_id = None if request.parent == EVERY else checks.use_case(request.parent, "parent")
        checks.page(request.page_size)
        checks.refuse()

        def work() -> learning_pb2.ListMeasuredCasesResponse:
            page = measured_cases.list_page(
                self._database,
                use_case_id,
                principal=principal(),
                size=request.page_size,
                token=request.page_token,
            )
            return learning_pb2.ListMeasuredCasesResponse(
                measured_cases=map(self._case, page.items), next_page_token=page.next_page_token
            )

        return await self._blocking(work)

    async def GetTrackRecord(
        self, _request: learning_pb2.GetTrackRecordRequest, _context: Context
    ) -> learning_pb2.TrackRecord:
        """Return how advice fared; see the proto."""

        def work() -> learning_pb2.TrackRecord:
            return track_record_to_proto(track_record(self._database, principal()))

        return await self._blocking(work)

    def _attributed(self, token: str, use_case_id: str) -> Attribution:
        """Return what a token names; InvalidInput where it is none of the use case."""
        checks = Checks()
        with checks.gather():
            attribution = read_token(token, outcomes.signing_key(self._database))
            if attribution.use_case_id != use_case_id:
                checks.add(
                    "attribution_token",
                    f"is of an answer to another use case; give the answer's own in place of "
                    f"{use_case_name(use_case_id)}",
                )
        checks.refuse()
        return attribution

    def _case(self, kept: KeptCase) -> learning_pb2.MeasuredCase:
        if kept.trial_id:
            return measured_case_to_proto(kept)
        facts, _ = known_facts(self._database, use_cases.get(self._database, kept.use_case_id))
        return outcomes_to_proto(kept, facts)

    async def _blocking(self, work: Callable[[], T]) -> T:
        return await self._lane.run(lambda _: work())


def _quality(checks: Checks, request: learning_pb2.RecordOutcomeRequest) -> float:
    """Return how good an answer is said to have been."""
    match request.WhichOneof("outcome"):
        case "right":
            return float(request.right)
        case "quality":
            checks.bounds(request.quality, "quality", 0, 1)
            return request.quality
        case _:
            checks.add("outcome", "is missing; give quality, from 0 to 1, or right")
            return 0.0


def _told_at(checks: Checks, request: learning_pb2.RecordOutcomeRequest) -> datetime:
    """Return when an outcome was known."""
    now = datetime.now(UTC)
    if not request.HasField(_TIME):
        return now
    try:
        told = request.outcome_time.ToDatetime(UTC)
    except (ValueError, OverflowError):
        checks.add(_TIME, "is no time; allowed: years 1 to 9999, nanos from 0 to 999,999,999")
        return now
    if told > now + CLOCKS:
        checks.add(_TIME, f"{told.isoformat()} is in the future; give when the outcome was known, or nothing")
    return min(told, now)


def _outcome(attribution: Attribution, quality: float, told: datetime) -> KeptOutcome:
    answered = attribution.answer_time
    checks = Checks()
    if told < answered - CLOCKS:
        checks.add(_TIME, f"{told.isoformat()} is before the answer, {answered.isoformat()}; leave it out")
    checks.refuse()
    return KeptOutcome(
        use_case_id=attribution.use_case_id,
        answer_id=attribution.answer_id,
        approach=attribution.approach,
        adapter_id=attribution.adapter_id,
        versions=attribution.versions,
        quality=quality,
        answer_time=answered,
        outcome_time=max(told, answered),
    )
