"""Search over passages in PostgreSQL: by words, as BM25 ranks, and by meaning, together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, LiteralString

from backends.base import Hit, Passage, Restriction
from backends.retrieval.index import IMPACTS, vector_text
from backends.retrieval.terms import Term, choosing, reaching
from backends.retrieval.words import identifiers, is_name, owner, spaced

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from psycopg import Connection

__all__ = ["EF_SEARCH", "SETTINGS", "nearest", "search"]

_EXACT_ROWS = 1_000
"""Collections up to this size are searched row by row, which is exact, and no slower than by the index."""
_EXACT_ROWS_WITHIN = 20_000
"""Likewise of the passages within a restriction, which the index does not know of."""
_ROWS_FOR_ONE = 8
"""Rows that are compared in the time that the index takes to find one of the nearest."""
_MOST_RANKED = 20_000
"""Of passages whose words say little, as in a question of one common word, this many are ranked."""
_FIRST_BOUND = 0.15
"""The share of a question's weight that its best passages usually reach: by measurement."""
_NAME_WEIGHT = 1.5
"""What a word of a name counts in a question, `max_connections`, to one of the language: by measurement."""
_MEANING_SHARE = 0.5
"""Of the score; what words say counts the rest: by measurement, from 0.3 to 0.5 it hardly matters."""
_OFFERED = 20
"""Candidates of each way at least."""
_SAME_SHARE = 0.9
_MOST_LANGUAGES = 4
_MOST_TERMS = 40
_ROUNDING = 1e-5
"""`ts_rank` is of single precision."""
_RANK = 1.64493406685
"""ts_rank divides the weight of a lexeme by this, the sum of the inverse squares."""

EF_SEARCH = 160
"""How many of the nearest HNSW keeps while it looks: of 100,000 passages it then offers 0.99 of the five nearest."""

_COLUMNS: LiteralString = "id, source, start_byte, end_byte, text, heading, place, names"

# Materialized: the order would have the index on meaning used, which sees the nearest of all collections.
_EXACT: LiteralString = """
WITH near AS MATERIALIZED (
    SELECT id, embedding <=> %(vector)s::halfvec AS distance FROM passages WHERE collection = %(collection)s
)
SELECT id FROM near ORDER BY distance, id LIMIT %(limit)s
"""

_INDEXED: LiteralString = """
SELECT id FROM passages WHERE collection = %(collection)s
ORDER BY embedding <=> %(vector)s::halfvec LIMIT %(limit)s
"""

# Plans are made for the values at hand: a collection may be all of the table, or next to nothing of it. And
# the index on meaning goes on among the passages of all collections until it has found enough of this one.
SETTINGS: LiteralString = f"""
SELECT greatest(reltuples, 0), set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true),
    set_config('hnsw.ef_search', '{EF_SEARCH}', true), set_config('hnsw.iterative_scan', 'relaxed_order', true),
    set_config('hnsw.max_scan_tuples', '200000', true)
FROM pg_class WHERE oid = to_regclass('passages')
"""  # noqa: S608 (fixed text)

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
    SELECT coalesce(sum(weight * ts_rank(%(impacts)s::float4[], words, term)), 0)
    FROM unnest(%(terms)s::tsquery[], %(weights)s::float8[]) AS asked (term, weight)
)"""

_SIZE: LiteralString = """
SELECT count(*) FROM (SELECT FROM passages WHERE collection = %(collection)s LIMIT %(limit)s) AS counted
"""

_WORDS: LiteralString = f"""
SELECT id, {_SCORE} AS score
FROM (
    SELECT id, words FROM passages WHERE words @@ %(chosen)s::tsquery AND collection = %(collection)s
    LIMIT {_MOST_RANKED}
) AS chosen
ORDER BY score DESC, id LIMIT %(limit)s
"""  # noqa: S608 (fixed text)

_SCORED: LiteralString = f"""
SELECT {_COLUMNS}, {_SCORE}, 1 - (embedding <=> %(vector)s::halfvec)
FROM passages WHERE collection = %(collection)s AND id = ANY(%(ids)s) ORDER BY id
"""  # noqa: S608 (fixed text)


def search(
    connection: Connection[Any],
    collection: str,
    question: str,
    vector: NDArray[np.float32],
    limit: int,
    within: Restriction | None = None,
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
        within: Which passages of the collection may be found; all where None.

    Returns:
        Passages, best first; empty where the collection is.
    """
    most = max(2 * limit, _OFFERED)
    with connection.transaction():
        rows_of_all = (connection.execute(SETTINGS).fetchone() or (0.0,))[0]
        terms, size = _terms(connection, collection, question)
        asked = _asked(collection, terms, vector, among_others=size < rows_of_all / 2)
        exact_rows = max(_EXACT_ROWS, math.sqrt(_ROWS_FOR_ONE * most * rows_of_all))
        choice = choosing(terms, size) if terms else ""
        if within is not None:
            asked |= within.values
            exact_rows = _EXACT_ROWS_WITHIN
            size = _size_within(connection, asked, within)
            if size <= exact_rows:  # words that are rare in all passages may be in none of these
                choice = " | ".join(term.query for term in terms)
        by_words = _best_by_words(connection, asked, terms, choice, most, within) if terms else []
        by_meaning = nearest(connection, asked, most, exact=size <= exact_rows, within=within)
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
    collection: str, terms: Sequence[Term], vector: NDArray[np.float32], *, among_others: bool
) -> dict[str, Any]:
    """Return the values of a question's queries; the collection's own lexeme where most rows are of others."""
    return {
        "collection": collection,
        "owner": f"'{owner(collection)}'" if among_others else "",
        "vector": vector_text(vector),
        "terms": [term.query for term in terms],
        "weights": [term.weight * _RANK for term in terms],
        "impacts": [impact / max(IMPACTS) for impact in IMPACTS],  # at most 1
    }


