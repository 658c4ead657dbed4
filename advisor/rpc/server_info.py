"""`advisor.v1.ServerService`: what the server is, and whom it takes the caller for."""
# ruff: noqa: N802 - the names of the handlers are those of the proto

from __future__ import annotations

from advisor.execution.current import CurrentAdvisor
from advisor.names import principal
from advisor.rpc.decision import BATCH
from advisor.rpc.doorkeeper import role
from advisor.rpc.edge import Context
from advisor.rpc.lanes import Lane
from advisor.settings import Settings
from advisor.storage import usage
from advisor.storage.database import Database
from advisor.storage.pages import MOST_ITEMS
from advisor.v1 import server_service_pb2 as server_pb2
from advisor.v1 import server_service_pb2_grpc as server_grpc
from advisor.wire.recommendation import versions_to_proto
from advisor.work.submission import WorkQueue

__all__ = ["MESSAGE_BYTES", "ServerServicer"]

MESSAGE_BYTES = 4 * 1024 * 1024
"""Largest message that is received; gRPC's own default."""


class ServerServicer(server_grpc.ServerServiceServicer):
    """Says what the server is.

    Args:
        advisor: Decides, by versions that can change.
        database: Where it stands what a principal has used.
        settings: Models and limits.
        queue: Knows how much long work is taken.
        lane: Threads for the database.
    """

    def __init__(
        self, advisor: CurrentAdvisor, database: Database, settings: Settings, queue: WorkQueue, lane: Lane
    ) -> None:
        self._advisor = advisor
        self._database = database
        self._settings = settings
        self._queue = queue
        self._lane = lane

    async def GetServerInfo(
        self, _request: server_pb2.GetServerInfoRequest, _context: Context
    ) -> server_pb2.ServerInfo:
        """Return versions, models, limits and the caller; see the proto."""
        settings, owner = self._settings, principal()

        def used() -> tuple[int, int]:
            with self._database.transaction() as connection:
                return usage.document_bytes(connection, owner), usage.active_operations(connection, owner)

        document_bytes, operations = await self._lane.run(lambda _: used())
        return server_pb2.ServerInfo(
            versions=versions_to_proto(self._advisor.now.versions),
            models=server_pb2.ServedModels(
                generator=settings.generator,
                engine=settings.engine,
                embedder=settings.embedder,
                reranker=settings.reranker,
            ),
            limits=server_pb2.ServerLimits(
                message_bytes=MESSAGE_BYTES,
                document_bytes=settings.document_bytes,
                use_case_bytes=settings.use_case_bytes,
                use_case_examples=settings.use_case_examples,
                example_bytes=settings.example_bytes,
                question_characters=settings.question_characters,
                batch_requests=BATCH,
                page_size=MOST_ITEMS,
                queued_operations=settings.queued_operations,
                concurrent_answers=settings.concurrent_answers,
            ),
            caller=server_pb2.Caller(
                principal=owner,
                role=f"ROLE_{role()}",
                document_bytes=document_bytes,
                document_bytes_limit=settings.principal_bytes,
                operations=operations,
                operations_limit=self._queue.limit_of(owner),
                calls_limit=settings.principal_calls,
            ),
        )
