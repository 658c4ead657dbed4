"""Bounded threads for work that would block the event loop, one lane per kind of work.

A lane runs a fixed number of pieces of work at a time, lets a fixed number
wait, and refuses the rest at once with UNAVAILABLE and the time after which to
try again. Principals take turns: neither threads nor places go to whoever asks
most often. Cancelling a call does not stop a thread: work is handed a function
that says whether to stop, and must ask it often.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Generic, TypeVar

from advisor.errors import Unavailable
from advisor.names import principal

__all__ = ["Lane", "Last", "Place", "Slots"]

T = TypeVar("T")
E = TypeVar("E")
Cancelled = Callable[[], bool]

WANTED_S = 4.0
"""How long after it was told to come back a place is kept for a principal that has fewer than its share."""
HELD_OF = 16
"""Places that the time for which they are held is a running mean of."""
MOST_RETRY_S = 30.0


class Last(Generic[T]):
    """The result of streamed work, after its last event."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value


@dataclass(frozen=True, slots=True)
class Place:
    """A place that is taken: whose it is, and since when."""

    owner: str
    taken_at: float


class Slots:
    """A fixed number of places; for the event loop's thread alone.

    Whoever finds none is told to come back when those that are taken will have been given back, by how long
    places were held of late: sooner it would find none again, and cost what others wait for.

    A principal may have them all as long as nobody else wants any. Then each has
    an even share: whoever has that is refused more while one with less waits.

    Args:
        name: What takes a place, in the plural, for the message that refuses more of it.
        number: How many places there are.
        retry_s: When to try again where all are taken, at the least.
    """

    def __init__(self, name: str, number: int, *, retry_s: float = 1.0) -> None:
        self._name = name
        self._number = number
        self._retry_s = retry_s
        self._held_s = 0.0
        self._taken: Counter[str] = Counter()
        self._wanted_until: dict[str, float] = {}

    @property
    def number(self) -> int:
        """How many places there are."""
        return self._number

    @property
    def taken_now(self) -> int:
        """How many of them are taken."""
        return self._taken.total()

    def take(self) -> Place:
        """Take a place; Unavailable where all are taken, or kept for others."""
        owner, now = principal(), time.monotonic()
        self._wanted_until = {each: until for each, until in self._wanted_until.items() if now < until}
        wanting = self._taken.keys() | self._wanted_until.keys() | {owner}
        share = -(-self._number // len(wanting))
        kept = self._taken[owner] >= share and any(
            self._taken[each] < share for each in self._wanted_until.keys() - {owner}
        )
        if kept or self._taken.total() >= self._number:
            retry_s = round(min(max(self._retry_s, self._held_s), MOST_RETRY_S), 1)
            self._wanted_until[owner] = now + retry_s + WANTED_S
            raise Unavailable(
                "OVERLOADED",
                f"too many {self._name} at once, {self._number} run or wait; try again in {retry_s:g} s",
                retry_s=retry_s,
            )
        self._wanted_until.pop(owner, None)
        self._taken[owner] += 1
        return Place(owner, now)

    def release(self, place: Place) -> None:
        """Give a place back."""
        held_s = time.monotonic() - place.taken_at
        self._held_s += (held_s - self._held_s) / HELD_OF
        self._taken[place.owner] -= 1
        if not self._taken[place.owner]:
            del self._taken[place.owner]

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a place; Unavailable where there is none."""
        place = self.take()
        try:
            yield
        finally:
            self.release(place)


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Work that waits for a thread."""

    work: Callable[[], Any]
    context: Context = field(default_factory=copy_context)  # names stand for what is the caller's
    future: Future[Any] = field(default_factory=Future)


class Lane:
    """Threads for one kind of work; asked in the event loop's thread alone.

    Args:
        name: What the work is, in the plural.
        running: Pieces of work at a time.
        waiting: Pieces that may wait for a thread.
        retry_s: When to try again where the lane is full.
    """

    def __init__(self, name: str, *, running: int, waiting: int, retry_s: float = 1.0) -> None:
        self.name = name
        self._slots = Slots(name, running + waiting, retry_s=retry_s)
        self._running = self._free = running
        self._waiting: dict[str, deque[_Piece]] = {}  # the principal whose turn is next comes first
        self._closed = False
        self._threads = ThreadPoolExecutor(running, thread_name_prefix=f"advisor-{name}")

    @property
    def load(self) -> Mapping[str, int]:
        """How many pieces of work run and wait, and how many may do both together."""
        running = self._running - self._free
        waiting = max(0, self._slots.taken_now - running)
        return {"running": running, "waiting": waiting, "places": self._slots.number}

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
        self._closed = True
        for waiting in self._waiting.values():
            for piece in tuple(waiting):
                piece.future.cancel()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        if self._closed:
            raise Unavailable("SHUTTING_DOWN", "the server is shutting down; try again shortly", retry_s=5)
        loop = asyncio.get_running_loop()
        place, piece = self._slots.take(), _Piece(work)
        self._waiting.setdefault(place.owner, deque()).append(piece)
        piece.future.add_done_callback(lambda _: _call_in_loop(loop, lambda: self._gone(place, piece)))
        self._begin()
        return piece.future

    def _gone(self, place: Place, piece: _Piece) -> None:
        """Give back what a piece of work had, which has ended or was cancelled before it began."""
        owner = place.owner
        self._slots.release(place)
        if not piece.future.cancelled():
            self._free += 1
            self._begin()
        elif owner in self._waiting:
            with suppress(ValueError):  # its turn may have come at the same moment
                self._waiting[owner].remove(piece)

    def _begin(self) -> None:
        """Hand work to the threads that are free, of one principal after the other."""
        while self._free and self._waiting and not self._closed:
            owner = next(iter(self._waiting))
            waiting = self._waiting.pop(owner)
            piece = waiting.popleft() if waiting else None
            if waiting:
                self._waiting[owner] = waiting
            if piece is not None and piece.future.set_running_or_notify_cancel():
                self._free -= 1
                self._threads.submit(_do, piece)


def _do(piece: _Piece) -> None:
    try:
        result = piece.context.run(piece.work)
    except BaseException as error:  # noqa: BLE001 - it is raised where the future is waited for
        piece.future.set_exception(error)
    else:
        piece.future.set_result(result)
    finally:
        del piece  # an error holds what is named where it passed, and the future holds the error


def _call_in_loop(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(function)