def _restricted(query: LiteralString, within: Restriction | None) -> str:
    """Return a query that sees but some of the passages, whatever else it asks of them."""
    if within is None:
        return query
    before, where, after = query.partition("passages WHERE ")
    if not where:
        raise ValueError(f"the query has no place for a restriction: {query}")
    return f"{before}{where}({within.sql}) AND {after}"


def _size_within(connection: Connection[Any], asked: dict[str, Any], within: Restriction) -> int:
    """Return how many passages there are within a restriction, counted up to more than are searched row by row."""
    counted = {**asked, "limit": _EXACT_ROWS_WITHIN + 1}
    row = connection.execute(_restricted(_SIZE, within), counted).fetchone()
    return row[0] if row else 0


def _best_by_words(
    connection: Connection[Any],
    asked: dict[str, Any],
    terms: Sequence[Term],
    choice: str,
    limit: int,
    within: Restriction | None,
) -> list[str]:
    """Return the passages that rank highest by words; those that cannot be among them are not ranked.

    The best of those that may reach a guessed score are the best of all where the last of them reaches it;
    otherwise all of the best reach the score of that last one.
    """

    def ranked(score: float) -> list[tuple[str, float]]:
        queries = (asked["owner"], choice, reaching(terms, score * (1 - _ROUNDING)))
        chosen = " & ".join(f"({query})" for query in queries if query)
        values = {**asked, "chosen": chosen, "limit": limit}
        return connection.execute(_restricted(_WORDS, within), values).fetchall()

    guessed = _FIRST_BOUND * sum(term.weight for term in terms)
    found = ranked(guessed)
    last = found[-1][1] if len(found) == limit else 0.0
    if last < guessed:
        found = ranked(last)
    return [id_ for id_, _ in found]


def nearest(
    connection: Connection[Any],
    asked: Mapping[str, Any],
    limit: int,
    *,
    exact: bool,
    within: Restriction | None = None,
) -> list[str]:
    """Return the ids of the passages nearest in meaning: row by row, or by the index, which may miss some.

    Args:
        connection: Where.
        asked: The `collection`, the `vector` as text, and the values of the restriction.
        limit: Most passages to return.
        exact: Whether every passage is compared.
        within: Which passages of the collection may be found; all where None.
    """
    found: list[str] = []
    for query in (_EXACT,) if exact else (_INDEXED, _EXACT):
        rows = connection.execute(_restricted(query, within), {**asked, "limit": limit})
        found = [row[0] for row in rows]
        if len(found) == limit:
            break
    return found


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


def _terms(connection: Connection[Any], collection: str, question: str) -> tuple[list[Term], int]:
    """Return the lexemes of a question that the collection has, rarest first, and its number of passages."""
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
    weights = {
        lexeme: _rarity(passages, size) * (_NAME_WEIGHT if named else 1)
        for lexeme, named, passages in rows
        if lexeme
    }
    share = max(IMPACTS) / (sum(weights.values()) or 1.0)
    found = [
        Term(lexeme, weights[lexeme] * share, passages) for lexeme, _, passages in rows if lexeme and passages
    ]
    return sorted(found, key=lambda term: (term.passages, term.lexeme))[:_MOST_TERMS], size


def _rarity(passages: int, size: int) -> float:
    """Return the inverse document frequency of BM25, as Lucene has it: above 0 for any word."""
    return math.log(1 + (size - passages + 0.5) / (passages + 0.5))
