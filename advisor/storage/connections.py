"""A pool of connections that is there while the database is, and fails at once while it is not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

from advisor.errors import InvalidInput, ResourceExhausted, Unavailable

__all__ = ["CONNECTING", "RETRY_S", "Connection", "Connections", "translated", "unavailable"]

Connection = psycopg.Connection[TupleRow]

CONNECTING: dict[str, Any] = {"connect_timeout": 10, "tcp_user_timeout": 15_000}
"""Seconds until an attempt to connect, and milliseconds until a silent connection, is given up."""
WAIT_S = 10.0
"""Longest wait for a connection while all are in use."""
RETRY_S = 2.0


class Connections:
    """Connections to one database.

    A pool of psycopg tries again ever more seldom while the database is away,
    and lets its callers wait meanwhile; so there is a new one each time that
    the database is back, and none while it is away.

    Args:
        url: Connection string.
        most: Most connections to keep; further callers wait their turn.
    """

    def __init__(self, url: str, most: int) -> None:
        self._url = url
        self._most = most
        self._lock = threading.Lock()
        self._pool: ConnectionPool[Connection] | None = None

    def turn(self, here: bool) -> None:
        """Open connections where the database is there, or close them and fail whoever waits for one."""
        with self._lock:
            before, self._pool = self._pool, self._opened() if here else None
        if before is not None:
            before.close()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Yield a connection in a transaction, as `ConnectionPool.connection` does.

        Raises:
            Unavailable: The database is away.
            ResourceExhausted: Its disk is full.
            InvalidInput: A text has a character that PostgreSQL cannot keep.
        """
        pool = self._pool
        if pool is None:
            raise unavailable()
        with translated():
            connection = self._live(pool)
            try:
                with connection:
                    yield connection
            finally:
                pool.putconn(connection)

    def _live(self, pool: ConnectionPool[Connection]) -> Connection:
        """Return a connection that answers; those that ended while they lay idle are given up."""
        while True:
            connection = pool.getconn()
            try:
                ConnectionPool.check_connection(connection)
            except psycopg.OperationalError:
                pool.putconn(connection)
            else:
                return connection

    def _opened(self) -> ConnectionPool[Connection]:
        return ConnectionPool(
            self._url,
            connection_class=psycopg.Connection[TupleRow],
            kwargs=CONNECTING,
            min_size=1,
            max_size=self._most,
            timeout=WAIT_S,
            open=True,
        )


@contextmanager
def translated() -> Iterator[None]:
    """Turn PostgreSQL's errors that have a cause outside this code into the package's own."""
    try:
        yield
    except psycopg.errors.DiskFull as error:
        raise ResourceExhausted(
            "DISK_FULL", "the database's disk is full; make room, then try again"
        ) from error
    except (psycopg.errors.UntranslatableCharacter, psycopg.DataError) as error:
        if "NUL" not in str(error) and "0x00" not in str(error):
            raise
        raise InvalidInput.of(
            "text", "holds the character U+0000, which cannot be kept; remove it"
        ) from error
    except psycopg.OperationalError as error:
        raise unavailable() from error


def unavailable() -> Unavailable:
    """Return the error of what needs the database while it is away."""
    return Unavailable(
        "DATABASE_UNAVAILABLE", "the database cannot be reached; try again shortly", retry_s=RETRY_S
    )
