"""The contract between a worker and the work that it does.

A job is a function from a `Job` to an `Outcome`. It reports progress, asks
often whether to stop, and then raises `backends.base.Cancelled`. Killed at any
point and called again with a higher `attempt`, it goes on from what it left on
disk. It writes rows only by `Outcome.record`, in the transaction that ends the
operation: a worker that lost its operation leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from advisor.settings import Settings
from advisor.storage.database import Connection, Database
from advisor.storage.operations import Operation

__all__ = ["Job", "JobFunction", "Outcome"]


@dataclass(frozen=True, slots=True)
class Job:
    """An operation as its work sees it.

    Attributes:
        operation: What is asked for; `attempt` is above 1 where it is resumed.
        settings: What the worker runs with.
        database: Where the rest is kept.
        report: Takes the progress, which clients see within a second.
        cancelled: Says whether to stop.
    """

    operation: Operation
    settings: Settings
    database: Database
    report: Callable[[Mapping[str, Any]], None]
    cancelled: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out.

    Attributes:
        result: What clients are told.
        record: Writes the rows that belong to it.
    """

    result: Mapping[str, Any]
    record: Callable[[Connection], None]


JobFunction = Callable[[Job], Outcome]
