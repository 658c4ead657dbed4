"""Passages are published with the caller's rows, and found by meaning and by words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg_pool import ConnectionPool

from backends.base import Cancelled, Hit, ModelError, Passage
from backends.documents.reading import split
from backends.retrieval import index as table
from backends.retrieval.embedding import embed_passages
from backends.retrieval.index import (
    create_passage_table,
    delete_collection,
    delete_sources,
    search_dense,
    search_words,
)
from tests.backends.passages import TEXTS, published
from tests.doubles import WordEmbedder

EMBEDDER = WordEmbedder()


@pytest.fixture
def connection(empty_database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection to a database that holds the empty table."""
    with psycopg.connect(empty_database_url) as connection:
        create_passage_table(connection, EMBEDDER.dimensions, embedder=EMBEDDER.name)
        connection.commit()
        yield connection
        connection.rollback()


def _publish(connection: psycopg.Connection[Any], collection: str, texts: dict[str, str]) -> list[Passage]:
    return published(connection, EMBEDDER, collection=collection, texts=texts)


def _sources(found: Sequence[Hit]) -> list[str]:
    return [each.passage.source for each in found]


def test_table_is_created_once(connection: psycopg.Connection[Any]) -> None:
    """Creating the table again changes nothing."""
    _publish(connection, "a", TEXTS)
    create_passage_table(connection, EMBEDDER.dimensions, embedder=EMBEDDER.name)
    assert len(search_words(connection, "a", "default", 9)) == 2


@pytest.mark.parametrize(("dimensions", "embedder"), [(32, "words"), (64, "other")])
def test_another_embedder_is_refused(
    connection: psycopg.Connection[Any], dimensions: int, embedder: str
) -> None:
    """Vectors of two embedders are never mixed, and the message names both."""
    with pytest.raises(ModelError, match=rf"'words' \(64 .*{embedder!r} \({dimensions}\)"):
        create_passage_table(connection, dimensions, embedder=embedder)


def test_too_many_dimensions_are_refused(connection: psycopg.Connection[Any]) -> None:
    """An embedder whose vectors cannot be indexed is refused before anything is created."""
    with pytest.raises(ModelError, match="2,000"):
        create_passage_table(connection, 4096, embedder="large")


def test_passages_come_back_whole(connection: psycopg.Connection[Any]) -> None:
    """What is found is what was published, heading and bytes included."""
    passages = _publish(connection, "a", {"x.md": "# Top\n\n## Deep\n\nOne line.\n\n" + "More words. " * 90})
    found = search_dense(connection, "a", EMBEDDER.embed(["words"])[0], 99)
    assert {each.passage for each in found} == set(passages)
    assert any(each.passage.heading == "Top > Deep" for each in found)


def test_nothing_is_published_without_commit(
    connection: psycopg.Connection[Any], empty_database_url: str
) -> None:
    """Another connection sees the old passages until the caller commits, and for ever after a rollback."""
    _publish(connection, "a", {"x.md": "old apple"})
    connection.commit()
    _publish(connection, "a", {"x.md": "new pear"})
    with psycopg.connect(empty_database_url) as other:
        assert _sources(search_words(other, "a", "apple", 3)) == ["x.md"]
        assert search_words(other, "a", "pear", 3) == ()
    connection.rollback()
    assert _sources(search_words(connection, "a", "apple", 3)) == ["x.md"]


def test_replaced_and_deleted_sources_are_gone(connection: psycopg.Connection[Any]) -> None:
    """A source published again holds its new passages alone; deleting takes one source, or all."""
    _publish(connection, "a", TEXTS)
    _publish(connection, "a", {"limits.md": "Nothing to see."})
    assert search_words(connection, "a", "max_connections", 3) == ()
    delete_sources(connection, "a", ["memory.md"])
    assert search_words(connection, "a", "shared_buffers", 3) == ()
    delete_collection(connection, "a")
    assert search_dense(connection, "a", EMBEDDER.embed(["x"])[0], 9) == ()


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("What is the default of max_connections?", "limits.md"),
        ("How much memory does the server use?", "memory.md"),
        ("how often should backups of databases run", "backup.md"),
        ("pg_dump", "backup.md"),
        ("'; DROP TABLE passages; -- memory & | ! ( ) <-> :*", "memory.md"),
    ],
)
def test_any_word_is_enough(connection: psycopg.Connection[Any], question: str, first: str) -> None:
    """A question in plain words finds the passage that holds most of them, whatever characters it holds."""
    _publish(connection, "a", TEXTS)
    assert _sources(search_words(connection, "a", question, 3))[0] == first


