"""The server's side of its workers: starts them, replaces those that die, finds work left behind."""

from __future__ import annotations

import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import structlog

from advisor.errors import AdvisorError, Unavailable
from advisor.settings import Settings
from advisor.storage import leases
from advisor.storage.database import Database
from advisor.work.children import Child

__all__ = ["WorkerPool"]

COMMAND = (sys.executable, "-m", "advisor.work.worker", "--supervised")
POLL_S = 0.2
SWEEP_S = 5.0
STOP_S = 12.0
"""How long workers may take to stop: longer than the worker's own grace."""

log = structlog.get_logger(__name__)


class Place(Protocol):
    """Where one worker runs, and the next one when it has ended."""

    @property
    def pid(self) -> int | None:
        """Its process id, where it runs on this machine."""
        ...

    @property
    def runs(self) -> bool:
        """Whether one runs."""
        ...

    def start(self) -> bool:
        """Start one where none runs, and it is not too soon."""
        ...

    def ended(self) -> int | None:
        """Return the exit status of one that has ended since the last look; None where none has."""
        ...

    def ask_to_stop(self) -> None:
        """Ask it to end."""
        ...

    def end(self, deadline: float) -> None:
        """Wait for it until a moment of the monotonic clock, then kill it."""
        ...


class WorkerPool:
    """Keeps `settings.workers` worker processes alive, and sweeps for work whose worker died.

    Args:
        settings: What server and workers run with.
        url: The connection string that the server itself uses.
        database: The same database, opened.
        command: What to run as a worker.
        place: Makes the place of a worker of the command and of what it is told: on this machine, or elsewhere.
    """

    def __init__(
        self,
        settings: Settings,
        url: str,
        database: Database,
        *,
        command: Sequence[str] = COMMAND,
        place: Callable[[Sequence[str], Callable[[], Mapping[str, Any]]], Place] = Child,
    ) -> None:
        self._database = database
        self._slots = [
            _Slot(settings, url, database, partial(place, command)) for _ in range(settings.workers)
        ]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name="supervisor", daemon=True)

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of those that run on this machine."""
        return tuple(slot.pid for slot in self._slots if slot.pid is not None)

    @property
    def running(self) -> int:
        """Workers that run."""
        return sum(slot.runs for slot in self._slots)

    def start(self) -> None:
        """Start the workers, and watch them in a thread."""
        for slot in self._slots:
            slot.tend()
        self._thread.start()

    def stop(self) -> None:
        """Stop the workers; what they work on goes back to the queue. Takes up to `STOP_S`."""
        self._stopping.set()
        self._thread.join()
        for slot in self._slots:
            slot.ask_to_stop()
        deadline = time.monotonic() + STOP_S
        for slot in self._slots:
            slot.end(deadline)

    def _supervise(self) -> None:
        next_sweep = 0.0
        while not self._stopping.wait(POLL_S):
            try:
                for slot in self._slots:
                    slot.tend()
                if time.monotonic() >= next_sweep:
                    next_sweep = time.monotonic() + SWEEP_S
                    if found := leases.sweep(self._database):
                        log.warning("operations of dead workers found", count=found)
            except Unavailable as error:  # workers renew their leases first when the database is back
                next_sweep = time.monotonic() + leases.LEASE_S
                log.warning("waiting for the database", reason=error.reason)
                self._stopping.wait(error.retry_s)
            except (AdvisorError, OSError) as error:  # no process can be started
                log.warning("supervision failed", exc_info=error)


class _Slot:
    """The place of one worker."""

    def __init__(
        self,
        settings: Settings,
        url: str,
        database: Database,
        place: Callable[[Callable[[], Mapping[str, Any]]], Place],
    ) -> None:
        given = settings.model_dump(mode="json", exclude_none=True, exclude={"admin_token"})
        self._settings = {**given, "database_url": url}
        self._database = database
        self._child = place(self._introduction)
        self._worker = ""

    @property
    def pid(self) -> int | None:
        return self._child.pid

    @property
    def runs(self) -> bool:
        return self._child.runs

    def tend(self) -> None:
        """Start a worker where none runs."""
        if (code := self._child.ended()) is not None:
            log.warning("worker ended", worker=self._worker, code=code)
            leases.release_worker(self._database, self._worker)
        self._child.start()

    def ask_to_stop(self) -> None:
        self._child.ask_to_stop()

    def end(self, deadline: float) -> None:
        if not self._child.runs:
            return
        self._child.end(deadline)
        try:
            leases.release_worker(self._database, self._worker)
        except AdvisorError as error:  # the next server's sweep finds it
            log.warning("operations not given back", worker=self._worker, exc_info=error)

    def _introduction(self) -> Mapping[str, Any]:
        """Give a new worker a name of its own."""
        self._worker = str(uuid.uuid4())
        return {"worker": self._worker, "settings": self._settings}
