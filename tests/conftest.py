"""What all tests share: a PostgreSQL with pgvector, and databases in it."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import structlog
from psycopg import sql

from advisor.storage.embedded import open_embedded

# A server in the tests' own process starts PostgreSQL and clients beside it: gRPC's handlers would run in each child
# between fork and exec, where its threads are gone.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
pytest_plugins = ["tests.dependency_warnings", "tests.servers"]
# What a server in the tests' own process logs is not what a command in it prints.
structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


@pytest.fixture(scope="session")
def database_server() -> Iterator[str]:
    """Yield the address of a PostgreSQL: `ADVISOR_TEST_DATABASE_URL`, or an embedded one for this session."""
    given = os.environ.get("ADVISOR_TEST_DATABASE_URL")
    if given:
        yield given
        return
    # Not pytest's own folder: it is closed to other users, and where we are root PostgreSQL runs as another.
    folder = Path(tempfile.mkdtemp(prefix="advisor-tests-"))
    try:
        with open_embedded(folder) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def reachable_folder() -> Iterator[Callable[[], Path]]:
    """Return a function that makes folders which all users reach, as pytest's own are not.

    Where we are root, the embedded PostgreSQL runs as another user.
    """
    made: list[Path] = []

    def make() -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="advisor-tests-")))
        made[-1].chmod(0o755)
        return made[-1]

    yield make
    for folder in made:
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
