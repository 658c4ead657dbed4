"""What a server keeps, taken elsewhere while it runs, and brought back whole or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from advisor.client import Client
from advisor.errors import ConfigurationError
from advisor.settings import Settings
from advisor.storage import adapters, records
from advisor.storage.backup import Backup, back_up, restore
from advisor.storage.database import Database
from advisor.storage.erasure import vacuum
from advisor.storage.postgres import open_postgres
from advisor.storage.programs import Programs
from advisor.v1 import use_case_pb2
from backends.retrieval.index import hold
from backends.training.stores import AdapterFiles
from tests.doubles import saved_adapter
from tests.servers import Running

ROWS = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
WEIGHTS = "adapters/faq/a/adapter_model.safetensors"


@pytest.fixture
def settings(server: Running, database_url: str) -> Settings:
    """Return the settings of the server that runs, with a use case that has all that there can be."""
    settings = server.settings.model_copy(update={"database_url": SecretStr(database_url)})
    with Client(server.address) as client:
        client.create_use_case("faq", description="Leave.")
        client.import_documents(
            "faq", [use_case_pb2.Document(source="a.md", content=b"# Leave\n\nTwenty days.")]
        )
        client.import_examples("faq", [{"question": "How long?", "answer": "Twenty days."}])
    weights = settings.data_dir / WEIGHTS
    weights.parent.mkdir(parents=True, exist_ok=True)
    weights.write_bytes(b"weights")
    adapter = records.Adapter(
        use_case_id="faq",
        id="a",
        approach="FINE_TUNING",
        base_model="echo",
        data_sha256="0" * 64,
        settings={},
        metrics={},
        folder="adapters/faq/a",
        create_time=datetime.now(UTC),
    )
    with server.database.transaction() as connection:
        adapters.insert(connection, adapter)
    return settings


@pytest.fixture
def backup(settings: Settings, tmp_path: Path) -> Path:
    """Return the folder of a backup."""
    assert back_up(settings, tmp_path / "backup").adapters == 1
    return tmp_path / "backup"


@pytest.fixture
def elsewhere(settings: Settings, empty_database_url: str, tmp_path: Path) -> Settings:
    """Return the settings of a server that has nothing yet."""
    return settings.model_copy(
        update={"database_url": SecretStr(empty_database_url), "data_dir": tmp_path / "elsewhere"}
    )


def contents(url: str) -> dict[str, object]:
    """Return all rows of all tables, and what is indexed how."""
    with psycopg.connect(url) as connection:
        tables = [name for (name,) in connection.execute(ROWS).fetchall()]
        found: dict[str, object] = {
            name: sorted(map(str, connection.execute(f'SELECT t::text FROM "{name}" AS t').fetchall()))  # noqa: S608
            for name in tables
        }
        found["indexes"] = sorted(connection.execute(INDEXES).fetchall())
    return found


def test_everything_comes_back(
    settings: Settings, backup: Path, elsewhere: Settings, database_url: str
) -> None:
    """Rows, indexes and weights, in another database; a backup is for its owner alone."""
    before = contents(database_url)
    assert {"use_cases", "passages", "adapters", "tokens"} <= before.keys()
    told = restore(elsewhere, backup)
    assert elsewhere.database_url is not None
    assert contents(elsewhere.database_url.get_secret_value()) == before
    assert (elsewhere.data_dir / WEIGHTS).read_bytes() == b"weights"
    assert (told.use_cases, told.adapters) == (1, 1)
    assert backup.stat().st_mode & 0o777 == 0o700


def test_adapters_come_back_into_a_store(settings: Settings, elsewhere: Settings, tmp_path: Path) -> None:
    """Where servers share no folder; and from there into another backup. A store that is away leaves nothing."""
    shutil.rmtree(settings.data_dir / "adapters/faq/a")
    saved_adapter(settings.data_dir / "adapters/faq/a")
    back_up(settings, tmp_path / "backup")
    (tmp_path / "file").write_text("no folder")
    away = elsewhere.model_copy(update={"adapter_store": f"file://{tmp_path / 'file'}"})
    with pytest.raises(ConfigurationError, match="cannot be written"):
        restore(away, tmp_path / "backup")
    shared = elsewhere.model_copy(update={"adapter_store": f"file://{tmp_path / 'store'}"})
    restore(shared, tmp_path / "backup")
    assert not list((shared.data_dir / "adapters").rglob("manifest.json"))
    assert back_up(shared, tmp_path / "again").adapters == 1
    assert (tmp_path / "again" / WEIGHTS).read_bytes() == b"weights"


def test_it_comes_back_into_the_embedded_database(
    backup: Path, elsewhere: Settings, reachable_folder: Callable[[], Path], tmp_path: Path
) -> None:
    """And from there into another backup."""
    embedded = elsewhere.model_copy(update={"database_url": None, "data_dir": reachable_folder() / "data"})
    restore(embedded, backup)
    again = back_up(embedded, tmp_path / "again")
    assert (again.use_cases, again.adapters) == (1, 1)
    with open_postgres(embedded) as url, Database.open(url) as database:
        assert adapters.get(database, "faq", "a").folder == "adapters/faq/a"


def test_nothing_is_overwritten(settings: Settings, backup: Path, elsewhere: Settings) -> None:
    """Neither a backup, nor a database in use, nor adapters; the next step is told."""
    with pytest.raises(ConfigurationError, match="exists already; name a folder that does not"):
        back_up(settings, backup)
    with pytest.raises(ConfigurationError, match="the database is in use already"):
        restore(settings, backup)
    (elsewhere.data_dir / "adapters" / "other").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="holds adapters already"):
        restore(elsewhere, backup)


def _edit(**changed: object) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / "manifest.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))

    return edit


def _link(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / WEIGHTS).symlink_to("/etc/passwd")


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "is no backup"),
        (lambda folder: (folder / "manifest.json").write_text("[]"), "is no backup"),
        (lambda folder: (folder / WEIGHTS).write_bytes(b"other"), "is not as it was written"),
        (lambda folder: (folder / WEIGHTS).unlink(), "is missing"),
        (_link, "is missing, or no file of a backup"),
        (_edit(files={}), "has no database.dump"),
        (_edit(files={"../x": {}}), "no file of a backup"),
        (_edit(files={"/etc/passwd": {}}), "no file of a backup"),
        (_edit(schema="9999"), "newer version"),
        (_edit(format=2), "newer version"),
    ],
)
def test_a_damaged_backup_is_refused(backup: Path, elsewhere: Settings, harm, told: str) -> None:
    """Before anything is brought back."""
    harm(backup)
    with pytest.raises(ConfigurationError, match=told):
        restore(elsewhere, backup)
    assert not (elsewhere.data_dir / "adapters").exists()


def test_what_fails_half_way_leaves_nothing(backup: Path, elsewhere: Settings, monkeypatch) -> None:
    """Neither files nor rows: then it can be tried again."""

    def fail(*_: object, **__: object) -> None:
        raise ConfigurationError("pg_restore failed")

    with monkeypatch.context() as broken:
        broken.setattr("advisor.storage.programs.Programs.restore", fail)
        with pytest.raises(ConfigurationError):
            restore(elsewhere, backup)
    assert not (elsewhere.data_dir / "adapters").exists()
    assert restore(elsewhere, backup).adapters == 1


def test_a_backup_that_fails_leaves_nothing(settings: Settings, tmp_path: Path, monkeypatch) -> None:
    """A folder that is there is whole."""

    def fail(*_: object, **__: object) -> Backup:
        raise ConfigurationError("pg_dump failed")

    monkeypatch.setattr("advisor.storage.programs.Programs.dump", fail)
    with pytest.raises(ConfigurationError):
        back_up(settings, tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []


def test_an_adapter_that_is_not_where_it_should_be_is_told(settings: Settings, tmp_path: Path) -> None:
    """A backup that lacks it would be noticed when the original is gone."""
    wrong = settings.model_copy(update={"data_dir": tmp_path / "other"})
    with pytest.raises(
        ConfigurationError, match="holds no adapter, and the database names one; set ADVISOR_DATA_DIR"
    ):
        back_up(wrong, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_nothing_is_erased_or_replaced_meanwhile(
    settings: Settings, server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that took the place of another would be empty to a snapshot from before."""
    dump = Programs.dump
    seen = []

    def look_first(self: Programs, file: Path, snapshot: str) -> None:
        with psycopg.connect(settings.database_url.get_secret_value(), autocommit=True) as other:
            seen.append(vacuum(other, ["passages"]))
        with server.database.transaction() as connection:
            connection.execute("SET LOCAL lock_timeout = 100")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                hold(connection, alone=True)
            connection.rollback()
        dump(self, file, snapshot)

    monkeypatch.setattr(Programs, "dump", look_first)
    back_up(settings, tmp_path / "backup")
    assert seen == [False]
    with psycopg.connect(settings.database_url.get_secret_value(), autocommit=True) as other:
        assert vacuum(other, ["passages"])


