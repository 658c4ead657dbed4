"""Calls whose work costs less done together: what waits is done in one go.

gRPC hands over one request at a time, some passes of the event loop apart,
however many have come. So a batch is not begun before a number of passes have
brought nothing more. A caller that is alone waits for nobody: calls that come
singly, a few in a row, are done at the next pass.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

__all__ = ["ALONE", "Batches"]

T = TypeVar("T")
R = TypeVar("R")

ALONE = 4
"""After so many batches of one in a row there is one caller, whom waiting for others would only delay."""


class Batches(Generic[T, R]):
    """Does the work of calls that come at about the same time in one go; for the event loop's thread alone.

    Args:
        work: Returns one result per item, in their order; blocks the event loop meanwhile. Where it raises, each
            item is done alone, so that only those at fault see an error.
        quiet_passes: Passes of the event loop without a further item after which a batch is begun.
        longest_s: How long the first item of a batch waits for others at the longest.
        most: Items at which a batch is begun at once.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], Sequence[R]],
        *,
        quiet_passes: int = 20,
        longest_s: float = 0.01,
        most: int = 32,
    ) -> None:
        self._work = work
        self._quiet_passes = quiet_passes
        self._longest_s = longest_s
        self._most = most
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._alone = ALONE

    async def do(self, item: T) -> R:
        """Return what the work makes of an item; raises what it raises for it."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._waiting.append((item, future))
        if len(self._waiting) == 1:
            loop.call_soon(self._look, loop, 1, 0, loop.time() + self._longest_s)
        return await future

    def _look(self, loop: asyncio.AbstractEventLoop, seen: int, quiet: int, end: float) -> None:
        """Begin the batch, or look again at the next pass.

        Args:
            loop: The event loop.
            seen: How many waited at the last pass.
            quiet: How many passes have brought nothing more.
            end: When to begin in any case.
        """
        here = len(self._waiting)
        quiet = quiet + 1 if here == seen else 0
        wait = self._alone < ALONE and quiet < self._quiet_passes and here < self._most
        if wait and loop.time() < end:
            loop.call_soon(self._look, loop, here, quiet, end)
        else:
            self._begin()

    def _begin(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._alone = self._alone + 1 if len(waiting) == 1 else 0
        wanted = [(item, future) for item, future in waiting if not future.done()]  # the rest was cancelled
        if wanted and not self._do(wanted):
            for each in wanted:
                self._do([each])

    def _do(self, wanted: Sequence[tuple[T, asyncio.Future[R]]]) -> bool:
        """Do the work of some calls; False where that failed, and each has to be tried alone."""
        try:
            results = self._work([item for item, _ in wanted])
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the call's that brought it about
            if len(wanted) > 1:
                return False
            wanted[0][1].set_exception(error)
            return True
        for (_, future), result in zip(wanted, results, strict=True):
            future.set_result(result)
        return True
