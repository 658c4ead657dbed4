"""A question asked of passages by the embedder that made them, whichever that is by now.

Passages may be made anew by another embedder while a question is on its way.
So it is embedded by the embedder that made them a moment ago, and again where
that is not the one any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from backends.base import Hit, ModelError, Passage, Restriction
from backends.retrieval.embedding import Embedder
from backends.retrieval.index import Connections, made_by
from backends.retrieval.ranking import search
from backends.retrieval.reranking import Reranker, candidates, reranked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from psycopg import Connection

__all__ = ["Named", "ask", "gone", "no_other", "search_embedded"]

Named = Callable[[str], Embedder]
"""Returns an embedder by its name; ModelError where it cannot be loaded."""


def no_other(name: str) -> Embedder:
    """Refuse to load an embedder; implements `Named`."""
    raise ModelError(
        f"the passages were made by the embedder {name!r} and are searched by another; use {name!r}"
    )


def ask(
    pool: Connections,
    collection: str,
    question: str,
    embedder: Embedder,
    limit: int,
    named: Named = no_other,
    within: Restriction | None = None,
    reranker: Reranker | None = None,
) -> tuple[Hit, ...]:
    """Embed a question, and return the passages that fit it best.

    Args:
        pool: Connections to where the passages are.
        collection: Whose passages.
        question: The question.
        embedder: What made the passages, when last looked at.
        limit: Most passages to return.
        named: Returns what made them, where it is another by now.
        within: Which passages may be found; all where None.
        reranker: Puts what was found in another order.

    Raises:
        ModelError: A model cannot be loaded.
    """
    vector = embedder.embed([question])[0]
    most = candidates(reranker, limit)
    with pool.connection() as connection:
        found = search_embedded(
            connection, collection, question, (embedder.name, vector), most, named, within
        )
    return reranked(reranker, question, found, limit)


def search_embedded(
    connection: Connection[Any],
    collection: str,
    question: str,
    embedded: tuple[str, NDArray[np.float32]],
    limit: int,
    named: Named = no_other,
    within: Restriction | None = None,
) -> tuple[Hit, ...]:
    """Return the passages that fit a question best, in a transaction of the caller's.

    Args:
        connection: Where.
        collection: Whose passages.
        question: The question.
        embedded: Name of the embedder and the vector that it made of the question.
        limit: Most passages to return.
        named: As `ask` takes it.
        within: As `ask` takes it.

    Raises:
        ModelError: As `ask` does.
    """
    name, vector = embedded
    made = made_by(connection, until_end=True)
    if made is not None and made.embedder != name:
        vector = named(made.embedder).embed([question])[0]
    return search(connection, collection, question, vector, limit, within)


def gone(pool: Connections, collection: str, passages: Iterable[Passage]) -> tuple[str, ...]:
    """Return the sources of passages that are not there any more: deleted, or replaced by those of another text."""
    found = {passage.id: passage.source for passage in passages}
    with pool.connection() as connection:
        rows = connection.execute(
            "SELECT id FROM passages WHERE collection = %s AND id = ANY(%s)", (collection, list(found))
        ).fetchall()
    there = {row[0] for row in rows}
    return tuple(sorted({source for id_, source in found.items() if id_ not in there}))
