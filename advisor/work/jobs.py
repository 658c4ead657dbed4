"""The contract between a worker and the work that it does.

What is asked for is a `JobRequest`; the work is a function from a `Job` to an
`Outcome`. It reports progress, asks often whether to stop, and then raises
`backends.base.Cancelled`. Killed at any point and called again with a higher
`attempt`, it goes on from what it left on disk and from the steps it has
ended. It writes rows only by `Outcome.record`, in the transaction that ends
the step or the operation: a worker that lost its operation leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

from advisor.settings import Settings
from advisor.storage.database import Connection, Database
from advisor.storage.operations import Operation
from backends.base import Cancelled
from backends.spans import span

__all__ = ["Job", "JobFunction", "JobRequest", "Outcome"]


class JobRequest(Protocol):
    """What is asked for, checked field by field: the payload of an operation.

    Attributes:
        kind: Key of the work in `advisor.work.kinds.KINDS`.
    """

    kind: ClassVar[str]

    @property
    def use_case_id(self) -> str | None:
        """The use case that the work belongs to, and is deleted with; None where it is that of all."""
        ...

    @property
    def target(self) -> str:
        """Resource name of what is made; one operation at a time makes it."""
        ...

    def to_payload(self) -> dict[str, Any]:
        """Return it as JSON."""
        ...

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Return what a payload asks for."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of an operation, or of a step of one.

    Attributes:
        result: What is kept of it, as JSON. Of an operation: fields of its response, by their names in the proto.
        record: Writes the rows that belong to it.
    """

    result: Mapping[str, Any]
    record: Callable[[Connection], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Job:
    """An operation as its work sees it.

    Attributes:
        operation: What is asked for; `attempt` is above 1 where it is resumed.
        settings: What the worker runs with.
        database: Where the rest is kept.
        report: Takes the progress, which clients see within a second. `step`, `total_steps`, `stage` and
            `remaining_s` mean the same for all kinds.
        cancelled: Says whether to stop.
        keep: Keeps the outcome of a step by its name; Cancelled where the operation was taken away.
    """

    operation: Operation
    settings: Settings
    database: Database
    report: Callable[[Mapping[str, Any]], None]
    cancelled: Callable[[], bool]
    keep: Callable[[str, Outcome], None]

    def step(self, name: str, work: Callable[[], Outcome]) -> Mapping[str, Any]:
        """Return the result of a step: what an earlier attempt kept of it, or what `work` does now.

        Args:
            name: Names the step, once within the operation.
            work: Does it; killed on the way, it is called again by the next attempt.

        Raises:
            Cancelled: The job is to stop.
        """
        if name in self.operation.steps:
            return self.operation.steps[name]
        if self.cancelled():
            raise Cancelled(f"stopped before the step {name}")
        with span("step", {"step": name}):
            outcome = work()
        self.keep(name, outcome)
        return outcome.result


JobFunction = Callable[[Job], Outcome]
