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
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from psycopg.rows import class_row

from advisor.errors import InvalidInput, ResourceExhausted, Violation
from advisor.names import principal_of, use_case_name
from advisor.storage import adapters
from advisor.storage.database import Connection, Database, translated
from advisor.storage.documents import MOST_CHANGES
from advisor.storage.example_imports import ExampleImport, open_examples
from advisor.storage.records import DocumentContent, ImportResult, Request, Skipped
from advisor.storage.staging import (
    MOST_FAULTS,
    Limits,
    check_commit,
    number,
    open_staging,
    publish,
    roll_back,
)
from advisor.storage.usage import document_bytes
from backends.base import DocumentError

__all__ = ["DocumentImport", "ExampleImport", "Limits", "open_documents", "open_examples", "roll_back"]

SOURCE_CHARACTERS = 1_000
"""Longest source of a document; it is part of an index, which takes 2,700 bytes at most."""

BATCH_BYTES = 1024 * 1024
BATCH_DOCUMENTS = 100
"""Documents read together from the database: many small ones share the cost of a query."""


def open_documents(
    database: Database, use_case_id: str, limits: Limits, *, mirror: bool = False, strict: bool = False
) -> DocumentImport:
    """Open an import of documents; a strict one fails where a document cannot be read.

    Raises:
        NotFound: The use case does not exist.
        Conflict: Another import into it is under way.
    """
    connection = open_staging(database, use_case_id)
    return DocumentImport(database, connection, use_case_id, limits, mirror=mirror, strict=strict)


