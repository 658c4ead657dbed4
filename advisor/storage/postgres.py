"""The PostgreSQL that everything is kept in: the operator's, or an embedded one.

Without `ADVISOR_DATABASE_URL` it is that of `embedded.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from advisor.errors import ConfigurationError
from advisor.settings import Settings
from advisor.storage.embedded import open_embedded

__all__ = ["open_postgres", "require_vector"]

OLDEST_VERSION = 14
"""Oldest major version of PostgreSQL that pgvector's current release supports."""
OLDEST_VECTOR = (0, 8)
"""pgvector that can go on searching its index until a filter is satisfied."""
CONNECT_TIMEOUT_S = 10


@contextmanager
def open_postgres(settings: Settings) -> Iterator[str]:
    """Yield the connection string of a PostgreSQL that has pgvector.

    Raises:
        ConfigurationError: It cannot be started or reached, is too old, or lacks pgvector.
    """
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        require_vector(url)
        yield url
        return
    with open_embedded(settings.data_dir) as url:
        require_vector(url)
        yield url


def require_vector(url: str) -> None:
    """Make sure that the database is reachable and has the extension `vector`.

    Raises:
        ConfigurationError: It is not, with the next step; the connection string is not shown.
    """
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S) as connection:
            _check(connection)
    except psycopg.errors.InsufficientPrivilege:
        raise ConfigurationError(
            "the database role may not create the extension pgvector; "
            "run CREATE EXTENSION vector in this database as a superuser once"
        ) from None
    except psycopg.Error as error:
        raise ConfigurationError(
            f"the database cannot be reached ({_first_line(error)}); check ADVISOR_DATABASE_URL, "
            "or unset it to use the embedded one"
        ) from None


def _check(connection: psycopg.Connection) -> None:
    version = connection.info.server_version // 10_000
    if version < OLDEST_VERSION:
        raise ConfigurationError(f"the database is PostgreSQL {version}; {OLDEST_VERSION} or later is needed")
    found = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchone()
    if found is None:
        offered = connection.execute(
            "SELECT default_version FROM pg_available_extensions WHERE name = 'vector'"
        ).fetchone()
        if offered is None:
            raise ConfigurationError(
                "the database server has no pgvector; install pgvector 0.8 or later for its PostgreSQL, "
                "or unset ADVISOR_DATABASE_URL to use the embedded one"
            )
        with suppress(psycopg.errors.UniqueViolation, psycopg.errors.DuplicateObject):  # another was faster
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        found = offered
    if tuple(int(part) for part in str(found[0]).split(".")[:2]) < OLDEST_VECTOR:
        raise ConfigurationError(
            f"the database has pgvector {found[0]}; 0.8 or later is needed: install it, "
            "then run ALTER EXTENSION vector UPDATE"
        )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or ["no details"])[0]
