"""What can go wrong above the backends.

    AdvisorError
    ├── InvalidInput          fields at fault, all at once         INVALID_ARGUMENT
    ├── NotFound              a resource that does not exist       NOT_FOUND
    ├── AlreadyExists         a name that is taken                 ALREADY_EXISTS
    ├── FailedPrecondition    right request, wrong moment          FAILED_PRECONDITION
    ├── Conflict              another change is under way          ABORTED
    ├── ResourceExhausted     a limit, or the disk, is used up     RESOURCE_EXHAUSTED
    ├── Unauthenticated       no token, or none that is good       UNAUTHENTICATED
    ├── PermissionDenied      a token that is not good for this    PERMISSION_DENIED
    ├── Unavailable           try again in a while                 UNAVAILABLE
    ├── Unsupported           an option that there is not here     UNIMPLEMENTED
    ├── RulesError            a file that is no knowledge base     FAILED_PRECONDITION
    └── ConfigurationError    the process cannot start like this   FAILED_PRECONDITION

Every error has the name of its `google.rpc.Code`, a `reason` for programs (the
`google.rpc.ErrorInfo.reason`), `metadata` that identifies what it is about, and
a message for people, which names the value, what is allowed and the next step.
What goes wrong inside `backends` has its own tree there; `failure_of` says how
clients see both, in a call and in an operation alike.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from dataclasses import dataclass

from backends.base import (
    Cancelled,
    DocumentError,
    ExamplesError,
    ModelError,
    QuestionError,
    SettingsError,
    TuningError,
)

__all__ = [
    "AdvisorError",
    "AlreadyExists",
    "ConfigurationError",
    "Conflict",
    "FailedPrecondition",
    "Failure",
    "InvalidInput",
    "NotFound",
    "PermissionDenied",
    "ResourceExhausted",
    "RulesError",
    "Unauthenticated",
    "Unavailable",
    "Unsupported",
    "Violation",
    "failure_of",
]

BACKEND_FAILURES = (
    (ModelError, "FAILED_PRECONDITION", "MODEL"),
    (DocumentError, "INVALID_ARGUMENT", "DOCUMENT"),
    (ExamplesError, "FAILED_PRECONDITION", "EXAMPLES"),
    (QuestionError, "INVALID_ARGUMENT", "QUESTION"),
    (SettingsError, "INVALID_ARGUMENT", "SETTINGS"),
    (TuningError, "INTERNAL", "TUNING"),
    (Cancelled, "CANCELLED", "CANCELLED"),
)
"""Code and reason of what goes wrong in `backends`."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One field at fault.

    Attributes:
        field: Path from the request, such as `use_case.facts.update_interval`.
        description: What is wrong with it and what is allowed.
    """

    field: str
    description: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as clients see it.

    Attributes:
        code: Name of the `google.rpc.Code`, such as `RESOURCE_EXHAUSTED`.
        reason: UPPER_SNAKE name of the cause, for programs.
        message: For people: what happened and the next step.
    """

    code: str
    reason: str
    message: str


class AdvisorError(Exception):
    """Root of what this package raises.

    Attributes:
        code: Name of the `google.rpc.Code`.
        reason: UPPER_SNAKE name of the cause, for programs.
        metadata: What the error is about, such as `{"resource": "useCases/faq"}`.
    """

    code = "INTERNAL"
    reason = "ADVISOR_ERROR"

    def __init__(
        self, message: str, *, reason: str | None = None, metadata: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason or type(self).reason
        self.metadata = metadata or {}


class InvalidInput(AdvisorError):
    """The input breaks its contract; `violations` holds every fault found."""

    code = "INVALID_ARGUMENT"
    reason = "INVALID_INPUT"

    def __init__(self, violations: Iterable[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(f"{each.field}: {each.description}" for each in self.violations))

    @classmethod
    def of(cls, field: str, description: str) -> InvalidInput:
        """Return the error for a single field at fault."""
        return cls([Violation(field, description)])


class NotFound(AdvisorError):
    """A resource that does not exist."""

    code = "NOT_FOUND"
    reason = "RESOURCE_NOT_FOUND"

    def __init__(self, resource: str, advice: str = "") -> None:
        self.resource = resource
        message = f"{resource} does not exist"
        super().__init__(f"{message}; {advice}" if advice else message, metadata={"resource": resource})


class AlreadyExists(AdvisorError):
    """A name that is taken: by what exists, or by what an operation is making."""

    code = "ALREADY_EXISTS"
    reason = "RESOURCE_EXISTS"

    def __init__(self, resource: str, *, operation: str = "") -> None:
        self.resource = resource
        self.operation = operation
        taken = "exists already; choose another name or delete it"
        if operation:
            taken = f"is being made by {operation}; wait for it or cancel it"
        metadata = {"resource": resource, "operation": operation}
        super().__init__(
            f"{resource} {taken}", metadata={key: each for key, each in metadata.items() if each}
        )


class _Refusal(AdvisorError):
    """What whoever raises it gives a reason for."""

    def __init__(self, reason: str, message: str, *, metadata: dict[str, str] | None = None) -> None:
        super().__init__(message, reason=reason, metadata=metadata)


class FailedPrecondition(_Refusal):
    """The request is right, but the state of things does not allow it yet."""

    code = "FAILED_PRECONDITION"


class Conflict(AdvisorError):
    """Another change of the same thing is under way; the caller starts over later."""

    code = "ABORTED"
    reason = "CONFLICT"


class ResourceExhausted(_Refusal):
    """A limit, or the disk, is used up; trying again at once does not help."""

    code = "RESOURCE_EXHAUSTED"


class Unauthenticated(_Refusal):
    """Nobody that the server knows; the same call with a token that is good may succeed."""

    code = "UNAUTHENTICATED"


class PermissionDenied(_Refusal):
    """Somebody who may not do this."""

    code = "PERMISSION_DENIED"


class Unavailable(AdvisorError):
    """Not now: the same request may succeed after `retry_s` seconds."""

    code = "UNAVAILABLE"

    def __init__(self, reason: str, message: str, *, retry_s: float) -> None:
        self.retry_s = retry_s
        super().__init__(message, reason=reason)


class Unsupported(AdvisorError):
    """An option of a standard API that this server does not have."""

    code = "UNIMPLEMENTED"
    reason = "NOT_SUPPORTED"


class RulesError(AdvisorError):
    """Files are not a knowledge base.

    Attributes:
        faults: What is wrong with them, each with file, line and column.
    """

    code = "FAILED_PRECONDITION"
    reason = "RULES"

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class ConfigurationError(AdvisorError):
    """A process cannot start like this.

    Attributes:
        faults: What is in its way, each by itself.
    """

    code = "FAILED_PRECONDITION"
    reason = "CONFIGURATION"

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def failure_of(error: BaseException) -> Failure | None:
    """Return how clients see an error; None where it is a fault of this program."""
    if isinstance(error, AdvisorError):
        return Failure(error.code, error.reason, str(error))
    if _disk_full(error):
        return Failure("RESOURCE_EXHAUSTED", "DISK_FULL", "the disk is full; make room, then try again")
    if _disk_full(error.__cause__):
        return Failure("RESOURCE_EXHAUSTED", "DISK_FULL", str(error))
    for kind, code, reason in BACKEND_FAILURES:
        if isinstance(error, kind):
            return Failure(code, reason, str(error))
    return None


def _disk_full(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
