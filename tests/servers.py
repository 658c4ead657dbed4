"""Fixtures of every part that talks to a server: a real one on a free port, with fakes for the models."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from advisor.decision.advisor import Advisor
from advisor.execution.current import CurrentAdvisor
from advisor.execution.indexing import ModelIndex
from advisor.execution.loading import ModelLoader, Models
from advisor.execution.opening import ModelBackends
from advisor.knowledge.rulefile import load_rules
from advisor.names import operation_name
from advisor.rpc.server import AdvisorServer, Parts
from advisor.settings import Settings
from advisor.storage import adapters, leases, records
from advisor.storage.database import Database
from advisor.v1 import execution_service_pb2 as execution_pb2
from backends.documents.reader import DocumentReader
from backends.training.stores import AdapterFiles
from tests.doubles import FakeGenerator, WordEmbedder


@dataclass(frozen=True)
class Running:
    """A server that runs, with what the tests look at."""

    address: str
    settings: Settings
    database: Database
    generator: FakeGenerator
    embedder: WordEmbedder


@dataclass(frozen=True)
class Failure:
    """A failed call: its status, and the details taken out of it."""

    code: str
    message: str
    reason: str
    metadata: dict[str, str]
    fields: tuple[str, ...]
    retry_s: float | None


@contextmanager
def running(parts: Parts, **limits: int) -> Iterator[str]:
    """Run a server in a thread with a loop of its own, and yield its address."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="server", daemon=True)
    thread.start()

    async def create() -> AdvisorServer:
        return AdvisorServer(parts, **limits)

    server = asyncio.run_coroutine_threadsafe(create(), loop).result(10)
    port = asyncio.run_coroutine_threadsafe(server.start("127.0.0.1", 0), loop).result(10)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(0.2), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def serve_until_killed(parts: Parts, told: Path, serving: Callable[[], None] = lambda: None) -> None:
    """Serve, and write the address to a file, which is there as a whole or not: what is printed, logs may break.

    Args:
        parts: What the server is made of.
        told: The file.
        serving: Called as soon as calls are taken.
    """
    with running(parts) as address:
        serving()
        unfinished = told.with_name(f"{told.name}.part")
        unfinished.write_text(address)
        unfinished.rename(told)
        threading.Event().wait()


@pytest.fixture(scope="session")
def rules_advisor() -> Advisor:
    """Return an advisor of the small rules that these tests know by heart."""
    return Advisor(load_rules(Path(__file__).parent / "rpc" / "rules.yaml"))


@pytest.fixture(scope="session")
def session_parts(
    database_url: str, tmp_path_factory: pytest.TempPathFactory, rules_advisor: Advisor
) -> Iterator[Parts]:
    """Yield what servers are made of: real, but for the models."""
    with fake_parts(database_url, tmp_path_factory.mktemp("data"), rules_advisor) as parts:
        yield parts


@contextmanager
def fake_parts(database_url: str, data_dir: Path, advisor: Advisor) -> Iterator[Parts]:
    """Open the parts of a server over a database, with fakes for the models."""
    settings = Settings(data_dir=data_dir, document_bytes=4_000_000, queued_operations=4, workers=0)
    models = Models(FakeGenerator(), WordEmbedder())
    with (
        Database.open(database_url) as database,
        database.more(2) as pool,
        DocumentReader() as reader,
    ):
        loader = ModelLoader(lambda _: models)
        index = ModelIndex(database, loader, reader)
        files = AdapterFiles(data_dir)
        yield Parts(
            settings=settings,
            advisor=CurrentAdvisor(advisor),
            database=database,
            loader=loader,
            backends=ModelBackends(database, pool, index, files),
            files=files,
            index=index,
        )


@pytest.fixture(scope="session")
def run_server() -> Callable[..., AbstractContextManager[str]]:
    """Return a function that runs a server of the parts given."""
    return running


