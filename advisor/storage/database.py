"""Connections to PostgreSQL, and the schema's version.

with Database.open(url) as database:
    with database.transaction() as connection:
        connection.execute(...)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

from advisor.errors import ConfigurationError, InvalidInput, ResourceExhausted, Unavailable

__all__ = ["HEAD", "Connection", "Database", "migrate", "translated"]

Connection = psycopg.Connection[TupleRow]

HEAD = "0004"
"""Version of the schema that this code reads and writes: the newest file in `migrations/versions`."""

VERSION_TABLE = "advisor_schema_version"
MIGRATION_LOCK = 7_203_641_908
"""Any number: the advisory lock under which one process at a time migrates."""
RETRY_S = 2.0
CONNECTING: dict[str, Any] = {"connect_timeout": 10, "tcp_user_timeout": 15_000}
"""Seconds until an attempt to connect, and milliseconds until a silent connection, is given up."""


class Database:
    """A pool of connections to a database with the current schema."""

    def __init__(self, url: str, pool: ConnectionPool[Connection]) -> None:
        self._url = url
        self._pool = pool

    @classmethod
    @contextmanager
    def open(cls, url: str, *, connections: int = 8) -> Iterator[Database]:
        """Migrate the schema where needed, and yield the database.

        Args:
            url: Connection string of a PostgreSQL that has pgvector.
            connections: Most connections to keep; further callers wait their turn.

        Raises:
            ConfigurationError: The schema is newer than this code.
            Unavailable: The database cannot be reached.
        """
        migrate(url)
        with ConnectionPool(
            url,
            connection_class=psycopg.Connection[TupleRow],
            kwargs=CONNECTING,
            min_size=1,
            max_size=connections,
            timeout=10,
            check=ConnectionPool.check_connection,
            open=False,
        ) as pool:
            yield cls(url, pool)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection; what is done on it is kept as a whole, or not at all on an exception.

        Raises:
            Unavailable: The database cannot be reached.
            ResourceExhausted: Its disk is full.
            InvalidInput: A text has a character that PostgreSQL cannot keep.
        """
        with translated(), self._pool.connection() as connection:
            yield connection

    @property
    def pool(self) -> ConnectionPool[Connection]:
        """The connections, for code below this package that brings its own queries: retrieval."""
        return self._pool

    def vacuum(self, *tables: str) -> None:
        """Reclaim the space of deleted rows in tables, those of them that are there."""
        with self.connect(autocommit=True) as connection:
            for table in tables:
                if connection.execute("SELECT to_regclass(%s)", [table]).fetchone() != (None,):
                    connection.execute(sql.SQL("VACUUM {}").format(sql.Identifier(table)))

    def connect(self, *, autocommit: bool = False) -> Connection:
        """Open a connection of the caller's own, for long transactions and for LISTEN."""
        with translated():
            return psycopg.connect(self._url, autocommit=autocommit, **CONNECTING)


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
        raise Unavailable(
            "DATABASE_UNAVAILABLE", "the database cannot be reached; try again shortly", retry_s=RETRY_S
        ) from error


def migrate(url: str) -> None:
    """Bring the schema to `HEAD`; safe when several processes do so at once.

    Raises:
        ConfigurationError: The schema is newer than this code.
    """
    with translated(), psycopg.connect(url, autocommit=True, **CONNECTING) as connection:
        if _version(connection) == HEAD:
            return
        connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])  # until the connection closes
        if _version(connection) != HEAD:
            _upgrade(url)


def _version(connection: Connection) -> str | None:
    table = connection.execute("SELECT to_regclass(%s)", [VERSION_TABLE]).fetchone()
    if table is None or table[0] is None:
        return None
    row = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608 - a constant
    return None if row is None else str(row[0])


def _upgrade(url: str) -> None:
    # Imported here: it takes a second, and is needed once in the life of a database.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    def connect() -> Any:
        return psycopg.connect(url, **CONNECTING)

    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.connect() as connection:
        config.attributes.update(connection=connection, version_table=VERSION_TABLE)
        try:
            command.upgrade(config, HEAD)
        except CommandError as error:
            raise ConfigurationError(
                f"the database was written by a newer version than this one ({error}); update the program"
            ) from error
