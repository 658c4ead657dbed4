"""Passages changed for one connection: what it sees, what others see, and what stays."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from backends.base import Passage
from backends.retrieval.index import create_passage_table
from backends.retrieval.search import PassageRetriever
from backends.retrieval.trying import changed
from tests.backends.passages import published
from tests.doubles import WordEmbedder

EMBEDDER = WordEmbedder()
TEXTS = {"a.md": "The bridge opens at nine.", "b.md": "The tower opens at ten."}


@pytest.fixture
def pool(empty_database_url: str) -> Iterator[ConnectionPool]:
    """Yield connections to a database with two passages."""
    with psycopg.connect(empty_database_url) as connection:
        create_passage_table(connection, EMBEDDER.dimensions, embedder=EMBEDDER.name)
        published(connection, EMBEDDER, collection="faq", texts=TEXTS)
    with ConnectionPool(empty_database_url, min_size=2, max_size=2) as pool:
        yield pool


def found(pool, question: str = "When does the bridge open?") -> Passage:
    hits = PassageRetriever(pool, "faq", EMBEDDER).search(question, 1)
    return hits[0].passage


def test_only_who_tries_sees_it(pool: ConnectionPool) -> None:
    """Found anew by words and meaning there; as it was for everybody else, meanwhile and after."""
    before = found(pool)
    after = replace(before, id="new", text="The bridge opens at noon, not nine.")
    with changed(pool, "faq", EMBEDDER, [(before, after)]) as seen:
        assert found(seen) == after
        assert found(pool) == before
        with ThreadPoolExecutor(4) as threads:
            together = list(threads.map(lambda _: found(seen), range(8)))
        assert together == [after] * 8
        assert found(seen, "tower").source == "b.md"
    assert found(pool) == before


def test_nothing_stays_where_it_fails(pool: ConnectionPool) -> None:
    """Words and languages are counted as before, too."""

    def counts() -> list[tuple[object, ...]]:
        with pool.connection() as connection:
            words = connection.execute("SELECT lexeme, passages FROM passage_words ORDER BY 1").fetchall()
            return [
                *words,
                *connection.execute("SELECT language, passages FROM passage_languages").fetchall(),
            ]

    before, passage = counts(), found(pool)
    after = replace(passage, id="new", text="Something else altogether.")
    with pytest.raises(RuntimeError), changed(pool, "faq", EMBEDDER, [(passage, after)]):
        raise RuntimeError
    assert counts() == before
    assert found(pool) == passage


def test_what_is_gone_by_then_is_passed_over(pool: ConnectionPool) -> None:
    """A passage that was deleted meanwhile is not put back."""
    passage = found(pool)
    gone = replace(passage, id="gone")
    with changed(pool, "faq", EMBEDDER, [(gone, replace(gone, text="It is back."))]) as seen:
        assert found(seen) == passage