@pytest.fixture(scope="session")
def session_server(session_parts: Parts) -> Iterator[Running]:
    """Run one server for all tests."""
    models = session_parts.loader.models(lambda _: None, lambda: False)
    assert isinstance(models.generator, FakeGenerator)
    assert isinstance(models.embedder, WordEmbedder)
    with running(session_parts) as address:
        yield Running(
            address, session_parts.settings, session_parts.database, models.generator, models.embedder
        )


@pytest.fixture
def server(session_server: Running) -> Running:
    """Return the server with nothing stored."""
    with session_server.database.transaction() as connection:
        connection.execute("TRUNCATE use_cases, requests, tokens CASCADE")
        if connection.execute("SELECT to_regclass('passages')").fetchone() != (None,):
            for table in ("passages", "passage_words", "passage_languages"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608
    session_server.generator.stopped.clear()
    session_server.generator.asked.clear()
    session_server.embedder.embedded.clear()
    return session_server


@pytest.fixture
def trainer(server: Running, channel: grpc.Channel) -> Iterator[None]:
    """Do with training runs what a worker does, less the training, until the test ends."""
    stopping = threading.Event()

    def train() -> None:
        while not stopping.wait(0.01):
            claimed = leases.claim(server.database, "trainer", ["TUNE"])
            if claimed is not None:
                lease = leases.Lease(claimed.id, "trainer", claimed.attempt)
                _pretend_to_train(server.database, channel, lease)

    thread = threading.Thread(target=train, name="trainer")
    thread.start()
    yield
    stopping.set()
    thread.join()


def _pretend_to_train(database: Database, channel: grpc.Channel, lease: leases.Lease) -> None:
    request = operations_pb2.GetOperationRequest(name=operation_name(lease.operation_id))
    operation = operations_pb2_grpc.OperationsStub(channel).GetOperation(request)
    metadata = execution_pb2.TuneMetadata()
    operation.metadata.Unpack(metadata)
    _, use_case_id, _, adapter_id = metadata.adapter.split("/")
    adapter = records.Adapter(
        use_case_id=use_case_id,
        id=adapter_id,
        approach="FINE_TUNING",
        base_model="echo",
        data_sha256="0" * 64,
        settings={"epochs": 2},
        metrics={"training_loss": 0.5, "steps": 8, "training_examples": 64, "held_out_loss": 0.25},
        folder=f"adapters/{use_case_id}/{adapter_id}",
        create_time=datetime.now(UTC),
    )
    with database.transaction() as connection:
        adapters.insert(connection, adapter)
        leases.succeed(connection, lease, {})


@pytest.fixture
def channel(server: Running) -> Iterator[grpc.Channel]:
    """Yield a plain channel without retries."""
    with grpc.insecure_channel(server.address, [("grpc.enable_retries", 0)]) as channel:
        yield channel


@pytest.fixture
def failure() -> Callable[[Callable[[], object]], Failure]:
    """Return a function that makes a call which must fail, and says how it did."""

    def of(call: Callable[[], object]) -> Failure:
        with pytest.raises(grpc.RpcError) as caught:
            call()
        return _failure(rpc_status.from_call(caught.value))

    return of


def _failure(status: status_pb2.Status | None) -> Failure:
    assert status is not None, "every error carries its details"
    info, bad, retry, request = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
        error_details_pb2.RequestInfo(),
    )
    found = [detail.Unpack(each) for each in (info, bad, retry, request) for detail in status.details]
    assert found.count(True) == len(status.details)
    assert info.domain == "advisor.dev"
    assert request.request_id
    has_retry = any(detail.Is(retry.DESCRIPTOR) for detail in status.details)
    return Failure(
        code=next(each.name for each in grpc.StatusCode if each.value[0] == status.code),
        message=status.message,
        reason=info.reason,
        metadata=dict(info.metadata),
        fields=tuple(each.field for each in bad.field_violations),
        retry_s=retry.retry_delay.ToMilliseconds() / 1000 if has_retry else None,
    )
