"""What a principal has used."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg.rows import class_row

from advisor.storage.database import Database

__all__ = ["Usage", "of"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What counts against a principal's limits.

    Attributes:
        document_bytes: Bytes of the documents of all its use cases.
        operations: Its operations that wait or run.
    """

    document_bytes: int
    operations: int


def of(database: Database, principal: str) -> Usage:
    """Return what a principal has used."""
    with database.transaction() as connection, connection.cursor(row_factory=class_row(Usage)) as cursor:
        found = cursor.execute(
            "SELECT (SELECT coalesce(sum(size_bytes), 0)::bigint FROM documents"
            " WHERE principal_of(use_case_id) = %(of)s) AS document_bytes,"
            " (SELECT count(*) FROM operations WHERE principal_of(coalesce(use_case_id, '')) = %(of)s"
            " AND state IN ('QUEUED', 'RUNNING')) AS operations",
            {"of": principal},
        ).fetchone()
    return found or Usage(0, 0)
