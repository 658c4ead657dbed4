"""Documents made searchable: read, split, embedded, and published with the import that brought them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import structlog

from advisor.execution.loading import ModelLoader, Models
from advisor.execution.meter import ImportMeter
from advisor.storage.database import Connection, Database
from advisor.storage.imports import DocumentImport
from advisor.storage.records import DocumentContent
from backends.base import Cancelled, DocumentError, ModelError, Passage, Progress
from backends.documents.passages import FORM
from backends.documents.reader import DocumentReader
from backends.documents.reading import MEDIA_TYPES, media_type_of
from backends.documents.worker import Reading
from backends.retrieval.asking import Named, no_other
from backends.retrieval.embedding import Embedder, embed_passages
from backends.retrieval.index import (
    Publication,
    create_passage_table,
    delete_collection,
    delete_sources,
    hold,
    made_by,
)
from backends.retrieval.words import language_of

__all__ = ["BATCH_PASSAGES", "ModelIndex", "in_language"]

BATCH_PASSAGES = 256
"""Passages embedded together: many small documents share the cost of a batch."""

_log = structlog.get_logger(__name__)


class ModelIndex:
    """The passages of all use cases, made by one embedder: the server's, or another until they are made anew.

    Args:
        database: Where passages are kept.
        loader: Has the server's embedder.
        reader: Reads the documents.
        open_other: Loads another embedder.
    """

    def __init__(
        self,
        database: Database,
        loader: ModelLoader,
        reader: DocumentReader,
        open_other: Named = no_other,
    ) -> None:
        self._database = database
        self._loader = loader
        self._reader = reader
        self._open_other = open_other
        self._lock = threading.Lock()
        self._other: Embedder | None = None
        self._told = False

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

    def read(self, document: DocumentContent, cancelled: Callable[[], bool] = lambda: False) -> Reading:
        """Return the text and the passages of a document; raises as `DocumentReader.read` does."""
        return self._reader.read(document.source, document.media_type, document.content, cancelled)

    def prepare(self, models: Models) -> Embedder:
        """Return the embedder of the passages; where there are none yet, make room for those of the server's.

        Raises:
            ModelError: It cannot be loaded.
        """
        with self._database.transaction() as connection:
            made = made_by(connection)
            if made is None:
                create_passage_table(connection, models.embedder.dimensions, embedder=models.embedder.name)
                return models.embedder
        outdated = (made.embedder, made.form) != (models.embedder.name, FORM)
        if outdated and not self._told:
            self._told = True
            _log.warning(
                "the passages are not of this server's embedder and form; Reindex makes them anew",
                passages=(made.embedder, made.form),
                server=(models.embedder.name, FORM),
            )
        return self.embedder(made.embedder)

    def embedder(self, name: str) -> Embedder:
        """Return an embedder by its name, loaded where need be.

        Raises:
            ModelError: It cannot be loaded.
        """
        own = self._loader.models(lambda _: None, lambda: False).embedder
        with self._lock:
            if name == own.name:
                self._other = None
                return own
            if self._other is None or self._other.name != name:
                try:
                    self._other = self._open_other(name)
                except ModelError as error:
                    raise ModelError(
                        f"the passages were embedded by {name!r}, which cannot be loaded ({error}); make it "
                        f"available again, or have them made anew by {own.name!r} with Reindex"
                    ) from error
            return self._other

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
        hold(upload.connection)
        self.forget_documents(upload.connection, use_case_id, upload.removed)
        meter = ImportMeter(upload.changed_bytes, report)
        readings = self._readable(upload, cancelled)
        first = next(readings, None)
        if first is None:
            return
        embedder = self.prepare(self._loader.models(report, cancelled))
        with Publication(upload.connection, use_case_id) as publication:
            for batch in _batches(_pieces(chain([first], readings), upload, publication)):
                vectors = embed_passages(
                    embedder,
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

    def _readable(
        self, upload: DocumentImport, cancelled: Callable[[], bool]
    ) -> Iterator[tuple[DocumentContent, Reading]]:
        """Yield the documents that are new or changed, read; what cannot be read is noted as skipped."""
        for document in upload.changed():
            if cancelled():
                raise Cancelled("the import was stopped; nothing was kept")
            try:
                reading = self.read(document, cancelled)
            except DocumentError as error:
                upload.skip(document.source, error)
            else:
                yield document, reading


def in_language(reading: Reading) -> list[tuple[Passage, str]]:
    """Return the passages of a document, each with the text search configuration of its language."""
    language = language_of(reading.text)
    return [(passage, language) for passage in reading.passages]


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


def _pieces(
    documents: Iterable[tuple[DocumentContent, Reading]],
    upload: DocumentImport,
    publication: Publication,
) -> Iterator[_Piece]:
    """Yield the passages of documents; those that the documents had before are deleted."""
    for document, reading in documents:
        if upload.replaces(document.source):
            publication.delete([document.source])
        passages = in_language(reading)
        upload.count_passages(document.source, len(passages))
        for passage, language in passages:
            yield _Piece(passage, language, len(document.content) / len(passages))


def _batches(pieces: Iterator[_Piece]) -> Iterator[list[_Piece]]:
    while batch := list(islice(pieces, BATCH_PASSAGES)):
        yield batch
