"""Connections to PostgreSQL, and the schema's version.

with Database.open(url) as database:
    with database.transaction() as connection:
        connection.execute(...)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from advisor.errors import ConfigurationError
from advisor.storage.connections import CONNECTING, Connection, Connections, translated, unavailable
from advisor.storage.erasure import Eraser, vacuum
from advisor.storage.presence import Presence

__all__ = ["HEAD", "Connection", "Database", "migrate", "translated"]

HEAD = "0012"
"""Version of the schema that this code reads and writes: the newest file in `migrations/versions`."""

VERSION_TABLE = "advisor_schema_version"
MIGRATION_LOCK = 7_203_641_908
"""Any number: the advisory lock under which one process at a time migrates."""


class Database:
    """Connections to a database with the current schema, while it is there."""

    def __init__(self, url: str, presence: Presence, connections: Connections) -> None:
        self._url = url
        self._presence = presence
        self._connections = connections
        self._eraser = Eraser(lambda: self.connect(autocommit=True))

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
        with translated():
            presence = Presence(lambda: psycopg.connect(url, autocommit=True, **CONNECTING), "PostgreSQL")
        try:
            with _connections(url, presence, connections) as pool:
                database = cls(url, presence, pool)
                try:
                    yield database
                finally:
                    database._eraser.close()
        finally:
            presence.close()

    @contextmanager
    def transaction(self, *, keep: bool = True) -> Iterator[Connection]:
        """Yield a connection; what is done on it is kept as a whole, or not at all on an exception.

        Args:
            keep: Whether it is kept; else everything is done but that.

        Raises:
            Unavailable: The database cannot be reached.
            ResourceExhausted: Its disk is full.
            InvalidInput: A text has a character that PostgreSQL cannot keep.
        """
        with self._connections.connection() as connection:
            yield connection
            if not keep:
                connection.rollback()

    @property
    def pool(self) -> Connections:
        """The connections, for code below this package that brings its own queries: retrieval."""
        return self._connections

    def more(self, connections: int) -> AbstractContextManager[Connections]:
        """Open further connections, for work that must not wait for those of `transaction`."""
        return _connections(self._url, self._presence, connections)

    def vacuum(self, *tables: str) -> bool:
        """Remove what was deleted from tables from the database's files too; minutes where they are large.

        Returns:
            Whether nothing is left; otherwise try again later. The log says what stood in the way.

        Raises:
            Unavailable: The database cannot be reached.
        """
        with translated(), self.connect(autocommit=True) as connection:
            return vacuum(connection, tables)

    def erase_soon(self, *tables: str) -> None:
        """Do `vacuum` in the background, soon, and again until nothing is left; for after deletions."""
        self._eraser.soon(*tables)

    def tell(self, listener: Callable[[bool], None]) -> Callable[[], None]:
        """Call a function with whether the database is there: now and at each change; return what ends it.

        It is called from a thread of the database's own, and must be quick.
        """
        return self._presence.tell(listener)

    def connect(self, *, autocommit: bool = False) -> Connection:
        """Open a connection of the caller's own, for long transactions and for LISTEN."""
        if not self._presence.here:
            raise unavailable()
        with translated():
            return psycopg.connect(self._url, autocommit=autocommit, **CONNECTING)


@contextmanager
def _connections(url: str, presence: Presence, most: int) -> Iterator[Connections]:
    connections = Connections(url, most)
    forget = presence.tell(connections.turn)
    try:
        yield connections
    finally:
        forget()
        connections.turn(False)


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
