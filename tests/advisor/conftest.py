"""Fixtures of the tests of `advisor`: the schema, empty at the start of each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from advisor.storage.database import Database


@pytest.fixture(scope="session")
def migrated_database(database_url: str) -> Iterator[Database]:
    """Yield the session's database with the current schema."""
    with Database.open(database_url, connections=4) as database:
        yield database


@pytest.fixture
def database(migrated_database: Database) -> Database:
    """Return the session's database with nothing in it."""
    with migrated_database.transaction() as connection:
        connection.execute("TRUNCATE use_cases, requests CASCADE")
    return migrated_database
