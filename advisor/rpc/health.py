"""grpc.health.v1: a service serves while all that it needs is there."""
# ruff: noqa: N802 - the names of the handlers are those of the proto

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Set
from typing import Any

from grpc_health.v1 import health_pb2, health_pb2_grpc

from advisor.errors import NotFound, Unavailable
from advisor.rpc.edge import Context
from advisor.rpc.lanes import Slots

__all__ = ["Health"]

WATCHES = 100
"""Calls that may watch at a time: nobody needs a token for them, and each takes a place of the server's."""

_Response = health_pb2.HealthCheckResponse


class Health(health_pb2_grpc.HealthServicer):
    """The health of every service of a server.

    Each watch waits by itself: the servicer that comes with gRPC writes under a lock, and a client that
    does not read would keep all others, and a server that stops, waiting.

    Args:
        needs: What each service needs, by names of one's own; "" stands for the server as a whole.
    """

    def __init__(self, needs: Mapping[str, Set[str]]) -> None:
        self._needs = needs
        self._here: Set[str] = frozenset()
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self._watches = Slots("watches of health", WATCHES, retry_s=5.0)

    @property
    def needs(self) -> Mapping[str, bool]:
        """What is needed by any service, and whether it is there."""
        return {each: each in self._here for each in sorted(set().union(*self._needs.values()))}

    def add_to(self, server: Any) -> None:
        """Register the service that clients ask."""
        health_pb2_grpc.add_HealthServicer_to_server(self, server)

    async def Check(self, request: health_pb2.HealthCheckRequest, _context: Context) -> _Response:
        """Return how a service is."""
        if request.service not in self._needs:
            raise NotFound(f"the service {request.service[:200]!r}", "reflection lists those there are")
        return _Response(status=self._status(request.service))

    async def Watch(
        self, request: health_pb2.HealthCheckRequest, _context: Context
    ) -> AsyncIterator[_Response]:
        """Say how a service is, now and whenever that changes, until the server stops."""
        last = None
        with self._watches.taken():
            while True:
                changed = self._changed
                if (status := self._status(request.service)) != last:
                    last = status
                    yield _Response(status=status)
                if self._stopping:  # a call that goes on would keep the server from stopping
                    raise Unavailable(
                        "SHUTTING_DOWN", "the server is shutting down; watch another", retry_s=5
                    )
                await changed.wait()

    def start(self) -> None:
        """Take from here on what is noted in other threads."""
        self._loop = asyncio.get_running_loop()

    def note(self, need: str, *, here: bool) -> None:
        """Note that something needed has come or gone; from any thread, and nothing once the loop has ended."""
        if self._loop is None:
            self._set(need, here=here)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(lambda: self._set(need, here=here))

    def stop(self) -> None:
        """Say that no service takes calls any more, for good."""
        self._stopping = True
        self._tell()

    def _set(self, need: str, *, here: bool) -> None:
        self._here = self._here | {need} if here else self._here - {need}
        self._tell()

    def _tell(self) -> None:
        """Wake those who watch, and have them wait for the next change."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _status(self, service: str) -> int:
        if (needs := self._needs.get(service)) is None:
            return _Response.SERVICE_UNKNOWN
        return _Response.SERVING if needs <= self._here and not self._stopping else _Response.NOT_SERVING
