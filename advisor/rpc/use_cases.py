"""`advisor.v1.UseCaseService`: what is known, and what there is to work with."""
# ruff: noqa: N802 - the names of the handlers are those of the proto

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import TypeVar

from google.api import field_behavior_pb2
from google.protobuf import empty_pb2

from advisor.errors import Conflict
from advisor.names import kept_id, parse_document, parse_example, parse_use_case, principal, shown
from advisor.rpc.edge import Context
from advisor.rpc.erasing import Eraser
from advisor.rpc.importing import Importer, Index
from advisor.rpc.lanes import Lane
from advisor.rpc.requests import Checks, fingerprint
from advisor.storage import documents, examples, records, use_cases
from advisor.storage.database import Database
from advisor.v1 import facts_pb2, use_case_pb2
from advisor.v1 import use_case_service_pb2 as service_pb2
from advisor.v1 import use_case_service_pb2_grpc as service_grpc
from advisor.wire.messages import (
    document_summary_to_proto,
    document_to_proto,
    example_to_proto,
    facts_from_bytes,
    facts_to_bytes,
    use_case_to_proto,
)
from backends.training.stores import AdapterFiles

__all__ = ["UseCaseServicer"]

T = TypeVar("T")

_FACTS = tuple(field.name for field in facts_pb2.Facts.DESCRIPTOR.fields)
_MASK = ("description", "facts", "origins", *(f"facts.{name}" for name in _FACTS))
_OUTPUT_ONLY = tuple(
    field.name
    for field in use_case_pb2.UseCase.DESCRIPTOR.fields
    if field_behavior_pb2.OUTPUT_ONLY in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
)


