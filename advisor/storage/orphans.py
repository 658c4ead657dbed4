"""Files of tables that never came to be: left where PostgreSQL dies while it makes or rewrites one.

PostgreSQL knows nothing of them after its restart and keeps them for ever, with
copies of rows that may be deleted later.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import psycopg
import structlog

__all__ = ["remove_orphans"]

TRIES = 20
PAUSE_S = 0.05

_LIST = "SELECT name FROM pg_ls_dir('base/' || %s) AS files (name)"
_OTHERS = """
SELECT count(*) FROM pg_stat_activity WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid()
"""
_UNKNOWN = "SELECT number FROM unnest(%s::oid[]) AS number WHERE pg_filenode_relation(0, number) IS NULL"
_NAME = re.compile(r"([0-9]+)(?:_(?:fsm|vm|init))?(?:\.[0-9]+)?")

log = structlog.get_logger(__name__)


def remove_orphans(connection: psycopg.Connection[Any], folder: Path) -> None:
    """Remove files of the connection's database that no table has; nothing while others work there for long.

    Args:
        connection: With autocommit, of a superuser.
        folder: The server's folder.
    """
    for _ in range(TRIES):
        found = _find(connection)
        if found is not None:
            break
        time.sleep(PAUSE_S)
    else:
        return
    database, names = found
    for name in names:
        (folder / "base" / str(database) / name).unlink(missing_ok=True)
    if names:
        log.info("files without a table removed", folder=str(folder), files=len(names))


def _find(connection: psycopg.Connection[Any]) -> tuple[int, list[str]] | None:
    """Return the database's number and the orphans' names; None where a transaction may be making files."""
    row = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
    database = row[0] if row else 0
    names = [str(name) for (name,) in connection.execute(_LIST, [database])]
    # In this order, each with a snapshot of its own: who made a file that was listed has ended by now, so
    # its table is seen, or never will be. No clock is trusted.
    if connection.execute(_OTHERS).fetchone() != (0,):
        return None
    numbers = sorted({int(name) for name in names if name.isdecimal()})
    unknown = {number for (number,) in connection.execute(_UNKNOWN, [numbers])}
    matches = ((name, _NAME.fullmatch(name)) for name in names)
    return database, [name for name, match in matches if match and int(match[1]) in unknown]
