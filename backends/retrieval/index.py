"""Passages in PostgreSQL: the tables, and what is written to them.

Writing goes through a connection that the caller passes in, so that passages
are published in one transaction with the caller's own rows. Collections share
the tables. Each row's words carry its collection as a lexeme of its own, so
that the index on words finds the words of one collection alone.

The words are those of BM25 (Robertson and Zaragoza, 2009): beside each lexeme
stands, as its weight A to D, what its count and the passage's length make of
it; how rare it is in its collection is counted in `passage_words`, in the same
transaction.

One embedder and one form made all passages of a database. Both are told by
comments on columns, which go along when a table is copied or moved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString, Protocol

from backends.base import ModelError, Passage
from backends.documents.passages import FORM
from backends.retrieval.words import identifiers, owner, spaced

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from psycopg import Connection

__all__ = [
    "IMPACTS",
    "VECTOR_INDEX",
    "Connections",
    "Made",
    "Publication",
    "create_passage_table",
    "create_tables",
    "delete_collection",
    "delete_sources",
    "hold",
    "made_by",
    "vector_text",
]

IMPACTS = (0.65, 1.0, 1.3, 1.7)
"""What a lexeme of weight D, C, B or A counts: the part of BM25 that is known when a passage is written."""

_BOUNDS = (0.8, 1.15, 1.5)  # between them
_SATURATION = 1.2
_LENGTH_SHARE = 0.75
_USUAL_LENGTH = 60
"""Lexemes of a passage: splitting sees to its size, so no average needs to be kept."""
_NAME_COUNT = 2
"""How often a word counts in the headings and terms that begin in a passage, beside its place in the text."""

_MAX_DIMENSIONS = 4000  # what an HNSW index of pgvector holds as `halfvec`
VECTOR_INDEX: LiteralString = "hnsw (embedding halfvec_cosine_ops) WITH (ef_construction = 160)"
"""With pgvector's own 64, the index offers 0.93 of the five nearest of 100,000 passages; with this, 0.98."""
_MOST_COUNTED = 200_000
"""Different lexemes whose counts are held in memory during an import."""

_TABLES = """
CREATE TABLE IF NOT EXISTS passages (
    collection text NOT NULL,
    id text NOT NULL,
    source text NOT NULL,
    start_byte bigint NOT NULL,
    end_byte bigint NOT NULL,
    text text NOT NULL,
    heading text NOT NULL,
    place text NOT NULL,
    names text NOT NULL,
    language text NOT NULL,
    embedding halfvec({dimensions}) STORAGE MAIN NOT NULL,
    words tsvector NOT NULL,
    PRIMARY KEY (collection, id)
) WITH (toast_tuple_target = 4080);
CREATE INDEX IF NOT EXISTS passages_source ON passages (collection, source);
CREATE INDEX IF NOT EXISTS passages_words ON passages USING gin (words);
CREATE INDEX IF NOT EXISTS passages_embedding ON passages USING {vectors};
CREATE TABLE IF NOT EXISTS passage_words (
    collection text NOT NULL,
    lexeme text COLLATE "C" NOT NULL,
    passages bigint NOT NULL,
    PRIMARY KEY (collection, lexeme)
);
CREATE TABLE IF NOT EXISTS passage_languages (
    collection text NOT NULL,
    language text NOT NULL,
    passages bigint NOT NULL,
    PRIMARY KEY (collection, language)
);
"""

_FUNCTION = f"""
CREATE OR REPLACE FUNCTION passage_words(language regconfig, body text, names text, written text[], owner text)
RETURNS tsvector LANGUAGE sql STABLE AS $$
    WITH found AS (
        SELECT lexeme, cardinality(positions) AS count FROM unnest(to_tsvector(language, body))
        UNION ALL
        SELECT lexeme, {_NAME_COUNT} * cardinality(positions) FROM unnest(to_tsvector(language, names))
        UNION ALL
        SELECT '=' || name, 1 FROM unnest(written) AS name
    ),
    counted AS (SELECT lexeme, sum(count) AS count, sum(sum(count)) OVER () AS length FROM found GROUP BY lexeme),
    weighed AS (
        SELECT lexeme, count * {_SATURATION + 1}
            / (count + {_SATURATION} * ({1 - _LENGTH_SHARE} + {_LENGTH_SHARE} * length / {_USUAL_LENGTH}.0)) AS impact
        FROM counted
    )
    SELECT (
        coalesce(string_agg(
            '''' || replace(replace(lexeme, '\\', '\\\\'), '''', '''''') || ''':1'
            || CASE WHEN impact < {_BOUNDS[0]} THEN 'D' WHEN impact < {_BOUNDS[1]} THEN 'C'
                WHEN impact < {_BOUNDS[2]} THEN 'B' ELSE 'A' END,
            ' '
        ), '') || ' ''' || owner || ''''
    )::tsvector FROM weighed
$$
"""  # noqa: S608 (fixed text)

