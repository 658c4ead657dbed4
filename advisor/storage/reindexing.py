"""Documents whose passages are being made anew: which are done, which changed since, and the last step.

Which version of a document the new passages were made of is kept beside them.
So documents may come, change and go meanwhile: what differs is made again
before the new passages take the place of the old.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from psycopg.errors import DeadlockDetected, InsufficientPrivilege, LockNotAvailable
from psycopg.rows import class_row

from advisor.errors import FailedPrecondition
from advisor.storage import use_cases
from advisor.storage.database import Connection, Database
from backends.base import Passage
from backends.retrieval import remaking
from backends.retrieval.index import Made, Publication, hold, made_by

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "Behind",
    "InUse",
    "Remade",
    "Totals",
    "Version",
    "begin",
    "discard_unused",
    "is_current",
    "keep",
    "read",
    "remove_gone",
    "stale",
    "switch",
    "totals",
]

LOCK_MS = 2_000
"""Longest wait for imports and searches under way; who comes meanwhile waits as long."""

_MADE_OF = f"{remaking.SCHEMA}.made_of"
_TABLE = f"""
CREATE TABLE IF NOT EXISTS {_MADE_OF} (
    use_case_id text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    sha256 text NOT NULL,
    media_type text NOT NULL,
    passage_count bigint NOT NULL,
    skipped boolean NOT NULL,
    PRIMARY KEY (use_case_id, source)
)
"""
_STALE = f"""
SELECT use_case_id, source, size_bytes FROM documents
WHERE NOT EXISTS (
    SELECT FROM {_MADE_OF} AS made WHERE (made.use_case_id, made.source, made.sha256, made.media_type)
        = (documents.use_case_id, documents.source, documents.sha256, documents.media_type)
)
ORDER BY use_case_id, source
"""  # noqa: S608 (fixed text)
_GONE = f"""
SELECT use_case_id, source FROM {_MADE_OF} AS made WHERE NOT EXISTS (
    SELECT FROM documents WHERE (documents.use_case_id, documents.source) = (made.use_case_id, made.source)
)
ORDER BY use_case_id, source
"""  # noqa: S608 (fixed text)


class Behind(Exception):
    """Documents changed while their passages were made."""


class InUse(Exception):
    """Imports or searches went on for longer than is waited for."""


@dataclass(frozen=True, slots=True)
class Version:
    """A document as it was at one moment."""

    use_case_id: str
    source: str
    media_type: str
    content: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class Remade:
    """The new passages of a document.

    Attributes:
        version: What they were made of.
        passages: The passages, each with the text search configuration of its language.
        skipped: Whether the document could not be read.
    """

    version: Version
    passages: Sequence[tuple[Passage, str]]
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """What there is of new passages.

    Attributes:
        documents: Documents that they are of.
        passages: How many they are.
        skipped: Documents that could not be read.
    """

    documents: int
    passages: int
    skipped: int


def is_current(connection: Connection, made: Made) -> bool:
    """Return whether all documents have passages by that embedder and of that form."""
    row = connection.execute("SELECT EXISTS (SELECT FROM documents WHERE sha256 = '')").fetchone()
    return made_by(connection) == made and row == (False,)


def begin(database: Database, made: Made) -> None:
    """Make room for new passages, or find what was made of them before.

    Raises:
        ModelError: The embedder's vectors cannot be indexed.
        FailedPrecondition: The database's user may not make room.
    """
    try:
        with database.transaction() as connection:
            _alone(connection)
            remaking.begin(connection, made)
            connection.execute(_TABLE)
    except InsufficientPrivilege as error:
        raise FailedPrecondition(
            "MAY_NOT_CREATE_SCHEMA",
            "new passages are made in a schema of their own, and the database's user may not create one; "
            "let its owner run GRANT CREATE ON DATABASE ... TO that user",
        ) from error


def stale(database: Database) -> list[tuple[str, str, int]]:
    """Return use case, source and size in bytes of the documents that the new passages lack or have otherwise."""
    with database.transaction() as connection:
        return connection.execute(_STALE).fetchall()


def read(database: Database, use_case_id: str, source: str) -> Version | None:
    """Return a document as it is now; None where it is gone."""
    with database.transaction() as connection, connection.cursor(row_factory=class_row(Version)) as cursor:
        return cursor.execute(
            "SELECT use_case_id, source, media_type, content, sha256 FROM documents"
            " WHERE use_case_id = %s AND source = %s",
            [use_case_id, source],
        ).fetchone()


def keep(
    database: Database, use_case_id: str, documents: Sequence[Remade], vectors: NDArray[np.float32]
) -> None:
    """Keep the new passages of some documents of a use case, in place of new passages of earlier versions.

    Args:
        database: Where.
        use_case_id: Whose.
        documents: The documents with their passages.
        vectors: One row for each passage, in order.
    """
    with database.transaction() as connection:
        _alone(connection)
        with remaking.beside(connection), Publication(connection, use_case_id) as publication:
            publication.delete([each.version.source for each in documents])
            publication.add([passage for each in documents for passage in each.passages], vectors)
        for each in documents:
            connection.execute(
                f"INSERT INTO {_MADE_OF} VALUES (%s, %s, %s, %s, %s, %s)"  # noqa: S608 (fixed text)
                " ON CONFLICT (use_case_id, source) DO UPDATE SET sha256 = excluded.sha256,"
                " media_type = excluded.media_type, passage_count = excluded.passage_count,"
                " skipped = excluded.skipped",
                [
                    *(use_case_id, each.version.source, each.version.sha256, each.version.media_type),
                    *(len(each.passages), each.skipped),
                ],
            )


def remove_gone(database: Database) -> int:
    """Remove the new passages of documents that were deleted since; return of how many."""
    with database.transaction() as connection:
        _alone(connection)
        gone = connection.execute(_GONE).fetchall()
        for use_case_id, rows in groupby(gone, key=itemgetter(0)):
            sources = [source for _, source in rows]
            with remaking.beside(connection), Publication(connection, use_case_id) as publication:
                publication.delete(sources)
            connection.execute(
                f"DELETE FROM {_MADE_OF} WHERE use_case_id = %s AND source = ANY(%s)",  # noqa: S608 (fixed text)
                [use_case_id, sources],
            )
    return len(gone)


def totals(database: Database) -> Totals:
    """Count the new passages."""
    with database.transaction() as connection, connection.cursor(row_factory=class_row(Totals)) as cursor:
        return cursor.execute(
            "SELECT count(*) AS documents, coalesce(sum(passage_count), 0)::bigint AS passages,"  # noqa: S608 (fixed text)
            f" count(*) FILTER (WHERE skipped) AS skipped FROM {_MADE_OF}"
        ).fetchall()[0]


def switch(connection: Connection) -> None:
    """Put the new passages in the place of the old; the caller commits.

    Raises:
        Behind: A document differs from what the new passages were made of.
        InUse: Imports or searches went on for longer than is waited for.
    """
    connection.execute(f"SET LOCAL lock_timeout = {LOCK_MS}")
    try:
        _switch(connection)
    except (LockNotAvailable, DeadlockDetected) as error:
        raise InUse from error


def discard_unused(database: Database, kind: str) -> None:
    """Drop new passages that no operation of that kind makes any more, however it ended."""
    with database.transaction() as connection:
        _alone(connection)
        active = connection.execute(
            "SELECT 1 FROM operations WHERE kind = %s AND state IN ('QUEUED', 'RUNNING')", [kind]
        ).fetchone()
        if active is None:
            remaking.discard(connection)


def _switch(connection: Connection) -> None:
    hold(connection, alone=True)
    for query in (_STALE, _GONE):
        if connection.execute(f"{query} LIMIT 1").fetchone() is not None:
            raise Behind
    changed = connection.execute(
        "UPDATE documents SET passage_count = made.passage_count, sha256 = CASE WHEN documents.sha256 = ''"  # noqa: S608
        f" THEN encode(sha256(content), 'hex') ELSE documents.sha256 END FROM {_MADE_OF} AS made"
        " WHERE (documents.use_case_id, documents.source) = (made.use_case_id, made.source)"
        " AND (documents.passage_count <> made.passage_count OR documents.sha256 = '')"
        " RETURNING documents.use_case_id"
    ).fetchall()
    for use_case_id in sorted({row[0] for row in changed}):
        use_cases.recount(connection, use_case_id)
    remaking.replace(connection)  # last: searches wait from here to the commit


def _alone(connection: Connection) -> None:
    """Write new passages alone: a worker that was believed dead may be at it still."""
    connection.execute(f"SELECT pg_advisory_xact_lock(hashtext('{remaking.SCHEMA}'))")
