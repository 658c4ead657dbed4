"""Any request at all, of every method: it is answered or refused, never an internal error, and in time.

`ADVISOR_FUZZ_REQUESTS` sets how many are sent; the more the slower.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import grpc
import pytest
from google.longrunning import operations_pb2
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from grpc_status import rpc_status
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from advisor.client import Client
from advisor.knowledge.facts import facts_from_mapping
from advisor.v1 import (
    decision_service_pb2,
    execution_service_pb2,
    learning_service_pb2,
    recommendation_pb2,
    server_service_pb2,
    trial_service_pb2,
    use_case_pb2,
)
from advisor.v1 import use_case_service_pb2 as service_pb2
from tests.advisor.strategies import use_cases
from tests.messages import damaged, messages

SERVICES = [
    *(
        service
        for file in (
            decision_service_pb2,
            execution_service_pb2,
            learning_service_pb2,
            server_service_pb2,
            trial_service_pb2,
            service_pb2,
            operations_pb2,
        )
        for service in file.DESCRIPTOR.services_by_name.values()
    ),
    health_pb2.DESCRIPTOR.services_by_name["Health"],
    reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"],
]
METHODS = [method for service in SERVICES for method in service.methods]
ASKED = os.environ.get("ADVISOR_FUZZ_REQUESTS")
EACH = math.ceil(int(ASKED or 500) / len(METHODS) / 2)
DEADLINE_S = 20.0
WAITING = {"WaitOperation", "Watch"}
"""Methods that wait by design: called with a deadline that may pass."""
REFUSALS = {
    "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION", "RESOURCE_EXHAUSTED",
    "UNIMPLEMENTED", "ABORTED",
}  # fmt: skip
NO_OPERATION = "operations/00000000-0000-0000-0000-000000000000"
"""Stands for an operation that there is."""
USE_CASES = ("useCases/faq", "useCases/faq", "useCases/none")
TEXTS = {
    "": ("", "faq", "One two.", "a.md", "text/html", "00000000-0000-0000-0000-000000000000"),
    "name": ("useCases/faq", "useCases/faq/adapters/a", NO_OPERATION, "operations"),
    "parent": USE_CASES,
    "format": ("", "JSON", "HTML"),
    "use_case": USE_CASES,
    "adapter": ("", "useCases/faq/adapters/a"),
    "page_token": ("", "W10="),
    "filter": ("", "done = true", "state = queued AND kind = tune", "use_case != faq"),
    "paths": ("*", "description", "facts", "facts.task", "create_time"),
    "unknown": ("task", "output_form"),
    "service": ("", "advisor.v1.DecisionService"),
    "output_schema": ('{"type": "object"}', '{"enum": [1]}', '{"$ref": "#"}', "{}"),
    "request_id": ("", "00000000-0000-0000-0000-000000000000"),
    "source": ("a.md", "b.txt", "c.jsonl", "d.html"),
    "media_type": ("", "text/html", "application/jsonl", "text/plain"),
}
fuzzed = settings(
    max_examples=EACH,
    deadline=None,
    derandomize=ASKED is None,
    database=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
Call = Callable[[Sequence[bytes]], list[Message]]


@pytest.fixture
def send(server, channel: grpc.Channel, method: MethodDescriptor) -> Call:
    """Return a function that calls the method with messages as bytes; the server has something of everything."""
    with Client(server.address) as client:
        client.create_use_case("faq", description="Answer.", facts={"needs_citations": True})
        client.import_documents(
            "faq", [use_case_pb2.Document(source="a.md", content=b"# Leave\n\nTwenty days.")]
        )
        client.import_examples("faq", [{"question": f"q{number}", "answer": "a"} for number in range(64)])
        operation = client.tune("faq").name
    kinds = (
        "stream" if method.client_streaming else "unary",
        "stream" if method.server_streaming else "unary",
    )
    call = getattr(channel, "_".join(kinds))(f"/{method.containing_service.full_name}/{method.name}")

    def sent(contents: Sequence[bytes]) -> list[Message]:
        named = [each.replace(NO_OPERATION.encode(), operation.encode()) for each in contents]
        deadline_s = 0.5 if method.name in WAITING else DEADLINE_S
        answer = call(iter(named) if method.client_streaming else named[0], timeout=deadline_s)
        received = list(answer) if method.server_streaming else [answer]
        return [GetMessageClass(method.output_type).FromString(each) for each in received]

    return sent


@every_method
@fuzzed
@given(data=st.data())
def test_any_message(send, method, data):
    """Whatever can be said in the messages of a method is answered, or refused with the reason."""
    requests = data.draw(_requests(method))
    _check(lambda: send([each.SerializeToString() for each in requests]), method)


@every_method
@fuzzed
@given(data=st.data())
def test_any_bytes(send, method, data):
    """Bytes that are no message, or hardly one, are refused; nothing of the parser shows."""
    bytes_of_one = _message(method).map(lambda message: message.SerializeToString())
    one = st.binary(max_size=60) | damaged(bytes_of_one)
    first = bytes_of_one if method.client_streaming else one
    contents = data.draw(st.tuples(first, one) if method.client_streaming else st.tuples(one))
    _check(lambda: send(contents), method)


def _message(method: MethodDescriptor) -> st.SearchStrategy[Message]:
    answerable = st.builds(
        execution_service_pb2.AnswerRequest,
        use_case=st.just("useCases/faq"),
        question=st.text(min_size=1),
        approach=st.sampled_from([recommendation_pb2.APPROACH_PROMPTING, recommendation_pb2.APPROACH_RAG]),
        history=st.lists(messages(execution_service_pb2.Exchange.DESCRIPTOR, TEXTS), max_size=2),
        options=messages(execution_service_pb2.GenerationOptions.DESCRIPTOR, TEXTS),
    )
    facts = use_cases().map(facts_from_mapping)
    return messages(
        method.input_type, TEXTS, {"advisor.v1.Facts": facts, "advisor.v1.AnswerRequest": answerable}
    )


def _requests(method: MethodDescriptor) -> st.SearchStrategy[list[Message]]:
    """Return a strategy for what is sent in one call; of an upload half are whole."""
    if not method.client_streaming:
        return _message(method).map(lambda request: [request])
    several = st.lists(_message(method), min_size=1, max_size=5)
    return several | several.map(_completed) if method.name.startswith("Import") else several


def _completed(parts: list[Any]) -> list[Any]:
    """Return an upload of what the parts hold, with its header and the right commit."""
    kind = type(parts[0])
    kept = [part for part in parts if part.WhichOneof("part") not in (None, "header", "commit")]
    content, count = b"", 0
    for part in kept:
        if part.WhichOneof("part") == "batch":
            for each in part.batch.examples:
                content += f"{each.question}\0{each.answer}\0{each.context}\0".encode()
            count += len(part.batch.examples)
        else:
            content += part.document.content if part.WhichOneof("part") == "document" else part.chunk
            count += part.WhichOneof("part") == "document"
    header = service_pb2.ImportHeader(use_case="useCases/faq")
    commit = service_pb2.ImportCommit(count=count, sha256=hashlib.sha256(content).hexdigest())
    return [kind(header=header), *kept, kind(commit=commit)]


def _check(call: Callable[[], list[Message]], method: MethodDescriptor) -> None:
    """Make a call, and check what comes of it: numbers that are numbers, or a refusal that says why."""
    responses: list[Message] = []
    refusal: Any = None
    try:
        responses = call()
    except grpc.RpcError as error:
        refusal = error
    event("OK" if refusal is None else refusal.code().name)  # --hypothesis-show-statistics counts them
    for response in responses:
        assert [*_not_finite(response)] == []
    if refusal is None or (method.name in WAITING and refusal.code() is grpc.StatusCode.DEADLINE_EXCEEDED):
        return
    assert refusal.code().name in REFUSALS, refusal
    if method.containing_service.name != "Health":
        _check_details(rpc_status.from_call(refusal))


def _check_details(status: status_pb2.Status | None) -> None:
    assert status is not None, "every error carries its details"
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        for each in (info, bad):
            detail.Unpack(each)
    assert (info.domain, bool(info.reason)) == ("advisor.dev", True)
    assert all(each.description for each in bad.field_violations)
    assert all(each.field for each in bad.field_violations[:1])  # the last may stand for more of them
    assert status.message
    assert "Traceback" not in status.message


def _not_finite(message: Message, path: str = "") -> Iterator[str]:
    """Yield the paths of numbers in a message that are NaN or infinite."""
    for field, value in message.ListFields():
        for each in value if field.is_repeated else [value]:
            if field.message_type is not None:
                yield from _not_finite(each, f"{path}.{field.name}")
            elif field.type == FieldDescriptor.TYPE_DOUBLE and not math.isfinite(each):
                yield f"{path}.{field.name}"
