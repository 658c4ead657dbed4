"""Use cases, as rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

from advisor.errors import AlreadyExists, Conflict, FailedPrecondition, NotFound
from advisor.names import operation_name, use_case_name
from advisor.storage import pages, requests
from advisor.storage.database import Connection, Database
from advisor.storage.records import Page, Request, UseCase
from backends.training.stores import AdapterFiles

__all__ = ["Stated", "create", "delete", "get", "list_page", "lock", "recount", "require", "update"]

LOCK_WAIT_MS = 250
"""An import whose client is gone ends within that time, mostly."""

# The transaction that wrote a row last is its version: whatever changes a use case writes its row.
COLUMNS = (
    "id, description, facts, origins, create_time, update_time, document_count, passage_count, example_count,"
    " held_out_count, xmin::text AS version"
)


@dataclass(frozen=True, slots=True)
class Stated:
    """What clients say of a use case; see `records.UseCase`."""

    description: str
    facts: bytes
    origins: Sequence[str] = ()


def create(
    database: Database,
    use_case_id: str,
    stated: Stated,
    *,
    request: Request | None = None,
    keep: bool = True,
) -> UseCase:
    """Create a use case, or return the one that the same request created; not for good unless `keep`.

    Raises:
        AlreadyExists: The id is taken.
        FailedPrecondition: The request's id was used for another request.
    """

    def insert() -> dict[str, str]:
        row = connection.execute(
            "INSERT INTO use_cases (id, description, facts, origins) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (id) DO NOTHING RETURNING id",
            [use_case_id, stated.description, stated.facts, list(stated.origins)],
        ).fetchone()
        if row is None:
            raise AlreadyExists(use_case_name(use_case_id))
        return {"id": use_case_id}

    with database.transaction(keep=keep) as connection:
        result, _ = requests.once(connection, request, insert)
        return _read(connection, result["id"])


def get(database: Database, use_case_id: str) -> UseCase:
    """Return a use case.

    Raises:
        NotFound: It does not exist.
    """
    with database.transaction() as connection:
        return _read(connection, use_case_id)


def list_page(database: Database, *, principal: str = "", size: int = 0, token: str = "") -> Page[UseCase]:
    """Return a page of a principal's use cases, by id.

    Raises:
        InvalidInput: The size is negative, or the token is not one of this list.
    """
    size = pages.page_size(size)
    (last,) = pages.after(token, "useCases") or ("",)
    with database.transaction() as connection, connection.cursor(row_factory=class_row(UseCase)) as cursor:
        rows = cursor.execute(
            f"SELECT {COLUMNS} FROM use_cases WHERE id > %s AND principal_of(id) = %s"  # noqa: S608 - constants
            " ORDER BY id LIMIT %s",
            [last, principal, size + 1],
        ).fetchall()
    return pages.page_of(rows, size, "useCases", lambda each: (each.id,))


def update(
    database: Database, use_case_id: str, change: Callable[[UseCase], Stated], *, keep: bool = True
) -> UseCase:
    """Replace what is stated by what `change` makes of the present values, as one step; not for good unless `keep`.

    Raises:
        NotFound: It does not exist.
    """
    with database.transaction(keep=keep) as connection:
        stated = change(_read(connection, use_case_id, suffix="FOR NO KEY UPDATE"))
        connection.execute(
            "UPDATE use_cases SET description = %s, facts = %s, origins = %s, update_time = now()"
            " WHERE id = %s",
            [stated.description, stated.facts, list(stated.origins), use_case_id],
        )
        return _read(connection, use_case_id)


def delete(
    database: Database,
    use_case_id: str,
    files: AdapterFiles,
    forget_passages: Callable[[Connection], None],
    *,
    check: Callable[[UseCase], None] = lambda _: None,
    keep: bool = True,
) -> None:
    """Delete a use case with everything that hangs off it.

    Args:
        database: Where it is kept.
        use_case_id: Which one.
        files: Of its adapters.
        forget_passages: Deletes the use case's passages on the connection given.
        check: Raises where the use case, as it is now, is not to be deleted.
        keep: Whether it is deleted for good; else everything is done but that.

    Raises:
        NotFound: It does not exist.
        FailedPrecondition: An operation on it waits or runs.
        Conflict: An import into it runs.
    """
    with database.transaction(keep=keep) as connection:
        lock(connection, use_case_id)
        check(_read(connection, use_case_id, suffix="FOR UPDATE"))
        active = connection.execute(
            "SELECT id FROM operations WHERE use_case_id = %s AND state IN ('QUEUED', 'RUNNING')",
            [use_case_id],
        ).fetchone()
        if active is not None:
            raise FailedPrecondition(
                "OPERATION_RUNNING",
                f"{use_case_name(use_case_id)} has an operation under way; "
                f"wait for {operation_name(active[0])} or cancel it",
                metadata={"resource": use_case_name(use_case_id), "operation": operation_name(active[0])},
            )
        forget_passages(connection)
        connection.execute("DELETE FROM use_cases WHERE id = %s", [use_case_id])
    # After the rows: an adapter's row never lacks its folder.
    if keep:
        files.remove_use_case(use_case_id)


def lock(connection: Connection, use_case_id: str) -> None:
    """Keep apart, until the transaction ends, what changes a use case's documents and examples.

    Raises:
        Conflict: Another transaction holds the lock.
    """
    try:
        connection.execute(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS}")
        connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('advisor.use_case.' || %s, 0))", [use_case_id]
        )
        connection.execute("SET LOCAL lock_timeout = 0")
    except psycopg.errors.LockNotAvailable:
        raise Conflict(
            f"an import into {use_case_name(use_case_id)} is under way; try again when it has ended",
            metadata={"resource": use_case_name(use_case_id)},
        ) from None


def recount(connection: Connection, use_case_id: str) -> None:
    """Bring a use case's counts in step with its documents and examples; locks its row."""
    connection.execute(
        "UPDATE use_cases SET update_time = now(), (document_count, passage_count) ="
        " (SELECT count(*), coalesce(sum(passage_count), 0) FROM documents WHERE use_case_id = %(id)s),"
        " (example_count, held_out_count) ="
        " (SELECT count(*) FILTER (WHERE NOT held_out), count(*) FILTER (WHERE held_out)"
        " FROM examples WHERE use_case_id = %(id)s) WHERE id = %(id)s",
        {"id": use_case_id},
    )


def require(connection: Connection, use_case_id: str) -> None:
    """Make sure that a use case exists.

    Raises:
        NotFound: It does not.
    """
    if connection.execute("SELECT 1 FROM use_cases WHERE id = %s", [use_case_id]).fetchone() is None:
        raise _not_found(use_case_id)


def _read(connection: Connection, use_case_id: str, suffix: str = "") -> UseCase:
    with connection.cursor(row_factory=class_row(UseCase)) as cursor:
        row = cursor.execute(
            f"SELECT {COLUMNS} FROM use_cases WHERE id = %s {suffix}",  # noqa: S608 - constants
            [use_case_id],
        ).fetchone()
    if row is None:
        raise _not_found(use_case_id)
    return row


def _not_found(use_case_id: str) -> NotFound:
    return NotFound(
        use_case_name(use_case_id), "ListUseCases tells which there are; make it with CreateUseCase"
    )
