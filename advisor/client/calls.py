"""What a client holds while a call goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import grpc
from google.rpc import status_pb2
from grpc_status import rpc_status

from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import progress_pb2, recommendation_pb2
from advisor.v1 import use_case_service_pb2 as use_cases_pb2
from advisor.wire.status import status_to_error
from advisor.wire.unanswered import THE_SERVER

__all__ = ["AnswerEvent", "AnswerStream", "import_result", "translated"]

AnswerEvent = (
    recommendation_pb2.Recommendation
    | progress_pb2.Progress
    | execution_pb2.References
    | execution_pb2.Token
    | execution_pb2.AnswerSummary
)
"""One event of an answer; tell them apart by their class."""


@contextmanager
def translated(server: str = THE_SERVER, begun: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Raise what a call failed with as an error of `advisor.errors`; gRPC's own error is its cause.

    Args:
        server: Address of the server that is called.
        begun: Says whether a part of the answer has come.
    """
    try:
        yield
    except grpc.RpcError as error:
        raise status_to_error(_status(error), server, begun=begun()) from error


def _status(error: Any) -> status_pb2.Status:
    """Return the whole status of a failed call; a bare one where the server sent no details."""
    code, details = error.code().value[0], error.details() or ""
    try:
        rich = rpc_status.from_call(error)
    except ValueError:  # details that do not belong to the status, as from a proxy
        rich = None
    return rich or status_pb2.Status(code=code, message=details)


def import_result(
    call: Any, report: Callable[[progress_pb2.Progress], None] | None
) -> use_cases_pb2.ImportDocumentsResult:
    """Read an import to its end, and return what came of it; where the reading breaks off, so does the import.

    Args:
        call: The call.
        report: Takes how far it is.
    """
    result = use_cases_pb2.ImportDocumentsResult()
    try:
        for response in call:
            if response.HasField("result"):
                result = response.result
            elif response.HasField("progress") and report is not None:
                report(response.progress)
    finally:
        call.cancel()  # nothing happens where it has ended
    return result


class AnswerStream:
    """An answer as it comes: iterate over its events, or take `text`.

    Attributes:
        recommendation: The decision, once it has come.
        references: The passages found, once they have come; None where nothing was retrieved.
        summary: How it went, once the answer has ended.
    """

    def __init__(self, call: Any, server: str = THE_SERVER) -> None:
        self.recommendation: recommendation_pb2.Recommendation | None = None
        self.references: execution_pb2.References | None = None
        self.summary: execution_pb2.AnswerSummary | None = None
        self._call = call
        self._server = server
        self._begun = False
        self._text: list[str] = []

    def __iter__(self) -> Iterator[AnswerEvent]:
        for response in self.responses():
            yield self._event(response)

    def responses(self) -> Iterator[execution_pb2.AnswerResponse]:
        """Yield the messages that hold the events, as they are on the wire."""
        with translated(self._server, lambda: self._begun):
            for response in self._call:
                self._begun = True
                self._note(response)
                yield response

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

    def _note(self, response: execution_pb2.AnswerResponse) -> None:
        match response.WhichOneof("event"):
            case "recommendation":
                self.recommendation = response.recommendation
            case "references":
                self.references = response.references
            case "summary":
                self.summary = response.summary
            case "token":
                self._text.append(response.token.text)

    def _event(self, response: execution_pb2.AnswerResponse) -> AnswerEvent:
        event: AnswerEvent = getattr(response, response.WhichOneof("event") or "progress")
        return event
