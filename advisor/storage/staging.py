"""What imports of documents and of examples share: limits, the transaction, the commit."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, LiteralString, Protocol

import psycopg

from advisor.errors import InvalidInput, Violation
from advisor.storage import requests, use_cases
from advisor.storage.database import Connection, Database, translated
from advisor.storage.records import ImportResult, Request, Skipped

__all__ = ["MOST_FAULTS", "Limits", "check_commit", "number", "open_staging", "publish", "roll_back"]

MOST_FAULTS = 100
"""Faults that are told of one batch: nobody reads more, and an empty example takes two bytes to send."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one use case may hold, and all of a principal; the fields of `Settings` by the same names."""

    document_bytes: int
    use_case_bytes: int
    use_case_examples: int
    example_bytes: int
    principal_bytes: int | None = None


class Staged(Protocol):
    """An import that is under way."""

    connection: Connection


def roll_back(upload: Staged) -> None:
    """Undo an import that no thread works on: its lock is free afterwards, which closing leaves to the server."""
    with suppress(psycopg.Error):
        upload.connection.rollback()


def open_staging(database: Database, use_case_id: str) -> Connection:
    """Open the connection whose transaction is the import, and lock the use case for it."""
    connection = database.connect()
    try:
        with translated():
            use_cases.lock(connection, use_case_id)
            use_cases.require(connection, use_case_id)
    except BaseException:
        with suppress(psycopg.Error):
            connection.rollback()
        connection.close()
        raise
    return connection


def publish(
    connection: Connection, request: Request | None, work: Callable[[], dict[str, Any]]
) -> ImportResult:
    """Do the last of an import and commit it, unless the same request was published before; return what it did."""
    with translated():
        result, new = requests.once(connection, request, work)
        if new:
            connection.commit()
        else:
            connection.rollback()  # the first request published it all
    skipped = tuple(
        each if isinstance(each, Skipped) else Skipped(**each) for each in result.pop("first_skipped", ())
    )
    return ImportResult(**result, first_skipped=skipped)


def number(connection: Connection, query: LiteralString, *arguments: object) -> int:
    """Return the number that a query finds; 0 where it finds none."""
    with translated():
        row = connection.execute(query, arguments).fetchone()
    return int(row[0]) if row is not None and row[0] is not None else 0


def check_commit(count: int, received: int, sha256: str, computed: str) -> None:
    """Compare how much and what arrived with what the client says it sent; InvalidInput where they differ."""
    violations = []
    if count != received:
        violations.append(Violation("commit.count", f"is {count}, but {received} arrived; send all again"))
    if sha256.lower() != computed:
        violations.append(
            Violation("commit.sha256", f"does not match what arrived ({computed}); send all again")
        )
    if violations:
        raise InvalidInput(violations)
