"""What trials taught: a row for each that measured two approaches; its content is JSON, opaque here.

A case goes with its trial, and with its use case: its facts are those of the use case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from advisor.names import trial_name, use_case_name
from advisor.storage import pages, use_cases
from advisor.storage.database import Connection, Database
from advisor.storage.records import Page

__all__ = ["KeptCase", "add", "every", "list_page"]

COLUMNS = "use_case_id, trial_id, measured, create_time"


@dataclass(frozen=True, slots=True)
class KeptCase:
    """What a trial taught.

    Attributes:
        use_case_id: Whose.
        trial_id: Of which trial.
        measured: The case, as JSON.
        create_time: When the trial ended.
    """

    use_case_id: str
    trial_id: str
    measured: dict[str, Any]
    create_time: datetime

    @property
    def trial(self) -> str:
        """Resource name of the trial."""
        return trial_name(self.use_case_id, self.trial_id)


def add(connection: Connection, trial: tuple[str, str], measured: Mapping[str, Any]) -> None:
    """Keep what a trial taught, by the ids of its use case and its own."""
    connection.execute(
        "INSERT INTO measured_cases (use_case_id, trial_id, measured) VALUES (%s, %s, %s)",
        [*trial, Jsonb(dict(measured))],
    )


def list_page(
    database: Database, use_case_id: str | None, *, size: int = 0, token: str = ""
) -> Page[KeptCase]:
    """Return a page of what the trials of a use case taught, or those of all, by name.

    Raises:
        NotFound: The use case does not exist.
        InvalidInput: The size is negative, or the token is not one of this list.
    """
    size = pages.page_size(size)
    listing = f"{use_case_name(use_case_id) if use_case_id else 'useCases/-'}/measuredCases"
    last = pages.after(token, listing, 2) or ("", "")
    with database.transaction() as connection, connection.cursor(row_factory=class_row(KeptCase)) as cursor:
        if use_case_id:
            use_cases.require(connection, use_case_id)
        rows = cursor.execute(
            f"SELECT {COLUMNS} FROM measured_cases WHERE (use_case_id, trial_id) > (%s, %s)"  # noqa: S608 - constants
            " AND (%s::text IS NULL OR use_case_id = %s) ORDER BY use_case_id, trial_id LIMIT %s",
            [*last, use_case_id, use_case_id, size + 1],
        ).fetchall()
    return pages.page_of(rows, size, listing, lambda each: (each.use_case_id, each.trial_id))


def every(database: Database) -> Iterator[KeptCase]:
    """Yield what all trials taught, newest first."""
    with database.transaction() as connection, connection.cursor(row_factory=class_row(KeptCase)) as cursor:
        yield from cursor.execute(
            f"SELECT {COLUMNS} FROM measured_cases ORDER BY create_time DESC, use_case_id, trial_id"  # noqa: S608 - constants
        )
