"""Trials: the examples as they were, what each arm answered, and what it came to.

Results and arms are JSON, opaque here. Texts of an example go when the example
does, and an answer's text when a document goes that it was given passages of:
the scores stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from advisor.errors import FailedPrecondition, NotFound
from advisor.names import operation_name, trial_name, use_case_name
from advisor.storage import pages, use_cases
from advisor.storage.database import Connection, Database
from advisor.storage.operations import State
from advisor.storage.records import Page

__all__ = [
    "KeptAnswer",
    "Trial",
    "TrialExample",
    "add_answers",
    "add_arm",
    "answers",
    "begin",
    "delete",
    "erase_gone",
    "exists",
    "finish",
    "get",
    "held_out_and_training",
    "list_page",
]

COLUMNS = (
    "trials.use_case_id, trials.id, operation_id, conditions, arms, trials.result, trials.create_time,"
    " coalesce(operations.state, CASE WHEN trials.result IS NULL THEN 'CANCELLED' ELSE 'SUCCEEDED' END) AS state"
)
SOURCE = "trials LEFT JOIN operations ON operations.id = trials.operation_id"

_ERASE_EXAMPLES = """
UPDATE trial_examples AS kept SET question = NULL, answer = NULL, context = NULL
WHERE use_case_id = %(id)s AND question IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM examples WHERE examples.use_case_id = %(id)s AND examples.sha256 = kept.sha256
)
"""
_ERASE_ANSWERS = """
UPDATE trial_answers AS kept SET text = NULL
WHERE use_case_id = %(id)s AND text IS NOT NULL AND (
    EXISTS (
        SELECT 1 FROM trial_examples AS asked
        WHERE asked.use_case_id = %(id)s AND asked.trial_id = kept.trial_id AND asked.held_out
            AND asked.number = kept.number AND asked.question IS NULL
    ) OR EXISTS (
        SELECT 1 FROM unnest(kept.documents) AS shown
        WHERE NOT EXISTS (SELECT 1 FROM documents WHERE use_case_id = %(id)s AND sha256 = shown)
    )
)
"""


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial.

    Attributes:
        use_case_id: Whose.
        id: Last part of its name.
        operation_id: The operation that runs it, or ran it.
        conditions: What it was begun with, as JSON.
        arms: Results of the arms that have ended, as JSON.
        result: What it came to, as JSON; None until it has ended.
        create_time: When it was begun.
        state: That of its operation; where that was deleted, whether there is a result.
    """

    use_case_id: str
    id: str
    operation_id: str
    conditions: dict[str, Any]
    arms: list[dict[str, Any]]
    result: dict[str, Any] | None
    create_time: datetime
    state: State

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", State(self.state))

    @property
    def name(self) -> str:
        """Resource name."""
        return trial_name(self.use_case_id, self.id)


@dataclass(frozen=True, slots=True)
class TrialExample:
    """An example as it was when the trial began; the texts are None where it was deleted since."""

    number: int
    sha256: str
    question: str | None
    answer: str | None
    context: str | None


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What an arm answered to a held-out question.

    Attributes:
        number: The question's.
        text: The answer; None where it was erased.
        measured: All else that was measured of it, as JSON.
        documents: SHA-256 of the documents that it was given passages of.
    """

    number: int
    text: str | None
    measured: dict[str, Any]
    documents: list[str]


def begin(
    connection: Connection,
    trial: tuple[str, str],
    operation_id: str,
    conditions: Mapping[str, Any],
    *,
    held_out: Sequence[TrialExample],
    training: Sequence[TrialExample],
) -> None:
    """Add a trial, by the ids of its use case and its own, with the examples that it will be run on."""
    connection.execute(
        "INSERT INTO trials (use_case_id, id, operation_id, conditions) VALUES (%s, %s, %s, %s)",
        [*trial, operation_id, Jsonb(dict(conditions))],
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO trial_examples"
            " (use_case_id, trial_id, held_out, number, sha256, question, answer, context)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (*trial, is_held_out, each.number, each.sha256, each.question, each.answer, each.context)
                for is_held_out, examples in ((True, held_out), (False, training))
                for each in examples
            ],
        )


def held_out_and_training(
    database: Database, use_case_id: str, trial_id: str
) -> tuple[list[TrialExample], list[TrialExample]]:
    """Return the examples of a trial, those held out and those to learn from, each in their order."""
    found: dict[bool, list[TrialExample]] = {True: [], False: []}
    with database.transaction() as connection:
        for is_held_out, *values in connection.execute(
            "SELECT held_out, number, sha256, question, answer, context FROM trial_examples"
            " WHERE use_case_id = %s AND trial_id = %s ORDER BY number",
            [use_case_id, trial_id],
        ):
            found[is_held_out].append(TrialExample(*values))
    return found[True], found[False]


def add_answers(connection: Connection, trial: tuple[str, str], arm: str, kept: Iterable[KeptAnswer]) -> None:
    """Keep what an arm answered."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO trial_answers (use_case_id, trial_id, arm, number, text, measured, documents)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [(*trial, arm, each.number, each.text, Jsonb(each.measured), each.documents) for each in kept],
        )


