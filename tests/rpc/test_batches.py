"""Calls done together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from advisor.rpc.batches import ALONE, Batches


class Tenfold:
    """Work that keeps what it was given; refuses zero, and whatever comes with it."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        if 0 in items:
            raise ZeroDivisionError(f"none of {items}")
        return [10 * item for item in items]


@pytest.fixture
def work() -> Tenfold:
    return Tenfold()


async def passes(number: int) -> None:
    """Let the event loop pass so many times."""
    for _ in range(number):
        await asyncio.sleep(0)


async def crowd(batches: Batches[int, int]) -> None:
    """Have two calls come together."""
    await asyncio.gather(batches.do(1), batches.do(1))


def patient(work: Tenfold, **limits: int) -> Batches[int, int]:
    """Return batches that wait for others by passes of the loop alone, however slow those are."""
    return Batches(work, longest_s=3600, **{"quiet_passes": 20, **limits})


async def test_calls_of_one_pass_are_one_batch(work):
    """Each call gets its own result, and the work is done once."""
    batches = patient(work)
    assert await asyncio.gather(*(batches.do(number) for number in (3, 1, 2))) == [30, 10, 20]
    assert work.batches == [[3, 1, 2]]


async def test_one_caller_waits_for_nobody(work):
    """A call that comes alone is done at the next pass, and so is the next one."""
    batches = patient(work)
    for number in (1, 2, 3):
        call = asyncio.ensure_future(batches.do(number))
        await passes(3)
        assert call.done()
    assert work.batches == [[1], [2], [3]]


async def test_a_crowd_is_waited_for(work):
    """After calls that came together, those that come some passes apart are done together."""
    batches = patient(work)
    await crowd(batches)
    calls = []
    for number in (1, 2, 3):
        calls.append(asyncio.ensure_future(batches.do(number)))
        await passes(10)
    assert await asyncio.gather(*calls) == [10, 20, 30]
    assert work.batches[1:] == [[1, 2, 3]]


async def test_whoever_stays_alone_is_waited_for_no_longer(work):
    """Where the others have gone, a few calls wait in vain and no more do."""
    batches = patient(work)
    await crowd(batches)
    at_once = []
    for number in range(1, ALONE + 3):
        call = asyncio.ensure_future(batches.do(number))
        await passes(3)
        at_once.append(call.done())
        await call
    assert at_once == [*[False] * ALONE, True, True]


async def test_a_full_batch_is_begun(work):
    """Where more keep coming, a batch ends at its size."""
    batches = patient(work, most=2)
    await crowd(batches)
    calls = []
    for number in (1, 2, 3):
        calls.append(asyncio.ensure_future(batches.do(number)))
        await passes(2)
    assert await asyncio.gather(*calls) == [10, 20, 30]
    assert work.batches[1:] == [[1, 2], [3]]


async def test_waiting_has_an_end(work):
    """However many passes are to be waited for, the time is bounded."""
    batches = Batches(work, quiet_passes=10**9, longest_s=0.0)
    await crowd(batches)
    assert await batches.do(4) == 40


async def test_one_that_fails_spoils_no_other(work):
    """The error is the call's own, not that of the whole batch."""
    batches = patient(work)
    calls = (batches.do(number) for number in (1, 0, 2))
    first, second, third = await asyncio.gather(*calls, return_exceptions=True)
    assert (first, third) == (10, 20)
    assert isinstance(second, ZeroDivisionError)
    assert str(second) == "none of [0]"


async def test_cancelled_calls_are_left_out(work):
    """What nobody waits for any more is not done, and the others are."""
    batches = patient(work)
    calls = [asyncio.ensure_future(batches.do(number)) for number in (1, 2)]
    gone = asyncio.ensure_future(batches.do(3))
    await passes(1)
    gone.cancel()
    assert await asyncio.gather(*calls) == [10, 20]
    assert gone.cancelled()
    assert work.batches == [[1, 2]]


async def test_all_cancelled_is_no_work(work):
    """A batch that nobody waits for is not begun."""
    batches = patient(work)
    call = asyncio.ensure_future(batches.do(1))
    await passes(1)
    call.cancel()
    await passes(3)
    assert work.batches == []
