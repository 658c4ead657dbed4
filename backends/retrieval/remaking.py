"""Passages made anew beside those that are searched, which they replace in one step.

The new tables have the same names in a schema of their own, so that all that
reads and writes passages works on them too, and moving them to the old ones'
schema is all that the replacement takes.

    begin(connection, made)
    with beside(connection), Publication(connection, "faq") as publication:
        ...  # the new passages, in as many transactions as it takes
    replace(connection)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, LiteralString

from backends.retrieval.index import Made, create_tables, hold, made_by

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["SCHEMA", "begin", "beside", "discard", "replace"]

SCHEMA = "advisor_reindex"
"""Schema of the new tables; it is there while passages are made anew."""

_TABLES = ("passages", "passage_words", "passage_languages")
_FUNCTION = "passage_words(regconfig, text, text, text[], text)"


def begin(connection: Connection[Any], made: Made) -> None:
    """Create the new tables, unless they are there for the same embedder and form; the caller commits.

    Raises:
        ModelError: The embedder's vectors cannot be indexed.
        InsufficientPrivilege: The database's user may not create a schema.
    """
    if _is_there(connection):
        with beside(connection):
            if made_by(connection) == made:
                return
        discard(connection)
    connection.execute(f"CREATE SCHEMA {SCHEMA}")
    with beside(connection):
        create_tables(connection, made)


@contextmanager
def beside(connection: Connection[Any]) -> Iterator[None]:
    """Have the names of the tables mean the new ones."""
    before = _text(connection, "SELECT current_setting('search_path')")
    _search(connection, f"{SCHEMA}, {before}")
    yield  # where it fails, the transaction does, and its setting goes
    _search(connection, before)


def replace(connection: Connection[Any]) -> None:
    """Put the new tables in the place of the old; the caller commits.

    Searches under way end before; those that come wait until the commit.

    Raises:
        LockNotAvailable: For longer than `lock_timeout` somebody wrote or searched passages.
    """
    connection.execute(f"ANALYZE {SCHEMA}.passages, {SCHEMA}.passage_words")
    hold(connection, alone=True)
    schema = _text(
        connection,
        "SELECT coalesce((SELECT relnamespace::regnamespace::text FROM pg_class"
        " WHERE oid = to_regclass('passages')), quote_ident(current_schema()))",
    )
    for table in _TABLES:
        connection.execute(f"DROP TABLE IF EXISTS {schema}.{table}")
        connection.execute(f"ALTER TABLE {SCHEMA}.{table} SET SCHEMA {schema}")
    connection.execute(f"DROP FUNCTION IF EXISTS {schema}.{_FUNCTION}")
    connection.execute(f"ALTER FUNCTION {SCHEMA}.{_FUNCTION} SET SCHEMA {schema}")
    discard(connection)


def discard(connection: Connection[Any]) -> None:
    """Drop the new tables, or what is left of their schema; the caller commits."""
    connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


def _is_there(connection: Connection[Any]) -> bool:
    row = connection.execute("SELECT to_regnamespace(%s)", (SCHEMA,)).fetchone()
    return row is not None and row[0] is not None


def _text(connection: Connection[Any], query: LiteralString) -> str:
    return str(connection.execute(query).fetchall()[0][0])


def _search(connection: Connection[Any], path: str) -> None:
    connection.execute("SELECT set_config('search_path', %s, true)", (path,))
