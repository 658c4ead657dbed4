"""The same request twice gives the first result (AIP-155)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from psycopg.types.json import Jsonb

from advisor.errors import FailedPrecondition
from advisor.storage.database import Connection, Database
from advisor.storage.records import Request

__all__ = ["forget_old", "once"]

KEPT_DAYS = 7
"""How long a request is remembered: well beyond any client's retries."""


def once(
    connection: Connection, request: Request | None, work: Callable[[], dict[str, Any]]
) -> tuple[dict[str, Any], bool]:
    """Do `work` unless `request` did it before; return its result, and whether it was done now.

    A repetition that arrives while the first is at work waits for it. The
    result is kept in the caller's transaction: rolled back together.

    Raises:
        FailedPrecondition: The id was used for another request.
    """
    if request is None:
        return work(), True
    inserted = connection.execute(
        "INSERT INTO requests (id, fingerprint) VALUES (%s, %s) ON CONFLICT (id) DO NOTHING RETURNING id",
        [request.key, request.fingerprint],
    ).fetchone()
    if inserted is None:
        return _first_result(connection, request), False
    result = work()
    connection.execute("UPDATE requests SET result = %s WHERE id = %s", [Jsonb(result), request.key])
    return result, True


def forget_old(database: Database) -> None:
    """Remove requests older than `KEPT_DAYS`."""
    with database.transaction() as connection:
        connection.execute(
            "DELETE FROM requests WHERE create_time < now() - make_interval(days => %s)", [KEPT_DAYS]
        )


def _first_result(connection: Connection, request: Request) -> dict[str, Any]:
    row = connection.execute(
        "SELECT fingerprint, result FROM requests WHERE id = %s", [request.key]
    ).fetchone()
    if row is None or row[0] != request.fingerprint:
        raise FailedPrecondition(
            "REQUEST_ID_REUSED",
            f"request_id {request.id} was used for another request; choose a new UUID",
            metadata={"request_id": request.id},
        )
    result: dict[str, Any] = row[1]
    return result
