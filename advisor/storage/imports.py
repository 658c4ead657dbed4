"""Imports of documents and examples: staged in a transaction of their own, published by its commit.

    with closing(open_documents(database, "faq", limits)) as upload:
        upload.add("a.md", "text/markdown", b"...")
        for document in upload.changed():
            ...  # split and embed
            retrieval.publish(upload.connection, "faq", [document.source], passages, embeddings)
            upload.count_passages(document.source, len(passages))
        result = upload.commit(count, sha256, request_id)

Other connections see nothing until the commit; closing without it leaves
everything as it was. One import at a time into one use case. A mirroring import
deletes with its commit what the use case has and it did not send.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import LiteralString

import psycopg
from psycopg.rows import class_row

from advisor.errors import InvalidInput, ResourceExhausted, Violation
from advisor.names import use_case_name
from advisor.storage import adapters, requests, use_cases
from advisor.storage.database import Connection, Database, translated
from advisor.storage.records import DocumentContent, ImportResult, Request
from backends.base import Example

__all__ = ["DocumentImport", "ExampleImport", "Limits", "open_documents", "open_examples", "roll_back"]

MOST_FAULTS = 100
"""Faults that are told of one batch: nobody reads more, and an empty example takes two bytes to send."""
SOURCE_CHARACTERS = 1_000
"""Longest source of a document; it is part of an index, which takes 2,700 bytes at most."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one use case may hold; the fields of `Settings` by the same names."""

    document_bytes: int
    use_case_bytes: int
    use_case_examples: int
    example_bytes: int


def open_documents(
    database: Database, use_case_id: str, limits: Limits, *, mirror: bool = False
) -> DocumentImport:
    """Open an import of documents.

    Raises:
        NotFound: The use case does not exist.
        Conflict: Another import into it is under way.
    """
    return DocumentImport(_open(database, use_case_id), use_case_id, limits, mirror=mirror)


def open_examples(
    database: Database, use_case_id: str, limits: Limits, *, mirror: bool = False
) -> ExampleImport:
    """Open an import of examples; raises as `open_documents` does."""
    return ExampleImport(_open(database, use_case_id), use_case_id, limits, mirror=mirror)


