"""The ends of operations, awaited by any number of calls with one query a moment."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Set
from contextvars import Context

from advisor.rpc.lanes import Lane
from advisor.storage import operations
from advisor.storage.database import Database

__all__ = ["Endings"]

POLL_S = 0.2


class Endings:
    """Tells when operations have ended; for the event loop's thread alone.

    Args:
        database: Where they are.
        lane: Threads for the database.
    """

    def __init__(self, database: Database, lane: Lane) -> None:
        self._database = database
        self._lane = lane
        self._awaited: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._looking: asyncio.Task[None] | None = None

    async def wait(self, operation_id: str, timeout_s: float) -> None:
        """Return when an operation has ended or is gone, and after `timeout_s` at the latest.

        Raises:
            Unavailable: The database is away.
        """
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._awaited[operation_id].add(ended)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look(), context=Context())  # nobody's in particular
        try:
            await asyncio.wait([ended], timeout=timeout_s)
            if ended.done():
                ended.result()
        finally:
            waiting = self._awaited[operation_id]
            waiting.discard(ended)
            if not waiting:
                del self._awaited[operation_id]

    async def _look(self) -> None:
        """Look again and again, as long as any call waits."""
        while self._awaited:
            try:
                ended = await self._ended()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is that of the calls
                for waiting in self._awaited.values():
                    for each in waiting:
                        each.set_exception(error)
            else:
                for operation_id in ended:
                    for each in self._awaited.get(operation_id, ()):
                        each.set_result(None)
            await asyncio.sleep(POLL_S)
        self._looking = None

    async def _ended(self) -> Set[str]:
        ids = list(self._awaited)
        active = await self._lane.run(lambda _: operations.active(self._database, ids))
        return set(ids) - active
