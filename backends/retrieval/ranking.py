"""Search over passages in PostgreSQL: by words, as BM25 ranks, and by meaning, together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

from backends.base import Hit, Passage
from backends.retrieval.index import IMPACTS, vector_text
from backends.retrieval.words import identifiers, is_name, owner, spaced

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from psycopg import Connection

__all__ = ["search"]

_EXACT_ROWS = 20_000
"""Collections up to this size are searched row by row: exact, and fast enough."""
_CANDIDATES = 3_000
"""Rare words choose the passages that are ranked, until together they are in this many."""
_NAME_WEIGHT = 1.5
"""What a word of a name counts in a question, `max_connections`, to one of the language: by measurement."""
_MEANING_SHARE = 0.5
"""Of the score; what words say counts the rest: by measurement, from 0.3 to 0.5 it hardly matters."""
_OFFERED = 20
"""Candidates of each way at least."""
_SAME_SHARE = 0.9
_MOST_LANGUAGES = 4
_MOST_TERMS = 40
_RANK = 1.64493406685
"""ts_rank divides the weight of a lexeme by this, the sum of the inverse squares."""

_COLUMNS: LiteralString = "id, source, start_byte, end_byte, text, heading, place, names"

# Materialized: the order would have the index on meaning used, which sees the nearest of all collections.
_EXACT: LiteralString = """
WITH near AS MATERIALIZED (
    SELECT id, embedding <=> %(vector)s::vector AS distance FROM passages WHERE collection = %(collection)s
)
SELECT id FROM near ORDER BY distance, id LIMIT %(limit)s
"""

_INDEXED: LiteralString = """
SELECT id FROM passages WHERE collection = %(collection)s
ORDER BY embedding <=> %(vector)s::vector LIMIT %(limit)s
"""

_TERMS: LiteralString = """
WITH asked AS (
    SELECT lexeme, bool_or(word.named) AS named
    FROM unnest(%(words)s::text[], %(named)s::bool[]) AS word (text, named),
        (SELECT language FROM passage_languages WHERE collection = %(collection)s
         ORDER BY passages DESC LIMIT %(languages)s) AS spoken,
        unnest(to_tsvector(spoken.language::regconfig, word.text))
    GROUP BY lexeme
    UNION ALL
    SELECT '=' || name, true FROM unnest(%(written)s::text[]) AS name
)
SELECT lexeme, named, coalesce(passages, 0)
FROM asked LEFT JOIN (SELECT * FROM passage_words WHERE collection = %(collection)s) AS known USING (lexeme)
UNION ALL
SELECT '', false, passages FROM passage_words WHERE collection = %(collection)s AND lexeme = %(owner)s
"""

_SCORE: LiteralString = """(
    SELECT coalesce(sum(weight * ts_rank(%(impacts)s::float4[], words, term::tsquery)), 0)
    FROM unnest(%(terms)s::text[], %(weights)s::float8[]) AS asked (term, weight)
)"""

_WORDS: LiteralString = f"""
SELECT id FROM passages WHERE words @@ (%(owner)s::tsquery && %(any)s::tsquery)
ORDER BY {_SCORE} DESC, id LIMIT %(limit)s
"""  # noqa: S608 (fixed text)

_SCORED: LiteralString = f"""
SELECT {_COLUMNS}, {_SCORE}, 1 - (embedding <=> %(vector)s::vector)
FROM passages WHERE collection = %(collection)s AND id = ANY(%(ids)s) ORDER BY id
"""  # noqa: S608 (fixed text)


@dataclass(frozen=True, slots=True)
class _Term:
    """A lexeme of a question: its weight in the ranking, and in how many passages it is."""

    lexeme: str
    weight: float
    passages: int

    @property
    def query(self) -> str:
        """Return the lexeme as a tsquery is written."""
        escaped = self.lexeme.replace("\\", "\\\\").replace("'", "''")
        return f"'{escaped}'"


def search(
    connection: Connection[Any], collection: str, question: str, vector: NDArray[np.float32], limit: int
) -> tuple[Hit, ...]:
    """Return the passages that fit a question best by their words and their meaning together.

    Both ways offer candidates, each candidate is scored by both, and the scores are
    added: that by words as a share of the best, and the cosine as it is. Of passages
    that say the same, the first alone is returned.

    Args:
        connection: Where.
        collection: Whose passages.
        question: The question.
        vector: Its embedding, of length 1.
        limit: Most passages to return.

    Returns:
        Passages, best first; empty where the collection is.
    """
    most = max(2 * limit, _OFFERED)
    with connection.transaction():
        asked, size = _asked(connection, collection, question, vector)
        by_words = _ids(connection, _WORDS, asked, most) if asked["terms"] else []
        by_meaning = _nearest(connection, asked, size, most)
        ids = list({*by_words, *by_meaning})
        rows = connection.execute(_SCORED, {**asked, "ids": ids}).fetchall()
    best = max((row[8] for row in rows), default=0.0) or 1.0
    hits = [
        Hit(
            Passage(*row[:8]),
            score=(1 - _MEANING_SHARE) * row[8] / best + _MEANING_SHARE * row[9],
            words=row[8],
            similarity=row[9],
        )
        for row in rows
    ]
    return _distinct(sorted(hits, key=lambda hit: -hit.score), limit)


def _asked(
    connection: Connection[Any], collection: str, question: str, vector: NDArray[np.float32]
) -> tuple[dict[str, Any], int]:
    """Return the values of a question's queries, and how many passages the collection has."""
    found, size = _terms(connection, collection, question)
    terms = [term for term in found if term.passages][:_MOST_TERMS]
    total = sum(term.weight for term in found) or 1.0
    asked = {
        "collection": collection,
        "owner": f"'{owner(collection)}'",
        "vector": vector_text(vector),
        "terms": [term.query for term in terms],
        "weights": [term.weight * _RANK * max(IMPACTS) / total for term in terms],
        "any": _choosing(terms, size) if terms else "",
        "impacts": [impact / max(IMPACTS) for impact in IMPACTS],  # at most 1
    }
    return asked, size


