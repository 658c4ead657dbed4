"""Passages in PostgreSQL: the table, what is written to it, and its two ways of search.

Writing goes through a connection that the caller passes in, so that passages
are published in one transaction with the caller's own rows. Collections share
one table. Each row's full-text vector carries its collection as a lexeme of its
own, so that the index on words finds the words of one collection alone.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from backends.base import Hit, ModelError, Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from psycopg import Connection

__all__ = [
    "Connections",
    "create_passage_table",
    "delete_collection",
    "delete_sources",
    "publish",
    "search_dense",
    "search_words",
]

_MAX_DIMENSIONS = 2000  # what an HNSW index of pgvector holds as `vector`
_EXACT_ROWS = 20_000
"""Collections up to this size are searched row by row: exact, and fast enough."""
_COMMON_ROWS = 10_000
"""A word in more passages than this does not choose candidates where a rarer word can."""

_COLUMNS = "id, source, start_byte, end_byte, text, heading"

_TABLE = """
CREATE TABLE IF NOT EXISTS passages (
    collection text NOT NULL,
    id text NOT NULL,
    source text NOT NULL,
    start_byte bigint NOT NULL,
    end_byte bigint NOT NULL,
    text text NOT NULL,
    heading text NOT NULL,
    embedding vector({dimensions}) NOT NULL,
    words tsvector NOT NULL,
    PRIMARY KEY (collection, id)
);
CREATE INDEX IF NOT EXISTS passages_source ON passages (collection, source);
CREATE INDEX IF NOT EXISTS passages_words ON passages USING gin (words);
CREATE INDEX IF NOT EXISTS passages_embedding ON passages USING hnsw (embedding vector_cosine_ops);
"""

_INSERT = """
INSERT INTO passages (collection, id, source, start_byte, end_byte, text, heading, embedding, words)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s::vector, to_tsvector('english', %s) || array_to_tsvector(ARRAY[%s]))
ON CONFLICT (collection, id) DO NOTHING
"""

_EXACT = f"""
WITH near AS MATERIALIZED (
    SELECT id, embedding <=> %(vector)s::vector AS distance FROM passages WHERE collection = %(collection)s
)
SELECT {_COLUMNS}, 1 - distance
FROM (SELECT * FROM near ORDER BY distance, id LIMIT %(limit)s) AS nearest
JOIN passages USING (id) WHERE collection = %(collection)s ORDER BY distance, id
"""  # noqa: S608 (fixed text)

_INDEXED = f"""
WITH near AS MATERIALIZED (
    SELECT {_COLUMNS}, embedding <=> %(vector)s::vector AS distance FROM passages
    WHERE collection = %(collection)s ORDER BY distance LIMIT %(limit)s
)
SELECT {_COLUMNS}, 1 - distance FROM near ORDER BY distance, id
"""  # noqa: S608 (fixed text)

_TERMS = """
SELECT term::text, (
    SELECT count(*) FROM (
        SELECT 1 FROM passages WHERE words @@ (%(owner)s::tsquery && term) LIMIT %(most)s
    ) AS rows
)
FROM (
    SELECT DISTINCT phraseto_tsquery('english', word) AS term FROM unnest(%(words)s::text[]) AS word
) AS terms
WHERE numnode(term) > 0 ORDER BY 1
"""

_WORDS = f"""
SELECT {_COLUMNS}, (
    SELECT sum(weight) FROM unnest(%(terms)s::text[], %(weights)s::float8[]) AS asked (term, weight)
    WHERE words @@ term::tsquery
) AS score
FROM passages WHERE words @@ (%(owner)s::tsquery && %(any)s::tsquery)
ORDER BY score DESC, ts_rank_cd(words, %(any)s::tsquery) DESC, id LIMIT %(limit)s
"""  # noqa: S608 (fixed text)


class Connections(Protocol):
    """Where searches take their connections: a `psycopg_pool.ConnectionPool`, or what stands for one."""

    def connection(self) -> AbstractContextManager[Connection[Any]]:
        """Return a connection in a transaction."""


def create_passage_table(connection: Connection[Any], dimensions: int, *, embedder: str) -> None:
    """Create the table and its indexes unless they are there.

    Args:
        connection: Where; the caller commits.
        dimensions: Length of the embedder's vectors.
        embedder: The embedder's name, kept beside the vectors.

    Raises:
        ModelError: The table holds vectors of another embedder.
    """
    if not 1 <= dimensions <= _MAX_DIMENSIONS:
        raise ModelError(
            f"the embedder {embedder!r} makes vectors of {dimensions:,} dimensions; "
            f"1 to {_MAX_DIMENSIONS:,} can be indexed: use another embedder"
        )
    from psycopg import sql

    connection.execute("SELECT pg_advisory_xact_lock(hashtext('passages'))")
    connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    found = connection.execute(
        "SELECT atttypmod, col_description(attrelid, attnum) FROM pg_attribute "
        "WHERE attrelid = to_regclass('passages') AND attname = 'embedding'"
    ).fetchone()
    if found is None:
        connection.execute(sql.SQL(_TABLE).format(dimensions=sql.Literal(dimensions)))
        connection.execute(
            sql.SQL("COMMENT ON COLUMN passages.embedding IS {}").format(sql.Literal(embedder))
        )
    elif (found[0], found[1]) != (dimensions, embedder):
        raise ModelError(
            f"the passages in this database were embedded by {found[1]!r} ({found[0]:,} dimensions), not by "
            f"{embedder!r} ({dimensions:,}); configure the embedder {found[1]!r}, or use another database and "
            "import the documents again"
        )


def publish(
    connection: Connection[Any],
    collection: str,
    replaced_sources: Sequence[str],
    passages: Sequence[Passage],
    embeddings: NDArray[np.float32],
) -> None:
    """Replace the passages of some sources by new ones; the caller commits.

    Args:
        connection: Where.
        collection: What the passages belong to.
        replaced_sources: Documents whose passages go.
        passages: Passages that come.
        embeddings: One row of length 1 for each of `passages`.
    """
    delete_sources(connection, collection, replaced_sources)
    with connection.cursor() as cursor:
        cursor.executemany(
            _INSERT,
            (
                (
                    *(collection, passage.id, passage.source, passage.start_byte, passage.end_byte),
                    *(passage.text, passage.heading, _vector(row)),
                    *(
                        " ".join(_parts(f"{passage.source} {passage.heading} {passage.text}")),
                        _owner(collection),
                    ),
                )
                for passage, row in zip(passages, embeddings, strict=True)
            ),
        )


def delete_sources(connection: Connection[Any], collection: str, sources: Sequence[str]) -> None:
    """Delete the passages of some documents; the caller commits."""
    connection.execute(
        "DELETE FROM passages WHERE collection = %s AND source = ANY(%s)", (collection, list(sources))
    )


def delete_collection(connection: Connection[Any], collection: str) -> None:
    """Delete all passages of a collection; the caller commits."""
    connection.execute("DELETE FROM passages WHERE collection = %s", (collection,))


def search_dense(
    connection: Connection[Any], collection: str, vector: NDArray[np.float32], limit: int
) -> tuple[Hit, ...]:
    """Return the passages nearest to a vector, by their cosine similarity.

    Exactly in small collections, by the index in large ones.
    """
    values = {"vector": _vector(vector), "collection": collection, "limit": limit}
    with connection.transaction():
        size = connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM passages WHERE collection = %s LIMIT %s) AS rows",
            (collection, _EXACT_ROWS + 1),
        ).fetchone()
        if size and size[0] > _EXACT_ROWS:
            # Otherwise the index looks at the nearest rows of all collections, and may find none of this one.
            connection.execute("SET LOCAL hnsw.iterative_scan = relaxed_order")
            connection.execute("SET LOCAL hnsw.max_scan_tuples = 200000")
            rows = connection.execute(_INDEXED, values).fetchall()
            if len(rows) == limit:
                return _hits(rows)
        return _hits(connection.execute(_EXACT, values).fetchall())


def search_words(connection: Connection[Any], collection: str, question: str, limit: int) -> tuple[Hit, ...]:
    """Return the passages that hold most of a question's words, rare words weighing more.

    The score is the share of the question that a passage holds; any word is
    enough. What is written as one, such as `max_connections`, is looked for as a
    phrase.
    """
    words = sorted({" ".join(_parts(word)) for word in re.findall(r"\S+", question)} - {""})
    owner = f"'{_owner(collection)}'"
    asked = connection.execute(_TERMS, {"owner": owner, "words": words, "most": _EXACT_ROWS}).fetchall()
    choosing = [term for term, rows in asked if 0 < rows <= _COMMON_ROWS] or [
        term for term, rows in asked if rows
    ]
    if not choosing:
        return ()
    size = _EXACT_ROWS  # of the order of a collection: the weights' ratios hardly depend on it
    weights = [math.log(1 + size / (rows + 1)) for _, rows in asked]
    rows = connection.execute(
        _WORDS,
        {
            "owner": owner,
            "terms": [term for term, _ in asked],
            "weights": [weight / sum(weights) for weight in weights],
            "any": " | ".join(f"({term})" for term in choosing),
            "limit": limit,
        },
    ).fetchall()
    return _hits(rows)


def _hits(rows: Sequence[tuple[Any, ...]]) -> tuple[Hit, ...]:
    return tuple(Hit(Passage(*row[:6]), float(row[6])) for row in rows)


def _vector(row: NDArray[np.float32]) -> str:
    return "[" + ",".join(f"{value:.7g}" for value in row.tolist()) + "]"


def _parts(text: str) -> list[str]:
    """Return the runs of letters and digits: `max_connections` is `max`, `connections`, side by side."""
    return re.findall(r"[^\W_]+", text)


def _owner(collection: str) -> str:
    """Return the lexeme that stands for a collection; no word of a text holds a slash."""
    return "collection/" + hashlib.sha256(collection.encode()).hexdigest()[:32]
