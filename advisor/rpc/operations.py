"""`google.longrunning.Operations`: long work, as clients see it."""
# ruff: noqa: N802 - the names of the handlers are those of the proto

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf import empty_pb2

from advisor.errors import PermissionDenied, Unsupported
from advisor.names import principal, shown
from advisor.rpc.doorkeeper import role
from advisor.rpc.edge import Context
from advisor.rpc.endings import Endings
from advisor.rpc.lanes import Lane, Slots
from advisor.rpc.requests import Checks
from advisor.storage import operations
from advisor.storage.database import Database
from advisor.storage.filters import Condition, parse_filter
from advisor.storage.operations import Operation
from advisor.storage.tokens import Role
from advisor.wire.operations import operation_to_proto
from advisor.work.kinds import KINDS, read_made

__all__ = ["OperationsServicer", "operation_with_response"]

T = TypeVar("T")

MOST_WAIT_S = 300.0
"""Longest wait of one WaitOperation; a client that wants more asks again."""
WAITS = 500
"""Calls that may wait at a time; each takes a place of the server's."""


class OperationsServicer(operations_pb2_grpc.OperationsServicer):  # type: ignore[misc]  # untyped
    """Get, list, wait for, cancel and delete operations."""

    def __init__(self, database: Database, lane: Lane) -> None:
        self._database = database
        self._lane = lane
        self._endings = Endings(database, lane)
        self._waits = Slots("calls that wait for operations", WAITS, retry_s=5.0)

    async def GetOperation(
        self, request: operations_pb2.GetOperationRequest, _context: Context
    ) -> operations_pb2.Operation:
        """Return an operation as it is now."""
        operation_id = _named(request.name)
        return await self._blocking(lambda: self._get(operation_id))

    async def ListOperations(
        self, request: operations_pb2.ListOperationsRequest, _context: Context
    ) -> operations_pb2.ListOperationsResponse:
        """List operations, newest first; `advisor.storage.operations.filters` says by what to filter them."""
        checks = Checks()
        if request.name not in ("", "operations"):
            checks.add(
                "name", f"{shown(request.name)} holds no operations; write operations, or leave it empty"
            )
        conditions: Sequence[Condition] = ()
        with checks.gather():
            conditions = parse_filter(request.filter, operations.filters(KINDS))
        checks.page(request.page_size)
        checks.refuse()
        if getattr(request, "return_partial_success", False):  # older protos of Google's lack it
            raise Unsupported(
                "return_partial_success is not supported, since all operations are in one place; leave it out"
            )

        def work() -> operations_pb2.ListOperationsResponse:
            page = operations.list_page(
                self._database,
                principal=principal(),
                conditions=conditions,
                size=request.page_size,
                token=request.page_token,
            )
            return operations_pb2.ListOperationsResponse(
                operations=[operation_with_response(self._database, each) for each in page.items],
                next_page_token=page.next_page_token,
            )

        return await self._blocking(work)

    async def WaitOperation(
        self, request: operations_pb2.WaitOperationRequest, context: Context
    ) -> operations_pb2.Operation:
        """Return an operation when it has ended, or as it is when the time is up.

        The time is the request's timeout, the call's deadline, or five minutes, whichever is shortest.
        """
        checks = Checks()
        operation_id = checks.operation(request.name, "name")
        timeout_s = MOST_WAIT_S
        if request.HasField("timeout"):
            timeout_s = min(timeout_s, checks.timeout(request.timeout, "timeout"))
        checks.refuse()
        operation = await self._blocking(lambda: self._get(operation_id))
        remaining_s = context.time_remaining()
        if remaining_s is not None:  # answer before the deadline cuts the call
            timeout_s = min(timeout_s, max(0.0, remaining_s - 0.25))
        if not operation.done and timeout_s > 0:
            with self._waits.taken():
                await self._endings.wait(operation_id, timeout_s)
            operation = await self._blocking(lambda: self._get(operation_id))
        return operation

    async def CancelOperation(
        self, request: operations_pb2.CancelOperationRequest, _context: Context
    ) -> empty_pb2.Empty:
        """Ask an operation to stop; one that has ended stays as it is."""
        operation_id = _named(request.name)
        granted = role()

        def cancel() -> None:
            _refuse_to_cancel(operations.get(self._database, operation_id, principal=principal()), granted)
            operations.request_cancel(self._database, operation_id, principal=principal())

        await self._blocking(cancel)
        return empty_pb2.Empty()

    async def DeleteOperation(
        self, request: operations_pb2.DeleteOperationRequest, _context: Context
    ) -> empty_pb2.Empty:
        """Forget an operation that has ended."""
        operation_id = _named(request.name)
        await self._blocking(lambda: operations.delete(self._database, operation_id, principal=principal()))
        return empty_pb2.Empty()

    def _get(self, operation_id: str) -> operations_pb2.Operation:
        found = operations.get(self._database, operation_id, principal=principal())
        return operation_with_response(self._database, found)

    async def _blocking(self, work: Callable[[], T]) -> T:
        return await self._lane.run(lambda _: work())


def operation_with_response(
    database: Database, operation: Operation, *, kept: bool = True
) -> operations_pb2.Operation:
    """Return an operation as clients see it: one that succeeded has what it made, as it is stored now.

    Where it was not `kept`, it has no name: there is none to be asked for.
    """
    message = operation_to_proto(operation, read_made(database, operation))
    if not kept:
        message.ClearField("name")
    return message


def _refuse_to_cancel(operation: Operation, granted: Role) -> None:
    """Raise PermissionDenied where what an operation does takes a higher role to begin."""
    if operation.use_case_id is None and not granted.includes(Role.ADMIN):
        raise PermissionDenied(
            "ROLE_TOO_LOW",
            f"{operation.name} concerns everything on the server: cancelling it needs the role {Role.ADMIN}, and the "
            f"token has {granted}",
            metadata={"role": Role.ADMIN},
        )


def _named(name: str) -> str:
    checks = Checks()
    operation_id = checks.operation(name, "name")
    checks.refuse()
    return operation_id
