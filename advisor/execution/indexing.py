"""Documents made searchable: read, split, embedded, and published with the import that brought them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from advisor.execution.loading import ModelLoader, Models
from advisor.execution.meter import ImportMeter
from advisor.storage.database import Connection, Database
from advisor.storage.imports import DocumentImport
from advisor.storage.records import DocumentContent
from backends.base import Cancelled, DocumentError, Passage, Progress
from backends.documents.reading import MEDIA_TYPES, media_type_of, read_document, split
from backends.retrieval.embedding import embed_passages
from backends.retrieval.index import create_passage_table, delete_collection, delete_sources, publish

__all__ = ["ModelIndex"]

BATCH_PASSAGES = 128
"""Passages embedded together: many small documents share the cost of a batch."""


class ModelIndex:
    """The passages of all use cases, embedded by the server's model.

    Args:
        database: Where passages are kept.
        loader: Has the embedder.
    """

    def __init__(self, database: Database, loader: ModelLoader) -> None:
        self._database = database
        self._loader = loader
        self._lock = threading.Lock()
        self._prepared = False

    def media_type(self, source: str, media_type: str) -> str:
        """Return a document's media type, by its suffix where empty.

        Raises:
            DocumentError: It is none that can be read.
        """
        found = media_type or media_type_of(source)
        if found not in MEDIA_TYPES:
            raise DocumentError(
                f"{source}: the media type {found!r} cannot be read; use one of {', '.join(MEDIA_TYPES)}"
            )
        return found

    def prepare(self, models: Models) -> None:
        """Make sure that the table of passages is there and holds this embedder's vectors.

        Raises:
            ModelError: It holds those of another.
        """
        with self._lock:
            if not self._prepared:
                with self._database.transaction() as connection:
                    create_passage_table(
                        connection, models.embedder.dimensions, embedder=models.embedder.name
                    )
                self._prepared = True

    def publish(
        self,
        upload: DocumentImport,
        use_case_id: str,
        report: Callable[[Progress], None],
        cancelled: Callable[[], bool],
    ) -> None:
        """Split and embed what an import changed, and forget what it removed, within its transaction.

        Raises:
            Cancelled: `cancelled` said so.
            DocumentError: A document cannot be read.
            ModelError: The embedder cannot be loaded.
        """
        self.forget_documents(upload.connection, use_case_id, upload.removed)
        meter = ImportMeter(upload.changed_bytes, report)
        for documents in _batches(upload.changed(), cancelled):
            models = self._loader.models(report, cancelled)
            self.prepare(models)
            passages = [passage for each in documents for passage in each.passages]
            vectors = embed_passages(
                models.embedder,
                passages,
                report=meter.within(sum(each.size_bytes for each in documents), len(passages)),
                cancelled=cancelled,
            )
            publish(upload.connection, use_case_id, [each.source for each in documents], passages, vectors)
            for each in documents:
                upload.count_passages(each.source, len(each.passages))

    def forget(self, connection: Connection, use_case_id: str) -> None:
        """Delete a use case's passages within a transaction."""
        if _is_there(connection):
            delete_collection(connection, use_case_id)

    def forget_documents(self, connection: Connection, use_case_id: str, sources: Sequence[str]) -> None:
        """Delete the passages of some documents within a transaction."""
        if sources and _is_there(connection):
            delete_sources(connection, use_case_id, sources)


@dataclass(frozen=True, slots=True)
class _Split:
    """A document split into passages."""

    source: str
    size_bytes: int
    passages: tuple[Passage, ...]


def _is_there(connection: Connection) -> bool:
    """Return whether there is a table of passages: the first import makes it."""
    found = connection.execute("SELECT to_regclass('passages')").fetchone()
    return found is not None and found[0] is not None


def _batches(documents: Iterator[DocumentContent], cancelled: Callable[[], bool]) -> Iterator[list[_Split]]:
    """Yield documents with their passages, together about `BATCH_PASSAGES` at a time."""
    batch: list[_Split] = []
    size = 0
    for document in documents:
        if cancelled():
            raise Cancelled("the import was stopped; nothing was kept")
        text = read_document(document.source, document.media_type, document.content)
        passages = split(document.source, text, media_type=document.media_type)
        batch.append(_Split(document.source, len(document.content), passages))
        size += len(passages)
        if size >= BATCH_PASSAGES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