def answers(database: Database, use_case_id: str, trial_id: str) -> dict[str, list[KeptAnswer]]:
    """Return what each arm answered, in the order of the questions."""
    found: dict[str, list[KeptAnswer]] = {}
    with database.transaction() as connection:
        for arm, *values in connection.execute(
            "SELECT arm, number, text, measured, documents FROM trial_answers"
            " WHERE use_case_id = %s AND trial_id = %s ORDER BY number",
            [use_case_id, trial_id],
        ):
            found.setdefault(arm, []).append(KeptAnswer(*values))
    return found


def add_arm(connection: Connection, trial: tuple[str, str], result: Mapping[str, Any]) -> None:
    """Keep the result of an arm that has ended."""
    connection.execute(
        "UPDATE trials SET arms = arms || %s WHERE use_case_id = %s AND id = %s",
        [Jsonb([dict(result)]), *trial],
    )


def finish(connection: Connection, trial: tuple[str, str], result: Mapping[str, Any]) -> None:
    """Keep what a trial came to; texts that were deleted while it ran go."""
    connection.execute(
        "UPDATE trials SET result = %s WHERE use_case_id = %s AND id = %s", [Jsonb(dict(result)), *trial]
    )
    erase_gone(connection, trial[0])


def erase_gone(connection: Connection, use_case_id: str) -> None:
    """Erase the texts of examples and documents that are gone; call it after what deletes or replaces them."""
    connection.execute(_ERASE_EXAMPLES, {"id": use_case_id})
    connection.execute(_ERASE_ANSWERS, {"id": use_case_id})


def exists(connection: Connection, use_case_id: str, trial_id: str) -> bool:
    """Return whether the name is taken."""
    query = "SELECT 1 FROM trials WHERE use_case_id = %s AND id = %s"
    return connection.execute(query, [use_case_id, trial_id]).fetchone() is not None


def get(database: Database, use_case_id: str, trial_id: str) -> Trial:
    """Return a trial.

    Raises:
        NotFound: It does not exist.
    """
    with database.transaction() as connection, connection.cursor(row_factory=class_row(Trial)) as cursor:
        row = cursor.execute(
            f"SELECT {COLUMNS} FROM {SOURCE} WHERE trials.use_case_id = %s AND trials.id = %s",  # noqa: S608 - constants
            [use_case_id, trial_id],
        ).fetchone()
    if row is None:
        raise _not_found(use_case_id, trial_id)
    return row


def list_page(database: Database, use_case_id: str, *, size: int = 0, token: str = "") -> Page[Trial]:
    """Return a page of a use case's trials, newest first.

    Raises:
        NotFound: The use case does not exist.
        InvalidInput: The size is negative, or the token is not one of this list.
    """
    size = pages.page_size(size)
    listing = f"{use_case_name(use_case_id)}/trials"
    last = pages.after_time(token, listing)
    with database.transaction() as connection, connection.cursor(row_factory=class_row(Trial)) as cursor:
        use_cases.require(connection, use_case_id)
        rows = cursor.execute(
            f"SELECT {COLUMNS} FROM {SOURCE} WHERE trials.use_case_id = %s"  # noqa: S608 - constants
            " AND (trials.create_time, trials.id) < (%s, %s)"
            " ORDER BY trials.create_time DESC, trials.id DESC LIMIT %s",
            [use_case_id, *last, size + 1],
        ).fetchall()
    return pages.page_of(rows, size, listing, lambda each: (each.create_time.isoformat(), each.id))


def delete(database: Database, use_case_id: str, trial_id: str) -> None:
    """Delete a trial with its texts.

    Raises:
        NotFound: It does not exist.
        FailedPrecondition: It runs.
    """
    trial = get(database, use_case_id, trial_id)
    if not trial.state.done:
        operation = operation_name(trial.operation_id)
        raise FailedPrecondition(
            "OPERATION_RUNNING",
            f"{trial.name} is under way; wait for {operation} or cancel it",
            metadata={"resource": trial.name, "operation": operation},
        )
    with database.transaction() as connection:
        deleted = connection.execute(
            "DELETE FROM trials WHERE use_case_id = %s AND id = %s", [use_case_id, trial_id]
        ).rowcount
    if not deleted:
        raise _not_found(use_case_id, trial_id)


def _not_found(use_case_id: str, trial_id: str) -> NotFound:
    return NotFound(trial_name(use_case_id, trial_id), "ListTrials tells which there are")
