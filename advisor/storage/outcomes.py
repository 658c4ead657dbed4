"""What became of answers: a row each, without texts; and the key that tokens of answers are signed with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from advisor.knowledge.approaches import Approach
from advisor.storage import requests, use_cases
from advisor.storage.database import Connection, Database
from advisor.storage.records import Request

__all__ = ["KeptOutcome", "record", "signing_key"]

COLUMNS = "use_case_id, answer_id, approach, adapter_id, versions, quality, answer_time, outcome_time"

_RECORD = """
INSERT INTO outcomes
    (use_case_id, answer_id, approach, adapter_id, versions, quality, answer_time, outcome_time)
VALUES (%(use_case_id)s, %(answer_id)s, %(approach)s, %(adapter_id)s, %(versions)s, %(quality)s, %(answer_time)s,
    %(outcome_time)s)
ON CONFLICT (use_case_id, answer_id) DO UPDATE
SET quality = excluded.quality, outcome_time = excluded.outcome_time, update_time = clock_timestamp()
"""


@dataclass(frozen=True, slots=True)
class KeptOutcome:
    """What became of an answer.

    Attributes:
        use_case_id: Whose question it answered.
        answer_id: Tells the answer from others.
        approach: That answered.
        adapter_id: The adapter it used; None without one.
        versions: Of what decided and answered, by name.
        quality: How good it proved to be, 0 to 1.
        answer_time: When it was answered.
        outcome_time: When it was known how good it was.
    """

    use_case_id: str
    answer_id: UUID
    approach: Approach
    adapter_id: str | None
    versions: Mapping[str, str]
    quality: float
    answer_time: datetime
    outcome_time: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "approach", Approach(self.approach))


def record(database: Database, outcome: KeptOutcome, *, request: Request | None = None) -> KeptOutcome:
    """Keep what became of an answer, in place of what was kept of it before; return what is kept.

    A request that is repeated changes nothing, even where another one came between.

    Raises:
        NotFound: The use case does not exist.
        FailedPrecondition: The request's id was used for another request.
    """
    values = {**asdict(outcome), "versions": Jsonb(dict(outcome.versions))}

    def write() -> dict[str, str]:
        connection.execute(_RECORD, values)
        return {}

    with database.transaction() as connection:
        use_cases.require(connection, outcome.use_case_id)
        requests.once(connection, request, write)
        return _read(connection, outcome)


def signing_key(database: Database) -> bytes:
    """Return the key of this database: 32 bytes, the same for every server on it."""
    with database.transaction() as connection:
        row = connection.execute("SELECT key FROM attribution_keys").fetchone()
    if row is None:
        raise LookupError("the table attribution_keys is empty; the migration that makes it fills it")
    return bytes(row[0])


def _read(connection: Connection, outcome: KeptOutcome) -> KeptOutcome:
    with connection.cursor(row_factory=class_row(KeptOutcome)) as cursor:
        row = cursor.execute(
            f"SELECT {COLUMNS} FROM outcomes WHERE use_case_id = %s AND answer_id = %s",  # noqa: S608 - constants
            [outcome.use_case_id, outcome.answer_id],
        ).fetchone()
    return row or outcome
