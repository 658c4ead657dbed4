"""The server as a whole: health, overload, start and stop."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
import urllib.request
from collections.abc import Iterator

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from structlog.testing import capture_logs

from advisor.errors import ConfigurationError
from advisor.execution.loading import ModelLoader
from advisor.rpc import health as health_module
from advisor.rpc.server import AdvisorServer
from advisor.v1 import decision_service_pb2 as decision_pb2
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import execution_service_pb2_grpc as execution_grpc
from advisor.v1 import recommendation_pb2, use_case_pb2
from backends.base import ModelError
from tests.ports import free_port

SERVICES = (
    "",
    "advisor.v1.DecisionService",
    "advisor.v1.UseCaseService",
    "advisor.v1.ExecutionService",
    "google.longrunning.Operations",
)
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def health(channel: grpc.Channel, service: str) -> int:
    stub = health_pb2_grpc.HealthStub(channel)
    return stub.Check(health_pb2.HealthCheckRequest(service=service)).status


def ask(question: str) -> execution_pb2.AnswerRequest:
    return execution_pb2.AnswerRequest(
        inline_use_case=use_case_pb2.UseCase(),
        question=question,
        approach=recommendation_pb2.APPROACH_PROMPTING,
    )


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_health(channel, service):
    """Each service says that it serves."""
    watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=service))
    assert any(response.status == SERVING for response in watch)


def test_unknown_methods(channel):
    """A method that does not exist is UNIMPLEMENTED."""
    call = channel.unary_unary("/advisor.v1.DecisionService/Nothing")
    with pytest.raises(grpc.RpcError) as caught:
        call(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_messages_above_the_limit(channel):
    """A message above 4 MiB is refused by gRPC."""
    use_case = use_case_pb2.UseCase(description="x" * 5_000_000)
    request = decision_pb2.RecommendRequest(inline_use_case=use_case)
    call = channel.unary_unary("/advisor.v1.DecisionService/Recommend")
    with pytest.raises(grpc.RpcError) as caught:
        call(request.SerializeToString())
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.fixture
def loading(session_parts, run_server) -> Iterator[tuple[grpc.Channel, threading.Event]]:
    """Yield a channel to a server whose models come when the event is set."""
    come = threading.Event()

    def load(report):
        come.wait(20)
        return session_parts.loader.models(report, lambda: False)

    with (
        run_server(dataclasses.replace(session_parts, loader=ModelLoader(load))) as address,
        grpc.insecure_channel(address) as channel,
    ):
        yield channel, come
        come.set()


def test_decisions_are_served_before_the_models_are_there(loading):
    """Only execution waits for the models, and says so."""
    channel, come = loading
    assert health(channel, "advisor.v1.DecisionService") == SERVING
    assert health(channel, "advisor.v1.ExecutionService") == NOT_SERVING
    watch = health_pb2_grpc.HealthStub(channel).Watch(
        health_pb2.HealthCheckRequest(service="advisor.v1.ExecutionService")
    )
    come.set()
    assert any(response.status == SERVING for response in watch)


def test_answers_wait_for_the_models(loading):
    """An answer that comes too early is told how far the models are, then goes on."""
    channel, come = loading
    events = execution_grpc.ExecutionServiceStub(channel).Answer(ask("one"))
    kinds = []
    for event in events:
        kinds.append(event.WhichOneof("event"))
        if kinds[-1] == "progress":
            come.set()
    assert kinds == ["recommendation", "progress", "token", "summary"]


def test_models_that_cannot_be_loaded(session_parts, run_server, failure):
    """An answer without models fails with the reason that they cannot be loaded."""

    def load(_):
        raise ModelError("the folder /models is empty; fill it")

    parts = dataclasses.replace(session_parts, loader=ModelLoader(load))
    with run_server(parts) as address, grpc.insecure_channel(address) as channel:
        stub = execution_grpc.ExecutionServiceStub(channel)
        found = failure(lambda: list(stub.Answer(ask("one"))))
    assert (found.code, found.reason) == ("FAILED_PRECONDITION", "MODEL")
    assert "fill it" in found.message


def test_too_many_answers(session_parts, run_server, failure):
    """Answers beyond those that run or wait are refused with the time to try again."""
    settings = session_parts.settings.model_copy(update={"concurrent_answers": 1})
    parts = dataclasses.replace(session_parts, settings=settings)
    with (
        run_server(parts, waiting_answers=0) as address,
        grpc.insecure_channel(address, [("grpc.enable_retries", 0)]) as channel,
    ):
        stub = execution_grpc.ExecutionServiceStub(channel)
        running = stub.Answer(ask("forever"))
        next(running)
        found = failure(lambda: list(stub.Answer(ask("one"))))
        running.cancel()
    assert (found.code, found.reason, found.retry_s) == ("UNAVAILABLE", "OVERLOADED", 1)


async def test_a_port_that_is_taken(session_parts, server):
    """A second server on the port says what to do."""
    second = AdvisorServer(session_parts)
    with pytest.raises(ConfigurationError, match="ADVISOR_PORT"):
        await second.start("127.0.0.1", int(server.address.rpartition(":")[2]))
    await second.stop(0)


async def test_stopping_lets_calls_end(session_parts):
    """A call under way ends in peace while new ones are refused."""
    server = AdvisorServer(session_parts)
    port = await server.start("127.0.0.1", 0)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = execution_grpc.ExecutionServiceStub(channel)
        call = stub.Answer(ask("one two"))
        stopping = None
        kinds = []
        async for event in call:
            stopping = stopping or asyncio.create_task(server.stop(5))
            kinds.append(event.WhichOneof("event"))
        await stopping
    assert kinds == ["recommendation", "token", "token", "summary"]


async def test_who_watches_keeps_nobody_waiting(session_parts):
    """A watch ends when the server stops, with what it is then, though calls may go on for long."""
    server = AdvisorServer(session_parts)
    port = await server.start("127.0.0.1", 0)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        watch = aiter(health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest()))
        seen = [(await anext(watch)).status]

        async def see() -> None:
            async for each in watch:
                seen.append(each.status)  # noqa: PERF401 - what comes before the error counts

        stopping = asyncio.create_task(server.stop(60))
        with pytest.raises(grpc.aio.AioRpcError, match="watch another") as caught:
            await see()
        await asyncio.wait_for(stopping, 30)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert seen == [SERVING, NOT_SERVING]


def test_watches_take_no_places_of_others(session_parts, run_server, monkeypatch, failure):
    """Nobody needs a token for them: there are only so many."""
    monkeypatch.setattr(health_module, "WATCHES", 2)
    with run_server(session_parts) as address, grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watches = [stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(2)]
        for watch in watches:
            next(watch)
        found = failure(lambda: next(stub.Watch(health_pb2.HealthCheckRequest())))
        assert health(channel, "") == SERVING
    assert (found.code, found.reason) == ("UNAVAILABLE", "OVERLOADED")


def test_nothing_is_told_of_services_that_there_are_not(channel, failure):
    """Which is said by reflection."""
    found = failure(lambda: health(channel, "advisor.v1.Nothing"))
    assert (found.code, found.reason) == ("NOT_FOUND", "RESOURCE_NOT_FOUND")
    request = health_pb2.HealthCheckRequest(service="advisor.v1.Nothing")
    watch = health_pb2_grpc.HealthStub(channel).Watch(request)
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    watch.cancel()


def test_calls_are_measured(session_parts, run_server, failure):
    """Where Prometheus reads it: how calls ended, answers with their tokens, and what waits; no text of anyone's."""
    settings = session_parts.settings.model_copy(update={"metrics_port": free_port()})
    with (
        run_server(dataclasses.replace(session_parts, settings=settings)) as address,
        grpc.insecure_channel(address) as channel,
    ):
        stub = execution_grpc.ExecutionServiceStub(channel)
        list(stub.Answer(ask("one two three")))
        failure(lambda: list(stub.Answer(ask(""))))
        with urllib.request.urlopen(f"http://127.0.0.1:{settings.metrics_port}/metrics") as answer:
            text = answer.read().decode()
    method = 'method="advisor.v1.ExecutionService/Answer"'
    for line in (
        f'advisor_calls_total{{code="OK",{method}}} 1.0',
        f'advisor_calls_total{{code="INVALID_ARGUMENT",{method}}} 1.0',
        f'advisor_errors_total{{{method},reason="INVALID_INPUT"}} 1.0',
        f"advisor_calls_under_way{{{method}}} 0.0",
        'advisor_answers_total{approach="PROMPTING",finish_reason="STOP"} 1.0',
        'advisor_tokens_total{approach="PROMPTING",direction="output"} 3.0',
        'advisor_lane{lane="answers",state="running"} 0.0',
        'advisor_ready{need="database"} 1.0',
        'advisor_ready{need="models"} 1.0',
    ):
        assert line in text.splitlines()
    assert "three" not in text


def test_a_call_is_found_again_by_its_id(channel, until):
    """The one that the client sent, or one that the server tells with an error."""
    request = execution_pb2.SearchRequest(use_case="none", question="q")
    for metadata in ([("x-request-id", "mine-7")], []):
        with capture_logs() as logged:
            with pytest.raises(grpc.RpcError) as caught:
                execution_grpc.ExecutionServiceStub(channel).Search(request, metadata=metadata)
            until(lambda: logged)  # a moment after the client knows
        told = error_details_pb2.RequestInfo()
        assert any(each.Unpack(told) for each in rpc_status.from_call(caught.value).details)
        assert told.request_id == "mine-7" if metadata else len(told.request_id) == 16
        assert [(each["code"], each["reason"]) for each in logged] == [("INVALID_ARGUMENT", "INVALID_INPUT")]
