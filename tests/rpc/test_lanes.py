"""Bounded threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import aclosing
from contextvars import copy_context

import pytest

from advisor.errors import Unavailable
from advisor.names import act_as
from advisor.rpc import lanes
from advisor.rpc.lanes import Lane, Last, Place, Slots


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


async def test_principals_take_turns():
    """Whoever asks for much waits longer, not those who come after."""
    lane = Lane("tests", running=1, waiting=5)
    go_on, done = threading.Event(), []

    def asked(owner: str, what: str) -> asyncio.Future[None]:
        act_as(owner)
        return asyncio.ensure_future(lane.run(lambda _: (go_on.wait(5), done.append(what))))

    tasks = [
        asked(owner, what) for owner, what in [*[("a", f"a{i}") for i in range(4)], ("b", "b0"), ("c", "c0")]
    ]
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(*tasks)
    assert done == ["a0", "a1", "b0", "c0", "a2", "a3"]
    lane.close()


async def test_what_waits_and_is_given_up_leaves_its_place():
    """At once, not when its turn comes."""
    lane = Lane("tests", running=1, waiting=1)
    go_on = threading.Event()
    first, second = (asyncio.ensure_future(lane.run(lambda _: go_on.wait(5))) for _ in range(2))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    third = asyncio.ensure_future(lane.run(lambda _: "third"))
    await asyncio.sleep(0)
    go_on.set()
    assert await first
    assert await third == "third"
    lane.close()


def test_places_are_kept_for_who_has_fewer(monkeypatch):
    """For a while after it was refused; a principal alone has them all."""
    now = [0.0]
    monkeypatch.setattr(lanes.time, "monotonic", lambda: now[0])
    slots = Slots("tests", 4)

    def take(owner: str) -> Place:
        def as_owner() -> Place:
            act_as(owner)
            return slots.take()

        return copy_context().run(as_owner)

    first, second, *_ = [take("a") for _ in range(4)]
    with pytest.raises(Unavailable):
        take("b")
    slots.release(first)
    with pytest.raises(Unavailable):
        take("a")
    take("b")
    with pytest.raises(Unavailable):
        take("b")
    slots.release(second)
    with pytest.raises(Unavailable, match="too many tests at once, 4 run or wait"):
        take("a")
    now[0] += lanes.WANTED_S + 1
    take("a")


def test_whoever_finds_no_place_comes_back_when_there_may_be_one(monkeypatch):
    """After as long as places are held, within bounds; not after a second only to be refused again."""
    now = [0.0]
    monkeypatch.setattr(lanes.time, "monotonic", lambda: now[0])
    slots = Slots("tests", 1)

    def told_after(held_s: float, times: int) -> float:
        for _ in range(times):
            place = slots.take()
            now[0] += held_s
            slots.release(place)
        with slots.taken(), pytest.raises(Unavailable) as caught:
            slots.take()
        return caught.value.retry_s

    assert told_after(0.1, 40) == 1.0
    assert told_after(4.0, 100) == pytest.approx(4.0, abs=0.1)
    assert told_after(1000.0, 100) == lanes.MOST_RETRY_S
