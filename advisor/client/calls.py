"""What a client holds while a call or an operation goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import grpc
from google.longrunning import operations_pb2
from google.protobuf import duration_pb2
from google.rpc import status_pb2
from grpc_status import rpc_status

from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import recommendation_pb2, use_case_pb2
from advisor.wire.status import status_to_error

__all__ = ["AnswerEvent", "AnswerStream", "TuningFuture", "translated"]

AnswerEvent = (
    recommendation_pb2.Recommendation
    | execution_pb2.Progress
    | execution_pb2.References
    | execution_pb2.Token
    | execution_pb2.AnswerSummary
)
"""One event of an answer; tell them apart by their class."""

LONGEST_WAIT_S = 60.0
"""One WaitOperation takes no longer, so that a connection that died is noticed."""
PROGRESS_S = 0.5


@contextmanager
def translated() -> Iterator[None]:
    """Raise what a call failed with as an error of `advisor.errors`."""
    try:
        yield
    except grpc.RpcError as error:
        raise status_to_error(_status(error)) from None


def _status(error: Any) -> status_pb2.Status:
    """Return the whole status of a failed call; a bare one where the server sent no details."""
    code, details = error.code().value[0], error.details() or error.code().name
    try:
        rich = rpc_status.from_call(error)
    except ValueError:  # details that do not belong to the status, as from a proxy
        rich = None
    return rich or status_pb2.Status(code=code, message=details)


class AnswerStream:
    """An answer as it comes: iterate over its events, or take `text`.

    Attributes:
        recommendation: The decision, once it has come.
        references: The passages found, once they have come; None where nothing was retrieved.
        summary: How it went, once the answer has ended.
    """

    def __init__(self, call: Any) -> None:
        self.recommendation: recommendation_pb2.Recommendation | None = None
        self.references: execution_pb2.References | None = None
        self.summary: execution_pb2.AnswerSummary | None = None
        self._call = call
        self._text: list[str] = []

    def __iter__(self) -> Iterator[AnswerEvent]:
        with translated():
            for response in self._call:
                yield self._noted(response)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()

    @property
    def text(self) -> str:
        """The whole answer; waits for its end."""
        for _ in self:
            pass
        return "".join(self._text)

    def cancel(self) -> None:
        """Stop the answer; nothing happens where it has ended."""
        self._call.cancel()

    def _noted(self, response: execution_pb2.AnswerResponse) -> AnswerEvent:
        match response.WhichOneof("event"):
            case "recommendation":
                self.recommendation = response.recommendation
                return response.recommendation
            case "references":
                self.references = response.references
                return response.references
            case "summary":
                self.summary = response.summary
                return response.summary
            case "token":
                self._text.append(response.token.text)
                return response.token
            case _:
                return response.progress


class TuningFuture:
    """An adapter in the making.

    Attributes:
        name: Resource name of the operation, by which any client finds it again.
    """

    def __init__(
        self, stub: Any, operation: operations_pb2.Operation, call_metadata: Sequence[tuple[str, str]] = ()
    ) -> None:
        self.name: str = operation.name
        self._stub = stub
        self._call_metadata = call_metadata
        self._operation = operation

    @property
    def metadata(self) -> execution_pb2.TuneMetadata:
        """How far it was when it was last looked at."""
        metadata = execution_pb2.TuneMetadata()
        self._operation.metadata.Unpack(metadata)
        return metadata

    def done(self) -> bool:
        """Look whether it has ended, well or not."""
        if not self._operation.done:
            with translated():
                request = operations_pb2.GetOperationRequest(name=self.name)
                self._operation = self._stub.GetOperation(request, metadata=self._call_metadata)
        return bool(self._operation.done)

    def cancel(self) -> None:
        """Ask it to stop; nothing happens where it has ended."""
        with translated():
            request = operations_pb2.CancelOperationRequest(name=self.name)
            self._stub.CancelOperation(request, metadata=self._call_metadata)

    def progress(self) -> Iterator[execution_pb2.TuneMetadata]:
        """Yield how far it is, whenever that changes, until it has ended."""
        shown = None
        while True:
            ended = self._operation.done
            if self.metadata != shown:
                shown = self.metadata
                yield shown
            if ended:
                return
            self._wait(PROGRESS_S)

    def result(self, timeout: float | None = None) -> use_case_pb2.Adapter:
        """Return the adapter when it is there.

        Args:
            timeout: Seconds to wait; for ever where None.

        Raises:
            TimeoutError: The time is up; the operation goes on.
            AdvisorError: It failed, or was cancelled (`CallFailed` with the code CANCELLED).
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._operation.done:
            remaining_s = LONGEST_WAIT_S if deadline is None else deadline - time.monotonic()
            if remaining_s <= 0:
                raise TimeoutError(f"{self.name} goes on after {timeout:g} s; wait again, or cancel it")
            self._wait(min(remaining_s, LONGEST_WAIT_S))
        if self._operation.HasField("error"):
            raise status_to_error(self._operation.error)
        adapter = use_case_pb2.Adapter()
        self._operation.response.Unpack(adapter)
        return adapter

    def _wait(self, timeout_s: float) -> None:
        timeout = duration_pb2.Duration()
        timeout.FromMilliseconds(round(timeout_s * 1000))
        request = operations_pb2.WaitOperationRequest(name=self.name, timeout=timeout)
        with translated():
            self._operation = self._stub.WaitOperation(
                request, timeout=timeout_s + 30, metadata=self._call_metadata
            )
