"""The edge: whatever a handler raises leaves as one status, by the table in `status`.

This is what an outermost interceptor does, done once at registration: the
interceptors of grpc.aio cost half as much per call as a decision does. What
cannot be read as a message leaves by the same way: gRPC would tell the client
the parser's exception as UNKNOWN, so here the deserializer returns the error in
place of the message, and the handler's wrapper raises it.
"""

from __future__ import annotations

import inspect
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any, NoReturn, Self, TypeAlias

import grpc
import structlog
from google.protobuf.message import DecodeError, Message
from google.rpc import status_pb2
from grpc import aio
from grpc_status import rpc_status

from advisor.errors import AdvisorError, InvalidInput, Unsupported
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
    """

    def __init__(self, server: aio.Server, admit: Admit = lambda _method, _metadata: None) -> None:
        self._server = server
        self._admit = admit

    def add_generic_rpc_handlers(self, handlers: Sequence[Handlers]) -> None:
        """Add handlers to the server, wrapped."""
        self._server.add_generic_rpc_handlers([_Mapped(handler, self._admit) for handler in handlers])

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Handler]) -> None:
        """Do nothing: what generated code registers here, it adds as generic handlers too."""


class _Mapped(grpc.GenericRpcHandler):
    """The handlers of a service, each wrapped when it is first called."""

    def __init__(self, handlers: Handlers, admit: Admit) -> None:
        self._handlers = handlers
        self._admit = admit
        self._wrapped: dict[str, Handler] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        """Return the wrapped handler of a method; None where the service has no such method."""
        method = handler_call_details.method
        wrapped = self._wrapped.get(method)
        if wrapped is None:
            handler = self._handlers.service(handler_call_details)
            if handler is not None:
                self._wrapped[method] = wrapped = _wrap(handler, method)
        if wrapped is None:
            return None
        try:  # before a message has come: who is not let in is not waited for
            self._admit(method, handler_call_details.invocation_metadata)
        except AdvisorError as error:
            return _refusing(error, method)
        return wrapped


def _refusing(error: AdvisorError, method: str) -> Handler:
    """Return a handler that ends a call with an error, without a look at what it carries."""

    async def refuse(_messages: object, context: Context) -> None:
        await _abort(context, error, method)

    return grpc.stream_stream_rpc_method_handler(refuse)


def _wrap(handler: Handler, method: str) -> Handler:
    codecs = {
        "request_deserializer": _reader(handler.request_deserializer),
        "response_serializer": handler.response_serializer,
    }
    if handler.unary_unary:
        return grpc.unary_unary_rpc_method_handler(_single(handler.unary_unary, method), **codecs)
    if handler.stream_unary:
        return grpc.stream_unary_rpc_method_handler(_single(handler.stream_unary, method), **codecs)
    if handler.unary_stream:
        return grpc.unary_stream_rpc_method_handler(_stream(handler.unary_stream, method), **codecs)
    return grpc.stream_stream_rpc_method_handler(_stream(handler.stream_stream, method), **codecs)


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


def _single(behaviour: Callable[..., Awaitable[Any]], method: str) -> Callable[..., Any]:
    """Wrap a handler that returns one thing, or writes to the context itself."""

    async def call(request: Any, context: Context) -> Any:
        try:
            return await behaviour(_read(request), context)
        except aio.AbortError:
            raise
        except Exception as error:  # noqa: BLE001 - the edge: nothing may leave unmapped
            await _abort(context, error, method)

    return call


def _stream(behaviour: Any, method: str) -> Callable[..., Any]:
    if not inspect.isasyncgenfunction(behaviour):
        return _single(behaviour, method)

    async def call(request: Any, context: Context) -> None:
        # Written here, not by gRPC: a cancelled write then closes the handler at once.
        try:
            async with aclosing(behaviour(_read(request), context)) as responses:
                async for response in responses:
                    await context.write(response)
        except aio.AbortError:
            raise
        except Exception as error:  # noqa: BLE001 - the edge: nothing may leave unmapped
            await _abort(context, error, method)

    return call


async def _abort(context: Context, error: Exception, method: str) -> NoReturn:
    if isinstance(error, NotImplementedError) and context.code() is grpc.StatusCode.UNIMPLEMENTED:
        # Generated code: a method of the service that its servicer leaves out.
        error = Unsupported(f"{method} is not offered by this server; reflection lists what is")
    status = error_to_status(error) or _unforeseen(error, method)
    rich = rpc_status.to_status(status)
    await context.abort(rich.code, rich.details, rich.trailing_metadata)


def _unforeseen(error: Exception, method: str) -> status_pb2.Status:
    """Log an error that nobody mapped, and return a status that gives none of it away."""
    error_id = uuid.uuid4().hex[:12]
    _log.error("internal error", method=method, error_id=error_id, exc_info=error)
    return internal_status(error_id)