class DocumentImport:
    """An import of documents that is under way.

    Attributes:
        connection: Holds its transaction.
        removed: Sources of the documents that were not sent to a mirroring import; known after `check`.
    """

    def __init__(
        self,
        database: Database,
        connection: Connection,
        use_case_id: str,
        limits: Limits,
        *,
        mirror: bool,
        strict: bool,
    ) -> None:
        self.connection = connection
        self.removed: tuple[str, ...] = ()
        self._database = database
        self._strict = strict
        self._skipped: list[Skipped] = []
        self._use_case_id = use_case_id
        self._limits = limits
        self._mirror = mirror
        self._sources: set[str] = set()
        self._changed: dict[str, int] = {}  # their sizes
        self._replaced: set[str] = set()
        self._passages: dict[str, int] = {}
        self._received_bytes = 0
        self._rewritten: set[str] = set()
        self._content = hashlib.sha256()
        self._request = hashlib.sha256(f"documents\0{use_case_id}\0{mirror}\0{strict}\0".encode())

    def add(self, source: str, media_type: str, content: bytes) -> bool:
        """Stage a document in place of the one with the same source; return whether it differs from that.

        Raises:
            InvalidInput: It is empty, too large, without a source, or its source came before.
        """
        digest = self._receive(source, media_type, content)
        key = [self._use_case_id, source]
        with translated():
            row = self.connection.execute(
                "WITH before AS (SELECT sha256 FROM documents WHERE use_case_id = %s AND source = %s)"
                " INSERT INTO documents (use_case_id, source, media_type, content, size_bytes, sha256)"
                " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (use_case_id, source) DO UPDATE SET"
                " media_type = excluded.media_type, content = excluded.content,"
                " size_bytes = excluded.size_bytes, sha256 = excluded.sha256, passage_count = 0"
                " WHERE (documents.sha256, documents.media_type) <> (excluded.sha256, excluded.media_type)"
                " RETURNING (SELECT sha256 FROM before)",
                [*key, *key, media_type, content, len(content), digest],
            ).fetchone()
        if row is not None:
            self._changed[source] = len(content)
            if row[0] is not None:
                self._replaced.add(source)
            if row[0] and row[0] != digest:
                self._rewritten.add(source)
        return row is not None

    def add_unreadable(self, source: str, media_type: str, content: bytes, error: DocumentError) -> None:
        """Take a document of a kind that cannot be read; what is stored under its source stays.

        Raises:
            DocumentError: The import is strict.
            InvalidInput: As `add` does.
        """
        self._receive(source, media_type, content)
        self._note_skipped(source, error)

    def skip(self, source: str, error: DocumentError) -> None:
        """Undo the staging of a document that cannot be read: what was stored under its source stays.

        Raises:
            DocumentError: The import is strict.
        """
        self._note_skipped(source, error)
        del self._changed[source]
        self._rewritten.discard(source)
        key = [self._use_case_id, source]
        with self._database.transaction() as connection:  # sees what was committed before this import
            stored = connection.execute(
                "SELECT media_type, content, size_bytes, sha256, passage_count FROM documents"
                " WHERE use_case_id = %s AND source = %s",
                key,
            ).fetchone()
        with translated():
            if stored is None:
                self.connection.execute("DELETE FROM documents WHERE use_case_id = %s AND source = %s", key)
            else:
                self.connection.execute(
                    "UPDATE documents SET (media_type, content, size_bytes, sha256, passage_count)"
                    " = (%s, %s, %s, %s, %s) WHERE use_case_id = %s AND source = %s",
                    [*stored, *key],
                )

    def changed(self) -> Iterator[DocumentContent]:
        """Yield the documents that are new or changed in the order sent, without holding many at a time."""
        for sources in _batches(self._changed):
            with translated(), self.connection.cursor(row_factory=class_row(DocumentContent)) as cursor:
                found = cursor.execute(
                    "SELECT source, media_type, content FROM documents"
                    " WHERE use_case_id = %s AND source = ANY(%s)",
                    [self._use_case_id, sources],
                ).fetchall()
            place = {source: index for index, source in enumerate(sources)}
            yield from sorted(found, key=lambda each: place[each.source])

    def replaces(self, source: str) -> bool:
        """Return whether a document that changed takes the place of another, of which there may be passages."""
        return source in self._replaced

    @property
    def erases(self) -> bool:
        """Whether it deletes or replaces documents."""
        return bool(self._replaced or self.removed)

    @property
    def changed_bytes(self) -> int:
        """Size of the documents that are new or changed."""
        return sum(self._changed.values())

    def count_passages(self, source: str, passages: int) -> None:
        """Note how many passages a staged document was split into."""
        self._passages[source] = passages

    def check(self, count: int, sha256: str) -> None:
        """Compare what arrived with what the client says it sent, before the passages are made.

        Raises:
            InvalidInput: Count or checksum differ.
            ResourceExhausted: The use case would hold more than its limit.
        """
        check_commit(count, len(self._sources), sha256, self._content.hexdigest())
        if self._mirror:
            self.removed += self._remove_what_was_not_sent()
        self._refuse_above_limit(
            number(
                self.connection,
                "SELECT sum(size_bytes) FROM documents WHERE use_case_id = %s",
                self._use_case_id,
            )
        )
        self._refuse_above_principals_limit()

    def commit(self, count: int, sha256: str, request_id: str = "") -> ImportResult:
        """Publish what was staged, or return what the same request published before.

        Raises:
            InvalidInput: Count or checksum differ from what arrived.
            ResourceExhausted: The use case would hold more than its limit.
            FailedPrecondition: The request's id was used for another request.
        """
        self.check(count, sha256)
        self._refuse_above_principals_limit(at_last=True)
        return publish(
            self.connection,
            Request(request_id, self._request.hexdigest(), principal_of(self._use_case_id))
            if request_id
            else None,
            self._publish,
        )

    def close(self) -> None:
        """End the import; nothing is kept of one that was not committed."""
        self.connection.close()

    def _publish(self) -> dict[str, Any]:
        connection, use_case = self.connection, self._use_case_id
        connection.execute(
            "UPDATE documents SET passage_count = passages FROM unnest(%s::text[], %s::int[])"
            " AS counted (name, passages) WHERE use_case_id = %s AND source = name",
            [list(self._passages), list(self._passages.values()), use_case],
        )
        self._note_changes()
        adapters.bring_in_step(connection, use_case)
        changed, skipped = len(self._changed), len(self._skipped)
        return asdict(
            ImportResult(
                changed,
                len(self._sources) - changed - skipped,
                sum(self._passages.values()),
                deleted=len(self.removed),
                skipped=skipped,
                first_skipped=tuple(self._skipped[:MOST_FAULTS]),
            )
        )

    def _note_changes(self) -> None:
        """Keep when contents were replaced, of each document the last times."""
        key = [self._use_case_id, sorted(self._rewritten)]
        self.connection.execute(
            "INSERT INTO document_changes SELECT %s, source, now() FROM unnest(%s::text[]) AS source", key
        )
        self.connection.execute(
            "DELETE FROM document_changes WHERE (use_case_id, source, change_time) IN ("
            " SELECT use_case_id, source, change_time FROM (SELECT *, row_number() OVER"
            " (PARTITION BY source ORDER BY change_time DESC) AS place FROM document_changes"
            " WHERE use_case_id = %s AND source = ANY(%s)) AS placed WHERE place > %s)",
            [*key, MOST_CHANGES],
        )

    def _receive(self, source: str, media_type: str, content: bytes) -> str:
        """Check a document that arrived, and return its SHA-256."""
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
        return digest

    def _note_skipped(self, source: str, error: DocumentError) -> None:
        if self._strict:
            raise error
        self._skipped.append(Skipped(source, str(error)))

    def _remove_what_was_not_sent(self) -> tuple[str, ...]:
        with translated():
            rows = self.connection.execute(
                "DELETE FROM documents WHERE use_case_id = %s AND source <> ALL(%s) RETURNING source",
                [self._use_case_id, list(self._sources)],
            ).fetchall()
        return tuple(row[0] for row in rows)

    def _refuse_above_principals_limit(self, *, at_last: bool = False) -> None:
        """Raise ResourceExhausted where all use cases of the principal hold too much.

        At last, no other import of the principal is published between this and the end of the transaction.
        """
        limit, owner = self._limits.principal_bytes, principal_of(self._use_case_id)
        if limit is None:
            return
        if at_last:
            self.connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended('advisor.documents.' || %s, 0))", [owner]
            )
        with translated():
            held = document_bytes(self.connection, owner)
        if held > limit:
            raise ResourceExhausted(
                "STORAGE_LIMIT",
                f"all your documents would take {held:,} bytes, and {limit:,} are allowed; delete some that are "
                "not needed, or import fewer",
            )

    def _refuse_above_limit(self, size_bytes: int) -> None:
        if size_bytes > self._limits.use_case_bytes:
            raise ResourceExhausted(
                "DOCUMENTS_LIMIT",
                f"the documents of {use_case_name(self._use_case_id)} would take more than "
                f"{self._limits.use_case_bytes} bytes; import fewer, or use another use case",
            )


def _batches(sizes: Mapping[str, int]) -> Iterator[list[str]]:
    """Yield the sources of documents, as many together as are of `BATCH_BYTES`; a larger one comes alone."""
    batch: list[str] = []
    size = 0
    for source, size_bytes in tuple(sizes.items()):
        if batch and (size + size_bytes > BATCH_BYTES or len(batch) == BATCH_DOCUMENTS):
            yield batch
            batch, size = [], 0
        batch.append(source)
        size += size_bytes
    if batch:
        yield batch


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
