"""The table of passages is written anew while it is searched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from backends.retrieval.rewriting import copy_passages, replace_passages
from tests.backends.passages import by_meaning, by_words, published
from tests.doubles import WordEmbedder

EMBEDDER = WordEmbedder()

SHAPE = """
SELECT indexname, indexdef, col_description(attrelid, attnum), format_type(atttypid, atttypmod), attstorage, reloptions
FROM pg_indexes, pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE tablename = 'passages' AND attrelid = 'passages'::regclass AND attnum > 0
ORDER BY 1, attnum
"""


@pytest.fixture
def connection(empty_database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection to a database with passages, whose locks are not waited for."""
    with psycopg.connect(empty_database_url) as connection:
        published(connection, EMBEDDER)
        connection.commit()
        connection.execute("SET lock_timeout = '100ms'")
        connection.commit()
        yield connection
        connection.rollback()


def _write(url: str) -> None:
    with psycopg.connect(url) as other:
        other.execute("SET lock_timeout = '100ms'")
        other.execute("DELETE FROM passages")


def test_searches_do_not_wait_for_the_copy(
    connection: psycopg.Connection[Any], empty_database_url: str
) -> None:
    """They read the old table; who writes waits, so that nothing is lost."""
    copy_passages(connection)
    with psycopg.connect(empty_database_url) as other:
        other.execute("SET lock_timeout = '100ms'")
        assert by_words(other, "docs", "max_connections", 3)
        assert by_meaning(other, "docs", EMBEDDER.embed(["memory"])[0], 3)
    with pytest.raises(psycopg.errors.LockNotAvailable):
        _write(empty_database_url)


def test_the_new_table_is_as_the_old(connection: psycopg.Connection[Any]) -> None:
    """Rows, names of the indexes and the embedder's name are kept, and the work can be done again."""
    rows = "SELECT * FROM passages ORDER BY id"
    before = connection.execute(SHAPE).fetchall(), connection.execute(rows).fetchall()
    for _ in range(2):
        copy_passages(connection)
        replace_passages(connection)
        connection.commit()
    assert (connection.execute(SHAPE).fetchall(), connection.execute(rows).fetchall()) == before
    assert by_words(connection, "docs", "max_connections", 3)


def test_a_search_under_way_is_not_cut_off(
    connection: psycopg.Connection[Any], empty_database_url: str
) -> None:
    """While it lasts the table cannot be replaced, and stays as it is."""
    with psycopg.connect(empty_database_url) as other, other.transaction():
        assert by_words(other, "docs", "max_connections", 3)
        copy_passages(connection)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            replace_passages(connection)
        connection.rollback()
        assert by_words(other, "docs", "max_connections", 3)
