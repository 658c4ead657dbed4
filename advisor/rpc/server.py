"""The server: everything wired in one place, started, and stopped without cutting anyone off."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from google.longrunning import operations_pb2, operations_pb2_grpc
from grpc import aio
from grpc_health.v1 import health

from advisor.client.credentials import is_loopback
from advisor.execution.answering import Backends, Execution
from advisor.execution.current import CurrentAdvisor, LearnedGains
from advisor.execution.indexing import ModelIndex
from advisor.execution.loading import ModelLoader, load_models
from advisor.execution.opening import ModelBackends
from advisor.rpc.decision import DecisionServicer
from advisor.rpc.doorkeeper import Doorkeeper
from advisor.rpc.edge import ErrorMapping
from advisor.rpc.erasing import Eraser
from advisor.rpc.execution import ExecutionServicer
from advisor.rpc.exposure import certificates_of, refuse_exposure
from advisor.rpc.health import Health
from advisor.rpc.importing import Importer, Index
from advisor.rpc.lanes import Lane, Slots
from advisor.rpc.learning import LearningServicer
from advisor.rpc.listening import address_text, cannot_listen, check_free, write_port
from advisor.rpc.observing import observe
from advisor.rpc.operations import OperationsServicer
from advisor.rpc.reflecting import add_reflection
from advisor.rpc.reloading import reload_on_hangup
from advisor.rpc.server_info import MESSAGE_BYTES, ServerServicer
from advisor.rpc.trials import TrialServicer
from advisor.rpc.use_cases import UseCaseServicer
from advisor.settings import Settings
from advisor.storage import requests
from advisor.storage.database import Database
from advisor.storage.imports import Limits
from advisor.storage.postgres import open_postgres
from advisor.telemetry.logs import configure_logging
from advisor.telemetry.metrics import Metrics
from advisor.telemetry.traces import traced
from advisor.v1 import decision_service_pb2 as decision_pb2
from advisor.v1 import decision_service_pb2_grpc as decision_grpc
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import execution_service_pb2_grpc as execution_grpc
from advisor.v1 import learning_service_pb2 as learning_pb2
from advisor.v1 import learning_service_pb2_grpc as learning_grpc
from advisor.v1 import server_service_pb2 as server_pb2
from advisor.v1 import server_service_pb2_grpc as server_grpc
from advisor.v1 import trial_service_pb2 as trial_pb2
from advisor.v1 import trial_service_pb2_grpc as trial_grpc
from advisor.v1 import use_case_service_pb2 as use_cases_pb2
from advisor.v1 import use_case_service_pb2_grpc as use_cases_grpc
from advisor.work.submission import WorkQueue
from advisor.work.supervisor import WorkerPool
from backends.documents.reader import DocumentReader
from backends.retrieval.embedding import Embedder
from backends.training.stores import AdapterFiles

__all__ = ["AdvisorServer", "Parts", "open_parts", "serve"]

DECISIONS = decision_pb2.DESCRIPTOR.services_by_name["DecisionService"].full_name
USE_CASES = use_cases_pb2.DESCRIPTOR.services_by_name["UseCaseService"].full_name
EXECUTION = execution_pb2.DESCRIPTOR.services_by_name["ExecutionService"].full_name
TRIALS = trial_pb2.DESCRIPTOR.services_by_name["TrialService"].full_name
SERVER = server_pb2.DESCRIPTOR.services_by_name["ServerService"].full_name
LEARNING = learning_pb2.DESCRIPTOR.services_by_name["LearningService"].full_name
OPERATIONS = operations_pb2.DESCRIPTOR.services_by_name["Operations"].full_name

CONCURRENT_CALLS = 1_000
"""The outer wall: further calls are refused before anything is done for them, health checks too."""
WAITING_ANSWERS = 16
DATABASE_THREADS = 8
RETRIEVAL_CONNECTIONS = 4
"""A search takes milliseconds, and the answer that it is for seconds."""
GRACE_S = 10.0
"""How long calls may go on after the server was told to stop."""

OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 30_000),
    ("grpc.http2.max_ping_strikes", 2),
)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a server is made of, so that tests can replace the heavy ones.

    Attributes:
        settings: What it runs with.
        advisor: Decides, by rules that can be read again.
        database: Where everything is kept.
        loader: Has the models.
        backends: Makes backends.
        index: Makes documents searchable.
        files: Of adapters.
    """

    settings: Settings
    advisor: CurrentAdvisor
    database: Database
    loader: ModelLoader
    backends: Backends
    index: Index
    files: AdapterFiles


