"""Operations as `google.longrunning.Operation`, by what the table of kinds says of their messages."""

from __future__ import annotations

from typing import Any

from google.longrunning import operations_pb2
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from advisor.errors import Failure
from advisor.storage.operations import Operation, State
from advisor.wire.metadata import message_class, target_field
from advisor.wire.resources import resource_to_proto
from advisor.wire.status import DOMAIN
from advisor.work.kinds import KINDS, Kind

__all__ = ["operation_to_proto"]


def operation_to_proto(operation: Operation, made: object | None = None) -> operations_pb2.Operation:
    """Return an operation as clients see it.

    Args:
        operation: The operation.
        made: The resource that it made, as `advisor.work.kinds.read_made` returns it.
    """
    message = operations_pb2.Operation(name=operation.name, done=operation.done)
    kind = KINDS.get(operation.kind)
    if kind is not None:  # else a newer version of this program queued it
        message.metadata.Pack(_metadata(operation, kind))
    if operation.state is State.SUCCEEDED:
        if kind is not None:
            message.response.Pack(_response(operation, kind, made))
    elif operation.done:
        message.error.CopyFrom(_error(operation))
    return message


def _metadata(operation: Operation, kind: Kind[Any]) -> Message:
    """Return the metadata: what all kinds have, and of what the worker reported the fields of this kind."""
    metadata = message_class(kind.metadata)()
    values = {
        **operation.progress,
        target_field(metadata): operation.target,
        "stage": f"STAGE_{_stage(operation)}",
        "create_time": operation.create_time.isoformat(),
        "update_time": operation.update_time.isoformat(),
        "attempt": operation.attempt,
    }
    remaining_s = operation.progress.get("remaining_s")
    if remaining_s is not None and not operation.done:
        values["remaining"] = f"{remaining_s:.3f}s"
    return json_format.ParseDict(values, metadata, ignore_unknown_fields=True)


def _stage(operation: Operation) -> str:
    if operation.done:
        return "DONE"
    return "QUEUED" if operation.state is State.QUEUED else operation.progress.get("stage", "PREPARING")


def _response(operation: Operation, kind: Kind[Any], made: object | None) -> Message:
    """Return what was made, or the fields that the work returned: of a resource deleted since, its name."""
    if made is not None:
        return resource_to_proto(made)
    response = message_class(kind.response)()
    return json_format.ParseDict(operation.result or {}, response, ignore_unknown_fields=True)


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
