"""What the servers on one database tell each other, by PostgreSQL's notifications."""

from __future__ import annotations

import selectors
import socket
import threading
import uuid
from collections.abc import Callable, Iterable

import psycopg
import structlog

from advisor.errors import AdvisorError
from advisor.storage.connections import RETRY_S, Connection, translated
from advisor.storage.database import Database

__all__ = ["Announcements"]

_log = structlog.get_logger(__name__)


class Announcements:
    """Tells the other servers, and hears what they tell, in a thread.

    Args:
        database: The database that they share.
        channel: What is told there.
        heard: Takes what another server told; None whenever something may have been missed: at the start, and when the
            database was away.
    """

    def __init__(self, database: Database, channel: str, heard: Callable[[str | None], None]) -> None:
        self._database = database
        self._channel = channel
        self._heard = heard
        self._own = uuid.uuid4().hex
        self._closing = threading.Event()
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="announcements", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()
        self._wake.send(b"\0")
        if self._thread.is_alive():
            self._thread.join()
        self._wake.close()
        self._woken.close()

    def tell(self, texts: Iterable[str]) -> None:
        """Tell the others.

        Raises:
            Unavailable: The database is away. The others then hear that they missed something.
        """
        with self._database.transaction() as connection:
            for text in texts:
                connection.execute("SELECT pg_notify(%s, %s)", [self._channel, f"{self._own} {text}"])

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                with translated(), self._database.connect(autocommit=True) as connection:
                    connection.execute(f"LISTEN {self._channel}")
                    self._heard(None)
                    self._listen(connection)
            except (AdvisorError, psycopg.Error) as error:
                _log.debug("not listening to other servers", channel=self._channel, exc_info=error)
                self._closing.wait(RETRY_S)

    def _listen(self, connection: Connection) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(connection.fileno(), selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._closing.is_set():
                selector.select()
                for notification in connection.notifies(timeout=0):
                    sender, _, text = notification.payload.partition(" ")
                    if sender != self._own:
                        self._heard(text)
