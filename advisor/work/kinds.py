"""The kinds of long work: one table, which the API, the worker and the client's messages go by.

A new kind is a module with its request, its check and its work, one entry
here, and two messages in the API: its response, and metadata that look as
`advisor.wire.metadata` says. Where it makes a resource of its own,
`advisor.wire.resources.resource_to_proto` learns that too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from advisor.errors import NotFound
from advisor.execution.answering import Execution
from advisor.settings import Settings
from advisor.storage import reindexing as storage
from advisor.storage.database import Connection, Database
from advisor.storage.operations import Operation, State
from advisor.storage.records import UseCase
from advisor.work import profiling, reindexing, trials, tuning
from advisor.work.jobs import JobFunction, JobRequest

__all__ = ["KINDS", "Kind", "clean_up", "read_made"]

R = TypeVar("R", bound=JobRequest)


@dataclass(frozen=True, slots=True)
class Kind(Generic[R]):
    """All that the rest of the program knows of one kind of long work.

    Attributes:
        request: What is asked for.
        check: Raises where the work cannot begin as things are; called before it is queued. None for
            work of no use case.
        taken: Says whether what would be made exists already.
        run: Does the work, in a worker. It imports models itself, so that a server need not.
        read: Returns what was made, as it is stored now; NotFound where it was deleted. None for a
            kind that makes nothing that is stored: its result is its response.
        metadata: Full name of the message that says how far it is.
        response: Full name of the message that says what came out.
    """

    request: type[R]
    check: Callable[[R, UseCase, Execution], None] | None
    taken: Callable[[R, Connection], bool]
    run: JobFunction
    read: Callable[[R, Database], object] | None
    metadata: str
    response: str


KINDS: Mapping[str, Kind[Any]] = {
    tuning.TuneJob.kind: Kind(
        request=tuning.TuneJob,
        check=tuning.check_tune,
        taken=tuning.is_taken,
        run=tuning.run_tune,
        read=tuning.read_adapter,
        metadata="advisor.v1.TuneMetadata",
        response="advisor.v1.Adapter",
    ),
    reindexing.ReindexJob.kind: Kind(
        request=reindexing.ReindexJob,
        check=None,
        taken=lambda *_: False,
        run=reindexing.run_reindex,
        read=None,
        metadata="advisor.v1.ReindexMetadata",
        response="advisor.v1.ReindexResponse",
    ),
    profiling.ProfileJob.kind: Kind(
        request=profiling.ProfileJob,
        check=profiling.check_profile,
        taken=lambda *_: False,
        run=profiling.run_profile,
        read=profiling.read_profile,
        metadata="advisor.v1.ProfileMetadata",
        response="advisor.v1.Profile",
    ),
    trials.TrialJob.kind: Kind(
        request=trials.TrialJob,
        check=trials.check_trial,
        taken=trials.is_taken,
        run=trials.run_trial,
        read=trials.read_trial,
        metadata="advisor.v1.TrialMetadata",
        response="advisor.v1.Trial",
    ),
}
"""Every kind, by what `Operation.kind` says."""


def clean_up(database: Database, settings: Settings) -> None:
    """Remove what operations that have ended, however they did, left of work half done."""
    tuning.clean_checkpoints(database, settings)
    storage.discard_unused(database, reindexing.ReindexJob.kind)


def read_made(database: Database, operation: Operation) -> object | None:
    """Return what an operation made, as it is stored now; None where there is nothing, or no longer."""
    kind = KINDS.get(operation.kind)
    if kind is None or kind.read is None or operation.state is not State.SUCCEEDED:
        return None
    try:
        return kind.read(kind.request.from_payload(operation.payload), database)
    except NotFound:
        return None
