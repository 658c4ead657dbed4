"""Documents made searchable: read, split, embedded, and published with the import that brought them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from advisor.execution.loading import ModelLoader, Models
from advisor.execution.meter import ImportMeter
from advisor.storage.database import Connection, Database
from advisor.storage.imports import DocumentImport
from advisor.storage.records import DocumentContent
from backends.base import Cancelled, DocumentError, Passage, Progress
from backends.documents.passages import split
from backends.documents.reading import MEDIA_TYPES, media_type_of, read_document
from backends.documents.text import DocumentText
from backends.retrieval.embedding import embed_passages
from backends.retrieval.index import Publication, create_passage_table, delete_collection, delete_sources
from backends.retrieval.words import language_of

__all__ = ["ModelIndex"]

BATCH_PASSAGES = 256
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

        What cannot be read is skipped, and what was there of it stays, unless the import is strict.

        Raises:
            Cancelled: `cancelled` said so.
            DocumentError: A document cannot be read, and the import is strict.
            ModelError: The embedder cannot be loaded.
        """
        self.forget_documents(upload.connection, use_case_id, upload.removed)
        meter = ImportMeter(upload.changed_bytes, report)
        texts = _readable(upload, cancelled)
        first = next(texts, None)
        if first is None:
            return
        models = self._loader.models(report, cancelled)
        self.prepare(models)
        with Publication(upload.connection, use_case_id) as publication:
            for batch in _batches(_cut(chain([first], texts), upload, publication)):
                vectors = embed_passages(
                    models.embedder,
                    [piece.passage for piece in batch],
                    report=meter.within(sum(piece.size_bytes for piece in batch), len(batch)),
                    cancelled=cancelled,
                )
                publication.add([(piece.passage, piece.language) for piece in batch], vectors)

    def forget(self, connection: Connection, use_case_id: str) -> None:
        """Delete a use case's passages within a transaction."""
        if _is_there(connection):
            delete_collection(connection, use_case_id)

    def forget_documents(self, connection: Connection, use_case_id: str, sources: Sequence[str]) -> None:
        """Delete the passages of some documents within a transaction."""
        if sources and _is_there(connection):
            delete_sources(connection, use_case_id, sources)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A passage to embed, the configuration of its language, and its share of its document's bytes."""

    passage: Passage
    language: str
    size_bytes: float


def _is_there(connection: Connection) -> bool:
    """Return whether there is a table of passages: the first import makes it."""
    found = connection.execute("SELECT to_regclass('passages')").fetchone()
    return found is not None and found[0] is not None


def _readable(
    upload: DocumentImport, cancelled: Callable[[], bool]
) -> Iterator[tuple[DocumentContent, DocumentText]]:
    """Yield the documents that are new or changed with their texts; what cannot be read is noted as skipped."""
    for document in upload.changed():
        if cancelled():
            raise Cancelled("the import was stopped; nothing was kept")
        try:
            text = read_document(document.source, document.media_type, document.content)
        except DocumentError as error:
            upload.skip(document.source, error)
        else:
            yield document, text


def _cut(
    documents: Iterable[tuple[DocumentContent, DocumentText]],
    upload: DocumentImport,
    publication: Publication,
) -> Iterator[_Piece]:
    """Yield the passages of documents; those that the documents had before are deleted."""
    for document, text in documents:
        publication.delete([document.source])
        passages = split(document.source, text)
        upload.count_passages(document.source, len(passages))
        language = language_of(text.text)
        for passage in passages:
            yield _Piece(passage, language, len(document.content) / len(passages))


def _batches(pieces: Iterator[_Piece]) -> Iterator[list[_Piece]]:
    while batch := list(islice(pieces, BATCH_PASSAGES)):
        yield batch