def _nearest(connection: Connection[Any], asked: dict[str, Any], size: int, limit: int) -> list[str]:
    """Return the passages nearest in meaning: exactly in small collections, by the index in large ones."""
    if size > _EXACT_ROWS:
        # Otherwise the index looks at the nearest rows of all collections, and may find none of this one.
        connection.execute("SET LOCAL hnsw.iterative_scan = relaxed_order")
        connection.execute("SET LOCAL hnsw.max_scan_tuples = 200000")
        found = _ids(connection, _INDEXED, asked, limit)
        if len(found) == limit:
            return found
    return _ids(connection, _EXACT, asked, limit)


def _ids(connection: Connection[Any], query: LiteralString, asked: dict[str, Any], limit: int) -> list[str]:
    return [row[0] for row in connection.execute(query, {**asked, "limit": limit})]


def _distinct(hits: Sequence[Hit], limit: int) -> tuple[Hit, ...]:
    """Return the first hits, without those whose words a better one has already."""
    chosen: list[Hit] = []
    seen: list[set[str]] = []
    for hit in hits:
        words = set(hit.passage.text.split())
        if all(len(words & other) < _SAME_SHARE * max(len(words), len(other)) for other in seen):
            chosen.append(hit)
            seen.append(words)
        if len(chosen) == limit:
            break
    return tuple(chosen)


def _terms(connection: Connection[Any], collection: str, question: str) -> tuple[list[_Term], int]:
    """Return the lexemes of a question, rarest first, and how many passages the collection has."""
    words = question.split()
    rows = connection.execute(
        _TERMS,
        {
            "collection": collection,
            "owner": owner(collection),
            "words": [spaced(word) for word in words],
            "named": [is_name(word) for word in words],
            "written": sorted(set(identifiers(question))),
            "languages": _MOST_LANGUAGES,
        },
    ).fetchall()
    size = next((passages for lexeme, _, passages in rows if not lexeme), 0)
    found = [
        _Term(lexeme, _rarity(passages, size) * (_NAME_WEIGHT if named else 1), passages)
        for lexeme, named, passages in rows
        if lexeme
    ]
    return sorted(found, key=lambda term: (term.passages, term.lexeme)), size


def _rarity(passages: int, size: int) -> float:
    """Return the inverse document frequency of BM25, as Lucene has it: above 0 for any word."""
    return math.log(1 + (size - passages + 0.5) / (passages + 0.5))


def _choosing(terms: Sequence[_Term], size: int) -> str:
    """Return the query that chooses what is ranked: any rare word, or two common ones together."""
    chosen, passages = [terms[0].query], terms[0].passages
    for term in terms[1:]:
        if passages + term.passages > max(_CANDIDATES, size // 100):
            break
        chosen.append(term.query)
        passages += term.passages
    if terms[0].passages > _CANDIDATES and len(terms) > 1:
        return " | ".join(f"{terms[0].query} & {term.query}" for term in terms[1:3])
    return " | ".join(chosen)