@pytest.mark.parametrize("question", ["", "?", "the of and", "zebra", "buffers_shared"])
def test_words_that_are_nowhere_find_nothing(connection: psycopg.Connection[Any], question: str) -> None:
    """No word, stop words, unknown words and identifiers in another order find nothing."""
    _publish(connection, "a", TEXTS)
    assert search_words(connection, "a", question, 3) == ()


def test_coverage_is_the_share_of_the_question(connection: psycopg.Connection[Any]) -> None:
    """All words found is 1; an unknown word weighs more than a known one."""
    _publish(connection, "a", TEXTS)
    assert search_words(connection, "a", "max_connections default", 1)[0].score == pytest.approx(1)
    assert 0 < search_words(connection, "a", "default zebra", 1)[0].score < 0.5


def test_collections_do_not_see_each_other(connection: psycopg.Connection[Any]) -> None:
    """Among many collections with nearer passages, a small one is searched alone and in full."""
    for number in range(40):
        _publish(connection, f"other-{number}", {f"{name}": "zebra zebra zebra" for name in TEXTS})
    _publish(connection, "mine", TEXTS)
    vector = EMBEDDER.embed(["zebra zebra zebra"])[0]
    assert sorted(_sources(search_dense(connection, "mine", vector, 9))) == sorted(TEXTS)
    assert search_words(connection, "mine", "zebra", 9) == ()


def test_large_collections_are_searched_by_the_index(
    connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the index or row by row, the same passages are found in the same order."""
    _publish(connection, "a", TEXTS)
    _publish(connection, "b", {"z.md": "max_connections"})
    vector = EMBEDDER.embed(["how many clients connect"])[0]
    exact = search_dense(connection, "a", vector, 3)
    monkeypatch.setattr(table, "_EXACT_ROWS", 1)
    connection.execute("SET LOCAL enable_seqscan = off")
    assert search_dense(connection, "a", vector, 3) == exact
    assert exact[0].passage.source == "limits.md"


def test_both_ways_are_fused(connection: psycopg.Connection[Any], empty_database_url: str) -> None:
    """The retriever ranks first what both ways rank first, with the best score that there is."""
    from backends.retrieval.search import PassageRetriever

    _publish(connection, "a", TEXTS)
    connection.commit()
    with ConnectionPool(empty_database_url, min_size=1, max_size=2) as pool:
        retriever = PassageRetriever(pool, "a", EMBEDDER)
        hits = retriever.search("What limits how many clients connect?", 2)
        assert retriever.search("What limits how many clients connect?", 2) == hits
        assert PassageRetriever(pool, "none", EMBEDDER).search("anything", 2) == ()
    assert hits[0].passage.source == "limits.md"
    assert len(hits) == 2
    assert hits[0].score == pytest.approx(1)


def test_embedding_reports_and_keeps_the_order() -> None:
    """Rows come in the order of the passages, whatever the batches were; progress ends at 1."""
    passages = split("x.txt", "\n\n".join(f"{number} " * (number % 60 + 31) for number in range(100)))
    reports: list[tuple[int, float]] = []
    rows = embed_passages(
        EMBEDDER, passages, report=lambda *done: reports.append(done), cancelled=lambda: False
    )
    assert np.allclose(rows, EMBEDDER.embed([f"x.txt\n{passage.text}" for passage in passages]))
    assert len(reports) == -(-len(passages) // 32) > 1
    assert reports[-1] == (len(passages), 1)
    assert reports == sorted(reports)


def test_embedding_stops_between_batches() -> None:
    """A caller that cancels gets Cancelled, and no further batch is embedded."""
    passages = split("x.txt", "\n\n".join("word " * 60 for _ in range(100)))
    reports: list[tuple[int, float]] = []
    with pytest.raises(Cancelled):
        embed_passages(
            EMBEDDER,
            passages,
            report=lambda *done: reports.append(done),
            cancelled=lambda: len(reports) == 1,
        )
    assert len(reports) == 1
