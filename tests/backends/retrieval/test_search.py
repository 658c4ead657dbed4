"""Passages are published with the caller's rows, and found by meaning and by words."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg_pool import ConnectionPool

from backends.base import Cancelled, Hit, ModelError, Passage, Restriction
from backends.documents.passages import split
from backends.documents.text import DocumentText
from backends.retrieval import ranking as table
from backends.retrieval import terms
from backends.retrieval.embedding import embed_passages
from backends.retrieval.index import (
    IMPACTS,
    Publication,
    create_passage_table,
    delete_collection,
    delete_sources,
)
from tests.backends.passages import TEXTS, by_meaning, by_words, published
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
    assert len(by_words(connection, "a", "default", 9)) == 2


@pytest.mark.parametrize(("dimensions", "embedder"), [(32, "words"), (64, "other")])
def test_another_embedder_is_refused(
    connection: psycopg.Connection[Any], dimensions: int, embedder: str
) -> None:
    """Vectors of two embedders are never mixed, and the message names both."""
    with pytest.raises(ModelError, match=rf"'words' \(64 .*{embedder!r} \({dimensions}\)"):
        create_passage_table(connection, dimensions, embedder=embedder)


def test_too_many_dimensions_are_refused(connection: psycopg.Connection[Any]) -> None:
    """An embedder whose vectors cannot be indexed is refused before anything is created."""
    with pytest.raises(ModelError, match="4,000"):
        create_passage_table(connection, 4096, embedder="large")


def test_passages_come_back_whole(connection: psycopg.Connection[Any]) -> None:
    """What is found is what was published, heading and bytes included."""
    passages = _publish(
        connection,
        "a",
        {"x.md": "# Top\n\n## Deep\n\nOne line.\n\n" + "More words. " * 40 + "Other ones. " * 40},
    )
    found = by_meaning(connection, "a", EMBEDDER.embed(["words"])[0], 99)
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
        assert _sources(by_words(other, "a", "apple", 3)) == ["x.md"]
        assert by_words(other, "a", "pear", 3) == ()
    connection.rollback()
    assert _sources(by_words(connection, "a", "apple", 3)) == ["x.md"]


def test_replaced_and_deleted_sources_are_gone(connection: psycopg.Connection[Any]) -> None:
    """A source published again holds its new passages alone; deleting takes one source, or all."""
    _publish(connection, "a", TEXTS)
    _publish(connection, "a", {"limits.md": "Nothing to see."})
    assert by_words(connection, "a", "max_connections", 3) == ()
    delete_sources(connection, "a", ["memory.md"])
    assert by_words(connection, "a", "shared_buffers", 3) == ()
    delete_collection(connection, "a")
    assert by_meaning(connection, "a", EMBEDDER.embed(["x"])[0], 9) == ()


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
    assert _sources(by_words(connection, "a", question, 3))[0] == first


@pytest.mark.parametrize("question", ["", "?", "the of and", "zebra"])
def test_words_that_are_nowhere_find_nothing(connection: psycopg.Connection[Any], question: str) -> None:
    """No word, stop words and unknown words find nothing."""
    _publish(connection, "a", TEXTS)
    assert by_words(connection, "a", question, 3) == ()


def test_score_falls_with_unknown_words(connection: psycopg.Connection[Any]) -> None:
    """A short passage with all words is above 1; an unknown word weighs more than a known one."""
    _publish(connection, "a", TEXTS)
    assert 1 < by_words(connection, "a", "max_connections default", 1)[0].words <= max(IMPACTS)
    assert 0 < by_words(connection, "a", "default zebra", 1)[0].words < 0.7


def test_name_as_written_wins(connection: psycopg.Connection[Any]) -> None:
    """A name that a question writes is found before its parts, be they ever so many."""
    texts = {
        "a.md": "connections max max connections, the max of connections and connections",
        "b.md": "A long text on other matters names max_connections once. " + "More words follow. " * 10,
    }
    _publish(connection, "a", texts)
    assert _sources(by_words(connection, "a", "max_connections", 2)) == ["b.md", "a.md"]


def test_term_that_a_passage_defines_wins(connection: psycopg.Connection[Any]) -> None:
    """Where many passages use a word, that which defines it is first."""
    uses = {f"{number}.md": "A quorum is needed. " + "Other words follow here. " * 8 for number in range(9)}
    _publish(
        connection, "a", uses | {"z.md": "## Quorum\n\nHow many members must be there for a vote to count."}
    )
    assert _sources(by_words(connection, "a", "What is a quorum?", 1)) == ["z.md"]


def test_counts_of_languages_follow_what_comes_and_goes(connection: psycopg.Connection[Any]) -> None:
    """A question is analysed by the languages of what is there, not of what was."""
    texts = {f"{number}.txt": f"Haus Nummer {number}" for number in range(3)}
    passages = [(Passage(source, source, 0, 9, text), "german") for source, text in texts.items()]
    counts = "SELECT language, passages FROM passage_languages ORDER BY 1"
    _publish(connection, "a", TEXTS)
    with Publication(connection, "a") as publication:
        publication.add(passages, EMBEDDER.embed(list(texts.values())))
    assert connection.execute(counts).fetchall() == [("english", 3), ("german", 3)]
    delete_sources(connection, "a", ["0.txt", "limits.md"])
    assert connection.execute(counts).fetchall() == [("english", 2), ("german", 2)]
    delete_sources(connection, "a", list(texts))
    assert connection.execute(counts).fetchall() == [("english", 2)]


def test_counts_of_words_follow_what_comes_and_goes(connection: psycopg.Connection[Any]) -> None:
    """After a replacement and a deletion the counts are those of what is there, and nothing else is left."""
    counts = "SELECT lexeme, passages FROM passage_words ORDER BY 1"
    _publish(connection, "a", {"limits.md": TEXTS["limits.md"]})
    expected = connection.execute(counts).fetchall()
    _publish(connection, "a", TEXTS)
    _publish(connection, "a", {"memory.md": "Something else entirely."})
    delete_sources(connection, "a", ["memory.md", "backup.md"])
    assert connection.execute(counts).fetchall() == expected


@pytest.mark.parametrize(
    ("language", "text", "question"),
    [
        ("german", "Die Rechnungen wurden bezahlt, die Häuser verkauft.", "Wann wird eine Rechnung fällig?"),
        ("french", "Les contrats sont résiliés par les clients.", "Qui peut résilier un contrat ?"),
        ("russian", "Договоры были расторгнуты клиентами.", "Кто расторг договор?"),
        ("simple", "契約は三十日前に解約できます。", "契約の解約"),
    ],
)
def test_other_languages_are_searched_by_their_own_rules(
    connection: psycopg.Connection[Any], language: str, text: str, question: str
) -> None:
    """Inflected words are found by others of the same stem, and characters without spaces by pairs."""
    _publish(connection, "a", TEXTS)
    passage = Passage("1", "other.txt", 0, 9, text)
    with Publication(connection, "a") as publication:
        publication.add([(passage, language)], EMBEDDER.embed([text]))
    assert _sources(by_words(connection, "a", question, 1)) == ["other.txt"]


@pytest.mark.parametrize("guessed", [0.15, 0.5, 0.9])
def test_what_is_not_ranked_is_not_among_the_best(
    connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, guessed: float
) -> None:
    """Whatever score the best are first thought to reach, they are those of ranking all."""
    draw = random.Random(0)
    words = [f"word{chr(97 + number)}" for number in range(12)]
    texts = {
        f"{number}.md": " ".join(draw.choices(words, weights=range(1, 13), k=6)) + f" only{number}"
        for number in range(80)
    }
    _publish(connection, "a", texts)
    question = "wordA wordB wordC wordF wordK wordL"
    vector = EMBEDDER.embed(["nothing of these"])[0]
    monkeypatch.setattr(table, "_FIRST_BOUND", 0)
    expected = table.search(connection, "a", question, vector, 5)
    monkeypatch.setattr(table, "_FIRST_BOUND", guessed)
    assert table.search(connection, "a", question, vector, 5) == expected


@pytest.mark.parametrize("known", [False, True])
def test_collections_do_not_see_each_other(connection: psycopg.Connection[Any], known: bool) -> None:
    """Among many collections with nearer passages, a small one is searched alone and in full."""
    for number in range(40):
        _publish(connection, f"other-{number}", {f"{name}": "zebra zebra zebra" for name in TEXTS})
    _publish(connection, "mine", TEXTS)
    if known:
        connection.execute("ANALYZE passages")
    vector = EMBEDDER.embed(["zebra zebra zebra"])[0]
    assert sorted(_sources(by_meaning(connection, "mine", vector, 9))) == sorted(TEXTS)
    assert by_words(connection, "mine", "zebra", 9) == ()
    assert _sources(by_words(connection, "mine", "max_connections", 9)) == ["limits.md"]


WITHIN = Restriction("passages.source LIKE %(pattern)s", (("pattern", "m%"),))


@pytest.mark.parametrize("exact_rows", [20_000, 0], ids=["exact", "index"])
def test_a_restriction_holds_for_both_ways(
    connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, exact_rows: int
) -> None:
    """What it keeps out is found by no words, and by no meaning; what it lets through is found in full."""
    near = {f"other-{number}": "How much memory do clients take?" for number in range(60)}
    _publish(connection, "a", TEXTS | near | {"more.md": "Nothing of the kind."})
    _publish(connection, "b", {"mine.md": "How much memory does max_connections take?"})
    monkeypatch.setattr(table, "_EXACT_ROWS_WITHIN", exact_rows)
    connection.execute("SET LOCAL enable_seqscan = off")
    question = "How much memory do clients take?"
    found = table.search(connection, "a", question, EMBEDDER.embed([question])[0], 9, WITHIN)
    assert _sources(found) == ["memory.md", "more.md"]


def test_words_that_are_rare_elsewhere_hide_none_within_a_restriction(
    connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rarest word of the question chooses what is ranked in all; within, any word does."""
    monkeypatch.setattr(terms, "_CANDIDATES", 1)
    texts = {f"m-{number}.md": f"The server uses memory {number}." for number in range(9)}
    _publish(connection, "a", texts | {"z.md": "A zebra in the memory."})
    vector = EMBEDDER.embed(["unlike"])[0]
    found = table.search(connection, "a", "zebra memory", vector, 9, WITHIN)
    assert "z.md" not in _sources(found)
    assert all(hit.words for hit in found)


