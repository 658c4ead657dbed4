"""Trained adapters: a row here for each folder of `AdapterFiles`.

A row is written after its folder and removed before it, so that no row ever
lacks its folder. A folder that a crash left without a row is replaced by the
next adapter of that name, or goes with its use case.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from advisor.errors import NotFound
from advisor.names import adapter_name, use_case_name
from advisor.storage import pages, trials, use_cases
from advisor.storage.database import Connection, Database
from advisor.storage.records import Adapter, Page
from backends.training.stores import AdapterFiles

__all__ = [
    "Lineage",
    "bring_in_step",
    "delete",
    "exists",
    "folders",
    "get",
    "insert",
    "list_page",
    "newest",
]

COLUMNS = (
    "use_case_id, id, approach, base_model, data_sha256, settings, metrics, folder, create_time,"
    " erased_examples, erased_documents"
)


COUNT_ERASED = """
WITH gone AS (
    DELETE FROM trained_on AS trained WHERE use_case_id = %(id)s AND NOT EXISTS (
        SELECT 1 FROM examples AS kept
        WHERE trained.kind = 'EXAMPLE' AND kept.use_case_id = %(id)s AND kept.sha256 = trained.sha256
        UNION ALL
        SELECT 1 FROM documents AS kept
        WHERE trained.kind = 'DOCUMENT' AND kept.use_case_id = %(id)s AND kept.sha256 = trained.sha256
    ) RETURNING adapter_id, kind
), counted AS (
    SELECT adapter_id, count(*) FILTER (WHERE kind = 'EXAMPLE') AS examples,
        count(*) FILTER (WHERE kind = 'DOCUMENT') AS documents
    FROM gone GROUP BY adapter_id
)
UPDATE adapters SET erased_examples = erased_examples + counted.examples,
    erased_documents = erased_documents + counted.documents
FROM counted WHERE adapters.use_case_id = %(id)s AND adapters.id = counted.adapter_id
"""


@dataclass(frozen=True, slots=True)
class Lineage:
    """What an adapter was trained on: the SHA-256 of each example, and of each document whose passages it saw."""

    examples: Iterable[str] = ()
    documents: Iterable[str] = ()


def folders(connection: Connection) -> list[str]:
    """Return the folders of all adapters."""
    return [name for (name,) in connection.execute("SELECT folder FROM adapters FOR KEY SHARE")]


def insert(connection: Connection, adapter: Adapter, lineage: Lineage = Lineage()) -> None:
    """Add the row of an adapter whose folder is complete; `create_time` is set by the database.

    What of its lineage is gone already is counted at once.
    """
    connection.execute("SELECT 1 FROM use_cases WHERE id = %s FOR NO KEY UPDATE", [adapter.use_case_id])
    connection.execute(
        "INSERT INTO adapters (use_case_id, id, approach, base_model, data_sha256, settings, metrics, folder)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        [
            adapter.use_case_id,
            adapter.id,
            adapter.approach,
            adapter.base_model,
            adapter.data_sha256,
            Jsonb(adapter.settings),
            Jsonb(adapter.metrics),
            adapter.folder,
        ],
    )
    for kind, hashes in (("EXAMPLE", lineage.examples), ("DOCUMENT", lineage.documents)):
        connection.execute(
            "INSERT INTO trained_on (use_case_id, adapter_id, kind, sha256)"
            " SELECT %s, %s, %s, hash FROM unnest(%s::text[]) AS hash ON CONFLICT DO NOTHING",
            [adapter.use_case_id, adapter.id, kind, list(hashes)],
        )
    _count_erased(connection, adapter.use_case_id)


def bring_in_step(connection: Connection, use_case_id: str) -> None:
    """Count again what a use case has, and what of their examples and documents its adapters and trials lost.

    Call it after what adds, replaces or deletes documents or examples.
    """
    use_cases.recount(connection, use_case_id)
    _count_erased(connection, use_case_id)
    trials.erase_gone(connection, use_case_id)


def _count_erased(connection: Connection, use_case_id: str) -> None:
    """Count for each adapter what it was trained on and is gone now, and forget the hashes of that.

    The use case's row is locked: of two transactions the later one sees what the earlier one did.
    """
    connection.execute(COUNT_ERASED, {"id": use_case_id})


def exists(connection: Connection, use_case_id: str, adapter_id: str) -> bool:
    """Return whether the name is taken."""
    query = "SELECT 1 FROM adapters WHERE use_case_id = %s AND id = %s"
    return connection.execute(query, [use_case_id, adapter_id]).fetchone() is not None


def get(database: Database, use_case_id: str, adapter_id: str) -> Adapter:
    """Return an adapter.

    Raises:
        NotFound: It does not exist.
    """
    with database.transaction() as connection, connection.cursor(row_factory=class_row(Adapter)) as cursor:
        row = cursor.execute(
            f"SELECT {COLUMNS} FROM adapters WHERE use_case_id = %s AND id = %s",  # noqa: S608 - constants
            [use_case_id, adapter_id],
        ).fetchone()
    if row is None:
        raise NotFound(adapter_name(use_case_id, adapter_id), "ListAdapters tells which there are")
    return row


def newest(database: Database, use_case_id: str, approach: str) -> Adapter | None:
    """Return the newest adapter that was trained for an approach; None where there is none."""
    with database.transaction() as connection, connection.cursor(row_factory=class_row(Adapter)) as cursor:
        return cursor.execute(
            f"SELECT {COLUMNS} FROM adapters WHERE use_case_id = %s AND approach = %s"  # noqa: S608 - constants
            " ORDER BY create_time DESC, id DESC LIMIT 1",
            [use_case_id, approach],
        ).fetchone()


def list_page(database: Database, use_case_id: str, *, size: int = 0, token: str = "") -> Page[Adapter]:
    """Return a page of a use case's adapters, newest first.

    Raises:
        NotFound: The use case does not exist.
        InvalidInput: The size is negative, or the token is not one of this list.
    """
    size = pages.page_size(size)
    listing = f"{use_case_name(use_case_id)}/adapters"
    last = pages.after_time(token, listing)
    with database.transaction() as connection, connection.cursor(row_factory=class_row(Adapter)) as cursor:
        use_cases.require(connection, use_case_id)
        rows = cursor.execute(
            f"SELECT {COLUMNS} FROM adapters WHERE use_case_id = %s"  # noqa: S608 - constants
            " AND (create_time, id) < (%s, %s) ORDER BY create_time DESC, id DESC LIMIT %s",
            [use_case_id, *last, size + 1],
        ).fetchall()
    return pages.page_of(rows, size, listing, lambda each: (each.create_time.isoformat(), each.id))


def delete(database: Database, use_case_id: str, adapter_id: str, files: AdapterFiles) -> None:
    """Delete an adapter: its row, then its folder.

    Raises:
        NotFound: It does not exist.
    """
    with database.transaction() as connection:
        row = connection.execute(
            "DELETE FROM adapters WHERE use_case_id = %s AND id = %s RETURNING folder",
            [use_case_id, adapter_id],
        ).fetchone()
    if row is None:
        raise NotFound(adapter_name(use_case_id, adapter_id), "ListAdapters tells which there are")
    files.remove(row[0])
