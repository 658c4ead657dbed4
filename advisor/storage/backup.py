"""Backups: a folder with the database and the files that belong to it, as of one moment.

    backup/
      manifest.json    what the others are, with their SHA-256; written last
      database.dump    the database, as pg_dump writes it
      adapters/...     the weights that its rows name
      gains.json       the model of gains that was learned here, where there is one

The dump and the list of adapters see the same snapshot, so neither has what the
other lacks. A folder that is being written has another name: what is there is
whole. Checkpoints are left out; a training run that had not ended begins anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

import psycopg

from advisor.errors import ConfigurationError
from advisor.settings import Settings
from advisor.storage.adapters import folders
from advisor.storage.database import HEAD, VERSION_TABLE, migrate
from advisor.storage.erasure import keep_off
from advisor.storage.postgres import open_postgres
from advisor.storage.programs import programs_for
from backends.base import ModelError, TuningError
from backends.retrieval.index import hold
from backends.training.stores import ADAPTERS, AdapterFiles

__all__ = ["Backup", "back_up", "restore"]

FORMAT = 1
MANIFEST, DUMP, GAINS = "manifest.json", "database.dump", "gains.json"
CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds.

    Attributes:
        schema: Version of the schema.
        create_time: When it was made.
        use_cases: Use cases in it.
        adapters: Adapters in it.
        size_bytes: Bytes of all its files.
    """

    schema: str
    create_time: datetime
    use_cases: int
    adapters: int
    size_bytes: int


def back_up(settings: Settings, folder: Path) -> Backup:
    """Write a backup; servers and workers go on meanwhile, and only deleting adapters and passages made anew wait.

    Args:
        settings: Of the server.
        folder: Where to; it must not exist.

    Raises:
        ConfigurationError: The folder exists or cannot be written, or the database cannot be read.
    """
    folder = folder.absolute()
    if folder.exists():
        raise ConfigurationError(f"{folder} exists already; name a folder that does not")
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with _writing(folder):
        partial.mkdir(mode=0o700, parents=True)
    try:
        with open_postgres(settings) as url, _writing(folder):
            migrate(url)
            backup = _write(settings, url, partial)
            partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return backup


def restore(settings: Settings, folder: Path) -> Backup:
    """Bring back what a backup holds, into an empty database and a data folder without adapters; all, or nothing.

    The dump is carried out by PostgreSQL, and could do anything there: restore what you have made yourself.

    Raises:
        ConfigurationError: The backup is damaged, not whole or of a newer version, or something is there already.
    """
    folder = folder.absolute()
    manifest = _checked(folder)
    adapters = settings.data_dir / ADAPTERS
    files = AdapterFiles(settings.data_dir, settings.adapter_store)
    weights = [PurePosixPath(name) for name in manifest["files"] if name.startswith(f"{ADAPTERS}/")]
    with open_postgres(settings) as url:
        _refuse_used(url, adapters, settings.gains_path)
        try:
            with _writing(settings.data_dir):
                for name in weights:
                    _copy(folder / name, settings.data_dir / name)
                for each in sorted({name.parent.as_posix() for name in weights}):
                    files.keep(each)
                if GAINS in manifest["files"]:
                    _copy(folder / GAINS, settings.gains_path)
            programs_for(settings, url).restore(folder / DUMP)
        except BaseException as error:
            for each in {name.parent.as_posix() for name in weights}:
                files.remove(each)
            shutil.rmtree(adapters, ignore_errors=True)
            settings.gains_path.unlink(missing_ok=True)
            if isinstance(error, TuningError):
                raise ConfigurationError(str(error)) from error
            raise
        migrate(url)
    return _told(manifest)