_INSERT = """
INSERT INTO passages (
    collection, id, source, start_byte, end_byte, text, heading, place, names, language, embedding, words
) VALUES (
    %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::halfvec, passage_words(%s::regconfig, %s, %s, %s, %s)
)
ON CONFLICT (collection, id) DO NOTHING
RETURNING language, tsvector_to_array(words)
"""

_COUNT = """
INSERT INTO {table} (collection, {name}, passages)
SELECT %s, {name}, passages FROM unnest(%s::text[], %s::bigint[]) AS counted ({name}, passages)
ON CONFLICT (collection, {name}) DO UPDATE SET passages = {table}.passages + excluded.passages
"""

_WRITERS = "hashtext('advisor.passages.writers')"


class Connections(Protocol):
    """Where searches take their connections: a `psycopg_pool.ConnectionPool`, or what stands for one."""

    def connection(self) -> AbstractContextManager[Connection[Any]]:
        """Return a connection in a transaction."""


@dataclass(frozen=True, slots=True)
class Made:
    """What the passages of a database were made by.

    Attributes:
        embedder: Name of the embedder.
        dimensions: Length of its vectors.
        form: Of `backends.documents.passages.FORM`, what it was then.
    """

    embedder: str
    dimensions: int
    form: int = FORM


def create_passage_table(connection: Connection[Any], dimensions: int, *, embedder: str) -> None:
    """Create the tables and their indexes unless they are there.

    Args:
        connection: Where; the caller commits.
        dimensions: Length of the embedder's vectors.
        embedder: The embedder's name, kept beside the vectors.

    Raises:
        ModelError: The table holds vectors of another embedder.
    """
    _check_dimensions(dimensions, embedder)
    connection.execute("SELECT pg_advisory_xact_lock(hashtext('passages'))")
    found = made_by(connection)
    if found is None:
        create_tables(connection, Made(embedder, dimensions))
    elif (found.embedder, found.dimensions) != (embedder, dimensions):
        raise ModelError(
            f"the passages in this database were embedded by {found.embedder!r} ({found.dimensions:,} "
            f"dimensions), not by {embedder!r} ({dimensions:,}); use the embedder {found.embedder!r}, or make "
            "them anew with Reindex"
        )


def create_tables(connection: Connection[Any], made: Made) -> None:
    """Create the tables and their indexes in the first schema of the search path; the caller commits.

    Raises:
        ModelError: The embedder's vectors cannot be indexed.
    """
    from psycopg import sql

    _check_dimensions(made.dimensions, made.embedder)
    connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    connection.execute(
        sql.SQL(_TABLES).format(dimensions=sql.Literal(made.dimensions), vectors=sql.SQL(VECTOR_INDEX))
    )
    connection.execute(_FUNCTION)
    for column, comment in (("embedding", made.embedder), ("text", str(made.form))):
        told = sql.SQL("COMMENT ON COLUMN passages.{} IS {}").format(
            sql.Identifier(column), sql.Literal(comment)
        )
        connection.execute(told)


def made_by(connection: Connection[Any], *, until_end: bool = False) -> Made | None:
    """Return what made the passages; None where there is no table of passages.

    Args:
        connection: Where.
        until_end: Whether it is to stay true until the transaction ends; there must be a table then.
    """
    if until_end:
        connection.execute("LOCK TABLE passages IN ACCESS SHARE MODE")
    row = connection.execute(
        "SELECT col_description(attrelid, attnum), atttypmod, (SELECT col_description(attrelid, attnum)"
        " FROM pg_attribute WHERE attrelid = to_regclass('passages') AND attname = 'text') FROM pg_attribute"
        " WHERE attrelid = to_regclass('passages') AND attname = 'embedding'"
    ).fetchone()
    return None if row is None else Made(row[0], row[1], int(row[2] or 1))


