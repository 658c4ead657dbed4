"""What `Retriever` promises, kept by every implementation."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from backends.base import Retriever
from tests.backends.passages import TEXTS, published
from tests.doubles import WordEmbedder

QUESTION = "How many clients does max_connections let connect?"


@pytest.fixture(params=["passages"])
def retriever(request: pytest.FixtureRequest, pool: ConnectionPool[Any]) -> Retriever:
    """Return each retriever over the three texts."""
    from backends.retrieval.search import PassageRetriever

    with pool.connection() as connection:
        published(connection, WordEmbedder())
        published(connection, WordEmbedder(), collection="other", texts={"other.md": QUESTION})
    return PassageRetriever(pool, "docs", WordEmbedder())


@pytest.mark.parametrize(("limit", "count"), [(1, 1), (2, 2), (99, 3)])
def test_there_are_no_more_than_the_limit(retriever: Retriever, limit: int, count: int) -> None:
    """As many as there are and as are wanted, none twice."""
    hits = retriever.search(QUESTION, limit)
    assert len({hit.passage.id for hit in hits}) == len(hits) == count


def test_the_best_come_first(retriever: Retriever) -> None:
    """The passage that answers is first, and scores fall from at most 1."""
    hits = retriever.search(QUESTION, 3)
    scores = [hit.score for hit in hits]
    assert hits[0].passage.source == "limits.md"
    assert scores == sorted(scores, reverse=True)
    assert 0 < scores[0] <= 1


def test_fewer_are_the_beginning_of_more(retriever: Retriever) -> None:
    """The limit cuts the list, and changes nothing in it."""
    assert retriever.search(QUESTION, 2) == retriever.search(QUESTION, 3)[:2]


def test_only_its_own_passages_are_found(retriever: Retriever) -> None:
    """Passages of other collections are never found, however near; what is found is whole."""
    found = {hit.passage.source: hit.passage.text for hit in retriever.search(QUESTION, 99)}
    assert found == TEXTS


def test_threads_get_their_own_hits(retriever: Retriever) -> None:
    """Questions asked at the same time find what each finds alone."""
    questions = [QUESTION, "How much memory?", "pg_dump", "default"] * 2
    expected = [retriever.search(question, 3) for question in questions]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda question: retriever.search(question, 3), questions)) == expected
