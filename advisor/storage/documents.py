"""Documents, read and deleted; imports bring them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from psycopg.rows import class_row

from advisor.errors import NotFound
from advisor.names import document_name, use_case_name
from advisor.storage import adapters, pages, use_cases
from advisor.storage.database import Connection, Database
from advisor.storage.records import Document, DocumentContent, Page

__all__ = ["MOST_CHANGES", "change_times", "contents", "delete", "get", "hashes", "list_page", "size_bytes"]

MOST_CHANGES = 20
"""Changes of one document that are kept: the last."""

# Of a document with the most changes that are kept, those before its oldest are not known any more.
_CHANGE_TIMES = f"""
WITH full_since AS (
    SELECT max(since) AS since FROM (
        SELECT min(change_time) AS since FROM document_changes WHERE use_case_id = %(id)s
        GROUP BY source HAVING count(*) >= {MOST_CHANGES}
    ) AS full_ones
)
SELECT since, coalesce(array_agg(DISTINCT change_time ORDER BY change_time)
    FILTER (WHERE since IS NULL OR change_time > since), '{{}}')
FROM full_since LEFT JOIN document_changes ON use_case_id = %(id)s GROUP BY since
"""  # noqa: S608 (fixed text)


def list_page(database: Database, use_case_id: str, *, size: int = 0, token: str = "") -> Page[Document]:
    """Return a page of a use case's documents, by source, without their content.

    Raises:
        NotFound: The use case does not exist.
        InvalidInput: The size is negative, or the token is not one of this list.
    """
    size = pages.page_size(size)
    listing = f"{use_case_name(use_case_id)}/documents"
    (last,) = pages.after(token, listing) or ("",)
    with database.transaction() as connection, connection.cursor(row_factory=class_row(Document)) as cursor:
        use_cases.require(connection, use_case_id)
        rows = cursor.execute(
            "SELECT source, media_type, size_bytes, sha256, passage_count, change_time, changes FROM documents,"
            " LATERAL (SELECT max(change_time) AS change_time, count(*) AS changes FROM document_changes"
            " WHERE (use_case_id, source) = (documents.use_case_id, documents.source)) AS changed"
            " WHERE use_case_id = %s AND source > %s ORDER BY source LIMIT %s",
            [use_case_id, last, size + 1],
        ).fetchall()
    return pages.page_of(rows, size, listing, lambda each: (each.source,))


def contents(database: Database, use_case_id: str) -> Iterator[DocumentContent]:
    """Yield a use case's documents with their content, by source, as they are at one moment."""
    with (
        database.transaction() as connection,
        connection.cursor("contents", row_factory=class_row(DocumentContent)) as cursor,
    ):
        cursor.itersize = 8  # documents take up to 16 MiB each
        cursor.execute(
            "SELECT source, media_type, content FROM documents WHERE use_case_id = %s ORDER BY source",
            [use_case_id],
        )
        yield from cursor


def hashes(database: Database, use_case_id: str, sources: Sequence[str]) -> tuple[str, ...]:
    """Return the SHA-256 of the content of some documents, of those that are there."""
    with database.transaction() as connection:
        rows = connection.execute(
            "SELECT sha256 FROM documents WHERE use_case_id = %s AND source = ANY(%s) ORDER BY source",
            [use_case_id, list(sources)],
        ).fetchall()
    return tuple(row[0] for row in rows)


def size_bytes(database: Database, use_case_id: str) -> int:
    """Return how many bytes a use case's documents have together; 0 where there are none."""
    with database.transaction() as connection:
        row = connection.execute(
            "SELECT coalesce(sum(size_bytes), 0) FROM documents WHERE use_case_id = %s", [use_case_id]
        ).fetchone()
    return 0 if row is None else int(row[0])


def change_times(database: Database, use_case_id: str) -> tuple[datetime | None, list[datetime]]:
    """Return when contents of a use case's documents were replaced, in order: one time for each import.

    Before them stands from when on all are known; None where they are from the start.
    """
    with database.transaction() as connection:
        since, times = connection.execute(_CHANGE_TIMES, {"id": use_case_id}).fetchall()[0]
    return since, [each for each in times if each is not None]


def get(database: Database, use_case_id: str, source_hash: str) -> DocumentContent:
    """Return a document with its content.

    Raises:
        NotFound: It does not exist.
    """
    with (
        database.transaction() as connection,
        connection.cursor(row_factory=class_row(DocumentContent)) as cursor,
    ):
        source = _source(connection, use_case_id, source_hash)
        return cursor.execute(
            "SELECT source, media_type, content FROM documents WHERE use_case_id = %s AND source = %s",
            [use_case_id, source],
        ).fetchall()[0]


def delete(
    database: Database,
    use_case_id: str,
    source_hash: str,
    forget_passages: Callable[[Connection, Sequence[str]], None],
) -> None:
    """Delete a document.

    Args:
        database: Where it is kept.
        use_case_id: Whose.
        source_hash: Which, as its name says.
        forget_passages: Deletes the passages of the sources given on the connection given.

    Raises:
        NotFound: It does not exist.
        Conflict: An import into the use case runs.
    """
    with database.transaction() as connection:
        use_cases.lock(connection, use_case_id)
        source = _source(connection, use_case_id, source_hash)
        forget_passages(connection, [source])
        connection.execute(
            "DELETE FROM documents WHERE use_case_id = %s AND source = %s", [use_case_id, source]
        )
        adapters.bring_in_step(connection, use_case_id)


def _source(connection: Connection, use_case_id: str, source_hash: str) -> str:
    row = connection.execute(
        "SELECT source FROM documents WHERE use_case_id = %s"
        " AND left(encode(sha256(convert_to(source, 'UTF8')), 'hex'), 32) = %s",
        [use_case_id, source_hash],
    ).fetchone()
    if row is None:
        raise NotFound(document_name(use_case_id, source_hash), "ListDocuments tells which there are")
    return str(row[0])
