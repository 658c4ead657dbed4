"""Examples, read and deleted; imports bring them."""

from __future__ import annotations

from psycopg.rows import class_row

from advisor.errors import NotFound
from advisor.names import example_name, use_case_name
from advisor.storage import adapters, pages, use_cases
from advisor.storage.database import Connection, Database
from advisor.storage.records import KeptExample, Page
from backends.base import Example

__all__ = ["delete", "get", "list_page", "read", "some"]

PAGE_BYTES = 2 * 1024 * 1024
"""Most text of a page, so that clients accept it by default; a single example may be as long as is allowed."""
COLUMNS = "position, question, answer, context, sha256, held_out"


def list_page(database: Database, use_case_id: str, *, size: int = 0, token: str = "") -> Page[KeptExample]:
    """Return a page of a use case's examples, in the order they came.

    Raises:
        NotFound: The use case does not exist.
        InvalidInput: The size is negative, or the token is not one of this list.
    """
    size = pages.page_size(size)
    listing = f"{use_case_name(use_case_id)}/examples"
    after = pages.after_position(token, listing)
    found: list[KeptExample] = []
    text_bytes = 0
    with database.transaction() as connection:
        use_cases.require(connection, use_case_id)
        with connection.cursor("examples", row_factory=class_row(KeptExample)) as cursor:
            cursor.itersize = 50
            cursor.execute(
                f"SELECT {COLUMNS} FROM examples WHERE use_case_id = %s AND position > %s"  # noqa: S608
                " ORDER BY position LIMIT %s",
                [use_case_id, after, size + 1],
            )
            for example in cursor:
                text_bytes += sum(
                    len(text.encode()) for text in (example.question, example.answer, example.context or "")
                )
                found.append(example)
                if text_bytes > PAGE_BYTES and len(found) > 1:
                    size = len(found) - 1
                    break
    return pages.page_of(found, size, listing, lambda each: (str(each.position),))


def get(database: Database, use_case_id: str, content_hash: str) -> KeptExample:
    """Return an example.

    Raises:
        NotFound: It does not exist.
    """
    with (
        database.transaction() as connection,
        connection.cursor(row_factory=class_row(KeptExample)) as cursor,
    ):
        row = cursor.execute(
            f"SELECT {COLUMNS} FROM examples WHERE use_case_id = %s AND left(sha256, 32) = %s",  # noqa: S608
            [use_case_id, content_hash],
        ).fetchone()
    if row is None:
        raise _not_found(use_case_id, content_hash)
    return row


def read(database: Database, use_case_id: str, *, held_out: bool = False) -> tuple[KeptExample, ...]:
    """Return the examples of a use case in the order they came: those to learn from, or those that are held out.

    Raises:
        NotFound: The use case does not exist.
    """
    with (
        database.transaction() as connection,
        connection.cursor(row_factory=class_row(KeptExample)) as cursor,
    ):
        use_cases.require(connection, use_case_id)
        return tuple(
            cursor.execute(
                f"SELECT {COLUMNS} FROM examples WHERE use_case_id = %s AND held_out = %s"  # noqa: S608
                " ORDER BY position",
                [use_case_id, held_out],
            )
        )


def some(connection: Connection, use_case_id: str, most: int) -> tuple[Example, ...]:
    """Return at most so many examples of a use case, held out or not, those with the least hashes, as they came."""
    rows = connection.execute(
        "SELECT question, answer, context FROM (SELECT * FROM examples WHERE use_case_id = %s"
        " ORDER BY sha256 LIMIT %s) AS chosen ORDER BY position",
        [use_case_id, most],
    )
    return tuple(Example(*row) for row in rows)


def delete(database: Database, use_case_id: str, content_hash: str) -> None:
    """Delete an example.

    Raises:
        NotFound: It does not exist.
        Conflict: An import into the use case runs.
    """
    with database.transaction() as connection:
        use_cases.lock(connection, use_case_id)
        deleted = connection.execute(
            "DELETE FROM examples WHERE use_case_id = %s AND left(sha256, 32) = %s",
            [use_case_id, content_hash],
        ).rowcount
        if not deleted:
            raise _not_found(use_case_id, content_hash)
        adapters.bring_in_step(connection, use_case_id)


def _not_found(use_case_id: str, content_hash: str) -> NotFound:
    return NotFound(example_name(use_case_id, content_hash), "ListExamples tells which there are")
