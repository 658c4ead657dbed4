"""The edge: whatever a handler raises leaves as one status, by the table in `status`.

This is what an outermost interceptor does, done once at registration: the
interceptors of grpc.aio cost half as much per call as a decision does. What
cannot be read as a message leaves by the same way: gRPC would tell the client
the parser's exception as UNKNOWN, so here the deserializer returns the error in
place of the message, and the handler's wrapper raises it.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any, NoReturn, Self, TypeAlias

import grpc
import structlog
from google.protobuf.message import DecodeError, Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc import aio
from grpc_status import rpc_status

from advisor.errors import AdvisorError, InvalidInput, Unsupported, failure_of
from advisor.telemetry.calls import REQUEST_ID, begin_call, current_call
from advisor.telemetry.metrics import CallMeter, Metrics
from advisor.telemetry.traces import begin_call_span
from advisor.wire.status import error_to_status, internal_status
from advisor.wire.unreadable import unreadable

__all__ = ["Context", "ErrorMapping"]

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"  # generic in the stubs alone
Handlers: TypeAlias = grpc.GenericRpcHandler
Context: TypeAlias = "aio.ServicerContext[Any, Any]"
Admit: TypeAlias = Callable[[str, Any], None]
"""Lets a call in, by its method and its metadata, or raises."""

_log = structlog.get_logger(__name__)


class ErrorMapping:
    """Stands for a server while servicers are added to it, and wraps their handlers.

    A call whose handler raised ends with the status of the error. A
    `CancelledError` passes through untouched; gRPC needs it to free the call.

    Args:
        server: The server.
        metrics: Where calls are counted.
        admit: Lets calls in.
    """

    def __init__(
        self,
        server: aio.Server,
        metrics: Metrics,
        admit: Admit,
    ) -> None:
        self._server = server
        self._metrics = metrics
        self._admit = admit

    def add_generic_rpc_handlers(self, handlers: Sequence[Handlers]) -> None:
        """Add handlers to the server, wrapped."""
        self._server.add_generic_rpc_handlers(
            [_Mapped(handler, self._metrics, self._admit) for handler in handlers]
        )

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Handler]) -> None:
        """Begin to count calls; what generated code registers here, it adds as generic handlers too."""
        for name in handlers:
            self._metrics.meter(f"{service}/{name}")


class _Mapped(grpc.GenericRpcHandler):
    """The handlers of a service, each wrapped when it is first called."""

    def __init__(self, handlers: Handlers, metrics: Metrics, admit: Admit) -> None:
        self._handlers = handlers
        self._metrics = metrics
        self._admit = admit
        self._wrapped: dict[str, Handler] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        """Return the wrapped handler of a method; None where the service has no such method."""
        method = handler_call_details.method
        wrapped = self._wrapped.get(method)
        if wrapped is None:
            handler = self._handlers.service(handler_call_details)
            if handler is not None:
                self._wrapped[method] = wrapped = _wrap(handler, self._metrics.meter(method.lstrip("/")))
        if wrapped is None:
            return None
        metadata = handler_call_details.invocation_metadata or ()
        begin_call(method, next((str(value) for name, value in metadata if name == REQUEST_ID), ""))
        try:  # before a message has come: who is not let in is not waited for
            self._admit(method, metadata)
        except AdvisorError as error:
            return _refusing(error, self._metrics.meter(method.lstrip("/")))
        return wrapped


class _Ending:
    """A call as it ends: counted, and logged where it fails."""

    __slots__ = ("_began", "_code", "_context", "_meter", "_reason", "_span")

    def __init__(self, meter: CallMeter, context: Context) -> None:
        self._meter = meter
        self._context = context
        self._code, self._reason = "OK", ""

    def __enter__(self) -> Self:
        self._began = self._meter.begun()
        self._span = begin_call_span(self._context.invocation_metadata)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and self._code == "OK":
            self._code = "CANCELLED" if issubclass(kind, asyncio.CancelledError) else "UNKNOWN"
        seconds = self._meter.ended(self._began, self._code, self._reason)
        log = _log.debug if self._code in ("OK", "CANCELLED") else _log.info
        log("call ended", code=self._code, reason=self._reason, seconds=round(seconds, 4))
        if self._span is not None:
            self._span.end(self._code, self._reason)

    async def abort(self, error: Exception) -> NoReturn:
        """End the call with an error."""
        call = current_call()
        method = call.method if call else ""
        if isinstance(error, NotImplementedError) and self._context.code() is grpc.StatusCode.UNIMPLEMENTED:
            # Generated code: a method of the service that its servicer leaves out.
            error = Unsupported(f"{method} is not offered by this server; reflection lists what is")
        status = error_to_status(error) or _unforeseen(error)
        self._code = code_pb2.Code.Name(status.code)
        failure = failure_of(error)
        self._reason = failure.reason if failure else "INTERNAL"
        if call is not None:
            status.details.add().Pack(error_details_pb2.RequestInfo(request_id=call.id))
        rich = rpc_status.to_status(status)
        await self._context.abort(rich.code, rich.details, rich.trailing_metadata)


def _refusing(error: AdvisorError, meter: CallMeter) -> Handler:
    """Return a handler that ends a call with an error, without a look at what it carries."""

    async def refuse(_messages: object, context: Context) -> None:
        with _Ending(meter, context) as ending:
            await ending.abort(error)

    return grpc.stream_stream_rpc_method_handler(refuse)


def _wrap(handler: Handler, meter: CallMeter) -> Handler:
    codecs = {
        "request_deserializer": _reader(handler.request_deserializer),
        "response_serializer": handler.response_serializer,
    }
    if handler.unary_unary:
        return grpc.unary_unary_rpc_method_handler(_single(handler.unary_unary, meter), **codecs)
    if handler.stream_unary:
        return grpc.stream_unary_rpc_method_handler(_single(handler.stream_unary, meter), **codecs)
    if handler.unary_stream:
        return grpc.unary_stream_rpc_method_handler(_stream(handler.unary_stream, meter), **codecs)
    return grpc.stream_stream_rpc_method_handler(_stream(handler.stream_stream, meter), **codecs)


def _reader(deserializer: Any) -> Callable[[bytes], Any]:
    """Return a deserializer that returns InvalidInput, not raises it, where it is given no message."""
    message_class = deserializer.__self__  # generated code hands over `Request.FromString`

    def read(content: bytes) -> Any:
        try:
            return deserializer(content)
        except DecodeError:
            return unreadable(message_class.DESCRIPTOR, content)

    return read


class _Messages:
    """The messages that a client streams; raises what the deserializer returned in place of one."""

    def __init__(self, messages: AsyncIterator[Any]) -> None:
        self._messages = messages

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        return _read(await anext(self._messages))


def _read(request: Any) -> Any:
    """Return a request as its handler takes it; raise InvalidInput where it could not be read."""
    if isinstance(request, InvalidInput):
        raise request
    return request if isinstance(request, Message) else _Messages(request)


def _single(behaviour: Callable[..., Awaitable[Any]], meter: CallMeter) -> Callable[..., Any]:
    """Wrap a handler that returns one thing, or writes to the context itself."""

    async def call(request: Any, context: Context) -> Any:
        with _Ending(meter, context) as ending:
            try:
                return await behaviour(_read(request), context)
            except aio.AbortError:
                raise
            except Exception as error:  # noqa: BLE001 - the edge: nothing may leave unmapped
                await ending.abort(error)

    return call


def _stream(behaviour: Any, meter: CallMeter) -> Callable[..., Any]:
    if not inspect.isasyncgenfunction(behaviour):
        return _single(behaviour, meter)

    async def call(request: Any, context: Context) -> None:
        with _Ending(meter, context) as ending:
            # Written here, not by gRPC: a cancelled write then closes the handler at once.
            try:
                async with aclosing(behaviour(_read(request), context)) as responses:
                    async for response in responses:
                        await _write(context, response)
            except aio.AbortError:
                raise
            except Exception as error:  # noqa: BLE001 - the edge: nothing may leave unmapped
                await ending.abort(error)

    return call


async def _write(context: Context, response: Message) -> None:
    """Send a message; where the client has gone at that very moment, the call is cancelled like any other."""
    try:
        await context.write(response)
    except aio.InternalError:  # gRPC tells it so, where the cancellation has not come yet
        raise asyncio.CancelledError from None


def _unforeseen(error: Exception) -> status_pb2.Status:
    """Log an error that nobody mapped, and return a status that gives none of it away."""
    call = current_call()
    error_id = call.id if call else ""
    _log.error("internal error", error_id=error_id, exc_info=error)
    return internal_status(error_id)