class DocumentImport:
    """An import of documents that is under way.

    Attributes:
        connection: Holds its transaction.
        removed: Sources of the documents that were not sent to a mirroring import; known after `check`.
    """

    def __init__(self, connection: Connection, use_case_id: str, limits: Limits, *, mirror: bool) -> None:
        self.connection = connection
        self.removed: tuple[str, ...] = ()
        self._use_case_id = use_case_id
        self._limits = limits
        self._mirror = mirror
        self._sources: set[str] = set()
        self._changed: list[str] = []
        self._received_bytes = 0
        self._changed_bytes = 0
        self._replaced = 0
        self._content = hashlib.sha256()
        self._request = hashlib.sha256(f"documents\0{use_case_id}\0{mirror}\0".encode())

    def add(self, source: str, media_type: str, content: bytes) -> bool:
        """Stage a document in place of the one with the same source; return whether it differs from that.

        Raises:
            InvalidInput: It is empty, too large, without a source, or its source came before.
        """
        field = f"documents[{len(self._sources)}]"
        _check_document(field, source, content, self._limits.document_bytes)
        if source in self._sources:
            raise InvalidInput.of(f"{field}.source", f"{source!r} came before in this import; send it once")
        self._sources.add(source)
        self._received_bytes += len(content)
        self._refuse_above_limit(self._received_bytes)
        self._content.update(content)
        digest = hashlib.sha256(content).hexdigest()
        self._request.update(f"{source}\0{media_type}\0{digest}\0".encode())
        with translated():
            row = self.connection.execute(
                "INSERT INTO documents (use_case_id, source, media_type, content, size_bytes, sha256)"
                " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (use_case_id, source) DO UPDATE SET"
                " media_type = excluded.media_type, content = excluded.content,"
                " size_bytes = excluded.size_bytes, sha256 = excluded.sha256, passage_count = 0"
                " WHERE (documents.sha256, documents.media_type) <> (excluded.sha256, excluded.media_type)"
                " RETURNING xmax = 0",  # where the row is new
                [self._use_case_id, source, media_type, content, len(content), digest],
            ).fetchone()
        if row is not None:
            self._changed.append(source)
            self._changed_bytes += len(content)
            self._replaced += not row[0]
        return row is not None

    def changed(self) -> Iterator[DocumentContent]:
        """Yield the documents that are new or changed, one at a time, in the order sent."""
        for source in self._changed:
            with translated(), self.connection.cursor(row_factory=class_row(DocumentContent)) as cursor:
                yield cursor.execute(
                    "SELECT source, media_type, content FROM documents"
                    " WHERE use_case_id = %s AND source = %s",
                    [self._use_case_id, source],
                ).fetchall()[0]

    @property
    def erases(self) -> bool:
        """Whether it deletes or replaces documents."""
        return self._replaced > 0 or bool(self.removed)

    @property
    def changed_bytes(self) -> int:
        """Size of the documents that are new or changed."""
        return self._changed_bytes

    def count_passages(self, source: str, passages: int) -> None:
        """Note how many passages a staged document was split into."""
        with translated():
            self.connection.execute(
                "UPDATE documents SET passage_count = %s WHERE use_case_id = %s AND source = %s",
                [passages, self._use_case_id, source],
            )

    def check(self, count: int, sha256: str) -> None:
        """Compare what arrived with what the client says it sent, before the passages are made.

        Raises:
            InvalidInput: Count or checksum differ.
            ResourceExhausted: The use case would hold more than its limit.
        """
        _check_commit(count, len(self._sources), sha256, self._content.hexdigest())
        if self._mirror:
            self.removed += self._remove_what_was_not_sent()
        self._refuse_above_limit(
            _number(
                self.connection,
                "SELECT sum(size_bytes) FROM documents WHERE use_case_id = %s",
                self._use_case_id,
            )
        )

    def commit(self, count: int, sha256: str, request_id: str = "") -> ImportResult:
        """Publish what was staged, or return what the same request published before.

        Raises:
            InvalidInput: Count or checksum differ from what arrived.
            ResourceExhausted: The use case would hold more than its limit.
            FailedPrecondition: The request's id was used for another request.
        """
        self.check(count, sha256)
        return _publish(
            self.connection,
            Request(request_id, self._request.hexdigest()) if request_id else None,
            self._publish,
        )

    def close(self) -> None:
        """End the import; nothing is kept of one that was not committed."""
        self.connection.close()

    def _publish(self) -> dict[str, int]:
        connection, use_case = self.connection, self._use_case_id
        passages = _number(
            connection,
            "SELECT sum(passage_count) FROM documents WHERE use_case_id = %s AND source = ANY(%s)",
            use_case,
            self._changed,
        )
        adapters.bring_in_step(connection, use_case)
        changed = len(self._changed)
        return asdict(
            ImportResult(changed, len(self._sources) - changed, passages, deleted=len(self.removed))
        )

    def _remove_what_was_not_sent(self) -> tuple[str, ...]:
        with translated():
            rows = self.connection.execute(
                "DELETE FROM documents WHERE use_case_id = %s AND source <> ALL(%s) RETURNING source",
                [self._use_case_id, list(self._sources)],
            ).fetchall()
        return tuple(row[0] for row in rows)

    def _refuse_above_limit(self, size_bytes: int) -> None:
        if size_bytes > self._limits.use_case_bytes:
            raise ResourceExhausted(
                "DOCUMENTS_LIMIT",
                f"the documents of {use_case_name(self._use_case_id)} would take more than "
                f"{self._limits.use_case_bytes} bytes; import fewer, or use another use case",
            )


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
            content = f"{example.question}\0{example.answer}\0{example.context or ''}\0".encode()
            self._content.update(content)
            self._received += 1
            rows.append((example, hashlib.sha256(content).hexdigest()))
        self._hashes.update(digest for _, digest in rows)
        if violations:
            raise InvalidInput(violations)
        self._refuse_above_limit(self._received)
        with translated(), self.connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO examples (use_case_id, question, answer, context, sha256)"
                " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (use_case_id, sha256) DO NOTHING",
                [(self._use_case_id, e.question, e.answer, e.context or None, digest) for e, digest in rows],
            )
            self._imported += max(cursor.rowcount, 0)

    def commit(self, count: int, sha256: str, request_id: str = "") -> ImportResult:
        """Publish what was staged; raises as `DocumentImport.commit` does."""
        _check_commit(count, self._received, sha256, self._content.hexdigest())
        deleted = self._remove_what_was_not_sent() if self._mirror else 0
        total = _number(
            self.connection, "SELECT count(*) FROM examples WHERE use_case_id = %s", self._use_case_id
        )
        self._refuse_above_limit(total)
        asked = f"examples\0{self._use_case_id}\0{self._mirror}\0{sha256}"
        fingerprint = hashlib.sha256(asked.encode()).hexdigest()
        return _publish(
            self.connection,
            Request(request_id, fingerprint) if request_id else None,
            lambda: self._publish(deleted),
        )

    def close(self) -> None:
        """End the import; nothing is kept of one that was not committed."""
        self.connection.close()

    def _publish(self, deleted: int) -> dict[str, int]:
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


