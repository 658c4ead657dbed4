"""Errors to statuses and back."""

from __future__ import annotations

import pytest
from google.rpc import code_pb2, error_details_pb2, status_pb2

from advisor import errors
from advisor.wire.status import CallFailed, error_to_status, internal_status, status_to_error
from backends import base

ERRORS = [
    errors.InvalidInput([errors.Violation("a", "is wrong"), errors.Violation("b.c", "is worse")]),
    errors.NotFound("useCases/faq", "create it"),
    errors.NotFound("useCases/faq"),
    errors.AlreadyExists("useCases/faq"),
    errors.AlreadyExists("useCases/faq/adapters/a", operation="operations/1"),
    errors.FailedPrecondition("NO_DOCUMENTS", "none", metadata={"resource": "useCases/faq"}),
    errors.Conflict("an import runs", metadata={"resource": "useCases/faq"}),
    errors.ResourceExhausted("QUEUE_FULL", "too many"),
    errors.Unavailable("OVERLOADED", "later", retry_s=2.5),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_survive_the_wire(error):
    """An error comes back as it was raised: class, text, reason, metadata and fields."""
    status = error_to_status(error)
    assert status is not None
    back = status_to_error(status_pb2.Status.FromString(status.SerializeToString()))
    assert type(back) is type(error)
    assert (str(back), back.reason, back.metadata) == (str(error), error.reason, error.metadata)
    assert vars(back) == vars(error)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (base.ModelError("m"), "FAILED_PRECONDITION"),
        (base.DocumentError("m"), "INVALID_ARGUMENT"),
        (base.ExamplesError("m"), "FAILED_PRECONDITION"),
        (base.QuestionError("m"), "INVALID_ARGUMENT"),
        (base.Cancelled("m"), "CANCELLED"),
    ],
)
def test_backend_errors_are_told(error, code):
    """Errors of the backends keep their text and have a reason."""
    status = error_to_status(error)
    assert (code_pb2.Code.Name(status.code), status.message) == (code, "m")
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.reason


def test_unknown_errors_have_no_status():
    """What nobody mapped is not told."""
    assert error_to_status(RuntimeError("secret")) is None


def test_other_statuses_keep_their_code():
    """A status that no error stands for is a failed call with its code."""
    error = status_to_error(internal_status("abc"))
    assert isinstance(error, CallFailed)
    assert (error.code, error.metadata) == ("INTERNAL", {"error_id": "abc"})


def test_long_texts_fit_the_trailers():
    """Message and details together stay below what clients accept, in any language."""
    violations = [errors.Violation(f"field[{number}]", "\U0001f600" * 5000) for number in range(100)]
    status = error_to_status(errors.InvalidInput(violations))
    bad = error_details_pb2.BadRequest()
    assert status.details[1].Unpack(bad)
    assert bad.field_violations[0].field == "field[0]"
    assert len(status.message.encode()) * 3 + status.ByteSize() * 4 / 3 < 8192
