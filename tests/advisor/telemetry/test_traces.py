"""Traces: of calls, of what they ask for, and of nothing that anybody wrote."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextvars import copy_context
from threading import Event

import grpc
import pytest
import structlog
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from structlog.testing import capture_logs

from advisor.client import Client
from advisor.errors import ConfigurationError
from advisor.storage import leases, operations
from advisor.telemetry.calls import begin_call
from advisor.telemetry.traces import begin_call_span, carried, following, trace_ids, traced
from advisor.v1 import use_case_pb2
from advisor.work.jobs import Job, Outcome
from advisor.work.worker import perform
from backends.spans import span, told
from tests.servers import Running

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
WRITTEN = "what nobody else may read"


@pytest.fixture
def spans() -> Iterator[Callable[[], list[ReadableSpan]]]:
    """Have spans kept, and return what ends that and returns them."""
    exporter = InMemorySpanExporter()
    context = traced("test", on=True, exporter=exporter)
    context.__enter__()
    ended: list[bool] = []

    def end() -> list[ReadableSpan]:
        ended.append(True)
        context.__exit__(None, None, None)
        return list(exporter.get_finished_spans())

    yield end
    if not ended:
        end()


def tree(found: list[ReadableSpan]) -> dict[str, str | None]:
    """Return each span's name with that of the one it is part of; None for one of elsewhere."""
    names = {each.context.span_id: each.name for each in found}
    return {each.name: names.get(each.parent.span_id) if each.parent else None for each in found}


def test_nobody_asks():
    """Without it no span is opened, nothing is carried, and logs are as before."""
    with traced("test", on=False):
        assert not told()
        assert (carried(), trace_ids(), begin_call_span(tuple)) == ("", {}, None)
        with span("work") as opened, following(TRACEPARENT, "work", {}) as followed:
            assert (opened, followed) == (None, None)


def test_spans_are_parts_of_each_other(spans):
    """Inside a block they are of the span around it; of an error the class is told and not the message."""

    def fail() -> None:
        with span("inner"):
            assert carried().startswith(f"00-{trace_ids()['trace_id']}-{trace_ids()['span_id']}")
            raise ValueError(WRITTEN)

    with span("outer", {"approach": "RAG"}), pytest.raises(ValueError, match=WRITTEN):
        fail()
    inner, outer = spans()
    assert tree([inner, outer]) == {"inner": "outer", "outer": None}
    assert dict(outer.attributes) == {"approach": "RAG"}
    assert dict(inner.attributes) == {"error.type": "ValueError"}
    assert (inner.status.status_code, inner.events) == (StatusCode.ERROR, ())
    assert outer.status.status_code is StatusCode.UNSET
    assert not told()


@pytest.mark.parametrize(
    ("sent", "trace"),
    [
        ([("traceparent", TRACEPARENT)], TRACE),
        ([("traceparent", "00-none")], None),
        ([("traceparent-bin", b"0")], None),
        (None, None),
    ],
    ids=["a span", "nonsense", "bytes", "nothing"],
)
def test_a_call_is_part_of_what_the_client_names(spans, sent, trace):
    """Where it names a span; else it begins a trace of its own."""

    def call() -> None:
        begin_call("/advisor.v1.DecisionService/Recommend", "from-the-proxy")
        opened = begin_call_span(lambda: sent)
        assert opened is not None
        opened.end("INVALID_ARGUMENT", "INVALID_FACTS")

    copy_context().run(call)
    (found,) = spans()
    assert found.name == "advisor.v1.DecisionService/Recommend"
    assert dict(found.attributes) == {
        "rpc.system": "grpc",
        "rpc.service": "advisor.v1.DecisionService",
        "rpc.method": "Recommend",
        "rpc.grpc.status_code": "INVALID_ARGUMENT",
        "request_id": "from-the-proxy",
        "error.type": "INVALID_FACTS",
    }
    assert (f"{found.context.trace_id:032x}" == TRACE) == (trace is not None)


def test_an_answer_from_passages(spans, server: Running):
    """Its span holds the decision, the search and the writing, Haystack's parts among them, and no text at all."""
    with Client(server.address) as client:
        client.create_use_case("faq", description=WRITTEN)
        client.import_documents(
            "faq", [use_case_pb2.Document(source="a.md", content=f"{WRITTEN}: the door is red.".encode())]
        )
        assert client.answer("faq", f"{WRITTEN}: which colour has the door?", approach="RAG").text
    found = spans()
    names = tree(found)
    call = "advisor.v1.ExecutionService/Answer"
    assert names["decide"] == names["open"] == names["answer"] == call
    assert names["haystack.pipeline.run"] == "answer"
    components = [each for each in found if each.name == "haystack.component.run"]
    assert {"retrieve", "read", "prompt", "generate"} <= {
        each.attributes["haystack.component.name"] for each in components
    }
    assert {each.name for each in found if each.parent is None} >= {call}
    assert WRITTEN not in "\n".join(each.to_json() for each in found)


def test_long_work_is_part_of_the_call_that_asked_for_it(spans, server: Running, channel: grpc.Channel):
    """In another process, later: with its steps, and with the request's id in its logs."""
    operation = operations.create(
        server.database,
        kind="TUNE",
        use_case_id=None,
        target="x",
        payload={},
        queue_limit=9,
        call={"request_id": "r1", "traceparent": TRACEPARENT},
    )
    claimed = leases.claim(server.database, "worker", ["TUNE"])
    assert claimed is not None
    assert claimed.id == operation.id

    def work(job: Job) -> Outcome:
        job.step("first", lambda: Outcome({}))
        structlog.get_logger().info("at it")
        return Outcome({})

    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
        perform(server.database, server.settings, work, claimed, Event())
    found = spans()
    assert tree(found) == {"step": "operation TUNE", "operation TUNE": None}
    assert {f"{each.context.trace_id:032x}" for each in found} == {TRACE}
    (whole,) = (each for each in found if each.parent and f"{each.parent.span_id:016x}" == PARENT)
    assert whole.attributes == {"operation": claimed.id, "kind": "TUNE", "attempt": 1, "request_id": "r1"}
    assert {each["request_id"] for each in logs} == {"r1"}


def test_what_opentelemetry_says_is_a_line_like_others(spans):
    """Such as that nobody takes the spans."""
    with capture_logs() as logs:
        logging.getLogger("opentelemetry.exporter").warning("nobody at %s", "localhost")
    assert logs == [{"event": "tracing", "message": "nobody at localhost", "log_level": "warning"}]


def test_without_the_extra_it_is_refused(monkeypatch):
    """By the setting that asks for it, with what to install."""
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ConfigurationError, match="tracing") as caught, traced("test", on=True):
        pass
    assert "ADVISOR_TRACING" in str(caught.value)
