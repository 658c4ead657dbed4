"""What was measured of a use case's data: one profile each, whose measurements are JSON, opaque here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from advisor.names import profile_name
from advisor.storage import use_cases
from advisor.storage.database import Connection, Database

__all__ = ["KeptProfile", "Origin", "examples_version", "get", "keep", "read"]


class Origin(StrEnum):
    """Where a measurement comes from."""

    EXAMPLES = "EXAMPLES"
    DOCUMENTS = "DOCUMENTS"
    MODEL = "MODEL"
    TRIAL = "TRIAL"

    @property
    def is_data(self) -> bool:
        """Whether it was read off the data, all of it at once, and says nothing of other data."""
        return self in (Origin.EXAMPLES, Origin.DOCUMENTS)


@dataclass(frozen=True, slots=True)
class KeptProfile:
    """What was measured of a use case, in the order in which it is told.

    Attributes:
        use_case_id: Whose.
        version: That of the examples when they were last read; empty where they never were.
        measurements: What was measured; each has `name`, `origin` and `measure_time` beside what is opaque here.
        update_time: When something was last added; None where nothing was.
    """

    use_case_id: str
    version: str = ""
    measurements: list[dict[str, Any]] = field(default_factory=list)
    update_time: datetime | None = None

    @property
    def name(self) -> str:
        """Resource name."""
        return profile_name(self.use_case_id)


def get(database: Database, use_case_id: str) -> KeptProfile:
    """Return the profile of a use case, an empty one where nothing was measured yet.

    Raises:
        NotFound: The use case does not exist.
    """
    with database.transaction() as connection:
        return read(connection, use_case_id)


def read(connection: Connection, use_case_id: str) -> KeptProfile:
    """Return the same, in a transaction of the caller's."""
    found = _read(connection, use_case_id)
    if found is None:
        use_cases.require(connection, use_case_id)
    return found or KeptProfile(use_case_id)


def keep(
    connection: Connection,
    use_case_id: str,
    origin: Origin,
    found: Sequence[Mapping[str, Any]],
    *,
    version: str | None = None,
) -> None:
    """Add what was measured, in the place of what had the same name, or was read off the same data before.

    Args:
        connection: In a transaction.
        use_case_id: Whose.
        origin: Where it comes from.
        found: What was measured, each with its `name`.
        version: That of the examples when they were read, where they were.

    Raises:
        NotFound: The use case does not exist.
    """
    use_cases.require(connection, use_case_id)
    connection.execute(
        "INSERT INTO profiles (use_case_id) VALUES (%s) ON CONFLICT (use_case_id) DO NOTHING", [use_case_id]
    )
    before = _read(connection, use_case_id, suffix="FOR UPDATE") or KeptProfile(use_case_id)
    names = {each["name"] for each in found}
    now = datetime.now(UTC)
    added = [{**each, "origin": origin, "measure_time": now.isoformat()} for each in found]
    stays = [
        each
        for each in before.measurements
        if each["name"] not in names and not (origin.is_data and each["origin"] == origin)
    ]
    order = [*Origin]
    kept = sorted([*stays, *added], key=lambda each: order.index(Origin(each["origin"])))
    connection.execute(
        "UPDATE profiles SET measurements = %s, version = coalesce(%s, version), update_time = %s"
        " WHERE use_case_id = %s",
        [Jsonb(kept), version, now, use_case_id],
    )


def examples_version(connection: Connection, use_case_id: str) -> str:
    """Return what is another one after every change of the examples."""
    row = connection.execute(
        "SELECT example_count + held_out_count,"
        " coalesce((SELECT max(position) FROM examples WHERE use_case_id = id), 0)"
        " FROM use_cases WHERE id = %s",
        [use_case_id],
    ).fetchone()
    return ".".join(map(str, row or ()))


def _read(connection: Connection, use_case_id: str, suffix: str = "") -> KeptProfile | None:
    with connection.cursor(row_factory=class_row(KeptProfile)) as cursor:
        return cursor.execute(
            "SELECT use_case_id, version, measurements, update_time FROM profiles"  # noqa: S608 - constants
            f" WHERE use_case_id = %s {suffix}",
            [use_case_id],
        ).fetchone()
