"""What was deleted, removed from the files of the database too; docs/erasure.md says what is left where.

A deleted row stays in its page after VACUUM as well, until another row happens
to be written over it; so tables are rewritten by VACUUM FULL. That locks a
table while it runs: 2 s for 170 MB of documents. Passages, whose index by
meaning takes a second for each thousand to build, are copied beside their
searches instead: among 12,000 the slowest search took 0.06 s meanwhile, and
12 s with VACUUM FULL. VACUUM alone took 85 s for 8,000, as it mends that index
point by point.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import psycopg
import structlog
from psycopg import sql

from advisor.errors import Unavailable
from advisor.storage.connections import Connection, translated
from backends.retrieval.rewriting import copy_passages, replace_passages

__all__ = ["Eraser", "keep_off", "vacuum"]

PASSAGES = "passages"
REWRITTEN_BYTES = 512 * 1024 * 1024
"""Largest table, indexes included, that is rewritten: about a minute for passages."""
INDEX_MEMORY = "512MB"
"""Memory for building indexes: without enough, that of the passages takes many times as long."""
_ERASING = "hashtext('advisor.erasing')"
"""The advisory lock that whoever erases shares, and a backup has alone, in SQL."""
LOCK_S = 2.0
"""Longest wait for a table that others use; who asks for it meanwhile waits as long."""
READERS_S = 5.0
"""Longest wait for transactions that may see what was deleted still."""
SETTLE_S = 1.0
RETRY_S = 30.0

log = structlog.get_logger(__name__)


def vacuum(connection: Connection, tables: Sequence[str]) -> bool:
    """Rewrite tables without what was deleted from them, and drop the log of how it came there.

    Args:
        connection: With autocommit.
        tables: Names; those that do not exist are passed over.

    Returns:
        Whether nothing deleted is left; otherwise the log says what stood in the way, and it can be tried again.
    """
    if not _may_begin(connection):
        log.warning("a backup is being written; deleted rows are erased when it has ended")
        return False
    connection.execute("SELECT set_config('lock_timeout', %s, false)", [f"{LOCK_S}s"])
    connection.execute("SELECT set_config('maintenance_work_mem', %s, false)", [INDEX_MEMORY])
    unseen = _await_readers(connection)
    found = [name for name in tables if _exists(connection, name)]
    whole = [_rewrite(connection, name) for name in found]
    _rewrite_statistics(connection)
    _drop_log(connection)
    return unseen and all(whole)


class Eraser:
    """Does `vacuum` in a thread, soon after it was asked for, until it succeeds.

    Args:
        connect: Opens a connection with autocommit; Unavailable while the database is away.
    """

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._changed = threading.Condition()
        self._asked: set[str] = set()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="eraser", daemon=True)
        self._thread.start()

    def soon(self, *tables: str) -> None:
        """Ask for tables to be rewritten; what is asked for within a second is done together."""
        with self._changed:
            self._asked.update(tables)
            self._changed.notify()

    def close(self) -> None:
        """Do what was asked for at once, and end."""
        self._closing.set()
        with self._changed:
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        ending = False
        while not ending:
            with self._changed:
                self._changed.wait_for(lambda: self._asked or self._closing.is_set())
            self._closing.wait(SETTLE_S)
            with self._changed:
                ending = self._closing.is_set()
                asked, self._asked = self._asked, set()
            if asked and not self._erase(sorted(asked)):
                self._closing.wait(RETRY_S)
                with self._changed:
                    self._asked |= asked

    def _erase(self, tables: Sequence[str]) -> bool:
        try:
            with translated(), self._connect() as connection:
                return vacuum(connection, tables)
        except (Unavailable, psycopg.Error) as error:
            log.warning("deleted rows not erased yet", tables=tables, error=type(error).__name__)
            return False


def keep_off(connection: Connection) -> None:
    """Wait until nothing is erased, and let nothing be until the connection's transaction ends."""
    connection.execute(f"SELECT pg_advisory_xact_lock({_ERASING})")


def _may_begin(connection: Connection) -> bool:
    """Return whether nobody keeps erasures off; then nobody can before the connection closes."""
    row = connection.execute(f"SELECT pg_try_advisory_lock_shared({_ERASING})").fetchone()
    return row is not None and bool(row[0])


def _exists(connection: Connection, table: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s)", [table]).fetchone()
    return row is not None and row[0] is not None


def _await_readers(connection: Connection) -> bool:
    """Wait until no transaction is left that began before now: rows that it may see stay."""
    deadline = time.monotonic() + READERS_S
    began = connection.execute("SELECT clock_timestamp()").fetchone()
    while True:
        older = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND coalesce(backend_xmin, backend_xid) IS NOT NULL"
            " AND xact_start < %s",
            began,
        ).fetchone()
        if older is None or older[0] == 0:
            return True
        if time.monotonic() > deadline:
            log.warning("deleted rows may be seen still by other transactions", transactions=older[0])
            return False
        time.sleep(0.05)


def _rewrite(connection: Connection, table: str) -> bool:
    """Rewrite a table where it is small enough, else clear it as far as can be done beside its use."""
    row = connection.execute("SELECT pg_total_relation_size(%s::regclass)", [table]).fetchone()
    fits = row is not None and row[0] <= REWRITTEN_BYTES
    if not fits:
        log.warning("table too large to be rewritten; run VACUUM FULL when it may be locked", table=table)
    try:
        # Samples of what columns hold: ANALYZE leaves those of a table that is empty by now.
        with suppress(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM pg_statistic WHERE starelid = %s::regclass", [table])
        if not fits:
            connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(table)))
        elif table == PASSAGES:
            _rewrite_passages(connection)
        else:
            connection.execute(sql.SQL("VACUUM (FULL, ANALYZE) {}").format(sql.Identifier(table)))
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        log.warning("table in use; not rewritten yet", table=table)
        return False
    return fits


def _rewrite_passages(connection: Connection) -> None:
    with connection.transaction():  # of a table made in it, little is written to the log of changes
        copy_passages(connection)
        replace_passages(connection)
    connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(PASSAGES)))


def _rewrite_statistics(connection: Connection) -> None:
    with suppress(psycopg.errors.InsufficientPrivilege, psycopg.errors.LockNotAvailable):
        connection.execute("VACUUM (FULL) pg_statistic")


def _drop_log(connection: Connection) -> None:
    """Begin a new file of the log of changes, and let go of those before."""
    with suppress(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT pg_switch_wal()")
    with suppress(psycopg.errors.InsufficientPrivilege):
        connection.execute("CHECKPOINT")
