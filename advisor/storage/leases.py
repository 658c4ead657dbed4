"""How workers hold operations: by leases, so that work whose worker died is never stuck.

A worker renews the heartbeat of what it works on. A lease that is not renewed
for `LEASE_S` is taken away by `sweep`, and the work goes back to the queue,
where the next worker resumes it from its checkpoint; after `MAX_DEATHS` it
has failed. `attempt` counts how often it was taken up, whatever ended the
attempts before. Every change by a worker names its lease, so a worker that lost it
can change nothing any more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, astuple, dataclass
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from advisor.errors import Failure
from advisor.storage.database import Connection, Database
from advisor.storage.operations import COLUMNS, Operation
from advisor.storage.usage import OWNER

__all__ = [
    "LEASE_S",
    "MAX_DEATHS",
    "Lease",
    "LeaseLost",
    "cancel",
    "claim",
    "fail",
    "keep_step",
    "release",
    "release_worker",
    "renew",
    "succeed",
    "sweep",
]

_CLAIM = f"""
WITH claimed AS (
    UPDATE operations SET state = 'RUNNING', worker = %s, attempt = attempt + 1,
        heartbeat = clock_timestamp(), update_time = clock_timestamp()
    WHERE id = (
        SELECT id FROM operations WHERE state = 'QUEUED' AND kind = ANY(%s)
        ORDER BY (SELECT turn_time FROM turns WHERE principal = {OWNER}) NULLS FIRST, create_time
        LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING {COLUMNS}
), turn AS (
    INSERT INTO turns SELECT {OWNER}, clock_timestamp() FROM claimed
    ON CONFLICT (principal) DO UPDATE SET turn_time = excluded.turn_time
)
SELECT {COLUMNS} FROM claimed
"""  # noqa: S608 - constants
LEASE_S = 20.0
"""Silence after which a worker counts as dead: ten heartbeats."""
MAX_DEATHS = 3
"""Workers that may die at one operation before it has failed."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's hold on one attempt of an operation."""

    operation_id: str
    worker: str
    attempt: int


class LeaseLost(Exception):
    """The operation was taken away from the worker, or deleted; its work is void."""


def claim(database: Database, worker: str, kinds: Collection[str]) -> Operation | None:
    """Take an operation that waits; None where none does.

    It is the oldest of the principal whose work was taken up longest ago: whoever asks for much waits for itself.
    """
    with database.transaction() as connection, connection.cursor(row_factory=class_row(Operation)) as cursor:
        return cursor.execute(_CLAIM, [worker, list(kinds)]).fetchone()


def renew(connection: Connection, lease: Lease, progress: Mapping[str, Any] | None = None) -> bool:
    """Renew the lease, with newer progress where given; return whether the client asked to cancel.

    Raises:
        LeaseLost: The worker does not hold it any more.
    """
    row = connection.execute(
        "UPDATE operations SET heartbeat = clock_timestamp(), progress = coalesce(%s, progress),"
        " update_time = CASE WHEN %s::jsonb IS NULL THEN update_time ELSE clock_timestamp() END"
        " WHERE id = %s AND worker = %s AND attempt = %s AND state = 'RUNNING' RETURNING cancel_requested",
        [*[Jsonb(dict(progress)) if progress is not None else None] * 2, *astuple(lease)],
    ).fetchone()
    if row is None:
        raise LeaseLost(lease.operation_id)
    return bool(row[0])


def keep_step(connection: Connection, lease: Lease, name: str, result: Mapping[str, Any]) -> None:
    """Keep the result of a step, so that an attempt that resumes need not do it again; raises as `renew` does."""
    _change(
        connection,
        lease,
        "steps = steps || jsonb_build_object(%s::text, %s::jsonb)",
        name,
        Jsonb(dict(result)),
    )


def succeed(connection: Connection, lease: Lease, result: Mapping[str, Any]) -> None:
    """End the operation with its result; raises LeaseLost as `renew` does."""
    _change(connection, lease, "state = 'SUCCEEDED', result = %s", Jsonb(dict(result)))


def fail(connection: Connection, lease: Lease, error: Failure) -> None:
    """End the operation with an error; raises LeaseLost as `renew` does."""
    _change(connection, lease, "state = 'FAILED', error = %s", Jsonb(asdict(error)))


def cancel(connection: Connection, lease: Lease) -> None:
    """End the operation as the client asked; raises LeaseLost as `renew` does."""
    _change(connection, lease, "state = 'CANCELLED'")


def release(connection: Connection, lease: Lease) -> None:
    """Give the operation back unharmed: nobody died at it; raises LeaseLost as `renew` does."""
    _change(
        connection,
        lease,
        "state = CASE WHEN cancel_requested THEN 'CANCELLED' ELSE 'QUEUED' END, worker = NULL",
    )


def release_worker(database: Database, worker: str) -> int:
    """Take everything away from a worker that is known to be dead; return how many operations it held."""
    return _take_away(database, "worker = %s", worker)


def sweep(database: Database, lease_s: float = LEASE_S) -> int:
    """Take operations away from workers that were silent for `lease_s`; return how many."""
    return _take_away(database, "heartbeat < clock_timestamp() - make_interval(secs => %s)", lease_s)


def _take_away(database: Database, condition: str, argument: object) -> int:
    error = Failure(
        "ABORTED",
        "WORKER_DIED",
        f"the worker died {MAX_DEATHS} times at this work, most likely for want of memory; "
        "ask for less (shorter or fewer examples, a smaller batch) or give it more, then start it again",
    )
    with database.transaction() as connection:
        cursor = connection.execute(
            "UPDATE operations SET worker = NULL, deaths = deaths + 1, update_time = clock_timestamp(),"  # noqa: S608 - constants
            " error = CASE WHEN cancel_requested OR deaths + 1 < %s THEN error ELSE %s END,"
            " state = CASE WHEN cancel_requested THEN 'CANCELLED' WHEN deaths + 1 < %s THEN 'QUEUED'"
            f" ELSE 'FAILED' END WHERE state = 'RUNNING' AND {condition}",
            [MAX_DEATHS, Jsonb(asdict(error)), MAX_DEATHS, argument],
        )
        return cursor.rowcount


def _change(connection: Connection, lease: Lease, assignments: str, *arguments: object) -> None:
    cursor = connection.execute(
        f"UPDATE operations SET {assignments}, heartbeat = clock_timestamp(), update_time = clock_timestamp()"  # noqa: S608 - constants
        " WHERE id = %s AND worker = %s AND attempt = %s AND state = 'RUNNING'",
        [*arguments, *astuple(lease)],
    )
    if cursor.rowcount == 0:
        raise LeaseLost(lease.operation_id)
