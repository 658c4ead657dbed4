"""`advisor.v1.UseCaseService`: what is known, and what there is to work with."""
# ruff: noqa: N802 - the names of the handlers are those of the proto

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from google.api import field_behavior_pb2
from google.protobuf import empty_pb2

from advisor.rpc.edge import Context
from advisor.rpc.lanes import Lane, Slots
from advisor.rpc.requests import Checks, fingerprint
from advisor.rpc.uploads import Messages, read_documents, read_examples, read_header
from advisor.storage import documents, imports, records, use_cases
from advisor.storage.database import Connection, Database
from advisor.v1 import facts_pb2, use_case_pb2
from advisor.v1 import use_case_service_pb2 as service_pb2
from advisor.v1 import use_case_service_pb2_grpc as service_grpc
from advisor.wire.messages import (
    document_to_proto,
    example_from_proto,
    facts_from_bytes,
    facts_to_bytes,
    use_case_to_proto,
)

__all__ = ["Index", "UseCaseServicer"]

T = TypeVar("T")
U = TypeVar("U", imports.DocumentImport, imports.ExampleImport)

_FACTS = tuple(field.name for field in facts_pb2.Facts.DESCRIPTOR.fields)
_MASK = ("description", "facts", *(f"facts.{name}" for name in _FACTS))
_OUTPUT_ONLY = tuple(
    field.name
    for field in use_case_pb2.UseCase.DESCRIPTOR.fields
    if field_behavior_pb2.OUTPUT_ONLY in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
)


class Index(Protocol):
    """Makes documents searchable."""

    def media_type(self, source: str, media_type: str) -> str:
        """Return a document's media type, by its suffix where empty; DocumentError where none is known."""
        ...

    def publish(
        self, upload: imports.DocumentImport, use_case_id: str, cancelled: Callable[[], bool]
    ) -> None:
        """Split and embed what an import changed, within its transaction; Cancelled where asked to stop."""
        ...

    def forget(self, connection: Connection, use_case_id: str) -> None:
        """Delete a use case's passages within a transaction."""
        ...