def test_the_model_that_was_learned_comes_back(
    settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    """To where it is read from; one that is there is not written over."""
    here = settings.model_copy(update={"gains": tmp_path / "mine.json"})
    (tmp_path / "mine.json").write_text("{}")
    back_up(here, tmp_path / "backup")
    there = elsewhere.model_copy(update={"gains": tmp_path / "theirs.json"})
    (tmp_path / "theirs.json").write_text("own")
    with pytest.raises(ConfigurationError, match=r"theirs.json is there already"):
        restore(there, tmp_path / "backup")
    (tmp_path / "theirs.json").unlink()
    restore(there, tmp_path / "backup")
    assert (tmp_path / "theirs.json").read_text() == "{}"


def test_an_adapter_that_is_deleted_meanwhile_waits(
    settings: Settings, server: Running, tmp_path: Path, monkeypatch
) -> None:
    """The weights that the dump's rows name are there, whatever happens while it is written."""
    from advisor.storage import backup as module

    copy = module._copy
    tried = []

    def delete_first(source: Path, target: Path) -> None:
        if source.name == Path(WEIGHTS).name:
            with psycopg.connect(settings.database_url.get_secret_value()) as other:
                other.execute("SET lock_timeout = 100")
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    other.execute("DELETE FROM adapters")
                tried.append(source)
        copy(source, target)

    monkeypatch.setattr(module, "_copy", delete_first)
    back_up(settings, tmp_path / "backup")
    assert len(tried) == 1
    adapters.delete(server.database, "faq", "a", AdapterFiles(settings.data_dir))
