"""What was deleted is in no file of the database any more."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from advisor.errors import Unavailable
from advisor.storage.database import Database
from advisor.storage.embedded import open_embedded
from advisor.storage.postgres import require_vector
from backends.retrieval.index import delete_sources
from tests.backends.passages import by_words, published
from tests.doubles import WordEmbedder

MARKER = "xylophonequartz"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Yield a data folder of the test's own."""
    made = Path(tempfile.mkdtemp(prefix="advisor-tests-"))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def database(folder: Path) -> Iterator[Database]:
    """Yield the database in that folder, with a table of texts short and long, indexed in both ways."""
    with open_embedded(folder) as url:
        require_vector(url)
        with Database.open(url, connections=2) as database:
            with database.transaction() as connection:
                connection.execute(
                    "CREATE TABLE texts (id int PRIMARY KEY, name text, content text, words tsvector)"
                )
                connection.execute(
                    "ALTER TABLE texts ALTER content SET STORAGE EXTERNAL"
                )  # long, uncompressed
                connection.execute("CREATE INDEX ON texts (name)")
                connection.execute("CREATE INDEX ON texts USING gin (words)")
            yield database


def fill(database: Database, ids: range, text: str) -> None:
    with database.transaction() as connection:
        connection.cursor().executemany(
            "INSERT INTO texts VALUES (%s, %s, repeat(%s, 500), to_tsvector('simple', %s))",
            [(each, f"{text} {each}", f"{text} ", text) for each in ids],
        )


def found(folder: Path) -> list[str]:
    """Return the files below a folder that hold the marker."""
    holding = []
    for path in sorted(folder.rglob("*")):
        with suppress(FileNotFoundError):  # the server removes some meanwhile
            if path.is_file() and MARKER.encode() in path.read_bytes():
                holding.append(path.name)
    return holding


@pytest.mark.parametrize("others", [0, 300])
def test_a_deleted_text_is_in_no_file(database: Database, folder: Path, others: int) -> None:
    """Neither in the table, its long values and indexes, nor in samples, the log of changes or the log."""
    fill(database, range(others), "plain")
    fill(database, range(others, others + 100), MARKER)
    with database.connect(autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) texts")
        connection.execute("CHECKPOINT")
        assert len(found(folder)) > 4
        connection.execute("DELETE FROM texts WHERE id >= %s", [others])
    assert database.vacuum("texts", "not_there")
    assert found(folder) == []
    with database.transaction() as connection:
        assert connection.execute("SELECT count(*) FROM texts").fetchone() == (others,)


def test_a_deleted_passage_is_in_no_file(database: Database, folder: Path) -> None:
    """Its text and its words are gone; the others are found."""
    texts = {"kept.md": "A plain text.", "gone.md": f"The {MARKER} is a word."}
    with database.transaction() as connection:
        published(connection, WordEmbedder(), texts=texts)
    with database.transaction() as connection:
        delete_sources(connection, "docs", ["gone.md"])
    assert found(folder)
    assert database.vacuum("passages")
    assert found(folder) == []
    with database.transaction() as connection:
        assert len(by_words(connection, "docs", "plain", 3)) == 1


def test_what_died_in_the_making_leaves_no_file(
    database: Database, folder: Path, until: Callable[..., None]
) -> None:
    """A process killed while it copies rows leaves a file that PostgreSQL forgets, and we do not."""
    fill(database, range(100), MARKER)
    with closing(database.connect()) as copying:
        copying.execute("CREATE TABLE copy AS SELECT * FROM texts")
        number = copying.execute("SELECT pg_relation_filepath('copy')").fetchone()
        with database.connect(autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        assert number is not None
        left = folder / "postgres" / number[0]
        assert left.stat().st_size > 0
        os.kill(copying.info.backend_pid, signal.SIGKILL)
        until(lambda: not left.exists())
    until(lambda: _count(database) == 100)


def _count(database: Database) -> int | None:
    with suppress(Unavailable), database.transaction() as connection:
        row = connection.execute("SELECT count(*) FROM texts").fetchone()
        return None if row is None else int(row[0])
    return None


def test_who_reads_still_stands_in_the_way(
    database: Database, folder: Path, until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said, waits for nobody for long, and is done in the background when they have ended."""
    for name in ("READERS_S", "LOCK_S", "SETTLE_S", "RETRY_S"):
        monkeypatch.setattr(f"advisor.storage.erasure.{name}", 0.1)
    fill(database, range(100), MARKER)
    with database.connect() as reader:
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT count(*) FROM texts")
        with database.transaction() as connection:
            connection.execute("DELETE FROM texts")
        assert not database.vacuum("texts")
        database.erase_soon("texts")
        assert reader.execute("SELECT count(*) FROM texts").fetchone() == (100,)
    until(lambda: found(folder) == [])