def roll_back(upload: DocumentImport | ExampleImport) -> None:
    """Undo an import that no thread works on: its lock is free afterwards, which closing leaves to the server."""
    with suppress(psycopg.Error):
        upload.connection.rollback()


def _open(database: Database, use_case_id: str) -> Connection:
    """Open the connection whose transaction is the import, and lock the use case for it."""
    connection = database.connect()
    try:
        with translated():
            use_cases.lock(connection, use_case_id)
            use_cases.require(connection, use_case_id)
    except BaseException:
        with suppress(psycopg.Error):
            connection.rollback()
        connection.close()
        raise
    return connection


def _publish(
    connection: Connection, request: Request | None, publish: Callable[[], dict[str, int]]
) -> ImportResult:
    with translated():
        result, new = requests.once(connection, request, publish)
        if new:
            connection.commit()
        else:
            connection.rollback()  # the first request published it all
    return ImportResult(**result)


def _number(connection: Connection, query: LiteralString, *arguments: object) -> int:
    with translated():
        row = connection.execute(query, arguments).fetchone()
    return int(row[0]) if row is not None and row[0] is not None else 0


def _check_commit(count: int, received: int, sha256: str, computed: str) -> None:
    violations = []
    if count != received:
        violations.append(Violation("commit.count", f"is {count}, but {received} arrived; send all again"))
    if sha256.lower() != computed:
        violations.append(
            Violation("commit.sha256", f"does not match what arrived ({computed}); send all again")
        )
    if violations:
        raise InvalidInput(violations)


def _check_document(field: str, source: str, content: bytes, document_bytes: int) -> None:
    violations = []
    if not source.strip() or len(source) > SOURCE_CHARACTERS or "\0" in source:
        violations.append(
            Violation(
                f"{field}.source", f"must have 1 to {SOURCE_CHARACTERS} characters, none of them U+0000"
            )
        )
    if not content:
        violations.append(
            Violation(f"{field}.content", f"of {source!r} is empty; leave the document out or send its text")
        )
    if len(content) > document_bytes:
        violations.append(
            Violation(f"{field}.content", f"has {len(content)} bytes; at most {document_bytes} are allowed")
        )
    if violations:
        raise InvalidInput(violations)


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
