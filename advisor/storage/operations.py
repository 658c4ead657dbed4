"""Long work: asked for by the API, done by workers, kept in one table.

    QUEUED ──claim──> RUNNING ──> SUCCEEDED | FAILED | CANCELLED
       ^                 │
       └──── release ────┘   the worker stopped, or was found dead

Here is what clients do; `advisor.storage.leases` holds what workers do.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from advisor.errors import (
    AlreadyExists,
    FailedPrecondition,
    Failure,
    InvalidInput,
    NotFound,
    ResourceExhausted,
)
from advisor.names import is_id, kept_id, operation_name, parse_use_case, principal_of
from advisor.storage import pages, requests, usage, use_cases
from advisor.storage.database import Connection, Database
from advisor.storage.filters import Condition, FilterField
from advisor.storage.records import Page, Request
from advisor.storage.usage import OWNER
from backends.counts import counted

__all__ = [
    "CHANNEL",
    "COLUMNS",
    "Operation",
    "State",
    "active",
    "create",
    "delete",
    "filters",
    "get",
    "list_page",
    "request_cancel",
]

CHANNEL = "advisor_operations"
"""PostgreSQL channel that names each operation whose state or `cancel_requested` changed."""

COLUMNS = (
    "id, kind, use_case_id, target, state, payload, progress, result, error, attempt, worker,"
    " cancel_requested, create_time, update_time, steps, call"
)


class State(StrEnum):
    """Where an operation stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def done(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self not in (State.QUEUED, State.RUNNING)


@dataclass(frozen=True, slots=True)
class Operation:
    """Long work and how far it is.

    Attributes:
        id: Last part of its name.
        kind: What is done, such as `TUNE`.
        use_case_id: What it belongs to, and is deleted with; None for the work of all use cases.
        target: Resource name of what it makes; no two active operations of a principal share one.
        state: Where it stands.
        payload: What was asked for.
        progress: What the worker last reported.
        result: What came out, where it succeeded.
        error: Why it failed, where it did.
        attempt: How often a worker took it up.
        worker: Who holds it, where RUNNING.
        cancel_requested: Whether the client asked to stop.
        create_time: When it was asked for.
        update_time: When it last changed.
        steps: Results of the steps that have ended, by name: what a resumed attempt need not do again.
        call: The call that asked for it: `request_id`, and `traceparent` where it is traced.
    """

    id: str
    kind: str
    use_case_id: str | None
    target: str
    state: State
    payload: dict[str, Any]
    progress: dict[str, Any]
    result: dict[str, Any] | None
    error: Failure | None
    attempt: int
    worker: str | None
    cancel_requested: bool
    create_time: datetime
    update_time: datetime
    steps: dict[str, dict[str, Any]]
    call: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", State(self.state))
        if isinstance(self.error, dict):
            object.__setattr__(self, "error", Failure(**self.error))

    @property
    def name(self) -> str:
        """Resource name."""
        return operation_name(self.id)

    @property
    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return self.state.done


def create(
    database: Database,
    *,
    kind: str,
    use_case_id: str | None,
    target: str,
    payload: Mapping[str, Any],
    queue_limit: int,
    principal_limit: int | None = None,
    request: Request | None = None,
    call: Mapping[str, str] | None = None,
    taken: Callable[[Connection], bool] = lambda _: False,
    keep: bool = True,
) -> Operation:
    """Ask for work, or return the operation that the same request asked for.

    Args:
        database: Where it is kept.
        kind: What is to be done.
        use_case_id: What it belongs to; None for the work of all use cases.
        target: Resource name of what it makes.
        payload: What is asked for.
        queue_limit: Most operations that may wait.
        principal_limit: Most operations of a principal that may wait or run; any number where None.
        request: The client's name for the call.
        call: What logs and traces of the work are to tell of the call.
        taken: Says whether the target exists already; not asked where the request is a repetition.
        keep: Whether it is asked for; else everything is done but that.

    Raises:
        NotFound: The use case does not exist.
        AlreadyExists: The target exists, or an active operation makes it.
        ResourceExhausted: The queue is full.
        FailedPrecondition: The request's id was used for another request.
    """
    owner = principal_of(use_case_id or "")

    def insert() -> dict[str, str]:
        if use_case_id is not None:
            use_cases.require(connection, use_case_id)
        if taken(connection):
            raise AlreadyExists(target, operation=_maker(connection, owner, target))
        row = connection.execute("SELECT count(*) FROM operations WHERE state = 'QUEUED'").fetchone()
        if row is not None and row[0] >= queue_limit:
            raise ResourceExhausted(
                "QUEUE_FULL",
                f"the queue is full, with {counted(queue_limit, 'operation')}; try again when some have ended",
            )
        if principal_limit is not None:
            _refuse_above_limit(connection, owner, principal_limit)
        operation_id = str(uuid.uuid4())
        connection.execute(
            "INSERT INTO operations (id, kind, use_case_id, target, payload, call)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [operation_id, kind, use_case_id, target, Jsonb(dict(payload)), Jsonb(dict(call or {}))],
        )
        return {"id": operation_id}

    try:
        with database.transaction(keep=keep) as connection:
            result, _ = requests.once(connection, request, insert)
            return _read(connection, result["id"])
    except UniqueViolation:
        with database.transaction() as connection:
            making = _maker(connection, owner, target)
        raise AlreadyExists(target, operation=making) from None


def get(database: Database, operation_id: str, *, principal: str | None = None) -> Operation:
    """Return an operation: of a principal, or whosever it is.

    Raises:
        NotFound: It does not exist.
    """
    with database.transaction() as connection:
        return _read(connection, operation_id, principal)


def list_page(
    database: Database,
    *,
    principal: str = "",
    conditions: Sequence[Condition] = (),
    size: int = 0,
    token: str = "",
) -> Page[Operation]:
    """Return a page of a principal's operations, newest first, those that fulfil conditions, as `filters` makes them.

    Raises:
        InvalidInput: The size is negative, or the token is not one of this list.
    """
    size = pages.page_size(size)
    conditions = [Condition(OWNER, principal, equal=True), *conditions]
    listing = f"operations?{[(each.sql, each.value) for each in conditions]}"
    last = pages.after_time(token, listing)
    tests = "".join(f" AND {each.sql}" for each in conditions)
    with database.transaction() as connection, connection.cursor(row_factory=class_row(Operation)) as cursor:
        rows = cursor.execute(
            f"SELECT {COLUMNS} FROM operations WHERE (create_time, id) < (%s, %s)"  # noqa: S608 - constants
            f"{tests} ORDER BY create_time DESC, id DESC LIMIT %s",
            [*last, *(each.value for each in conditions), size + 1],
        ).fetchall()
    return pages.page_of(rows, size, listing, lambda each: (each.create_time.isoformat(), each.id))


def filters(kinds: Iterable[str]) -> Mapping[str, FilterField]:
    """Return what the list can be filtered by, for `parse_filter`.

    Args:
        kinds: The kinds of long work that there are.
    """
    flags, states = {"true": True, "false": False}, {each.lower(): each.value for each in State}
    kind = FilterField.of("kind", {each.lower(): each for each in kinds})
    use_case = FilterField("use_case_id", _use_case_id, "the name of a use case, such as useCases/faq")
    return {
        "done": FilterField.of("state NOT IN ('QUEUED', 'RUNNING')", flags),
        "state": FilterField.of("state", states),
        "kind": kind,
        "metadata.kind": kind,
        "use_case": use_case,
    }


def request_cancel(database: Database, operation_id: str, *, principal: str | None = None) -> None:
    """Cancel what waits at once, and tell the worker of what runs; what has ended stays as it is.

    Raises:
        NotFound: It does not exist.
    """
    with database.transaction() as connection:
        _read(connection, operation_id, principal)
        connection.execute(
            "UPDATE operations SET cancel_requested = true, update_time = clock_timestamp(),"
            " state = CASE state WHEN 'QUEUED' THEN 'CANCELLED' ELSE state END"
            " WHERE id = %s AND state IN ('QUEUED', 'RUNNING')",
            [operation_id],
        )


def active(database: Database, operation_ids: Sequence[str]) -> Set[str]:
    """Return those of some operations that wait or run."""
    with database.transaction() as connection:
        rows = connection.execute(
            "SELECT id FROM operations WHERE id = ANY(%s) AND state IN ('QUEUED', 'RUNNING')",
            [list(operation_ids)],
        ).fetchall()
    return {row[0] for row in rows}


def delete(database: Database, operation_id: str, *, principal: str | None = None) -> None:
    """Forget an operation that has ended.

    Raises:
        NotFound: It does not exist.
        FailedPrecondition: It has not ended.
    """
    with database.transaction() as connection:
        operation = _read(connection, operation_id, principal, suffix="FOR UPDATE")
        if not operation.done:
            raise FailedPrecondition(
                "OPERATION_RUNNING",
                f"{operation.name} has not ended; cancel it first",
                metadata={"operation": operation.name},
            )
        connection.execute("DELETE FROM operations WHERE id = %s", [operation_id])


def _use_case_id(value: str) -> str:
    """Return the id that a use case is kept under, by its name or the id alone; ValueError where it is neither."""
    if is_id(value):
        return kept_id(value)
    try:
        return parse_use_case(value)
    except InvalidInput as error:
        raise ValueError(value) from error


def _refuse_above_limit(connection: Connection, owner: str, limit: int) -> None:
    """Raise ResourceExhausted where so many operations of a principal are active; none is added meanwhile."""
    connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('advisor.operations.' || %s, 0))", [owner]
    )
    active = usage.active_operations(connection, owner)
    if active >= limit:
        raise ResourceExhausted(
            "OPERATIONS_LIMIT",
            f"{counted(active, 'operation')} of yours wait or run, and {limit} may; wait for one, or cancel it",
        )


def _maker(connection: Connection, owner: str, target: str) -> str:
    """Return the name of the active operation that makes a target; empty where none does, or not any more."""
    row = connection.execute(
        f"SELECT id FROM operations WHERE {OWNER} = %s AND target = %s AND state IN ('QUEUED', 'RUNNING')",  # noqa: S608 - constants
        [owner, target],
    ).fetchone()
    return "" if row is None else operation_name(row[0])


def _read(
    connection: Connection, operation_id: str, principal: str | None = None, suffix: str = ""
) -> Operation:
    with connection.cursor(row_factory=class_row(Operation)) as cursor:
        row = cursor.execute(
            f"SELECT {COLUMNS} FROM operations WHERE id = %s {suffix}",  # noqa: S608 - constants
            [operation_id],
        ).fetchone()
    if row is None or (principal is not None and principal_of(row.use_case_id or "") != principal):
        raise NotFound(operation_name(operation_id), "ListOperations tells which there are")
    return row