def _write(settings: Settings, url: str, partial: Path) -> Backup:
    programs = programs_for(settings, url)
    with psycopg.connect(url) as keeper, psycopg.connect(url) as connection:
        keep_off(keeper)  # tables are put in the place of others
        hold(keeper)
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        snapshot = _value(connection, "SELECT pg_export_snapshot()")
        use_cases = _value(connection, "SELECT count(*) FROM use_cases")
        adapters = _copy_adapters(
            url, snapshot, AdapterFiles(settings.data_dir, settings.adapter_store), partial
        )
        programs.dump(partial / DUMP, snapshot)
    if settings.gains_path.is_file():
        _copy(settings.gains_path, partial / GAINS)
    files = {path.relative_to(partial).as_posix(): _digest(path) for path in _files(partial)}
    manifest = {
        "format": FORMAT,
        "version": version("rag-or-tune"),
        "schema": HEAD,
        "create_time": datetime.now(UTC).isoformat(),
        "use_cases": use_cases,
        "adapters": adapters,
        "files": files,
    }
    (partial / MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8")
    return _told(manifest)


def _copy_adapters(url: str, snapshot: str, files: AdapterFiles, partial: Path) -> int:
    """Copy the adapters of a snapshot, which are not deleted meanwhile; return how many there are."""
    with psycopg.connect(url) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute(psycopg.sql.SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot))
        try:
            names = folders(connection)
        except psycopg.errors.SerializationFailure:
            raise ConfigurationError(
                "an adapter was changed or deleted at the same moment; try again"
            ) from None
        for name in names:
            try:
                folder = files.local(name)
            except ModelError as error:
                raise ConfigurationError(str(error)) from error
            found = list(_files(folder))
            if not found:
                raise ConfigurationError(
                    f"{folder} holds no adapter, and the database names one; set ADVISOR_DATA_DIR to the folder of "
                    "the servers, and run this as their user"
                )
            for path in found:
                _copy(path, partial / name / path.relative_to(folder))
        return len(names)


def _checked(folder: Path) -> Mapping[str, Any]:
    """Return the manifest of a backup of which every file is as it was written."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files, found = manifest["files"], (manifest["format"], str(manifest["schema"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigurationError(
            f"{folder} is no backup: it has no {MANIFEST} that can be read; name a folder that advisor backup wrote"
        ) from None
    if found[0] != FORMAT or found[1] > HEAD:
        raise ConfigurationError(f"{folder} was written by a newer version than this one; update the program")
    for name, told in files.items():
        _refuse_odd(folder, name)
        if _digest(folder / name) != told:
            raise ConfigurationError(f"{folder / name} is not as it was written; take another backup")
    if DUMP not in files:
        raise ConfigurationError(f"{folder} has no {DUMP}; take another backup")
    return manifest


def _refuse_odd(folder: Path, name: str) -> None:
    path = PurePosixPath(name)
    odd = path.is_absolute() or ".." in path.parts or not path.parts
    known = name in (DUMP, GAINS) or path.parts[:1] == (ADAPTERS,)
    if odd or not known or (folder / name).is_symlink() or not (folder / name).is_file():
        raise ConfigurationError(f"{folder} is not whole: {name!r} is missing, or no file of a backup")


def _refuse_used(url: str, adapters: Path, gains: Path) -> None:
    with psycopg.connect(url) as connection:
        if _value(connection, "SELECT to_regclass(%s)::text", VERSION_TABLE) is not None:
            raise ConfigurationError(
                "the database is in use already; set ADVISOR_DATA_DIR, or ADVISOR_DATABASE_URL, to an empty one"
            )
    if adapters.exists() and any(adapters.iterdir()):
        raise ConfigurationError(
            f"{adapters} holds adapters already; set ADVISOR_DATA_DIR to an empty folder"
        )
    if gains.exists():
        raise ConfigurationError(
            f"{gains} is there already; set ADVISOR_DATA_DIR, or ADVISOR_GAINS, to another place"
        )


def _told(manifest: Mapping[str, Any]) -> Backup:
    return Backup(
        schema=manifest["schema"],
        create_time=datetime.fromisoformat(manifest["create_time"]),
        use_cases=manifest["use_cases"],
        adapters=manifest["adapters"],
        size_bytes=sum(each["bytes"] for each in manifest["files"].values()),
    )


def _value(connection: psycopg.Connection[Any], query: str, *values: object) -> Any:
    row = connection.execute(query, values).fetchone()
    return row[0] if row else None


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o600)


def _digest(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {
            "bytes": os.fstat(file.fileno()).st_size,
            "sha256": hashlib.file_digest(file, "sha256").hexdigest(),
        }


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"{folder}: cannot be written ({error.strerror or type(error).__name__}); make room, or name another folder"
        ) from error
