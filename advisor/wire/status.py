"""Errors as gRPC statuses with `google.rpc` details, and back.

Every status that leaves the server carries one ErrorInfo; invalid input lists
its violations in one BadRequest; what may be tried again carries a RetryInfo.
Trailing metadata over 8 KiB is refused by several clients, so long lists of
violations are cut, and say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from google.protobuf import duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from advisor import errors
from advisor.errors import Failure, Violation, failure_of
from advisor.wire.unanswered import sentence
from backends import base

__all__ = ["DOMAIN", "CallFailed", "error_to_status", "internal_status", "status_to_error"]

DOMAIN = "advisor.dev"
METADATA_BYTES = 7000
"""Most that message and details may take on the wire: 8 KiB less what else is in the trailers."""
MESSAGE_CHARACTERS = 800
MESSAGE_BYTES = 2400
"""Most that the message may take, percent-encoded: as many in ASCII as `MESSAGE_CHARACTERS`, fewer elsewhere."""
DESCRIPTION_CHARACTERS = 400


class CallFailed(errors.AdvisorError):
    """A call failed in a way that no other error names, such as DEADLINE_EXCEEDED.

    Attributes:
        code: Name of the gRPC status code.
    """

    reason = "CALL_FAILED"

    def __init__(
        self, code: str, message: str, *, reason: str | None = None, metadata: dict[str, str] | None = None
    ) -> None:
        self.code = code
        super().__init__(message, reason=reason, metadata=metadata)


_WITH_REASON = {
    each.code: each
    for each in (
        errors.FailedPrecondition,
        errors.ResourceExhausted,
        errors.Unauthenticated,
        errors.PermissionDenied,
    )
}
_BACKEND_FIELDS: tuple[tuple[type[Exception], str], ...] = (
    (base.DocumentError, "document"),
    (base.QuestionError, "question"),
)
"""Fields at fault where a backend refuses what a request holds."""


def error_to_status(error: Exception) -> status_pb2.Status | None:
    """Return the status of an error; None where `failure_of` does not tell it to clients."""
    failure = failure_of(error)
    if failure is None:
        return None
    status = status_pb2.Status(code=code_pb2.Code.Value(failure.code), message=_told(failure.message))
    metadata = error.metadata if isinstance(error, errors.AdvisorError) else {}
    info = error_details_pb2.ErrorInfo(reason=failure.reason, domain=DOMAIN, metadata=metadata)
    status.details.add().Pack(info)
    if isinstance(error, errors.Unavailable):
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(round(error.retry_s * 1000))
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    violations = _violations(error, failure)
    if violations:
        _add_violations(status, violations)
    return status


def internal_status(error_id: str) -> status_pb2.Status:
    """Return the status of an error that nobody foresaw: no text of it leaves the server."""
    status = status_pb2.Status(
        code=code_pb2.INTERNAL,
        message=f"an internal error; the server's log has the details under error id {error_id}",
    )
    info = error_details_pb2.ErrorInfo(reason="INTERNAL", domain=DOMAIN, metadata={"error_id": error_id})
    status.details.add().Pack(info)
    return status


def status_to_error(
    status: status_pb2.Status, server: str | None = None, *, begun: bool = False
) -> errors.AdvisorError:
    """Return the error that a status stands for, the reverse of `error_to_status`.

    Errors of the backends come back as their nearest kin in `advisor.errors`. The status of a call that
    has no details is none of this program's, and is told as `unanswered.sentence` tells it.

    Args:
        status: The status.
        server: Address of the server, where it is the status of a call; None where it is that of a part.
        begun: Whether a part of the answer had come.
    """
    info, retry, bad = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.RetryInfo(),
        error_details_pb2.BadRequest(),
    )
    for detail in status.details:
        for known in (info, retry, bad):
            if detail.Is(known.DESCRIPTOR):
                detail.Unpack(known)
    code, message = code_pb2.Code.Name(status.code), status.message
    metadata, reason = dict(info.metadata), info.reason
    if server is not None and not status.details:
        message = sentence(code, message, server, begun=begun)
    if code == "INVALID_ARGUMENT" and bad.field_violations:
        return errors.InvalidInput(Violation(each.field, each.description) for each in bad.field_violations)
    if code == "UNAVAILABLE":
        delay_s = retry.retry_delay.ToMilliseconds() / 1000 or 1.0
        lost = "CONNECTION_LOST" if begun else "UNREACHABLE"
        return errors.Unavailable(reason or lost, message, retry_s=delay_s)
    if reason and code == "ABORTED":
        return errors.Conflict(message, reason=reason, metadata=metadata)
    if reason and code in _WITH_REASON:
        return _WITH_REASON[code](reason, message, metadata=metadata)
    return _resource_error(code, metadata, message) or CallFailed(
        code, message, reason=reason or None, metadata=metadata
    )


def _resource_error(code: str, metadata: Mapping[str, str], message: str) -> errors.AdvisorError | None:
    resource = metadata.get("resource")
    if resource and code == "NOT_FOUND":
        return errors.NotFound(resource, message.partition(f"{resource} does not exist; ")[2])
    if resource and code == "ALREADY_EXISTS":
        return errors.AlreadyExists(resource, operation=metadata.get("operation", ""))
    return None


def _violations(error: Exception, failure: Failure) -> Sequence[Violation]:
    if isinstance(error, errors.InvalidInput):
        return error.violations
    return [Violation(field, failure.message) for kind, field in _BACKEND_FIELDS if isinstance(error, kind)]


def _add_violations(status: status_pb2.Status, violations: Sequence[Violation]) -> None:
    """Add one BadRequest with as many violations as the trailers have room for."""
    bad = error_details_pb2.BadRequest()
    room = METADATA_BYTES - len(quote(status.message)) - _base64_bytes(status.ByteSize())
    for number, violation in enumerate(violations):
        shown = bad.field_violations.add(
            field=violation.field, description=_shorten(violation.description, DESCRIPTION_CHARACTERS)
        )
        if _base64_bytes(bad.ByteSize() + 200) > room:
            left = len(violations) - number
            shown.field, shown.description = "", f"and {left} more; mend those above first"
            break
    status.details.add().Pack(bad)


def _told(message: str) -> str:
    """Return a message that leaves room for the violations, in any language."""
    text = _shorten(message, MESSAGE_CHARACTERS)
    while len(quote(text)) > MESSAGE_BYTES:
        text = _shorten(text, len(text) * 3 // 4)
    return text


def _base64_bytes(size: int) -> int:
    return -(-size // 3) * 4


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
