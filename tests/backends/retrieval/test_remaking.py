"""Passages are made anew beside those that are searched, which they replace in one step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from backends.base import ModelError
from backends.documents.passages import FORM
from backends.retrieval import remaking
from backends.retrieval.asking import search_embedded
from backends.retrieval.index import Made, Publication, hold, made_by
from backends.retrieval.ranking import search
from tests.backends.passages import TEXTS, by_words, published
from tests.backends.retrieval.test_rewriting import SHAPE
from tests.doubles import WordEmbedder

OLD = WordEmbedder()
NEW = WordEmbedder("new", 32)
MADE = Made("new", 32)


@pytest.fixture
def connection(empty_database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection to a database with passages, whose locks are not waited for."""
    with psycopg.connect(empty_database_url) as connection:
        published(connection, OLD)
        connection.commit()
        connection.execute("SET lock_timeout = '100ms'")
        connection.commit()
        yield connection
        connection.rollback()


@contextmanager
def other(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url) as connection:
        yield connection
        connection.rollback()


def _remade(connection: psycopg.Connection[Any], texts: dict[str, str]) -> None:
    remaking.begin(connection, MADE)
    with remaking.beside(connection):
        published(connection, NEW, texts=texts)


def _sources(connection: psycopg.Connection[Any], question: str) -> list[str]:
    """Return the sources of what holds words of a question, by the new embedder."""
    found = search(connection, "docs", question, NEW.embed([question])[0], 9)
    return [hit.passage.source for hit in found if hit.words]


def _counts(connection: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    words = connection.execute("SELECT * FROM passage_words ORDER BY 1, 2").fetchall()
    return words + connection.execute("SELECT * FROM passage_languages ORDER BY 1, 2").fetchall()


def test_old_passages_are_searched_until_the_new_take_their_place(
    connection: psycopg.Connection[Any], empty_database_url: str
) -> None:
    """What is made beside is seen by nobody; replaced, nothing is left of the old, nor of the schema."""
    before = _counts(connection)
    _remade(connection, {**TEXTS, "limits.md": "A zebra is new."})
    connection.commit()
    with other(empty_database_url) as searching:
        assert by_words(searching, "docs", "max_connections", 3)
        assert by_words(searching, "docs", "zebra", 3) == ()
        assert made_by(searching) == Made("words", 64)
    assert _counts(connection) == before
    remaking.replace(connection)
    connection.commit()
    with other(empty_database_url) as searching:
        assert made_by(searching) == MADE
        assert _sources(searching, "max_connections") == []
        assert _sources(searching, "zebra") == ["limits.md"]
    assert connection.execute("SELECT to_regnamespace('advisor_reindex')").fetchone() == (None,)


def test_the_new_tables_are_as_fresh_ones(
    connection: psycopg.Connection[Any], empty_database_url: str
) -> None:
    """Indexes, comments, counts and the function are those of tables that were made in their place."""
    _remade(connection, TEXTS)
    remaking.replace(connection)
    found = connection.execute(SHAPE).fetchall(), _counts(connection)
    connection.execute("DROP TABLE passages, passage_words, passage_languages")
    connection.execute("DROP FUNCTION passage_words")
    published(connection, NEW)
    assert (connection.execute(SHAPE).fetchall(), _counts(connection)) == found


@pytest.mark.parametrize(("again", "kept"), [(MADE, 3), (Made("new", 32, FORM + 1), 0), (Made("x", 32), 0)])
def test_what_was_begun_is_gone_on_with_where_it_is_the_same(
    connection: psycopg.Connection[Any], again: Made, kept: int
) -> None:
    """Of another embedder or form nothing is used."""
    _remade(connection, TEXTS)
    connection.commit()
    remaking.begin(connection, again)
    with remaking.beside(connection):
        assert made_by(connection) == again
        assert connection.execute("SELECT count(*) FROM passages").fetchone() == (kept,)


def test_who_writes_stands_in_the_way(connection: psycopg.Connection[Any], empty_database_url: str) -> None:
    """Passages that are written in a long transaction must not go with the old table."""
    _remade(connection, TEXTS)
    connection.commit()
    with other(empty_database_url) as writing:
        hold(writing)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            remaking.replace(connection)
    connection.rollback()
    remaking.replace(connection)


def test_a_question_embedded_before_the_replacement_is_embedded_again(
    connection: psycopg.Connection[Any],
) -> None:
    """Its vector is never compared with those of another embedder; where that cannot be loaded, it fails."""
    embedded = (OLD.name, OLD.embed(["max_connections"])[0])
    _remade(connection, TEXTS)
    remaking.replace(connection)
    connection.commit()
    found = search_embedded(connection, "docs", "max_connections", embedded, 1, {"new": NEW}.__getitem__)
    assert found[0].passage.source == "limits.md"
    with pytest.raises(ModelError, match="use 'new'"):
        search_embedded(connection, "docs", "max_connections", embedded, 1)


def test_the_schema_goes_unused(connection: psycopg.Connection[Any]) -> None:
    """Given up, nothing is left, and the passages are as they were."""
    _remade(connection, TEXTS)
    remaking.discard(connection)
    remaking.discard(connection)
    with Publication(connection, "docs") as publication:
        publication.delete(["limits.md"])
    assert by_words(connection, "docs", "max_connections", 3) == ()
