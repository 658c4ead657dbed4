"""What a principal has used."""

from __future__ import annotations

from advisor.storage.database import Connection

__all__ = ["OWNER", "active_operations", "document_bytes"]

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