class AdvisorServer:
    """One gRPC server on one event loop.

    Args:
        parts: What it is made of.
        waiting_answers: Answers that may wait for a thread; further ones are refused.
        shared_port: Whether other processes listen on the port as well. Else a second server there is a mistake, and
            fails.
    """

    def __init__(
        self, parts: Parts, *, waiting_answers: int = WAITING_ANSWERS, shared_port: bool = False
    ) -> None:
        settings, database = parts.settings, parts.database
        self._settings = settings
        self._loader = parts.loader
        self._database = database
        self._health = Health(
            {
                "": {"database"},
                DECISIONS: set(),
                USE_CASES: {"database"},
                OPERATIONS: {"database"},
                EXECUTION: {"database", "models"},
                TRIALS: {"database"},
                LEARNING: {"database"},
                SERVER: {"database"},
            }
        )
        self._serving_metrics = ExitStack()
        self._forget: Callable[[], None] = lambda: None
        self._database_lane = Lane("requests", running=DATABASE_THREADS, waiting=CONCURRENT_CALLS)
        self._decision_lane = Lane("decisions", running=1, waiting=64)
        self._answer_lane = Lane("answers", running=settings.concurrent_answers, waiting=waiting_answers)
        self._import_lane = Lane("imports", running=settings.concurrent_imports, waiting=0, retry_s=5.0)
        self._schema_lane = Lane("schemas", running=1, waiting=WAITING_ANSWERS)
        self._lanes = (
            self._database_lane,
            self._decision_lane,
            self._answer_lane,
            self._import_lane,
            self._schema_lane,
        )
        self._server = aio.server(
            options=(*OPTIONS, ("grpc.so_reuseport", int(shared_port))),
            maximum_concurrent_rpcs=CONCURRENT_CALLS,
        )
        self._doorkeeper = Doorkeeper(
            database,
            settings.admin_token.get_secret_value() if settings.admin_token else None,
            calls=settings.principal_calls,
            stays_closed=not is_loopback(settings.host),
        )
        # Stands for a server where servicers are added.
        self.metrics = Metrics()
        observe(self.metrics, self._lanes, database, self._health)
        edge: Any = ErrorMapping(self._server, self.metrics, self._doorkeeper.admit)
        execution = Execution(database, parts.advisor, parts.loader, parts.backends)
        queue = WorkQueue(
            database,
            execution,
            limit=settings.queued_operations,
            principal_limit=settings.principal_operations,
        )
        self._eraser = Eraser(database, execution)
        decision_grpc.add_DecisionServiceServicer_to_server(
            DecisionServicer(parts.advisor, execution, self._decision_lane), edge
        )
        use_cases_grpc.add_UseCaseServiceServicer_to_server(self._use_cases(parts), edge)
        execution_grpc.add_ExecutionServiceServicer_to_server(
            ExecutionServicer(
                execution,
                database,
                settings,
                files=parts.files,
                eraser=self._eraser,
                queue=queue,
                lane=self._database_lane,
                schema_lane=self._schema_lane,
                answer_lane=self._answer_lane,
                answer_slots=Slots("answers", settings.concurrent_answers + waiting_answers),
                metrics=self.metrics,
            ),
            edge,
        )
        trial_grpc.add_TrialServiceServicer_to_server(
            TrialServicer(execution, database, queue, self._database_lane, self._schema_lane), edge
        )
        learning_grpc.add_LearningServiceServicer_to_server(
            LearningServicer(database, self._database_lane), edge
        )
        server_grpc.add_ServerServiceServicer_to_server(
            ServerServicer(parts.advisor, database, settings, queue, self._database_lane), edge
        )
        operations_pb2_grpc.add_OperationsServicer_to_server(
            OperationsServicer(database, self._database_lane), edge
        )
        self._health.add_to(edge)
        services = (DECISIONS, USE_CASES, EXECUTION, TRIALS, LEARNING, SERVER, OPERATIONS)
        add_reflection((*services, health.SERVICE_NAME), edge)

    @property
    def closed(self) -> bool:
        """Whether calls need a token."""
        return self._doorkeeper.closed

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port; the models load in the background.

        Raises:
            ConfigurationError: The address cannot be listened on.
        """
        self._serving_metrics.enter_context(
            self.metrics.served(self._settings.metrics_host, self._settings.metrics_port)
        )
        self._forget = self._database.tell(lambda here: self._health.note("database", here=here))
        self._health.start()
        self._eraser.start()
        self._refreshing = asyncio.create_task(self._doorkeeper.keep_reading())
        certificates = certificates_of(self._settings)
        address = address_text(host, port)
        try:
            bound = (
                self._server.add_secure_port(address, certificates.credentials())
                if certificates is not None
                else self._server.add_insecure_port(address)
            )
        except RuntimeError as error:
            raise cannot_listen(host, port, str(error)) from None
        await self._server.start()
        self._loader.start()
        self._loader.when_ready(lambda: self._health.note("models", here=True))
        return bound

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """Refuse new calls, let those under way end for `grace_s`, then cut them off."""
        self._forget()
        self._refreshing.cancel()
        self._health.stop()
        await self._server.stop(grace_s)
        await asyncio.to_thread(self._serving_metrics.close)
        for lane in self._lanes:
            await asyncio.to_thread(lane.close)
        await asyncio.to_thread(self._eraser.close)

    def _use_cases(self, parts: Parts) -> UseCaseServicer:
        settings = parts.settings
        limits = Limits(
            document_bytes=settings.document_bytes,
            use_case_bytes=settings.use_case_bytes,
            use_case_examples=settings.use_case_examples,
            example_bytes=settings.example_bytes,
            principal_bytes=settings.principal_bytes,
        )
        importer = Importer(
            parts.database,
            parts.index,
            limits,
            self._eraser,
            lane=self._database_lane,
            import_lane=self._import_lane,
            slots=Slots("imports", settings.concurrent_imports, retry_s=5.0),
        )
        return UseCaseServicer(
            parts.database, parts.files, parts.index, importer, self._eraser, self._database_lane
        )


def _open_embedder(settings: Settings, name: str) -> Embedder:
    """Load an embedder that is not the server's own: that of passages which are not made anew yet."""
    from backends.retrieval.embedding import open_embedder

    embedder = open_embedder(name, cache=settings.model_cache, report=lambda _: None)
    embedder.warm()
    return embedder


