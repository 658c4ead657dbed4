"""Long work as a client holds it, whatever its kind: a future of its response."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, Generic, TypeVar

from google.longrunning import operations_pb2
from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2

from advisor.client.calls import translated
from advisor.wire.metadata import target_field, unpacked
from advisor.wire.status import status_to_error
from advisor.wire.unanswered import THE_SERVER

__all__ = ["OperationFuture", "OperationState"]

Response = TypeVar("Response")

LONGEST_WAIT_S = 60.0
"""One WaitOperation takes no longer, so that a connection that died is noticed."""
PROGRESS_S = 0.5


class OperationState(StrEnum):
    """Where long work stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class OperationFuture(Generic[Response]):
    """Long work that was started, by this client or by another.

    Attributes:
        name: Resource name of the operation, by which any client finds it again.
        operation: The operation as it was when it was last looked at.
    """

    def __init__(
        self,
        stub: Any,
        operation: operations_pb2.Operation,
        call_metadata: Sequence[tuple[str, str]] = (),
        server: str = THE_SERVER,
    ) -> None:
        self.name: str = operation.name
        self.operation = operation
        self._stub = stub
        self._call_metadata = call_metadata
        self._server = server

    @property
    def metadata(self) -> Any:
        """How far it was when it was last looked at: a message of its kind, such as `TuneMetadata`.

        Of a kind that a newer server knows and this client does not, the `Any` as it came.
        """
        return _unpacked(self.operation.metadata)

    @property
    def kind(self) -> str:
        """What is done, such as `tune`; `unknown` where the server does not say."""
        name = self.operation.metadata.TypeName().rpartition(".")[2]
        return name.removesuffix("Metadata").lower() or "unknown"

    @property
    def target(self) -> str:
        """Resource name of what is made; empty for a kind that this client does not know."""
        metadata = self.metadata
        if isinstance(metadata, any_pb2.Any):
            return ""
        return str(getattr(metadata, target_field(metadata)))

    @property
    def stage(self) -> str:
        """What it was doing when it was last looked at, such as `training`; empty for an unknown kind."""
        metadata = self.metadata
        if isinstance(metadata, any_pb2.Any):
            return ""
        values = metadata.DESCRIPTOR.fields_by_name["stage"].enum_type.values_by_number
        return str(values[metadata.stage].name).removeprefix("STAGE_").lower()

    @property
    def state(self) -> OperationState:
        """Where it stood when it was last looked at."""
        if not self.operation.done:
            return OperationState.QUEUED if self.stage == "queued" else OperationState.RUNNING
        if not self.operation.HasField("error"):
            return OperationState.DONE
        cancelled = self.operation.error.code == code_pb2.CANCELLED
        return OperationState.CANCELLED if cancelled else OperationState.FAILED

    def done(self) -> bool:
        """Look whether it has ended, well or not."""
        if not self.operation.done:
            with translated(self._server):
                request = operations_pb2.GetOperationRequest(name=self.name)
                self.operation = self._stub.GetOperation(request, metadata=self._call_metadata)
        return bool(self.operation.done)

    def cancel(self) -> None:
        """Ask it to stop; nothing happens where it has ended."""
        with translated(self._server):
            request = operations_pb2.CancelOperationRequest(name=self.name)
            self._stub.CancelOperation(request, metadata=self._call_metadata)

    def delete(self) -> None:
        """Forget it; FailedPrecondition where it has not ended."""
        with translated(self._server):
            request = operations_pb2.DeleteOperationRequest(name=self.name)
            self._stub.DeleteOperation(request, metadata=self._call_metadata)

    def progress(self) -> Iterator[Any]:
        """Yield the metadata, whenever they change, until it has ended."""
        shown = None
        while True:
            ended = self.operation.done
            metadata = self.metadata
            if metadata != shown:
                shown = metadata
                yield metadata
            if ended:
                return
            self._wait(PROGRESS_S)

    def result(self, timeout: float | None = None) -> Response:
        """Return what came out, when it is there.

        Args:
            timeout: Seconds to wait; for ever where None.

        Raises:
            TimeoutError: The time is up; the operation goes on.
            AdvisorError: It failed, or was cancelled (`CallFailed` with the code CANCELLED).
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self.operation.done:
            remaining_s = LONGEST_WAIT_S if deadline is None else deadline - time.monotonic()
            if remaining_s <= 0:
                raise TimeoutError(f"{self.name} goes on after {timeout:g} s; wait again, or cancel it")
            self._wait(min(remaining_s, LONGEST_WAIT_S))
        if self.operation.HasField("error"):
            raise status_to_error(self.operation.error)
        response: Any = _unpacked(self.operation.response)
        return response  # type: ignore[no-any-return]  # its type says what it is

    def _wait(self, timeout_s: float) -> None:
        timeout = duration_pb2.Duration()
        timeout.FromMilliseconds(round(timeout_s * 1000))
        request = operations_pb2.WaitOperationRequest(name=self.name, timeout=timeout)
        with translated(self._server):
            self.operation = self._stub.WaitOperation(
                request, timeout=timeout_s + 30, metadata=self._call_metadata
            )


def _unpacked(packed: any_pb2.Any) -> Any:
    """Return the message inside, or the `Any` itself where this client has no such message."""
    try:
        return unpacked(packed)
    except KeyError:
        return packed
