"""Imports of examples; `advisor.storage.imports` tells how an import goes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from advisor.errors import InvalidInput, ResourceExhausted, Violation
from advisor.names import example_content, principal_of, use_case_name
from advisor.storage import adapters
from advisor.storage.database import Connection, Database, translated
from advisor.storage.records import ImportResult, Request
from advisor.storage.staging import MOST_FAULTS, Limits, check_commit, number, open_staging, publish
from backends.base import Example

__all__ = ["ExampleImport", "open_examples"]


def open_examples(
    database: Database, use_case_id: str, limits: Limits, *, mirror: bool = False
) -> ExampleImport:
    """Open an import of examples; raises as `open_documents` does."""
    return ExampleImport(open_staging(database, use_case_id), use_case_id, limits, mirror=mirror)


class ExampleImport:
    """An import of examples that is under way."""

    def __init__(self, connection: Connection, use_case_id: str, limits: Limits, *, mirror: bool) -> None:
        self.connection = connection
        self._use_case_id = use_case_id
        self._limits = limits
        self._mirror = mirror
        self._hashes: set[str] = set()
        self._received = 0
        self._imported = 0
        self._content = hashlib.sha256()

    def add(self, examples: Iterable[Example]) -> None:
        """Stage examples; those that are there already are not added again.

        Raises:
            InvalidInput: Examples lack question or answer or are too large; names those of the batch, a hundred
                at most.
        """
        rows: list[tuple[Example, str]] = []
        violations: list[Violation] = []
        for example in examples:
            violations.extend(_faults(f"examples[{self._received}]", example, self._limits.example_bytes))
            if len(violations) > MOST_FAULTS:
                break
            content = example_content(
                example.question, example.answer, example.context or "", held_out=example.held_out
            )
            self._content.update(content)
            self._received += 1
            rows.append((example, hashlib.sha256(content).hexdigest()))
        self._hashes.update(digest for _, digest in rows)
        if violations:
            raise InvalidInput(violations)
        self._refuse_above_limit(self._received)
        with translated(), self.connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO examples (use_case_id, question, answer, context, held_out, sha256)"
                " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (use_case_id, sha256) DO NOTHING",
                [
                    (self._use_case_id, e.question, e.answer, e.context or None, e.held_out, digest)
                    for e, digest in rows
                ],
            )
            self._imported += max(cursor.rowcount, 0)

    def commit(self, count: int, sha256: str, request_id: str = "") -> ImportResult:
        """Publish what was staged; raises as `DocumentImport.commit` does."""
        check_commit(count, self._received, sha256, self._content.hexdigest())
        deleted = self._remove_what_was_not_sent() if self._mirror else 0
        total = number(
            self.connection, "SELECT count(*) FROM examples WHERE use_case_id = %s", self._use_case_id
        )
        self._refuse_above_limit(total)
        asked = f"examples\0{self._use_case_id}\0{self._mirror}\0{sha256}"
        fingerprint = hashlib.sha256(asked.encode()).hexdigest()
        return publish(
            self.connection,
            Request(request_id, fingerprint, principal_of(self._use_case_id)) if request_id else None,
            lambda: self._publish(deleted),
        )

    def close(self) -> None:
        """End the import; nothing is kept of one that was not committed."""
        self.connection.close()

    def _publish(self, deleted: int) -> dict[str, Any]:
        adapters.bring_in_step(self.connection, self._use_case_id)
        return asdict(ImportResult(self._imported, self._received - self._imported, deleted=deleted))

    def _remove_what_was_not_sent(self) -> int:
        with translated():
            return self.connection.execute(
                "DELETE FROM examples WHERE use_case_id = %s AND sha256 <> ALL(%s)",
                [self._use_case_id, list(self._hashes)],
            ).rowcount

    def _refuse_above_limit(self, examples: int) -> None:
        if examples > self._limits.use_case_examples:
            raise ResourceExhausted(
                "EXAMPLES_LIMIT",
                f"{use_case_name(self._use_case_id)} would hold more than {self._limits.use_case_examples} "
                "examples; import fewer, or use another use case",
            )


def _faults(field: str, example: Example, example_bytes: int) -> Iterator[Violation]:
    for name, text in (("question", example.question), ("answer", example.answer)):
        if not text.strip():
            yield Violation(f"{field}.{name}", "is empty; an example needs a question and its right answer")
    texts = (example.question, example.answer, example.context or "")
    if any("\0" in text for text in texts):
        yield Violation(field, "holds the character U+0000, which cannot be kept; remove it")
    size = sum(len(text.encode()) for text in texts)
    if size > example_bytes:
        yield Violation(field, f"has {size} bytes; at most {example_bytes} are allowed")
