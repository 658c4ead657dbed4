"""`google.longrunning.Operations`: long work, as clients see it."""
# ruff: noqa: N802 - the names of the handlers are those of the proto

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf import empty_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from advisor.errors import Failure, NotFound
from advisor.rpc.edge import Context
from advisor.rpc.lanes import Lane
from advisor.rpc.requests import Checks
from advisor.storage import adapters, operations
from advisor.storage.database import Database
from advisor.storage.operations import Operation, State
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import use_case_pb2
from advisor.wire.messages import adapter_to_proto, duration_from_seconds, timestamp
from advisor.wire.status import DOMAIN

__all__ = ["OperationsServicer", "operation_to_proto"]

T = TypeVar("T")

MOST_WAIT_S = 300.0
"""Longest wait of one WaitOperation; a client that wants more asks again."""
_DONE_FILTERS = {"": None, "done=true": True, "done=false": False}


class OperationsServicer(operations_pb2_grpc.OperationsServicer):  # type: ignore[misc]  # untyped
    """Get, list, wait for, cancel and delete operations."""

    def __init__(self, database: Database, lane: Lane) -> None:
        self._database = database
        self._lane = lane

    async def GetOperation(
        self, request: operations_pb2.GetOperationRequest, _context: Context
    ) -> operations_pb2.Operation:
        """Return an operation as it is now."""
        operation_id = _named(request.name)
        return await self._blocking(lambda: self._to_proto(operations.get(self._database, operation_id)))

    async def ListOperations(
        self, request: operations_pb2.ListOperationsRequest, _context: Context
    ) -> operations_pb2.ListOperationsResponse:
        """List operations, newest first; `filter` may be `done=true` or `done=false`."""
        checks = Checks()
        if request.name not in ("", "operations"):
            checks.add("name", 'is not the collection of operations; write "operations", or leave it empty')
        if request.filter not in _DONE_FILTERS:
            checks.add("filter", "cannot be read; allowed: done=true, done=false, or none")
        checks.page(request.page_size)
        checks.refuse()
        done = _DONE_FILTERS[request.filter]

        def work() -> operations_pb2.ListOperationsResponse:
            page = operations.list_page(
                self._database, done=done, size=request.page_size, token=request.page_token
            )
            return operations_pb2.ListOperationsResponse(
                operations=[self._to_proto(each) for each in page.items],
                next_page_token=page.next_page_token,
            )

        return await self._blocking(work)

    async def WaitOperation(
        self, request: operations_pb2.WaitOperationRequest, context: Context
    ) -> operations_pb2.Operation:
        """Return an operation when it has ended, or as it is when the time is up.

        The time is the request's timeout, the call's deadline, or five minutes, whichever is shortest.
        """
        operation_id = _named(request.name)
        timeout_s = MOST_WAIT_S
        if request.HasField("timeout"):
            timeout_s = min(timeout_s, max(0.0, request.timeout.ToMilliseconds() / 1000))
        remaining_s = context.time_remaining()
        if remaining_s is not None:  # answer before the deadline cuts the call
            timeout_s = min(timeout_s, max(0.0, remaining_s - 0.25))
        operation = await operations.wait(self._database, operation_id, timeout_s)
        return await self._blocking(lambda: self._to_proto(operation))

    async def CancelOperation(
        self, request: operations_pb2.CancelOperationRequest, _context: Context
    ) -> empty_pb2.Empty:
        """Ask an operation to stop; one that has ended stays as it is."""
        operation_id = _named(request.name)
        await self._blocking(lambda: operations.request_cancel(self._database, operation_id))
        return empty_pb2.Empty()

    async def DeleteOperation(
        self, request: operations_pb2.DeleteOperationRequest, _context: Context
    ) -> empty_pb2.Empty:
        """Forget an operation that has ended."""
        operation_id = _named(request.name)
        await self._blocking(lambda: operations.delete(self._database, operation_id))
        return empty_pb2.Empty()

    def _to_proto(self, operation: Operation) -> operations_pb2.Operation:
        adapter = None
        if operation.state is State.SUCCEEDED:
            _, use_case_id, _, adapter_id = operation.target.split("/")
            try:
                adapter = adapter_to_proto(adapters.get(self._database, use_case_id, adapter_id))
            except NotFound:  # deleted since
                adapter = use_case_pb2.Adapter(name=operation.target)
        return operation_to_proto(operation, adapter)

    async def _blocking(self, work: Callable[[], T]) -> T:
        return await self._lane.run(lambda _: work())


def operation_to_proto(
    operation: Operation, adapter: use_case_pb2.Adapter | None = None
) -> operations_pb2.Operation:
    """Return an operation as clients see it; `adapter` is the response of one that succeeded."""
    message = operations_pb2.Operation(name=operation.name, done=operation.done)
    message.metadata.Pack(_metadata(operation))
    if adapter is not None:
        message.response.Pack(adapter)
    elif operation.done:
        message.error.CopyFrom(_error(operation))
    return message


def _metadata(operation: Operation) -> execution_pb2.TuneMetadata:
    metadata = execution_pb2.TuneMetadata(
        adapter=operation.target,
        create_time=timestamp(operation.create_time),
        update_time=timestamp(operation.update_time),
        attempt=operation.attempt,
    )
    progress = operation.progress
    remaining_s = progress.get("remaining_s")
    if remaining_s is not None and not operation.done:
        metadata.remaining.CopyFrom(duration_from_seconds(remaining_s))
    for field in ("step", "total_steps", "training_loss", "held_out_loss"):
        if progress.get(field) is not None:
            setattr(metadata, field, progress[field])
    stages = execution_pb2.TuneMetadata.Stage
    if operation.done:
        metadata.stage = stages.STAGE_DONE
    elif operation.state is State.QUEUED:
        metadata.stage = stages.STAGE_QUEUED
    else:
        metadata.stage = getattr(stages, f"STAGE_{progress.get('stage', 'PREPARING')}")
    return metadata


def _error(operation: Operation) -> status_pb2.Status:
    failure = operation.error or Failure(
        "CANCELLED", "OPERATION_CANCELLED", f"{operation.name} was cancelled before it ended"
    )
    status = status_pb2.Status(code=code_pb2.Code.Value(failure.code), message=failure.message)
    info = error_details_pb2.ErrorInfo(
        reason=failure.reason, domain=DOMAIN, metadata={"operation": operation.name}
    )
    status.details.add().Pack(info)
    return status


def _named(name: str) -> str:
    checks = Checks()
    operation_id = checks.operation(name, "name")
    checks.refuse()
    return operation_id
