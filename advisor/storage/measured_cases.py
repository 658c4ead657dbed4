"""What was measured of approaches: a row for each trial that compared two, and what outcomes come to, by use case.

The content is JSON, opaque here. A case goes with its trial, and with its use case, whose facts it has.
"""

from __future__ import annotations

from collections.abc import Mapping
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

# Outcomes stand before the trials of their use case, under no trial's name.
_ALL = """
SELECT use_case_id, trial_id, measured, create_time FROM measured_cases
UNION ALL
SELECT use_case_id, '', jsonb_object_agg(approach, jsonb_build_array(count, total, squares)), max(newest)
FROM (
    SELECT use_case_id, approach, count(*) AS count, sum(quality) AS total, sum(quality * quality) AS squares,
        max(outcome_time) AS newest
    FROM outcomes GROUP BY use_case_id, approach
) AS totals GROUP BY use_case_id
"""


@dataclass(frozen=True, slots=True)
class KeptCase:
    """What was measured.

    Attributes:
        use_case_id: Whose.
        trial_id: By which trial; empty for the outcomes of the use case.
        measured: Of a trial, its case as JSON; of outcomes, by approach their number, sum and sum of squares.
        create_time: When the trial ended, or the newest outcome was known.
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
    database: Database, use_case_id: str | None, *, principal: str = "", size: int = 0, token: str = ""
) -> Page[KeptCase]:
    """Return a page of what was measured of a use case, or of all of a principal, by use case.

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
            f"SELECT {COLUMNS} FROM ({_ALL}) AS every"  # noqa: S608 - constants
            " WHERE (use_case_id, trial_id) > (%(last_use_case)s, %(last_trial)s)"
            " AND principal_of(use_case_id) = %(principal)s AND (%(of)s::text IS NULL OR use_case_id = %(of)s)"
            " ORDER BY use_case_id, trial_id LIMIT %(size)s",
            {
                "of": use_case_id,
                "principal": principal,
                "last_use_case": last[0],
                "last_trial": last[1],
                "size": size + 1,
            },
        ).fetchall()
    return pages.page_of(rows, size, listing, lambda each: (each.use_case_id, each.trial_id))


def every(database: Database, *, principal: str | None = None) -> list[KeptCase]:
    """Return what all trials taught, newest first: those of a principal, or of all."""
    with database.transaction() as connection, connection.cursor(row_factory=class_row(KeptCase)) as cursor:
        return cursor.execute(
            f"SELECT {COLUMNS} FROM measured_cases"  # noqa: S608 - constants
            " WHERE %(of)s::text IS NULL OR principal_of(use_case_id) = %(of)s"
            " ORDER BY create_time DESC, use_case_id, trial_id",
            {"of": principal},
        ).fetchall()
