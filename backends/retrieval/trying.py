"""Passages as they would be: changed for whoever holds the connection, and for nobody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from psycopg import Connection

from backends.base import Passage
from backends.retrieval.embedding import Embedder, embedded_text
from backends.retrieval.index import Connections, Publication, hold

__all__ = ["changed"]


@contextmanager
def changed(
    pool: Connections, collection: str, embedder: Embedder, changes: Sequence[tuple[Passage, Passage]]
) -> Iterator[Connections]:
    """Yield connections that see passages replaced by others; all is as before when the block ends, however it does.

    The one connection behind them is in a transaction that is rolled back: imports into the collection go on, and
    other searches see nothing of it.

    Args:
        pool: Connections to the database that holds the passages.
        collection: Whose passages.
        embedder: What made them.
        changes: Pairs of a passage that is there and what takes its place.
    """
    vectors = embedder.embed([embedded_text(after) for _, after in changes])
    with pool.connection() as connection, connection.transaction(force_rollback=True):
        hold(connection)
        gone = connection.execute(
            "DELETE FROM passages WHERE collection = %s AND id = ANY(%s) RETURNING id, language",
            [collection, [before.id for before, _ in changes]],
        )
        languages = dict(gone.fetchall())
        come = [
            (place, (after, languages[before.id]))
            for place, (before, after) in enumerate(changes)
            if before.id in languages
        ]
        with Publication(connection, collection) as publication:
            publication.add([each for _, each in come], vectors[[place for place, _ in come]])
        yield _One(connection)


class _One:
    """Hands out one connection, to one thread at a time."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    @contextmanager
    def connection(self) -> Iterator[Connection[Any]]:
        """Yield it, in a transaction within its own."""
        with self._lock, self._connection.transaction():
            yield self._connection