def test_a_restriction_is_one_condition(connection: psycopg.Connection[Any]) -> None:
    """Whatever it says, it opens no other collection."""
    _publish(connection, "a", TEXTS)
    _publish(connection, "b", {"z.md": "max_connections"})
    vector = EMBEDDER.embed(["max_connections"])[0]
    found = table.search(connection, "a", "max_connections", vector, 9, Restriction("false OR true", ()))
    assert set(_sources(found)) == set(TEXTS)


def test_large_collections_are_searched_by_the_index(
    connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the index or row by row, the same passages are found in the same order."""
    _publish(connection, "a", TEXTS)
    _publish(connection, "b", {"z.md": "max_connections"})
    vector = EMBEDDER.embed(["how many clients connect"])[0]
    exact = by_meaning(connection, "a", vector, 3)
    monkeypatch.setattr(table, "_EXACT_ROWS", 1)
    connection.execute("SET LOCAL enable_seqscan = off")
    assert by_meaning(connection, "a", vector, 3) == exact
    assert exact[0].passage.source == "limits.md"


def test_what_says_the_same_is_found_once(connection: psycopg.Connection[Any]) -> None:
    """Of passages with the same words the better alone is returned."""
    _publish(connection, "a", TEXTS | {"copy.md": TEXTS["limits.md"] + " Really."})
    found = by_words(connection, "a", "max_connections default", 9)
    assert len({"limits.md", "copy.md"} & set(_sources(found))) == 1


def test_both_ways_are_fused(connection: psycopg.Connection[Any], empty_database_url: str) -> None:
    """The retriever ranks first what is best by words and by meaning; each says how well it fits."""
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
    assert hits[0].score == pytest.approx(0.5 + 0.5 * hits[0].similarity)
    assert hits[0].words > hits[1].words


def test_embedding_reports_and_keeps_the_order() -> None:
    """Rows come in the order of the passages, whatever the batches were; progress ends at 1."""
    passages = split(
        "x.txt", DocumentText("\n\n".join(f"{number} " * (number % 60 + 31) for number in range(100)))
    )
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
    passages = split("x.txt", DocumentText("\n\n".join("word " * 60 for _ in range(100))))
    reports: list[tuple[int, float]] = []
    with pytest.raises(Cancelled):
        embed_passages(
            EMBEDDER,
            passages,
            report=lambda *done: reports.append(done),
            cancelled=lambda: len(reports) == 1,
        )
    assert len(reports) == 1