class UseCaseServicer(service_grpc.UseCaseServiceServicer):
    """Keeps use cases with their documents and examples.

    Args:
        database: Where they are kept.
        data_dir: Folder of the adapters, which go with their use case.
        index: Makes documents searchable.
        limits: What a use case may hold.
        lane: Threads for the database.
        import_lane: Threads for splitting and embedding.
        import_slots: Imports at a time.
    """

    def __init__(
        self,
        database: Database,
        data_dir: Path,
        index: Index,
        limits: imports.Limits,
        *,
        lane: Lane,
        import_lane: Lane,
        import_slots: Slots,
    ) -> None:
        self._database = database
        self._data_dir = data_dir
        self._index = index
        self._limits = limits
        self._lane = lane
        self._import_lane = import_lane
        self._import_slots = import_slots

    async def CreateUseCase(
        self, request: service_pb2.CreateUseCaseRequest, _context: Context
    ) -> use_case_pb2.UseCase:
        """Create a use case; see the proto."""
        checks = Checks()
        use_case_id = checks.new_id(request.use_case_id, "use_case_id")
        request_id = checks.request_id(request.request_id)
        checks.description(request.use_case.description, "use_case.description")
        checks.facts(request.use_case.facts, "use_case.facts")
        checks.refuse()
        created = await self._blocking(
            lambda: use_cases.create(
                self._database,
                use_case_id,
                description=request.use_case.description,
                facts=facts_to_bytes(request.use_case.facts),
                request=fingerprint("CreateUseCase", request, request_id),
            )
        )
        return use_case_to_proto(created)

    async def GetUseCase(
        self, request: service_pb2.GetUseCaseRequest, _context: Context
    ) -> use_case_pb2.UseCase:
        """Return a use case; see the proto."""
        use_case_id = _named(request.name, "name")
        return use_case_to_proto(await self._blocking(lambda: use_cases.get(self._database, use_case_id)))

    async def ListUseCases(
        self, request: service_pb2.ListUseCasesRequest, _context: Context
    ) -> service_pb2.ListUseCasesResponse:
        """List use cases; see the proto."""
        page = await self._blocking(
            lambda: use_cases.list_page(self._database, size=request.page_size, token=request.page_token)
        )
        return service_pb2.ListUseCasesResponse(
            use_cases=map(use_case_to_proto, page.items), next_page_token=page.next_page_token
        )

    async def UpdateUseCase(
        self, request: service_pb2.UpdateUseCaseRequest, _context: Context
    ) -> use_case_pb2.UseCase:
        """Change a use case; see the proto."""
        checks = Checks()
        use_case_id = checks.use_case(request.use_case.name, "use_case.name")
        paths = checks.mask(request.update_mask.paths, _MASK, _OUTPUT_ONLY)
        checks.description(request.use_case.description, "use_case.description")
        checks.facts(request.use_case.facts, "use_case.facts")
        checks.refuse()
        if not request.update_mask.paths:
            paths = _set_paths(request.use_case)
        updated = await self._blocking(
            lambda: use_cases.update(
                self._database, use_case_id, lambda present: _changed(present, request.use_case, paths)
            )
        )
        return use_case_to_proto(updated)

    async def DeleteUseCase(
        self, request: service_pb2.DeleteUseCaseRequest, _context: Context
    ) -> empty_pb2.Empty:
        """Delete a use case with all that hangs off it; see the proto."""
        use_case_id = _named(request.name, "name")
        await self._blocking(
            lambda: use_cases.delete(
                self._database,
                use_case_id,
                self._data_dir,
                lambda connection: self._index.forget(connection, use_case_id),
            )
        )
        return empty_pb2.Empty()

    async def ListDocuments(
        self, request: service_pb2.ListDocumentsRequest, _context: Context
    ) -> service_pb2.ListDocumentsResponse:
        """List a use case's documents; see the proto."""
        checks = Checks()
        use_case_id = checks.use_case(request.parent, "parent")
        checks.page(request.page_size)
        checks.refuse()
        page = await self._blocking(
            lambda: documents.list_page(
                self._database, use_case_id, size=request.page_size, token=request.page_token
            )
        )
        return service_pb2.ListDocumentsResponse(
            documents=map(document_to_proto, page.items), next_page_token=page.next_page_token
        )

    async def ImportDocuments(
        self, request_iterator: AsyncIterator[service_pb2.ImportDocumentsRequest], _context: Context
    ) -> service_pb2.ImportDocumentsResponse:
        """Import documents; see the proto."""
        with self._import_slots.taken():
            messages = Messages(request_iterator)
            use_case_id, request_id = _opened(await read_header(messages))
            async with self._open(imports.open_documents, use_case_id) as upload:
                async for part in read_documents(messages, self._limits.document_bytes):
                    if isinstance(part, use_case_pb2.Document):
                        await self._stage(upload, part)
                    else:
                        result = await self._publish(upload, use_case_id, part, request_id)
        return service_pb2.ImportDocumentsResponse(
            imported=result.imported, unchanged=result.unchanged, passages=result.passages
        )

    async def ImportExamples(
        self, request_iterator: AsyncIterator[service_pb2.ImportExamplesRequest], _context: Context
    ) -> service_pb2.ImportExamplesResponse:
        """Import examples; see the proto."""
        with self._import_slots.taken():
            messages = Messages(request_iterator)
            use_case_id, request_id = _opened(await read_header(messages))
            async with self._open(imports.open_examples, use_case_id) as upload:
                async for part in read_examples(messages):
                    if isinstance(part, service_pb2.ExampleBatch):
                        await self._blocking(partial(upload.add, map(example_from_proto, part.examples)))
                    else:
                        commit = partial(upload.commit, part.count, part.sha256, request_id)
                        result = await self._blocking(commit)
        return service_pb2.ImportExamplesResponse(imported=result.imported, unchanged=result.unchanged)

    async def _stage(self, upload: imports.DocumentImport, document: use_case_pb2.Document) -> None:
        media_type = self._index.media_type(document.source, document.media_type)
        await self._blocking(lambda: upload.add(document.source, media_type, document.content))

    async def _publish(
        self,
        upload: imports.DocumentImport,
        use_case_id: str,
        commit: service_pb2.ImportCommit,
        request_id: str,
    ) -> records.ImportResult:
        def work(cancelled: Callable[[], bool]) -> records.ImportResult:
            upload.check(commit.count, commit.sha256)
            self._index.publish(upload, use_case_id, cancelled)
            return upload.commit(commit.count, commit.sha256, request_id)

        return await self._import_lane.run(work)

    @asynccontextmanager
    async def _open(
        self, opener: Callable[[Database, str, imports.Limits], U], use_case_id: str
    ) -> AsyncIterator[U]:
        """Hold an import open; its transaction is rolled back unless it was committed."""
        upload = await self._blocking(lambda: opener(self._database, use_case_id, self._limits))
        try:
            yield upload
        except Exception:
            # Before the client hears of it: it may try again at once. Nothing works on the import any more.
            await self._blocking(lambda: imports.roll_back(upload))
            raise
        finally:
            upload.close()

    async def _blocking(self, work: Callable[[], T]) -> T:
        return await self._lane.run(lambda _: work())


def _named(name: str, field: str) -> str:
    checks = Checks()
    use_case_id = checks.use_case(name, field)
    checks.refuse()
    return use_case_id


def _opened(header: service_pb2.ImportHeader) -> tuple[str, str]:
    checks = Checks()
    use_case_id = checks.use_case(header.use_case, "header.use_case")
    request_id = checks.request_id(header.request_id, "header.request_id")
    checks.refuse()
    return use_case_id, request_id


def _set_paths(use_case: use_case_pb2.UseCase) -> list[str]:
    """Return the paths of all that is set, where a request names none."""
    paths = [f"facts.{field.name}" for field, _ in use_case.facts.ListFields()]
    return [*paths, "description"] if use_case.description else paths


def _changed(present: records.UseCase, given: use_case_pb2.UseCase, paths: list[str]) -> tuple[str, bytes]:
    """Return description and facts with `paths` taken from what was given."""
    facts = facts_from_bytes(present.facts)
    description = present.description
    for path in paths:
        name = path.removeprefix("facts.")
        if path == "description":
            description = given.description
        elif path == "facts":
            facts.CopyFrom(given.facts)
        else:
            facts.ClearField(name)
            part = facts_pb2.Facts()
            part.CopyFrom(given.facts)
            for other in _FACTS:
                if other != name:
                    part.ClearField(other)
            facts.MergeFrom(part)
    return description, facts_to_bytes(facts)
