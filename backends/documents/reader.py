"""Documents read and cut in processes apart, so that none takes the server's memory, time, or life.

Parsers meet what strangers wrote, and some are written in C. A process reads
one document at a time and is kept for the next; it is ended where a document
takes too long, and replaced where it ended by itself. Nothing of the server's
environment is in it but what finds its modules.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, LifoQueue
from typing import Self

from backends.base import Cancelled, DocumentError
from backends.documents.worker import LENGTH_BYTES, MOST_REPLY_BYTES, Reading, Reply, frame, reply_from_json

__all__ = ["DocumentReader", "ReaderLimits"]

_COMMAND = (sys.executable, "-m", "backends.documents.worker")
_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL")
_POLL_S = 0.1
"""How long it takes at most to see that a reading is to stop."""
_DYING_S = 2.0
"""How long a process may take to end after it closed its output."""
_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """What reading one document may take.

    Attributes:
        memory_bytes: Most memory of the process that reads it, its libraries included.
        cpu_seconds: Most time of the processor.
        seconds: Longest time until it is read; longer, since others want the processor too.
    """

    memory_bytes: int = 1024**3
    cpu_seconds: int = 120
    seconds: int = 600


class DocumentReader:
    """Reads documents in processes of its own, which start when they are needed.

    Safe to call from several threads: each waits for a process that is free.

    Args:
        processes: Most processes.
        limits: What reading one document may take.
    """

    def __init__(self, processes: int = 2, limits: ReaderLimits = ReaderLimits()) -> None:
        self._workers = [_Worker(limits) for _ in range(processes)]
        self._free: LifoQueue[_Worker] = LifoQueue()  # the last one used is the next
        for worker in self._workers:
            self._free.put(worker)
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pids(self) -> tuple[int, ...]:
        """Ids of the processes that run."""
        return tuple(pid for worker in self._workers if (pid := worker.pid) is not None)

    def read(
        self,
        source: str,
        media_type: str,
        content: bytes,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Reading:
        """Return the text of a document, as `reading.read_document` reads it, and its passages.

        Args:
            source: Where it comes from.
            media_type: What it is.
            content: Its bytes.
            cancelled: Asked often; True ends the reading.

        Raises:
            Cancelled: `cancelled` said so, or the reader is closed.
            DocumentError: The document cannot be read, or takes more than the limits allow.
        """
        head = json.dumps({"source": source, "media_type": media_type}).encode()
        request = (frame(head), len(content).to_bytes(LENGTH_BYTES), content)
        with self._taken(cancelled) as worker:
            try:
                reply = worker.reply_to(source, request, cancelled)
            except _Failed as error:
                raise DocumentError(f"{source}: {error}") from None
        if reply.reading is None:
            raise DocumentError(reply.error)
        return reply.reading

    def close(self) -> None:
        """End the processes, after what they read."""
        self._closed = True
        for _ in self._workers:
            self._free.get().end()

    @contextmanager
    def _taken(self, cancelled: Callable[[], bool]) -> Iterator[_Worker]:
        while True:
            if self._closed or cancelled():
                raise Cancelled("reading was stopped")
            with suppress(Empty):
                worker = self._free.get(timeout=_POLL_S)
                break
        try:
            yield worker
        finally:
            self._free.put(worker)


class _Failed(Exception):
    """A document took more than the limits allow, or the process; what, is said with the next step."""


class _Ended(Exception):
    """The process ended before it replied."""


class _Worker:
    """A process that reads one document at a time; there is none before the first, nor after a failure."""

    def __init__(self, limits: ReaderLimits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        process = self._process
        return None if process is None else process.pid

    def reply_to(self, source: str, request: Sequence[bytes], cancelled: Callable[[], bool]) -> Reply:
        """Return the reply to a request; _Failed where none comes within the limits."""
        if self._process is not None:  # what ends it may be of documents before: then a new one tells
            with suppress(_Ended):
                return self._exchange(self._process, source, request, cancelled)
        try:
            return self._exchange(self._start(), source, request, cancelled)
        except _Ended as error:
            raise _Failed(
                f"reading it crashed ({error}), or took more than the {self._limits.memory_bytes:,} bytes of memory "
                "allowed; repair or split it"
            ) from None

    def end(self) -> None:
        """End the process, however busy it is."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for file in (process.stdin, process.stdout):
                if file is not None:
                    file.close()

    def _start(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            [*_COMMAND, str(self._limits.memory_bytes), str(self._limits.cpu_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            start_new_session=True,  # Ctrl-C in the terminal reaches the server, which then ends it
        )
        return self._process

    def _exchange(
        self,
        process: subprocess.Popen[bytes],
        source: str,
        request: Sequence[bytes],
        cancelled: Callable[[], bool],
    ) -> Reply:
        """Send a request and return its reply; the process is gone after anything else."""
        pipes = _Pipes(process, self._limits.seconds, cancelled)
        try:
            for part in request:
                pipes.write(part)
            reply = reply_from_json(source, pipes.read(int.from_bytes(pipes.read(LENGTH_BYTES))))
        except (OSError, EOFError):
            ending = _ending(process)
            self.end()
            if ending == signal.SIGXCPU.name:
                raise _Failed(_too_long(self._limits.cpu_seconds, " of the processor")) from None
            raise _Ended(ending) from None
        except (ValueError, TypeError, KeyError):
            self.end()
            raise _Ended("no reply that can be read") from None
        except BaseException:
            self.end()
            raise
        if reply.ends:
            self.end()
        return reply


class _Pipes:
    """The pipes of a process for one document: they wait until it takes too long, or is to stop."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: int, cancelled: Callable[[], bool]) -> None:
        self._input, self._output = (pipe.fileno() for pipe in (process.stdin, process.stdout) if pipe)
        os.set_blocking(self._input, False)
        self._seconds = seconds
        self._latest = time.monotonic() + seconds
        self._cancelled = cancelled

    def write(self, content: bytes) -> None:
        left = memoryview(content)
        while left:
            self._wait(self._input, select.POLLOUT)
            left = left[os.write(self._input, left[:_PIECE_BYTES]) :]

    def read(self, size: int) -> bytearray:
        """Return as many bytes; EOFError where there are fewer, ValueError where they are too many to hold."""
        if size > MOST_REPLY_BYTES:
            raise ValueError(size)
        content = bytearray()
        while len(content) < size:
            self._wait(self._output, select.POLLIN)
            piece = os.read(self._output, min(size - len(content), _PIECE_BYTES))
            if not piece:
                raise EOFError
            content += piece
        return content

    def _wait(self, file: int, event: int) -> None:
        ready = select.poll()
        ready.register(file, event)
        while True:
            if self._cancelled():
                raise Cancelled("reading was stopped")
            if time.monotonic() > self._latest:
                raise _Failed(_too_long(self._seconds))
            if ready.poll(_POLL_S * 1000):
                return


def _too_long(seconds: int, of: str = "") -> str:
    return f"reading it takes more than {seconds} seconds{of}; split it"


def _ending(process: subprocess.Popen[bytes]) -> str:
    """Return how a process ended, in words."""
    try:
        code = process.wait(_DYING_S)
    except subprocess.TimeoutExpired:
        return "it closed its output"
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
