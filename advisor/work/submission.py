"""Long work asked for: checked, then queued, whatever its kind."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from advisor.execution.answering import Execution
from advisor.names import principal
from advisor.storage import operations, use_cases
from advisor.storage.database import Database
from advisor.storage.operations import Operation
from advisor.storage.records import Request
from advisor.telemetry.calls import current_call
from advisor.telemetry.traces import carried
from advisor.work.jobs import JobRequest
from advisor.work.kinds import KINDS

__all__ = ["WorkQueue"]


class WorkQueue:
    """Takes long work.

    Args:
        database: Where use cases and operations are kept.
        execution: Decides about use cases, for kinds that ask before they begin.
        limit: Most operations that may wait.
        principal_limit: Most operations of a principal that may wait or run. Where None, half of those that
            may wait; of the principal without a name any number.
    """

    def __init__(
        self, database: Database, execution: Execution, *, limit: int, principal_limit: int | None = None
    ) -> None:
        self._database = database
        self._execution = execution
        self._limit = limit
        self._principal_limit = principal_limit

    def limit_of(self, owner: str) -> int | None:
        """Return how many operations of a principal may wait or run; None for any number."""
        shared = max(1, self._limit // 2) if owner else None
        return shared if self._principal_limit is None else self._principal_limit

    def submit(self, asked: JobRequest, request: Request | None = None, *, keep: bool = True) -> Operation:
        """Check that the work can begin, and queue it; the same request again returns the same operation.

        Where not `keep`, nothing is queued, and the operation returned is one that might have been.

        Raises:
            NotFound: The use case does not exist.
            AlreadyExists: What it makes exists, or is being made.
            FailedPrecondition: Something that the work needs is missing.
            ResourceExhausted: The queue is full.
        """
        kind = KINDS[asked.kind]
        if kind.check is not None and asked.use_case_id is not None:
            kind.check(asked, use_cases.get(self._database, asked.use_case_id), self._execution)
        return operations.create(
            self._database,
            kind=asked.kind,
            use_case_id=asked.use_case_id,
            target=asked.target,
            payload=asked.to_payload(),
            queue_limit=self._limit,
            principal_limit=self.limit_of(principal()),
            request=request,
            call=_call(),
            taken=partial(kind.taken, asked),
            keep=keep,
        )


def _call() -> Mapping[str, str]:
    """Return what logs and traces of the work tell of the call that asks for it."""
    call, traceparent = current_call(), carried()
    found = {"request_id": call.id} if call else {}
    return {**found, "traceparent": traceparent} if traceparent else found