class UseCaseServicer(service_grpc.UseCaseServiceServicer):
    """Keeps use cases with their documents and examples.

    Args:
        database: Where they are kept.
        files: Of the adapters, which go with their use case.
        index: Makes documents searchable.
        importer: Takes imports.
        eraser: Clears away what was deleted.
        lane: Threads for the database.
    """

    def __init__(
        self,
        database: Database,
        files: AdapterFiles,
        index: Index,
        importer: Importer,
        eraser: Eraser,
        lane: Lane,
    ) -> None:
        self._database = database
        self._files = files
        self._index = index
        self._importer = importer
        self._eraser = eraser
        self._lane = lane

    async def CreateUseCase(
        self, request: service_pb2.CreateUseCaseRequest, _context: Context
    ) -> use_case_pb2.UseCase:
        """Create a use case; see the proto."""
        checks = Checks()
        use_case_id = kept_id(checks.new_id(request.use_case_id, "use_case_id"))
        request_id = checks.request_id(request.request_id)
        checks.description(request.use_case.description, "use_case.description")
        checks.facts(request.use_case.facts, "use_case.facts")
        checks.origins(request.use_case.origins, "use_case.origins")
        checks.refuse()
        created = await self._blocking(
            lambda: use_cases.create(
                self._database,
                use_case_id,
                use_cases.Stated(
                    request.use_case.description,
                    facts_to_bytes(request.use_case.facts),
                    request.use_case.origins,
                ),
                request=fingerprint("CreateUseCase", request, request_id),
                keep=not request.validate_only,
            )
        )
        return use_case_to_proto(created)

    async def GetUseCase(
        self, request: service_pb2.GetUseCaseRequest, _context: Context
    ) -> use_case_pb2.UseCase:
        """Return a use case; see the proto."""
        use_case_id = parse_use_case(request.name)
        return use_case_to_proto(await self._blocking(lambda: use_cases.get(self._database, use_case_id)))

    async def ListUseCases(
        self, request: service_pb2.ListUseCasesRequest, _context: Context
    ) -> service_pb2.ListUseCasesResponse:
        """List use cases; see the proto."""
        page = await self._blocking(
            lambda: use_cases.list_page(
                self._database, principal=principal(), size=request.page_size, token=request.page_token
            )
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
        paths = checks.mask(request.update_mask.paths, _MASK, (*_OUTPUT_ONLY, "etag"))
        checks.description(request.use_case.description, "use_case.description")
        checks.facts(request.use_case.facts, "use_case.facts")
        checks.origins(request.use_case.origins, "use_case.origins")
        checks.refuse()
        if not request.update_mask.paths:
            paths = _set_paths(request.use_case)

        def change(present: records.UseCase) -> use_cases.Stated:
            _refuse_stale(present, request.use_case.etag)
            return _changed(present, request.use_case, paths)

        updated = await self._blocking(
            lambda: use_cases.update(self._database, use_case_id, change, keep=not request.validate_only)
        )
        return use_case_to_proto(updated)

    async def DeleteUseCase(
        self, request: service_pb2.DeleteUseCaseRequest, _context: Context
    ) -> empty_pb2.Empty:
        """Delete a use case with all that hangs off it; see the proto."""
        use_case_id = parse_use_case(request.name)
        await self._blocking(
            lambda: use_cases.delete(
                self._database,
                use_case_id,
                self._files,
                lambda connection: self._index.forget(connection, use_case_id),
                check=lambda present: _refuse_stale(present, request.etag),
                keep=not request.validate_only,
            )
        )
        if not request.validate_only:
            self._eraser.clear(use_case_id)
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
            documents=(document_summary_to_proto(use_case_id, each) for each in page.items),
            next_page_token=page.next_page_token,
        )

    async def GetDocument(
        self, request: service_pb2.GetDocumentRequest, _context: Context
    ) -> use_case_pb2.Document:
        """Return a document with its content; see the proto."""
        ids = parse_document(request.name)
        return document_to_proto(ids[0], await self._blocking(lambda: documents.get(self._database, *ids)))

    async def DeleteDocument(
        self, request: service_pb2.DeleteDocumentRequest, _context: Context
    ) -> empty_pb2.Empty:
        """Delete a document with its passages; see the proto."""
        use_case_id, source_hash = parse_document(request.name)
        await self._blocking(
            lambda: documents.delete(
                self._database,
                use_case_id,
                source_hash,
                lambda connection, sources: self._index.forget_documents(connection, use_case_id, sources),
            )
        )
        self._eraser.clear(use_case_id)
        return empty_pb2.Empty()

    async def ListExamples(
        self, request: service_pb2.ListExamplesRequest, _context: Context
    ) -> service_pb2.ListExamplesResponse:
        """List a use case's examples; see the proto."""
        checks = Checks()
        use_case_id = checks.use_case(request.parent, "parent")
        checks.page(request.page_size)
        checks.refuse()
        page = await self._blocking(
            lambda: examples.list_page(
                self._database, use_case_id, size=request.page_size, token=request.page_token
            )
        )
        return service_pb2.ListExamplesResponse(
            examples=(example_to_proto(use_case_id, each) for each in page.items),
            next_page_token=page.next_page_token,
        )

    async def GetExample(
        self, request: service_pb2.GetExampleRequest, _context: Context
    ) -> use_case_pb2.Example:
        """Return an example; see the proto."""
        ids = parse_example(request.name)
        return example_to_proto(ids[0], await self._blocking(lambda: examples.get(self._database, *ids)))

    async def DeleteExample(
        self, request: service_pb2.DeleteExampleRequest, _context: Context
    ) -> empty_pb2.Empty:
        """Delete an example; see the proto."""
        ids = parse_example(request.name)
        await self._blocking(lambda: examples.delete(self._database, *ids))
        self._eraser.clear(ids[0])
        return empty_pb2.Empty()

    async def ImportDocuments(
        self, request_iterator: AsyncIterator[service_pb2.ImportDocumentsRequest], _context: Context
    ) -> AsyncIterator[service_pb2.ImportDocumentsResponse]:
        """Import documents; see the proto."""
        async with aclosing(self._importer.documents(request_iterator)) as events:
            async for event in events:
                yield event

    async def ImportExamples(
        self, request_iterator: AsyncIterator[service_pb2.ImportExamplesRequest], _context: Context
    ) -> service_pb2.ImportExamplesResponse:
        """Import examples; see the proto."""
        return await self._importer.examples(request_iterator)

    async def _blocking(self, work: Callable[[], T]) -> T:
        return await self._lane.run(lambda _: work())


def _refuse_stale(present: records.UseCase, etag: str) -> None:
    """Raise Conflict where a client has not seen a use case as it is now; the empty etag fits any."""
    now = use_case_to_proto(present)
    if etag and etag != now.etag:
        raise Conflict(
            f"{now.name} has changed since it was read: its etag is {now.etag}, not {shown(etag)}; read it again",
            reason="ETAG_MISMATCH",
            metadata={"resource": now.name},
        )


def _set_paths(use_case: use_case_pb2.UseCase) -> list[str]:
    """Return the paths of all that is set, where a request names none."""
    facts = [f"facts.{field.name}" for field, _ in use_case.facts.ListFields()]
    return [*facts, *(name for name in ("description", "origins") if getattr(use_case, name))]


def _changed(present: records.UseCase, given: use_case_pb2.UseCase, paths: list[str]) -> use_cases.Stated:
    """Return what is stated of a use case, with `paths` taken from what was given."""
    facts = facts_from_bytes(present.facts)
    description, origins = present.description, present.origins
    for path in paths:
        name = path.removeprefix("facts.")
        if path == "description":
            description = given.description
        elif path == "origins":
            origins = list(given.origins)
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
    return use_cases.Stated(description, facts_to_bytes(facts), origins)
