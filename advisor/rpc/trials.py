"""`advisor.v1.TrialService`: data measured; trials begun, read, told as reports, deleted."""
# ruff: noqa: N802 - the names of the handlers are those of the proto

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from google.longrunning import operations_pb2
from google.protobuf import empty_pb2

from advisor.execution.answering import Execution
from advisor.execution.stored_facts import profile_of
from advisor.knowledge.approaches import Approach
from advisor.metrics.choosing import METRICS
from advisor.names import shown
from advisor.rpc.asking import refuse_schema
from advisor.rpc.edge import Context
from advisor.rpc.lanes import Lane
from advisor.rpc.operations import operation_with_response
from advisor.rpc.requests import Checks, fingerprint
from advisor.rpc.tuning import tuning_settings
from advisor.storage import trials, use_cases
from advisor.storage.database import Database
from advisor.trials.arms import Arm
from advisor.trials.settings import LEAST_HELD_OUT, MOST_HELD_OUT, TrialSettings
from advisor.v1 import profile_pb2, trial_pb2
from advisor.v1 import trial_service_pb2 as service_pb2
from advisor.v1 import trial_service_pb2_grpc as service_grpc
from advisor.wire.profiles import profile_to_proto
from advisor.wire.trials import arm_from_proto, given_settings, trial_to_proto
from advisor.work.profiling import ProfileJob
from advisor.work.reporting import report_of, summed
from advisor.work.submission import WorkQueue
from advisor.work.trials import trial_job
from backends.generation.schemas import text_fault

__all__ = ["TrialServicer"]

T = TypeVar("T")

LEAST_DURATION_S, MOST_DURATION_S = 60.0, 30 * 86400.0


class TrialServicer(service_grpc.TrialServiceServicer):
    """Measures approaches against each other.

    Args:
        execution: Says what is recommended before anything is measured.
        database: Where trials are kept.
        queue: Takes long work.
        lane: Threads for the database.
        schema_lane: Threads that look into schemas.
    """

    def __init__(
        self, execution: Execution, database: Database, queue: WorkQueue, lane: Lane, schema_lane: Lane
    ) -> None:
        self._execution = execution
        self._queue = queue
        self._database = database
        self._lane = lane
        self._schema_lane = schema_lane

    async def MeasureProfile(
        self, request: service_pb2.MeasureProfileRequest, _context: Context
    ) -> operations_pb2.Operation:
        """Start to measure a use case; see the proto."""
        checks = Checks()
        use_case_id = checks.use_case(request.parent, "parent")
        request_id = checks.request_id(request.request_id)
        given = {field.name: value for field, value in request.settings.ListFields()}
        if given.get("asked"):
            checks.bounds(given["asked"], "settings.asked", LEAST_HELD_OUT, MOST_HELD_OUT)
        checks.refuse()
        named = fingerprint("MeasureProfile", request, request_id)
        job = ProfileJob(use_case_id, **given)
        return await self._blocking(
            lambda: operation_with_response(self._database, self._queue.submit(job, named))
        )

    async def GetProfile(
        self, request: service_pb2.GetProfileRequest, _context: Context
    ) -> profile_pb2.Profile:
        """Return what was measured of a use case; see the proto."""
        checks = Checks()
        use_case_id = checks.profile(request.name, "name")
        checks.refuse()
        database = self._database

        def work() -> profile_pb2.Profile:
            return profile_to_proto(profile_of(database, use_cases.get(database, use_case_id)))

        return await self._blocking(work)

    async def RunTrial(
        self, request: service_pb2.RunTrialRequest, _context: Context
    ) -> operations_pb2.Operation:
        """Start a trial; see the proto."""
        checks = Checks()
        use_case_id = checks.use_case(request.parent, "parent")
        trial_id = checks.new_id(request.trial_id, "trial_id")
        request_id = checks.request_id(request.request_id)
        settings = _settings(checks, request.settings)
        checks.refuse()
        await refuse_schema(settings.output_schema, "settings.output_schema", self._schema_lane)
        named = fingerprint("RunTrial", request, request_id)

        def submit() -> operations_pb2.Operation:
            keep = not request.validate_only
            job = trial_job(self._database, self._execution, use_case_id, trial_id, settings)
            return operation_with_response(
                self._database, self._queue.submit(job, named, keep=keep), kept=keep
            )

        return await self._blocking(submit)

    async def GetTrial(self, request: service_pb2.GetTrialRequest, _context: Context) -> trial_pb2.Trial:
        """Return a trial; see the proto."""
        ids = _named(request.name)
        database = self._database
        return await self._blocking(lambda: trial_to_proto(summed(database, trials.get(database, *ids))))

    async def ListTrials(
        self, request: service_pb2.ListTrialsRequest, _context: Context
    ) -> service_pb2.ListTrialsResponse:
        """List the trials of a use case; see the proto."""
        checks = Checks()
        use_case_id = checks.use_case(request.parent, "parent")
        checks.page(request.page_size)
        checks.refuse()

        def work() -> service_pb2.ListTrialsResponse:
            page = trials.list_page(
                self._database, use_case_id, size=request.page_size, token=request.page_token
            )
            return service_pb2.ListTrialsResponse(
                trials=[trial_to_proto(each, brief=True) for each in page.items],
                next_page_token=page.next_page_token,
            )

        return await self._blocking(work)

    async def DeleteTrial(
        self, request: service_pb2.DeleteTrialRequest, _context: Context
    ) -> empty_pb2.Empty:
        """Delete a trial; see the proto."""
        ids = _named(request.name)
        await self._blocking(lambda: trials.delete(self._database, *ids))
        return empty_pb2.Empty()

    async def GetTrialReport(
        self, request: service_pb2.GetTrialReportRequest, _context: Context
    ) -> service_pb2.GetTrialReportResponse:
        """Return a trial as a report; see the proto."""
        ids = _named(request.name)
        name = service_pb2.GetTrialReportRequest.Format.Name(request.format).removeprefix("FORMAT_")
        report = await self._blocking(lambda: report_of(self._database, *ids, name))
        return service_pb2.GetTrialReportResponse(content=report.content, media_type=report.media_type)

    async def _blocking(self, work: Callable[[], T]) -> T:
        return await self._lane.run(lambda _: work())


def _settings(checks: Checks, message: trial_pb2.TrialSettings) -> TrialSettings:
    given = given_settings(message)
    for place, value in enumerate(message.arms):
        if arm_from_proto(value) is None:
            checks.add(f"settings.arms[{place}]", f"{value} is no arm; allowed: {', '.join(Arm)}")
    if "held_out" in given:
        checks.bounds(given["held_out"], "settings.held_out", LEAST_HELD_OUT, MOST_HELD_OUT)
    if "max_duration_s" in given:
        checks.bounds(given["max_duration_s"], "settings.max_duration", LEAST_DURATION_S, MOST_DURATION_S)
    if message.metric and message.metric not in METRICS:
        checks.add("settings.metric", f"{shown(message.metric)} is no metric; allowed: {', '.join(METRICS)}")
    if message.output_schema and (fault := text_fault(message.output_schema)):
        checks.add("settings.output_schema", fault)
    given["tuning"] = tuning_settings(checks, message.tuning, "settings.tuning")
    given["hybrid"] = tuning_settings(Checks(), message.tuning, "settings.tuning", Approach.HYBRID)
    return TrialSettings(**given)


def _named(name: str) -> tuple[str, str]:
    checks = Checks()
    ids = checks.trial(name, "name")
    checks.refuse()
    return ids