@contextmanager
def open_parts(settings: Settings) -> Iterator[tuple[Parts, WorkerPool]]:
    """Open what a server needs: rules, database, models to load, workers to start."""
    learned = LearnedGains(settings.gains_path, named=settings.gains is not None)
    advisor = CurrentAdvisor.open(settings.rules, learned)
    with (
        open_postgres(settings) as url,
        Database.open(url) as database,
        database.more(RETRIEVAL_CONNECTIONS) as pool,
        DocumentReader(settings.concurrent_imports + 1) as reader,
    ):
        requests.forget_old(database)
        loader = ModelLoader(lambda report: load_models(settings, report))
        index = ModelIndex(database, loader, reader, partial(_open_embedder, settings))
        files = AdapterFiles(settings.data_dir, settings.adapter_store)
        parts = Parts(
            settings=settings,
            advisor=advisor,
            database=database,
            loader=loader,
            backends=ModelBackends(database, pool, index, files),
            index=index,
            files=files,
        )
        yield parts, WorkerPool(settings, url, database)


def serve(
    settings: Settings,
    *,
    ready: Callable[[int], None],
    port_file: Path | None = None,
    shared_port: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP has the rules and the model of gains read again.

    Args:
        settings: What to run with.
        ready: Called with the port when calls are taken.
        port_file: Where to write the port for other programs; nowhere where None.
        shared_port: Whether other processes listen on the port as well.

    Raises:
        ConfigurationError: The server cannot start like this.
        RulesError: The rules are wrong.
    """
    configure_logging(settings.log_level)
    if not shared_port:
        check_free(settings.host, settings.port)
    if (certificates := certificates_of(settings)) is not None:
        certificates.read()
    with traced("advisor", on=settings.tracing), open_parts(settings) as (parts, workers):
        asyncio.run(_serve(parts, workers, ready, port_file, shared_port=shared_port))


async def _serve(
    parts: Parts,
    workers: WorkerPool,
    ready: Callable[[int], None],
    port_file: Path | None,
    *,
    shared_port: bool,
) -> None:
    server = AdvisorServer(parts, shared_port=shared_port)
    refuse_exposure(parts.settings, closed=server.closed)
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    reloading = reload_on_hangup(parts.advisor, stopping.set)
    port = await server.start(parts.settings.host, parts.settings.port)
    try:
        await asyncio.to_thread(workers.start)
        if port_file is not None:
            write_port(port_file, port)
        _log.info("serving", host=parts.settings.host, port=port, **parts.advisor.versions)
        ready(port)
        await stopping.wait()
        _log.info("stopping", grace_s=GRACE_S)
    finally:
        reloading.cancel()
        await server.stop()
        await asyncio.to_thread(workers.stop)
        if port_file is not None:
            port_file.unlink(missing_ok=True)  # noqa: ASYNC240
