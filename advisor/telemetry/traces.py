"""Traces: what a call did and how long each part of it took, for OpenTelemetry.

An extra, and off unless asked for. Where spans go, how many are sampled and what
else is told of the process, the variables of OpenTelemetry say
(`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_TRACES_SAMPLER`, `OTEL_RESOURCE_ATTRIBUTES`).
Spans have names and numbers of this program alone: of an exception the class, of
an answer no word.
"""

from __future__ import annotations

import logging
import posixpath
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeAlias

import structlog

from advisor.errors import ConfigurationError
from advisor.telemetry.calls import current_call
from backends.spans import Value, span, tell_spans

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, SpanKind, Tracer

__all__ = ["CallSpan", "begin_call_span", "carried", "following", "span", "trace_ids", "traced"]

Metadata: TypeAlias = Iterable[tuple[str, str | bytes]]

LAST_S = 3.0
"""How long the end of a process may wait for its last spans to be taken."""

_tracer: Tracer | None = None
_log = structlog.get_logger(__name__)


@contextmanager
def traced(service: str, *, on: bool, exporter: SpanExporter | None = None) -> Iterator[None]:
    """Have spans sent until the block ends, and those of the end with it.

    Args:
        service: Name of the process, where `OTEL_SERVICE_NAME` gives no other.
        on: Whether spans are wanted at all.
        exporter: Where they go; by OTLP over HTTP where None.

    Raises:
        ConfigurationError: OpenTelemetry is not installed, or its variables are wrong.
    """
    global _tracer
    if not on:
        yield
        return
    provider = _provider(service, exporter)
    _tracer = tracer = provider.get_tracer("advisor", version("rag-or-tune"))
    tell_spans(lambda name, attributes: _opened(tracer, name, attributes))
    try:
        yield
    finally:
        tell_spans(None)
        _tracer = None
        _end(provider)


def _end(provider: TracerProvider) -> None:
    """Send what is left; where nobody takes it, a process ends all the same."""
    ending = threading.Thread(target=provider.shutdown, name="spans", daemon=True)
    ending.start()
    ending.join(LAST_S)
    if ending.is_alive():
        _log.warning("tracing", message="the last spans were not taken in time, and are lost")


def _provider(service: str, exporter: SpanExporter | None) -> TracerProvider:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise ConfigurationError(
            "ADVISOR_TRACING: OpenTelemetry is not installed; pip install 'rag-or-tune[tracing]'"
        ) from None
    logger = logging.getLogger("opentelemetry")
    if not any(isinstance(each, _Told) for each in logger.handlers):
        logger.addHandler(_Told())
        logger.propagate = False
    own = Resource({"service.name": service, "service.version": version("rag-or-tune")})
    try:
        resource = own.merge(OTELResourceDetector().detect())
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
    except (ValueError, OSError) as error:
        raise ConfigurationError(f"ADVISOR_TRACING: {error}; see the variables of OpenTelemetry") from None
    return provider


class _Told(logging.Handler):
    """Writes what OpenTelemetry says of itself, such as that nobody takes its spans, as a line like all others."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        _log.warning("tracing", message=record.getMessage())


class CallSpan:
    """The span of a call that a server answers."""

    def __init__(self, opened: AbstractContextManager[Span]) -> None:
        self._opened = opened
        self._span = opened.__enter__()

    def end(self, code: str, reason: str) -> None:
        """End it.

        Args:
            code: The call's status, such as `OK`.
            reason: Why it failed; empty where it did not.
        """
        from opentelemetry.trace import StatusCode

        self._span.set_attribute("rpc.grpc.status_code", code)
        if reason:
            self._span.set_attribute("error.type", reason)
            self._span.set_status(StatusCode.ERROR)
        self._opened.__exit__(None, None, None)


def begin_call_span(metadata: Callable[[], Metadata | None]) -> CallSpan | None:
    """Begin the span of the call under way; None where none is wanted.

    Args:
        metadata: Returns what the client sent, which may name a span of its own that the call is part of.
    """
    tracer, call = _tracer, current_call()
    if tracer is None or call is None:
        return None
    from opentelemetry.trace import SpanKind

    method = call.method.lstrip("/")
    service, name = posixpath.split(method)
    sent = {key: value for key, value in metadata() or () if isinstance(value, str)}
    attributes = {"rpc.system": "grpc", "rpc.service": service, "rpc.method": name, "request_id": call.id}
    return CallSpan(_opened(tracer, method, attributes, SpanKind.SERVER, _context(sent)))


def carried() -> str:
    """Return the span under way as W3C's `traceparent`, for whoever goes on elsewhere; empty where there is none."""
    if _tracer is None:
        return ""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    values: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(values)
    return values.get("traceparent", "")


def following(traceparent: str, name: str, attributes: Mapping[str, Value]) -> AbstractContextManager[object]:
    """Return a span that goes on with the work of another process."""
    tracer = _tracer
    if tracer is None:
        return nullcontext()
    from opentelemetry.trace import SpanKind

    return _opened(tracer, name, attributes, SpanKind.CONSUMER, _context({"traceparent": traceparent}))


def trace_ids() -> Mapping[str, str]:
    """Return trace and span under way, as logs name them; nothing where there are none."""
    if _tracer is None:
        return {}
    from opentelemetry.trace import format_span_id, format_trace_id, get_current_span

    context = get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": format_trace_id(context.trace_id), "span_id": format_span_id(context.span_id)}


def _context(sent: Mapping[str, str]) -> Context:
    """Return the context that metadata names; an empty one where it names none, or what is none."""
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract(sent, Context())


@contextmanager
def _opened(
    tracer: Tracer,
    name: str,
    attributes: Mapping[str, Value],
    kind: SpanKind | None = None,
    within: Context | None = None,
) -> Iterator[Span]:
    """Open a span; of an exception that ends it the class is told, since its message may quote a user."""
    from opentelemetry.trace import SpanKind, StatusCode

    with tracer.start_as_current_span(
        name,
        within,
        kind or SpanKind.INTERNAL,
        attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as opened:
        try:
            yield opened
        except Exception as error:
            opened.set_attribute("error.type", type(error).__qualname__)
            opened.set_status(StatusCode.ERROR)
            raise
