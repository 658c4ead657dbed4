"""What servers on one database tell each other."""

from __future__ import annotations

from queue import Queue

import pytest

from advisor.errors import Unavailable
from advisor.storage.announcing import Announcements
from advisor.storage.database import Database


def test_others_hear_what_one_tells(database: Database) -> None:
    """In order, and only on their channel; who told it does not. At the start something may have been missed."""
    heard: list[Queue[str | None]] = [Queue(), Queue(), Queue()]
    each = [
        Announcements(database, channel, queue.put)
        for channel, queue in zip(("news", "news", "other"), heard, strict=True)
    ]
    for one in each:
        one.start()
    assert [queue.get(timeout=10) for queue in heard] == [None] * 3
    each[0].tell(["a b", "c"])
    each[1].tell(["d"])
    assert [heard[1].get(timeout=10) for _ in range(2)] == ["a b", "c"]
    assert heard[0].get(timeout=10) == "d"
    each[2].tell(["e"])
    for one in each:
        one.close()
    assert all(queue.empty() for queue in heard)


def test_a_database_that_was_away_may_have_told_something(database: Database, until) -> None:
    """A new connection begins with None."""
    heard: Queue[str | None] = Queue()
    one = Announcements(database, "news", heard.put)
    one.start()
    assert heard.get(timeout=10) is None
    with database.transaction() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query = 'LISTEN news'"
        )
    assert heard.get(timeout=30) is None
    one.close()


def test_telling_needs_the_database(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever tells learns that nobody heard it."""

    def away(**_: object) -> None:
        raise Unavailable("DATABASE_UNAVAILABLE", "away", retry_s=1)

    one = Announcements(database, "news", lambda _: None)
    monkeypatch.setattr(database, "transaction", away)
    with pytest.raises(Unavailable):
        one.tell(["a"])
    one.close()
