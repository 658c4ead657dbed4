"""Streams from a client: messages in their order, and uploads in particular.

An upload is a header, then content, then the commit, then the end of the stream.

A handler cannot tell a client that finished from one that died: in both cases
the stream just ends. So an upload carries its own end, and without it nothing
is kept.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, NoReturn, TypeVar

from google.protobuf.message import Message

from advisor.errors import Conflict, InvalidInput
from advisor.v1 import use_case_pb2
from advisor.v1 import use_case_service_pb2 as service_pb2

__all__ = ["CHUNK_BYTES", "IDLE_S", "Messages", "read_documents", "read_examples", "read_header"]

CHUNK_BYTES = 1024 * 1024
"""Most content of one message."""
IDLE_S = 60.0
"""Silence after which an upload is given up: it keeps others from importing."""
PATIENCE_S = 600.0
"""How long an upload is waited for in all, and a second more for each `SLOWEST_BYTES` that came."""
SLOWEST_BYTES = 16 * 1024

M = TypeVar("M", bound=Message)


class Messages:
    """The messages of an upload, counted; given up when none comes for `idle_s`, or they come too slowly."""

    def __init__(self, stream: AsyncIterator[Any], idle_s: float = IDLE_S) -> None:
        self._stream = stream
        self._idle_s = idle_s
        self._count = 0
        self._bytes = 0
        self._waited_s = 0.0

    async def next(self) -> Any | None:
        """Return the next message; None at the end of the stream."""
        began = time.monotonic()
        left_s = PATIENCE_S + self._bytes / SLOWEST_BYTES - self._waited_s
        try:
            async with asyncio.timeout(min(self._idle_s, left_s)):
                message = await anext(self._stream, None)
        except TimeoutError:
            what = f"nothing arrived for {self._idle_s:g} s"
            if left_s < self._idle_s:
                what = (
                    f"less than {SLOWEST_BYTES // 1024} KiB arrived a second, for {PATIENCE_S / 60:g} minutes"
                )
            raise Conflict(f"{what}; start over", reason="STREAM_STALLED") from None
        self._waited_s += time.monotonic() - began
        if message is not None:
            self._count += 1
            self._bytes += message.ByteSize()
        return message

    def unexpected(self, part: str | None, expected: str) -> NoReturn:
        """Refuse the message that came last."""
        raise InvalidInput.of(
            f"messages[{max(self._count - 1, 0)}]", f"is {part or 'missing or empty'}; expected {expected}"
        )

    async def end(self) -> None:
        """Make sure that nothing follows the commit."""
        if (message := await self.next()) is not None:
            self.unexpected(message.WhichOneof("part"), "the end of the stream after the commit")


async def read_header(messages: Messages) -> service_pb2.ImportHeader:
    """Return the header that an upload starts with."""
    message = await messages.next()
    part = None if message is None else message.WhichOneof("part")
    if message is None or part != "header":
        messages.unexpected(part, "a header")
    header: service_pb2.ImportHeader = message.header
    return header


async def read_documents(
    messages: Messages, document_bytes: int
) -> AsyncIterator[use_case_pb2.Document | service_pb2.ImportCommit]:
    """Yield each document when it is complete, and last the commit.

    Raises:
        InvalidInput: A message that does not belong there, a document or chunk that is too large, or
            a stream that ends early.
    """
    document: use_case_pb2.Document | None = None
    content = bytearray()
    while (message := await messages.next()) is not None:
        part = message.WhichOneof("part")
        if part == "chunk" and document is not None:
            _add_chunk(content, message.chunk, document.source, document_bytes)
            continue
        if part not in ("document", "commit"):
            messages.unexpected(part, "a document, a chunk of the document before, or the commit")
        if document is not None:
            document.content = bytes(content)
            yield document
        if part == "commit":
            await messages.end()
            yield message.commit
            return
        document, content = message.document, bytearray()
        _add_chunk(content, document.content, document.source, document_bytes)
    _cut("a document, a chunk or the commit")


async def read_examples(
    messages: Messages,
) -> AsyncIterator[service_pb2.ExampleBatch | service_pb2.ImportCommit]:
    """Yield each batch of examples, and last the commit; raises as `read_documents` does."""
    while (message := await messages.next()) is not None:
        part = message.WhichOneof("part")
        if part == "batch":
            yield message.batch
        elif part == "commit":
            await messages.end()
            yield message.commit
            return
        else:
            messages.unexpected(part, "a batch of examples or the commit")
    _cut("a batch of examples or the commit")


def _add_chunk(content: bytearray, chunk: bytes, source: str, document_bytes: int) -> None:
    if len(chunk) > CHUNK_BYTES:
        raise InvalidInput.of(
            "chunk", f"has {len(chunk):,} bytes; send at most {CHUNK_BYTES:,} a message, the rest in chunks"
        )
    if len(content) + len(chunk) > document_bytes:
        raise InvalidInput.of(
            "document.content",
            f"{source[:200]!r} has more than the {document_bytes:,} bytes allowed; split it",
        )
    content += chunk


def _cut(expected: str) -> NoReturn:
    raise InvalidInput.of("commit", f"the stream ended where {expected} was expected; nothing was kept")
