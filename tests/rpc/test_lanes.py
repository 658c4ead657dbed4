"""Bounded threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import aclosing

import pytest

from advisor.errors import Unavailable
from advisor.rpc.lanes import Lane, Last, Slots


@pytest.fixture
def lane() -> Iterator[Lane]:
    lane = Lane("tests", running=1, waiting=1, retry_s=3)
    yield lane
    lane.close()


async def test_run_returns_what_the_work_returns(lane):
    """Work is done in another thread."""
    assert await lane.run(lambda _: threading.current_thread()) is not threading.current_thread()


async def test_run_raises_what_the_work_raises(lane):
    """An exception reaches the caller."""
    with pytest.raises(ZeroDivisionError):
        await lane.run(lambda _: 1 // 0)


async def test_full_lane_refuses_at_once(lane):
    """What neither runs nor waits is refused with the time to try again; then there is room again."""
    go_on = threading.Event()
    taken = [asyncio.ensure_future(lane.run(lambda _: go_on.wait(5))) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable) as caught:
        await lane.run(lambda _: None)
    assert (caught.value.reason, caught.value.retry_s) == ("OVERLOADED", 3)
    go_on.set()
    assert await asyncio.gather(*taken) == [True, True]
    assert await lane.run(lambda _: 1) == 1


async def test_cancelling_tells_the_thread(lane):
    """A cancelled call stops its work, and only that."""
    started, stopped = threading.Event(), threading.Event()

    def work(cancelled):
        started.set()
        while not cancelled():
            stopped.wait(0.001)
        stopped.set()

    task = asyncio.ensure_future(lane.run(work))
    await asyncio.to_thread(started.wait, 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(stopped.wait, 5)


async def test_stream_yields_events_in_order_and_the_result_last(lane):
    """Events come in the order they were emitted."""

    def work(emit, _):
        for number in range(100):
            emit(number)
        return "done"

    events = [event async for event in lane.stream(work)]
    assert events[:-1] == list(range(100))
    assert isinstance(events[-1], Last)
    assert events[-1].value == "done"


async def test_closing_a_stream_tells_the_thread(lane):
    """Whoever stops reading stops the work."""
    stopped = threading.Event()

    def work(emit, cancelled):
        while not cancelled():
            emit(1)
            stopped.wait(0.001)
        stopped.set()

    async with aclosing(lane.stream(work)) as events:
        await anext(events)
    assert await asyncio.to_thread(stopped.wait, 5)


async def test_closed_lane_refuses():
    """A server that stops takes no more work."""
    lane = Lane("tests", running=1, waiting=1)
    lane.close()
    with pytest.raises(Unavailable, match="shutting down"):
        await lane.run(lambda _: None)


def test_slots_are_given_back():
    """A place that is taken is free again after use, also after an exception."""
    slots = Slots("tests", 1)

    def use() -> None:
        with slots.taken():
            slots.take()

    for _ in range(2):
        with pytest.raises(Unavailable):
            use()
