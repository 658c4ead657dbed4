"""A child process that is kept alive: told on standard input who it is, and to end by the end of that."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any

__all__ = ["Child", "Parent"]

LONG_LIFE_S = 60.0
"""A child that lived this long did not die of its start."""
LONGEST_PAUSE_S = 30.0


class Child:
    """The place of one child: at most one process at a time.

    Args:
        command: What to run. It reads the introduction from the first line of standard input, and ends when that
            closes, which it does when this process dies.
        introduction: Returns what the next process is told.
        speaks: Whether its standard output is read.
    """

    def __init__(
        self, command: Sequence[str], introduction: Callable[[], Mapping[str, Any]], *, speaks: bool = False
    ) -> None:
        self._command = command
        self._introduction = introduction
        self._speaks = speaks
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._next_start = 0.0
        self._early_deaths = 0

    @property
    def runs(self) -> bool:
        """Whether one runs."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """Its process id; None where none runs."""
        return None if self._process is None else self._process.pid

    @property
    def output(self) -> IO[bytes] | None:
        """What it says, where that is read."""
        return None if self._process is None else self._process.stdout

    def ended(self) -> int | None:
        """Return the exit status of a process that has ended since the last look; None where none has."""
        if self._process is None or (code := self._process.poll()) is None:
            return None
        self.ask_to_stop()
        self._process = None
        early = time.monotonic() - self._started < LONG_LIFE_S
        self._early_deaths = self._early_deaths + 1 if early else 0
        pause = 0.0 if self._early_deaths <= 1 else min(LONGEST_PAUSE_S, 2.0 ** (self._early_deaths - 2))
        self._next_start = time.monotonic() + pause
        return code

    def start(self) -> bool:
        """Start one where none runs; after early deaths, not at once. Return whether one was started."""
        if self._process is not None or time.monotonic() < self._next_start:
            return False
        self._started = time.monotonic()
        output = subprocess.PIPE if self._speaks else subprocess.DEVNULL
        # A session of its own: Ctrl-C in the terminal reaches the parent, which then stops the child.
        self._process = subprocess.Popen(
            self._command, bufsize=0, stdin=subprocess.PIPE, stdout=output, start_new_session=True
        )
        with suppress(BrokenPipeError):  # died already, as the next look will find
            if self._process.stdin is not None:
                self._process.stdin.write(json.dumps(self._introduction()).encode() + b"\n")
        return True

    def signal(self, number: int) -> None:
        """Send it a signal, where one runs."""
        if self._process is not None:
            self._process.send_signal(number)

    def ask_to_stop(self) -> None:
        """Close its standard input."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def end(self, deadline: float) -> None:
        """Wait for it until a moment of the monotonic clock, then kill it."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


class Parent:
    """The parent as its child sees it.

    Standard input is read without Python's buffer: a thread that waits in the buffer holds its lock, which Python
    wants when it ends, and the process would die of a fatal error whenever it ends before its parent.
    """

    def __init__(self) -> None:
        self._said = open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)  # noqa: SIM115 - it is not closed

    def introduction(self) -> dict[str, Any]:
        """Return what it says first."""
        said: dict[str, Any] = json.loads(self._said.readline())
        return said

    def when_gone(self, act: Callable[[], None]) -> None:
        """Do something, in a thread, when it wants this process to stop, or has died."""

        def watch() -> None:
            self._said.read()  # returns when the other end closes
            act()

        threading.Thread(target=watch, name="parent", daemon=True).start()
