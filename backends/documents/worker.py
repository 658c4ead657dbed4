"""The process that documents are read and cut in: `python -m backends.documents.worker BYTES CPU_SECONDS`.

Requests come from standard input, replies go to standard output. A frame is
its length, eight bytes, most significant first, and as many bytes more. A
request is two frames, its head as JSON and the document's bytes; a reply is
one of JSON. The process ends when its input does, in the midst of a document too.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

from backends.base import DocumentError, Passage

__all__ = [
    "LENGTH_BYTES",
    "MOST_REPLY_BYTES",
    "Reading",
    "Reply",
    "frame",
    "reply_from_json",
    "reply_to_json",
]

LENGTH_BYTES = 8
MOST_REPLY_BYTES = 128 * 1024 * 1024
"""Largest reply: far more than the text of any document of a size that is read, and little enough to hold."""
_MOST_RESIDENT_BYTES = 300 * 1024 * 1024
"""A process that holds more than this after a document is not kept for the next."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is made of a document: its text, and the passages that this was cut into."""

    text: str
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a document.

    Attributes:
        reading: What was made of it; None where it cannot be read.
        error: Why it cannot.
        ends: Whether the process takes no further document.
    """

    reading: Reading | None = None
    error: str = ""
    ends: bool = False


def frame(body: bytes) -> bytes:
    """Return a frame."""
    return len(body).to_bytes(LENGTH_BYTES) + body


def reply_to_json(reply: Reply) -> bytes:
    """Return a reply as JSON, its passages as lists without their source, which who asks knows."""
    found = reply.reading
    reading = found and {
        "text": found.text,
        "passages": [
            (each.id, each.start_byte, each.end_byte, each.text, each.heading, each.place, each.names)
            for each in found.passages
        ],
    }
    value = {"reading": reading, "error": reply.error, "ends": reply.ends}
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def reply_from_json(source: str, body: bytes | bytearray) -> Reply:
    """Return what `reply_to_json` was given; ValueError, TypeError or KeyError where the bytes are none."""
    value: dict[str, Any] = json.loads(body.decode("utf-8", "surrogatepass"))
    found = value["reading"]
    reading = found and Reading(
        found["text"], tuple(Passage(id_, source, *others) for id_, *others in found["passages"])
    )
    return Reply(reading, value["error"], value["ends"])


def main() -> None:
    """Read documents until the input ends, or one took so much that a new process is better for the next."""
    memory_bytes, cpu_seconds = map(int, sys.argv[1:])
    _limit(resource.RLIMIT_AS, memory_bytes)
    _limit(resource.RLIMIT_CORE, 0)
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no reply
    requests: SimpleQueue[tuple[dict[str, str], bytes]] = SimpleQueue()
    threading.Thread(target=_receive, args=(sys.stdin.buffer, requests.put), daemon=True).start()
    ends = False
    while not ends:
        head, content = requests.get()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, int(usage.ru_utime + usage.ru_stime) + cpu_seconds)
        body, ends = _answer(head["source"], head["media_type"], content, memory_bytes)
        replies.write(frame(body))
        replies.flush()
        del content, body  # nothing is held of a document while the next is awaited
    os._exit(0)  # a thread waits for input still


def _limit(what: int, value: int) -> None:
    """Set a limit of this process; where the system has none of the kind, there is none."""
    with suppress(ValueError, OSError):
        resource.setrlimit(what, (value, resource.getrlimit(what)[1]))


def _receive(requests: BinaryIO, put: Callable[[tuple[dict[str, str], bytes]], None]) -> None:
    """Pass requests on, and end the process when no more can come."""
    try:
        while (head := _frame_from(requests)) is not None and (content := _frame_from(requests)) is not None:
            put((json.loads(head), content))
    finally:
        os._exit(0)


def _frame_from(file: BinaryIO) -> bytes | None:
    length = file.read(LENGTH_BYTES)
    body = file.read(int.from_bytes(length))
    return body if length and len(body) == int.from_bytes(length) else None


def _answer(source: str, media_type: str, content: bytes, memory_bytes: int) -> tuple[bytes, bool]:
    """Return the reply about a document as JSON, and whether it is the last of this process."""
    from backends.documents.passages import split
    from backends.documents.reading import read_document

    try:
        document = read_document(source, media_type, content)
        reading = Reading(document.text, split(source, document))
        body = reply_to_json(Reply(reading, ends=(ends := _is_large())))
        if len(body) <= MOST_REPLY_BYTES:
            return body, ends
        told = f"its text takes more than {MOST_REPLY_BYTES:,} bytes; split it"
    except DocumentError as error:
        return reply_to_json(Reply(error=str(error), ends=(ends := _is_large()))), ends
    except MemoryError:
        told = f"reading it takes more than the {memory_bytes:,} bytes of memory allowed; split it"
    except Exception as error:  # noqa: BLE001 - one document out of many, whatever its reader stumbles over
        traceback.print_exc()
        told = f"it cannot be read ({type(error).__name__}); save it anew, or in another format"
    return reply_to_json(Reply(error=f"{source}: {told}", ends=True)), True


def _is_large() -> bool:
    """Return whether this process holds much memory; `ru_maxrss` would tell the server's, which started it."""
    with suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() > _MOST_RESIDENT_BYTES
    return False


if __name__ == "__main__":
    main()
