"""Documents and examples, read."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg.rows import class_row

from advisor.names import use_case_name
from advisor.storage import pages, use_cases
from advisor.storage.database import Database
from advisor.storage.records import Document, DocumentContent, Page
from backends.base import Example

__all__ = ["contents", "list_page", "read_examples", "size_bytes"]


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
            "SELECT source, media_type, size_bytes, sha256, passage_count FROM documents"
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


def size_bytes(database: Database, use_case_id: str) -> int:
    """Return how many bytes a use case's documents have together; 0 where there are none."""
    with database.transaction() as connection:
        row = connection.execute(
            "SELECT coalesce(sum(size_bytes), 0) FROM documents WHERE use_case_id = %s", [use_case_id]
        ).fetchone()
    return 0 if row is None else int(row[0])


def read_examples(database: Database, use_case_id: str) -> tuple[Example, ...]:
    """Return a use case's examples in the order they came.

    Raises:
        NotFound: The use case does not exist.
    """
    with database.transaction() as connection, connection.cursor(row_factory=class_row(Example)) as cursor:
        use_cases.require(connection, use_case_id)
        return tuple(
            cursor.execute(
                "SELECT question, answer, context FROM examples WHERE use_case_id = %s ORDER BY position",
                [use_case_id],
            )
        )
