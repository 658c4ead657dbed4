"""Long work of a kind that only a newer server knows."""

from __future__ import annotations

import pytest
from google.longrunning import operations_pb2
from google.rpc import code_pb2

from advisor.client import OperationFuture


def future(
    type_url: str = "type.googleapis.com/advisor.v9.PaintMetadata", **fields: object
) -> OperationFuture:
    operation = operations_pb2.Operation(name="operations/x", **fields)  # type: ignore[arg-type]
    operation.metadata.type_url = type_url
    return OperationFuture(None, operation)


def failed(code: int) -> OperationFuture:
    ended = future(done=True)
    ended.operation.error.code = code
    return ended


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (future(), "running"),
        (future(done=True), "done"),
        (failed(code_pb2.INTERNAL), "failed"),
        (failed(code_pb2.CANCELLED), "cancelled"),
    ],
)
def test_name_kind_and_state_are_known(found: OperationFuture, state: str) -> None:
    """The kind is the name of its metadata; what it makes cannot be read."""
    assert (found.name, found.kind, found.state, found.target) == ("operations/x", "paint", state, "")


def test_a_server_may_say_nothing_of_the_kind() -> None:
    """Then it is unknown."""
    assert future("").kind == "unknown"


def test_what_came_out_is_handed_over_as_it_came() -> None:
    """A message that this client does not know stays packed, and its progress ends."""
    ended = future(done=True)
    ended.operation.response.type_url = "type.googleapis.com/advisor.v9.Painting"
    assert len(list(ended.progress())) == 1
    assert ended.result().type_url == "type.googleapis.com/advisor.v9.Painting"
