"""A database that goes away under a server, and comes back."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.longrunning import operations_pb2, operations_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from advisor.settings import read_settings
from advisor.storage import operations, use_cases
from advisor.storage.database import Database
from advisor.storage.embedded import Server
from advisor.storage.postgres import require_vector
from advisor.v1 import decision_service_pb2 as decision_pb2
from advisor.v1 import decision_service_pb2_grpc as decision_grpc
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import execution_service_pb2_grpc as execution_grpc
from advisor.v1 import recommendation_pb2, use_case_pb2
from advisor.v1 import use_case_service_pb2 as use_cases_pb2
from advisor.v1 import use_case_service_pb2_grpc as use_cases_grpc
from advisor.work.jobs import Job, Outcome
from advisor.work.worker import work
from tests.servers import fake_parts

DECISIONS = "advisor.v1.DecisionService"
NEED_THE_DATABASE = (
    "",
    "advisor.v1.UseCaseService",
    "advisor.v1.ExecutionService",
    "google.longrunning.Operations",
)
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Breakable:
    """A PostgreSQL that the server did not start, and that dies and starts when told."""

    def __init__(self, folder: Path) -> None:
        self._server = Server(folder)
        self.url = self._server.url
        self.start()
        require_vector(self.url)

    def start(self) -> None:
        """Start it, or leave it running."""
        self._server.connect().close()

    def kill(self) -> None:
        """Let it die as of a lack of memory."""
        pid_file = self._server.folder / "postmaster.pid"
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)

    def stop(self) -> None:
        """Stop it for good."""
        self.start()
        self._server.stop()


@pytest.fixture
def breakable() -> Iterator[Breakable]:
    """Yield a PostgreSQL of the test's own."""
    folder = Path(tempfile.mkdtemp(prefix="advisor-tests-"))
    made = Breakable(folder)
    yield made
    made.stop()
    shutil.rmtree(folder)


@pytest.fixture
def channel(breakable, run_server, rules_advisor, tmp_path) -> Iterator[grpc.Channel]:
    """Yield a plain channel to a server over that database."""
    with (
        fake_parts(breakable.url, tmp_path, rules_advisor) as parts,
        run_server(parts) as address,
        grpc.insecure_channel(address, [("grpc.enable_retries", 0)]) as channel,
    ):
        yield channel


def await_health(channel: grpc.Channel, service: str, status: int) -> None:
    """Return when a service says so; fails by the deadline."""
    request = health_pb2.HealthCheckRequest(service=service)
    watch = health_pb2_grpc.HealthStub(channel).Watch(request, timeout=60)
    assert any(response.status == status for response in watch)
    watch.cancel()


def test_calls_fail_at_once_while_the_database_is_away(breakable, channel, failure):
    """Each says when to try again, health is refused, and what needs no database is answered."""
    await_health(channel, "", SERVING)
    breakable.kill()
    for service in NEED_THE_DATABASE:
        await_health(channel, service, NOT_SERVING)
    await_health(channel, DECISIONS, SERVING)
    stored = use_cases_grpc.UseCaseServiceStub(channel)
    operation_stub = operations_pb2_grpc.OperationsStub(channel)
    answering = execution_grpc.ExecutionServiceStub(channel)
    for call in (
        lambda: stored.ListUseCases(use_cases_pb2.ListUseCasesRequest(), timeout=2),
        lambda: operation_stub.ListOperations(operations_pb2.ListOperationsRequest(), timeout=2),
        lambda: list(answering.Answer(execution_pb2.AnswerRequest(use_case="useCases/faq", question="a"))),
    ):
        found = failure(call)
        assert (found.code, found.reason, found.retry_s) == ("UNAVAILABLE", "DATABASE_UNAVAILABLE", 2)
    inline = decision_pb2.RecommendRequest(inline_use_case=use_case_pb2.UseCase())
    assert decision_grpc.DecisionServiceStub(channel).Recommend(inline).HasField("recommendation")
    asked = execution_pb2.AnswerRequest(
        inline_use_case=use_case_pb2.UseCase(),
        question="one",
        approach=recommendation_pb2.APPROACH_PROMPTING,
    )
    assert [each.WhichOneof("event") for each in answering.Answer(asked)][-1] == "summary"


def test_calls_are_served_again_when_the_database_is_back(breakable, channel):
    """Health says so, and nobody finds a connection of before."""
    breakable.kill()
    await_health(channel, "", NOT_SERVING)
    breakable.start()
    for service in NEED_THE_DATABASE:
        await_health(channel, service, SERVING)
    stored = use_cases_grpc.UseCaseServiceStub(channel)
    for _ in range(20):
        stored.ListUseCases(use_cases_pb2.ListUseCasesRequest())


def test_work_goes_on_over_an_outage(breakable, tmp_path, until):
    """What runs is not done again, what ends meanwhile is written later, and new work is heard of."""
    stopping, gone, attempts = threading.Event(), threading.Event(), []

    def job(given: Job) -> Outcome:
        attempts.append(given.operation.attempt)
        if len(attempts) == 1:
            breakable.kill()
            gone.set()
        return Outcome({"attempt": given.operation.attempt})

    def ask() -> str:
        return operations.create(
            database, kind="FAKE", use_case_id="faq", target="t", payload={}, queue_limit=10
        ).id

    with Database.open(breakable.url) as database:
        use_cases.create(database, "faq", use_cases.Stated("", b""))
        first = ask()
        settings = read_settings(data_dir=tmp_path)
        worker = threading.Thread(target=work, args=[database, settings, {"FAKE": job}, "w", stopping])
        worker.start()
        assert gone.wait(30)
        breakable.start()
        until(lambda: worker.is_alive() and _result(database, first) == {"attempt": 1})
        second = ask()
        until(lambda: _result(database, second) == {"attempt": 1})
        stopping.set()
        worker.join()
    assert attempts == [1, 1]


def _result(database: Database, operation_id: str) -> dict[str, int] | None:
    try:
        return operations.get(database, operation_id).result
    except Exception:  # noqa: BLE001 - away still
        return None
