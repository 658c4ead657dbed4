"""Requests that are no messages, sent as bytes to the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from grpc._cython import cygrpc
from grpc_health.v1 import health_pb2_grpc

from advisor.rpc import edge
from advisor.telemetry.metrics import Metrics
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import use_case_pb2
from advisor.v1 import use_case_service_pb2 as service_pb2

GARBAGE = b"\xff" * 12
UPLOADS = "/advisor.v1.UseCaseService/Import"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


def example(answer: str) -> bytes:
    batch = service_pb2.ExampleBatch(examples=[use_case_pb2.Example(question="q", answer=answer)])
    return service_pb2.ImportExamplesRequest(batch=batch).SerializeToString()


@pytest.mark.parametrize(
    "call",
    [
        lambda channel: channel.unary_unary("/advisor.v1.UseCaseService/CreateUseCase")(GARBAGE),
        lambda channel: channel.unary_unary("/google.longrunning.Operations/GetOperation")(GARBAGE),
        lambda channel: list(channel.unary_stream("/advisor.v1.ExecutionService/Answer")(GARBAGE)),
        lambda channel: channel.stream_unary(f"{UPLOADS}Documents")(iter([GARBAGE])),
        lambda channel: list(channel.stream_stream("/advisor.v1.DecisionService/Consult")(iter([GARBAGE]))),
        lambda channel: list(channel.stream_stream(REFLECTION)(iter([GARBAGE]))),
    ],
    ids=["unary", "operations", "server stream", "client stream", "both streams", "reflection"],
)
def test_bytes_that_are_no_message(channel, failure, call):
    """They are invalid input like any other, whatever the kind of call; nothing of the parser shows."""
    found = failure(lambda: call(channel))
    assert (found.code, found.reason, found.fields) == ("INVALID_ARGUMENT", "INVALID_INPUT", ("request",))
    assert "client library" in found.message
    assert "DecodeError" not in found.message


def test_text_that_is_not_utf8(channel, failure):
    """Of an example in another encoding the field and the byte are named; nothing of the upload is kept."""
    service = channel.unary_unary("/advisor.v1.UseCaseService/CreateUseCase")
    service(service_pb2.CreateUseCaseRequest(use_case_id="faq").SerializeToString())
    header = service_pb2.ImportExamplesRequest(header=service_pb2.ImportHeader(use_case="useCases/faq"))
    latin = example("Grxxe").replace(b"Grxxe", "Grüße".encode("latin-1"))
    upload = channel.stream_unary(f"{UPLOADS}Examples")
    found = failure(lambda: upload(iter([header.SerializeToString(), example("a"), latin])))
    assert (found.code, found.fields) == ("INVALID_ARGUMENT", ("batch.examples[0].answer",))
    assert "byte 2 of it (0xfc) is not UTF-8" in found.message


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"temperature": 2.0000001}, "2.0000001 is out of bounds; allowed: 0 to 2"),
        ({"temperature": float("nan")}, "nan is out of bounds; allowed: 0 to 2"),
        ({"temperature": float("-inf")}, "-inf is out of bounds; allowed: 0 to 2"),
        ({"max_output_tokens": 2**31 - 1}, "2,147,483,647 is out of bounds; allowed: 1 to 2,048"),
        ({"passages": -1}, "-1 is out of bounds; allowed: 1 to 20"),
    ],
    ids=str,
)
def test_numbers_out_of_bounds(channel, failure, options, said):
    """The number is shown as it was sent, with its bounds."""
    request = execution_pb2.AnswerRequest(
        inline_use_case=use_case_pb2.UseCase(),
        question="One?",
        options=execution_pb2.GenerationOptions(**options),
    )
    answer = channel.unary_stream("/advisor.v1.ExecutionService/Answer")
    found = failure(lambda: list(answer(request.SerializeToString())))
    assert (found.code, found.fields) == ("INVALID_ARGUMENT", (f"options.{next(iter(options))}",))
    assert said in found.message


def test_page_sizes_below_zero(channel, failure):
    """The sizes that are allowed are told."""
    request = service_pb2.ListDocumentsRequest(parent="useCases/faq", page_size=-1).SerializeToString()
    found = failure(lambda: channel.unary_unary("/advisor.v1.UseCaseService/ListDocuments")(request))
    assert "-1 is negative; 0 for 50, or 1 to 1,000" in found.message


def test_a_method_that_is_left_out(channel, failure):
    """A method of a standard service that the server does not have is told as such, not as a fault."""
    if not hasattr(health_pb2_grpc.HealthServicer, "List"):
        pytest.skip("this version of the health service has no such method")
    found = failure(lambda: channel.unary_unary("/grpc.health.v1.Health/List")(b""))
    assert (found.code, found.reason) == ("UNIMPLEMENTED", "NOT_SUPPORTED")


def test_a_call_goes_on_where_its_stream_is_sound(channel):
    """The stream of a client reaches its handler as it was sent."""
    call: grpc.StreamStreamMultiCallable = channel.stream_stream("/advisor.v1.DecisionService/Consult")
    assert len(list(call(iter([b"\x0a\x00"])))) == 1


async def test_a_client_that_has_gone_is_no_fault_of_ours():
    """Where gRPC tells it by a write that fails, the call is cancelled, as by any other way of going."""
    closed = []

    async def answer(_request: object, _context: object) -> AsyncIterator[use_case_pb2.Example]:
        try:
            while True:
                yield use_case_pb2.Example()
        finally:
            closed.append(True)

    class Gone:
        @staticmethod
        def invocation_metadata() -> tuple[()]:
            return ()

        async def write(self, _message: object) -> None:
            raise cygrpc.ExecuteBatchError("Failed")

    metrics = Metrics()
    handler = edge._stream(answer, metrics.meter("a/b"))
    with pytest.raises(asyncio.CancelledError):
        await handler(use_case_pb2.Example(), Gone())
    assert closed
    assert (
        metrics.registry.get_sample_value("advisor_calls_total", {"method": "a/b", "code": "CANCELLED"}) == 1
    )
    assert (
        metrics.registry.get_sample_value("advisor_errors_total", {"method": "a/b", "reason": "INTERNAL"})
        == 0
    )
