"""Bounded threads for work that would block the event loop, one lane per kind of work.

A lane runs a fixed number of pieces of work at a time, lets a fixed number
wait, and refuses the rest at once with UNAVAILABLE and the time after which to
try again. Cancelling a call does not stop a thread: work is handed a function
that says whether to stop, and must ask it often.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from threading import Event
from typing import Generic, TypeVar

from advisor.errors import Unavailable

__all__ = ["Lane", "Last", "Slots"]

T = TypeVar("T")
E = TypeVar("E")
Cancelled = Callable[[], bool]


class Last(Generic[T]):
    """The result of streamed work, after its last event."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value


class Slots:
    """A fixed number of places; for the event loop's thread alone.

    Args:
        name: What takes a place, in the plural, for the message that refuses more of it.
        number: How many places there are.
        retry_s: When to try again where all are taken.
    """

    def __init__(self, name: str, number: int, *, retry_s: float = 1.0) -> None:
        self._name = name
        self._number = number
        self._retry_s = retry_s
        self._taken = 0

    def take(self) -> None:
        """Take a place; Unavailable where all are taken."""
        if self._taken >= self._number:
            raise Unavailable(
                "OVERLOADED",
                f"too many {self._name} at once, {self._number} run or wait; "
                f"try again in {self._retry_s:g} s",
                retry_s=self._retry_s,
            )
        self._taken += 1

    def release(self) -> None:
        """Give a place back."""
        self._taken -= 1

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a place; Unavailable where all are taken."""
        self.take()
        try:
            yield
        finally:
            self.release()


class Lane:
    """Threads for one kind of work.

    Args:
        name: What the work is, in the plural.
        running: Pieces of work at a time.
        waiting: Pieces that may wait for a thread.
        retry_s: When to try again where the lane is full.
    """

    def __init__(self, name: str, *, running: int, waiting: int, retry_s: float = 1.0) -> None:
        self._slots = Slots(name, running + waiting, retry_s=retry_s)
        self._threads = ThreadPoolExecutor(running, thread_name_prefix=f"advisor-{name.replace(' ', '-')}")

    async def run(self, work: Callable[[Cancelled], T]) -> T:
        """Do the work in a thread and return what it returns.

        Raises:
            Unavailable: The lane is full.
        """
        stop = Event()
        try:
            return await asyncio.wrap_future(self._submit(lambda: work(stop.is_set)))
        finally:
            stop.set()

    async def stream(
        self, work: Callable[[Callable[[E], None], Cancelled], T]
    ) -> AsyncGenerator[E | Last[T]]:
        """Do the work in a thread; yield the events it emits as they come, and last its result.

        Closing the iterator, or cancelling its task, tells the work to stop.

        Raises:
            Unavailable: The lane is full.
        """
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[E | Future[T]] = asyncio.Queue()
        stop = Event()

        def put(event: E | Future[T]) -> None:
            if not stop.is_set():  # after that nobody listens
                _call_in_loop(loop, lambda: events.put_nowait(event))

        future = self._submit(lambda: work(put, stop.is_set))
        future.add_done_callback(put)
        try:
            while not isinstance(event := await events.get(), Future):
                yield event
            yield Last(event.result())
        finally:
            stop.set()
            future.cancel()

    def close(self) -> None:
        """Drop what waits, and wait for what runs: its calls have ended, so it was told to stop."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        loop = asyncio.get_running_loop()
        self._slots.take()
        try:
            future = self._threads.submit(copy_context().run, work)  # names stand for what is the caller's
        except RuntimeError:
            self._slots.release()
            raise Unavailable(
                "SHUTTING_DOWN", "the server is shutting down; try again shortly", retry_s=5
            ) from None
        future.add_done_callback(lambda _: _call_in_loop(loop, self._slots.release))
        return future


def _call_in_loop(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(function)
