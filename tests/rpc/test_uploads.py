"""Uploads end: with their commit, or because they are waited for no longer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from advisor.errors import Conflict
from advisor.rpc import uploads
from advisor.rpc.uploads import Messages
from advisor.v1 import use_case_service_pb2 as service_pb2


async def slowly(pause_s: float, message: service_pb2.ImportDocumentsRequest) -> AsyncIterator[object]:
    """Yield a message again and again, with a pause before each."""
    while True:
        await asyncio.sleep(pause_s)
        yield message


async def read_all(messages: Messages) -> None:
    """Read until the end."""
    while await messages.next() is not None:
        pass


async def test_silence_ends_an_upload():
    """It keeps others from importing."""
    messages = Messages(slowly(60, service_pb2.ImportDocumentsRequest()), idle_s=0.01)
    with pytest.raises(Conflict, match=r"nothing arrived for 0\.01 s; start over") as caught:
        await messages.next()
    assert caught.value.reason == "STREAM_STALLED"


async def test_dripping_ends_an_upload(monkeypatch):
    """A byte now and then keeps a place no longer than silence, though a bit later; what is sent buys time."""
    monkeypatch.setattr(uploads, "PATIENCE_S", 0.05)
    drip = Messages(slowly(0.01, service_pb2.ImportDocumentsRequest(chunk=b"x")))
    with pytest.raises(Conflict, match=r"less than 16 KiB arrived a second, for .* minutes; start over"):
        await read_all(drip)
    much = Messages(slowly(0.01, service_pb2.ImportDocumentsRequest(chunk=bytes(uploads.SLOWEST_BYTES))))
    for _ in range(20):
        assert await much.next() is not None
