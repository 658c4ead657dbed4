"""What has been used: by a principal, and of the queue."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg.rows import class_row

from advisor.storage.database import Connection

__all__ = ["OWNER", "Standing", "active_operations", "document_bytes", "operations_by_state"]

OWNER = "principal_of(coalesce(use_case_id, ''))"
"""Whose an operation is, in SQL; one of no use case is nobody's with a name."""


def document_bytes(connection: Connection, principal: str) -> int:
    """Return the bytes of the documents of all use cases of a principal."""
    row = connection.execute(
        "SELECT coalesce(sum(size_bytes), 0)::bigint FROM documents WHERE principal_of(use_case_id) = %s",
        [principal],
    ).fetchone()
    return row[0] if row else 0


def active_operations(connection: Connection, principal: str) -> int:
    """Return how many operations of a principal wait or run."""
    row = connection.execute(
        f"SELECT count(*) FROM operations WHERE {OWNER} = %s AND state IN ('QUEUED', 'RUNNING')",  # noqa: S608 - constants
        [principal],
    ).fetchone()
    return row[0] if row else 0


@dataclass(frozen=True, slots=True)
class Standing:
    """Operations of a kind in a state.

    Attributes:
        kind: What they do.
        state: Where they stand.
        number: How many there are.
        oldest_s: Seconds since the oldest was asked for; None of those that have ended.
    """

    kind: str
    state: str
    number: int
    oldest_s: float | None


def operations_by_state(connection: Connection) -> list[Standing]:
    """Return how many operations of which kind are in which state."""
    with connection.cursor(row_factory=class_row(Standing)) as cursor:
        return cursor.execute(
            "SELECT kind, state, count(*)::int AS number, CASE WHEN state IN ('QUEUED', 'RUNNING')"
            " THEN extract(epoch FROM clock_timestamp() - min(create_time))::float8 END AS oldest_s"
            " FROM operations GROUP BY kind, state"
        ).fetchall()