def hold(connection: Connection[Any], *, alone: bool = False) -> None:
    """Write passages, until the transaction ends, beside others that do; or keep all of them out.

    Who writes in a transaction that goes on for long must not find another table at its end.

    Raises:
        LockNotAvailable: For longer than `lock_timeout` somebody else wrote.
    """
    mode = "" if alone else "_shared"
    connection.execute(f"SELECT pg_advisory_xact_lock{mode}({_WRITERS})")


def _check_dimensions(dimensions: int, embedder: str) -> None:
    if not 1 <= dimensions <= _MAX_DIMENSIONS:
        raise ModelError(
            f"the embedder {embedder!r} makes vectors of {dimensions:,} dimensions; "
            f"1 to {_MAX_DIMENSIONS:,} can be indexed: use another embedder"
        )


class Publication:
    """Passages of one collection that come and go within the caller's transaction.

    with Publication(connection, "faq") as publication:
        publication.delete(["a.md"])
        publication.add([(passage, "english")], vectors)

    Args:
        connection: Where; the caller commits after the publication is closed.
        collection: What the passages belong to.
    """

    def __init__(self, connection: Connection[Any], collection: str) -> None:
        self._connection = connection
        self._collection = collection
        self._owner = owner(collection)
        self._words: Counter[str] = Counter()
        self._languages: Counter[str] = Counter()

    def __enter__(self) -> Publication:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self._count()

    def add(self, passages: Sequence[tuple[Passage, str]], embeddings: NDArray[np.float32]) -> None:
        """Add passages.

        Args:
            passages: Passages, each with the text search configuration of its language.
            embeddings: One row of length 1 for each of `passages`.
        """
        with self._connection.cursor() as cursor:
            cursor.executemany(
                _INSERT,
                (
                    (
                        *(self._collection, each.id, each.source, each.start_byte, each.end_byte),
                        *(each.text, each.heading, each.place, each.names, language, vector_text(row)),
                        *_analysed(each, language),
                        self._owner,
                    )
                    for (each, language), row in zip(passages, embeddings, strict=True)
                ),
                returning=True,
            )
            for _ in passages:
                self._add(cursor.fetchall(), 1)
                cursor.nextset()
        if len(self._words) > _MOST_COUNTED:
            self._count()

    def delete(self, sources: Sequence[str]) -> None:
        """Delete the passages of some documents."""
        if sources:
            gone = self._connection.execute(
                "DELETE FROM passages WHERE collection = %s AND source = ANY(%s)"
                " RETURNING language, tsvector_to_array(words)",
                (self._collection, list(sources)),
            )
            self._add(gone, -1)

    def _add(self, rows: Iterable[tuple[str, list[str]]], sign: int) -> None:
        for language, lexemes in rows:
            self._languages[language] += sign
            for lexeme in lexemes:
                self._words[lexeme] += sign

    def _count(self) -> None:
        """Bring the counts of words and languages in step with what came and went."""
        for table, name, counts in (
            ("passage_words", "lexeme", self._words),
            ("passage_languages", "language", self._languages),
        ):
            counted = sorted(item for item in counts.items() if item[1])
            self._connection.execute(
                _COUNT.format(table=table, name=name),
                (self._collection, [each[0] for each in counted], [each[1] for each in counted]),
            )
            if any(count < 0 for _, count in counted):
                self._connection.execute(
                    f"DELETE FROM {table} WHERE collection = %s AND passages <= 0",  # noqa: S608
                    (self._collection,),
                )
            counts.clear()


def delete_sources(connection: Connection[Any], collection: str, sources: Sequence[str]) -> None:
    """Delete the passages of some documents; the caller commits."""
    hold(connection)
    with Publication(connection, collection) as publication:
        publication.delete(sources)


def delete_collection(connection: Connection[Any], collection: str) -> None:
    """Delete all passages of a collection; the caller commits."""
    hold(connection)
    for table in ("passages", "passage_words", "passage_languages"):
        connection.execute(f"DELETE FROM {table} WHERE collection = %s", (collection,))  # noqa: S608


def vector_text(row: NDArray[np.float32]) -> str:
    """Return a vector as pgvector reads it."""
    return "[" + ",".join(f"{value:.7g}" for value in row.tolist()) + "]"


def _analysed(passage: Passage, language: str) -> tuple[str, str, str, list[str]]:
    """Return what the words of a passage are made of: language, running text, names, and names as written."""
    whole = f"{passage.source} {passage.heading}\n{passage.text}"
    return language, spaced(whole), spaced(passage.names), list(identifiers(whole))
