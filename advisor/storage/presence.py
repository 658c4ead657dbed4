"""Whether a database is there: one connection is held to it, and its end is noticed at once."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable
from typing import Any

import psycopg
import structlog

from advisor.errors import AdvisorError

__all__ = ["Presence"]

PING_S = 5.0
"""How often the database is asked, should its end have been silent."""
RETRY_S = 0.25

log = structlog.get_logger(__name__)

Listener = Callable[[bool], None]


class Presence:
    """Watches a database in a thread until closed.

    Args:
        connect: Opens a connection with autocommit, anew each time; raises while the database is away.
        what: What is watched, for the log.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]], what: str) -> None:
        self._connect = connect
        self._what = what
        self._connection: psycopg.Connection[Any] | None = connect()
        self._listeners: list[Listener] = []
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._waker, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._watch, name="presence", daemon=True)
        self._thread.start()

    @property
    def here(self) -> bool:
        """Whether the database is there, as far as is known."""
        return self._connection is not None

    def tell(self, listener: Listener) -> Callable[[], None]:
        """Call a function with whether the database is there: now, and at every change; return what ends it."""
        with self._lock:
            self._listeners.append(listener)
            listener(self._connection is not None)

        def forget() -> None:
            with self._lock:
                self._listeners.remove(listener)

        return forget

    def close(self) -> None:
        """Stop watching."""
        self._closing.set()
        self._waker.send(b"x")
        self._thread.join()
        self._waker.close()
        self._woken.close()
        if self._connection is not None:
            self._connection.close()

    def _watch(self) -> None:
        while not self._closing.is_set():
            if self._connection is None:
                self._look()
            elif not self._lives(self._connection):
                self._connection.close()
                log.warning("database gone", database=self._what)
                self._change(None)

    def _look(self) -> None:
        try:
            found = self._connect()
        except (psycopg.Error, AdvisorError, OSError) as error:
            log.debug("database still away", database=self._what, error=str(error))
            self._closing.wait(RETRY_S)
        else:
            log.info("database back", database=self._what)
            self._change(found)

    def _lives(self, connection: psycopg.Connection[Any]) -> bool:
        """Wait until something happens to the connection, and return whether it can be used still."""
        try:
            events = select.poll()
            events.register(connection.fileno(), select.POLLIN)
            events.register(self._woken, select.POLLIN)
            events.poll(PING_S * 1000)
            if not self._closing.is_set():
                connection.execute("SELECT 1")
        except (psycopg.Error, OSError):
            return False
        return True

    def _change(self, connection: psycopg.Connection[Any] | None) -> None:
        with self._lock:
            self._connection = connection
            for listener in tuple(self._listeners):
                listener(connection is not None)
