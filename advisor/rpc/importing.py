"""Imports as calls: staged as they arrive, made searchable, and published by their commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from advisor.errors import Unavailable
from advisor.rpc.erasing import Eraser
from advisor.rpc.lanes import Lane, Last, Slots
from advisor.rpc.requests import Checks
from advisor.rpc.uploads import Messages, read_documents, read_examples, read_header
from advisor.storage import imports, records
from advisor.storage.database import Connection, Database
from advisor.v1 import use_case_pb2
from advisor.v1 import use_case_service_pb2 as service_pb2
from advisor.wire.messages import example_from_proto, progress_to_proto
from backends.base import DocumentError, Progress

__all__ = ["Importer", "Index"]

T = TypeVar("T")
U = TypeVar("U", imports.DocumentImport, imports.ExampleImport)


class Index(Protocol):
    """Makes documents searchable."""

    def media_type(self, source: str, media_type: str) -> str:
        """Return a document's media type, by its suffix where empty; DocumentError where none is known."""
        ...

    def publish(
        self,
        upload: imports.DocumentImport,
        use_case_id: str,
        report: Callable[[Progress], None],
        cancelled: Callable[[], bool],
    ) -> None:
        """Split and embed what an import changed, within its transaction; Cancelled where asked to stop."""
        ...

    def forget(self, connection: Connection, use_case_id: str) -> None:
        """Delete a use case's passages within a transaction."""
        ...

    def forget_documents(self, connection: Connection, use_case_id: str, sources: Sequence[str]) -> None:
        """Delete the passages of some documents within a transaction."""
        ...


class Importer:
    """Takes imports of documents and examples.

    Args:
        database: Where they are kept.
        index: Makes documents searchable.
        limits: What a use case may hold.
        eraser: Clears away what an import replaced or deleted.
        lane: Threads for the database.
        import_lane: Threads for splitting and embedding.
        slots: Imports at a time.
    """

    def __init__(
        self,
        database: Database,
        index: Index,
        limits: imports.Limits,
        eraser: Eraser,
        *,
        lane: Lane,
        import_lane: Lane,
        slots: Slots,
    ) -> None:
        self._database = database
        self._index = index
        self._limits = limits
        self._eraser = eraser
        self._lane = lane
        self._import_lane = import_lane
        self._slots = slots

    async def documents(
        self, requests: AsyncIterator[service_pb2.ImportDocumentsRequest]
    ) -> AsyncGenerator[service_pb2.ImportDocumentsResponse]:
        """Import documents; yields how far it is, and last what changed."""
        with self._slots.taken():
            messages = Messages(requests)
            header = await _header(messages)
            async with self._open(partial(imports.open_documents, strict=header.strict), header) as upload:
                async for part in read_documents(messages, self._limits.document_bytes):
                    if isinstance(part, use_case_pb2.Document):
                        await self._stage(upload, part)
                        continue
                    work = partial(self._publish, upload, header, part)
                    async with aclosing(self._import_lane.stream(work)) as events:
                        async for event in events:
                            if isinstance(event, Last):
                                result = event.value
                            else:
                                progress = progress_to_proto(event)
                                yield service_pb2.ImportDocumentsResponse(progress=progress)
            if upload.erases:
                self._eraser.clear(header.use_case_id)
        yield service_pb2.ImportDocumentsResponse(
            result=service_pb2.ImportDocumentsResult(
                imported=result.imported,
                unchanged=result.unchanged,
                passages=result.passages,
                deleted=result.deleted,
                skipped=result.skipped,
                skipped_documents=[
                    service_pb2.SkippedDocument(source=each.source, reason=each.reason)
                    for each in result.first_skipped
                ],
            )
        )

    async def examples(
        self, requests: AsyncIterator[service_pb2.ImportExamplesRequest]
    ) -> service_pb2.ImportExamplesResponse:
        """Import examples."""
        with self._slots.taken():
            messages = Messages(requests)
            header = await _header(messages)
            async with self._open(imports.open_examples, header) as upload:
                async for part in read_examples(messages):
                    if isinstance(part, service_pb2.ExampleBatch):
                        await self._blocking(partial(upload.add, map(example_from_proto, part.examples)))
                    else:
                        commit = partial(upload.commit, part.count, part.sha256, header.request_id)
                        result = await self._blocking(commit)
            if result.deleted:
                self._eraser.clear(header.use_case_id)
        return service_pb2.ImportExamplesResponse(
            imported=result.imported, unchanged=result.unchanged, deleted=result.deleted
        )

    async def _stage(self, upload: imports.DocumentImport, document: use_case_pb2.Document) -> None:
        source, content = document.source, document.content
        try:
            media_type = self._index.media_type(source, document.media_type)
        except DocumentError as error:
            unreadable = partial(upload.add_unreadable, source, document.media_type, content, error)
            await self._blocking(unreadable)
        else:
            await self._blocking(partial(upload.add, source, media_type, content))

    def _publish(
        self,
        upload: imports.DocumentImport,
        header: _Header,
        commit: service_pb2.ImportCommit,
        report: Callable[[Progress], None],
        cancelled: Callable[[], bool],
    ) -> records.ImportResult:
        upload.check(commit.count, commit.sha256)
        self._index.publish(upload, header.use_case_id, report, cancelled)
        return upload.commit(commit.count, commit.sha256, header.request_id)

    @asynccontextmanager
    async def _open(self, opener: Callable[..., U], header: _Header) -> AsyncIterator[U]:
        """Hold an import open; its transaction is rolled back unless it was committed."""
        opening = asyncio.ensure_future(
            self._blocking(
                lambda: opener(self._database, header.use_case_id, self._limits, mirror=header.mirror)
            )
        )
        try:
            upload = await asyncio.shield(opening)
        except asyncio.CancelledError:  # a thread may be opening it still, for nobody
            opening.add_done_callback(_close_unheld)
            raise
        try:
            yield upload
        except Exception:
            # Before the client hears of it: it may try again at once. Nothing works on the import any more.
            with suppress(Unavailable):
                await self._blocking(lambda: imports.roll_back(upload))
            raise
        finally:
            upload.close()

    async def _blocking(self, work: Callable[[], T]) -> T:
        return await self._lane.run(lambda _: work())


def _close_unheld(opening: asyncio.Future[U]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


@dataclass(frozen=True, slots=True)
class _Header:
    """The header of an import that was checked."""

    use_case_id: str
    request_id: str
    mirror: bool
    strict: bool


async def _header(messages: Messages) -> _Header:
    header = await read_header(messages)
    checks = Checks()
    use_case_id = checks.use_case(header.use_case, "header.use_case")
    request_id = checks.request_id(header.request_id, "header.request_id")
    checks.refuse()
    return _Header(use_case_id, request_id, header.mirror, header.strict)
