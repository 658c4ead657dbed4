"""The embedded PostgreSQL, and what is said of one that will not do."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from advisor.errors import ConfigurationError
from advisor.settings import Settings, read_settings
from advisor.storage.postgres import open_postgres

OPEN = """
import sys
from advisor.storage.postgres import open_postgres
from advisor.settings import read_settings
with open_postgres(read_settings(data_dir=sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def settings() -> Iterator[Settings]:
    """Return settings with a data folder that PostgreSQL can reach where we are root."""
    folder = Path(tempfile.mkdtemp(prefix="advisor-tests-"))
    yield read_settings(data_dir=folder)
    shutil.rmtree(folder)


def answers(url: str) -> bool:
    """Return whether a PostgreSQL with pgvector answers there."""
    try:
        with psycopg.connect(url) as connection:
            return connection.execute("SELECT '[1,2]'::vector <-> '[1,2]'").fetchone() == (0.0,)
    except psycopg.OperationalError:
        return False


def test_the_embedded_database_outlives_a_kill_and_ends_with_the_last_user(settings: Settings) -> None:
    """Killing who started it harms nothing; two processes share it; the last one to leave stops it."""
    arguments = [sys.executable, "-c", OPEN, str(settings.data_dir)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        url = other.stdout.readline().strip()
        assert answers(url)
        other.kill()
    assert answers(url)
    with open_postgres(settings) as same, psycopg.connect(same):
        assert same == url
        with open_postgres(settings):
            pass
        assert answers(url)
    with open_postgres(settings) as same:
        assert answers(same)
    assert not answers(url)


def test_a_folder_that_is_no_folder_is_named(tmp_path: Path) -> None:
    """The message says where, why and what to do."""
    (tmp_path / "data").write_text("a file")
    opening = open_postgres(read_settings(data_dir=tmp_path / "data"))
    with pytest.raises(ConfigurationError, match=r"data/postgres .*set ADVISOR_DATABASE_URL"), opening:
        pass


def test_a_database_out_of_reach_is_named_without_its_address(tmp_path: Path) -> None:
    """The message names the setting and hides the password."""
    settings = read_settings(database_url=f"postgresql://me:hunter2@/none?host={tmp_path}")
    with (
        pytest.raises(ConfigurationError, match="check ADVISOR_DATABASE_URL") as caught,
        open_postgres(settings),
    ):
        pass
    assert "hunter2" not in str(caught.value)


def test_a_given_database_is_left_running(database_url: str) -> None:
    """What we did not start we do not stop."""
    with open_postgres(read_settings(database_url=database_url)) as url:
        assert url == database_url
    assert answers(database_url)
