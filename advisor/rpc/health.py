"""grpc.health.v1: a service serves while all that it needs is there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Set
from typing import Any

from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer

__all__ = ["Health"]

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Health:
    """The health of every service of a server.

    Args:
        needs: What each service needs, by names of one's own; "" stands for the server as a whole.
    """

    def __init__(self, needs: Mapping[str, Set[str]]) -> None:
        self._needs = needs
        self._here: Set[str] = frozenset()
        self._servicer = HealthServicer()
        self._loop: asyncio.AbstractEventLoop | None = None

    def add_to(self, server: Any) -> None:
        """Register the service that clients ask."""
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    async def start(self) -> None:
        """Say of each service how it is, by what was noted so far."""
        self._loop = asyncio.get_running_loop()
        await self._say()

    def note(self, need: str, *, here: bool) -> None:
        """Note that something needed has come or gone; from any thread, and nothing once the loop has ended."""
        if self._loop is None:
            self._set(need, here=here)
        elif not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(self._note(need, here=here), self._loop)

    async def stop(self) -> None:
        """Say that no service takes calls any more, for good."""
        await self._servicer.enter_graceful_shutdown()

    async def _note(self, need: str, *, here: bool) -> None:
        self._set(need, here=here)
        await self._say()

    def _set(self, need: str, *, here: bool) -> None:
        self._here = self._here | {need} if here else self._here - {need}

    async def _say(self) -> None:
        for service, needs in self._needs.items():
            await self._servicer.set(service, SERVING if needs <= self._here else NOT_SERVING)
