"""A .zip as a folder of documents."""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath
from typing import BinaryIO

from backends.base import DocumentError

__all__ = ["BROKEN", "HIDDEN", "NOT_READ", "ArchiveLimits", "listing", "members"]

HIDDEN = "it is hidden"
NOT_READ = "its format is not read"

BROKEN = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, LookupError,
    NotImplementedError, RuntimeError, OverflowError,
)  # fmt: skip
"""What zipfile raises where an archive is not what it says."""

_READ = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}  # LZMA takes what memory it says
_ARCHIVES = (
    ".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz", ".xz", ".txz", ".zst", ".7z", ".rar", ".jar", ".war", ".ear",
    ".whl", ".egg", ".apk", ".cab", ".iso", ".deb", ".rpm",
)  # fmt: skip
_FREE_OF_RATIO = 1024 * 1024  # smaller members may be as repetitive as they like
_ENCRYPTED = 0x1
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f]")  # a terminal would obey them


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How much an archive may hold.

    Attributes:
        files: Most members.
        bytes: Most bytes of all that is read.
        member_bytes: Most bytes of a member; a larger one is skipped.
        ratio: Most bytes that a packed one may become.
    """

    files: int = 100_000
    bytes: int = 1024**3
    member_bytes: int = 16 * 1024**2
    ratio: int = 200


def members(
    name: str,
    file: BinaryIO,
    *,
    suffixes: Collection[str] = (),
    limits: ArchiveLimits = ArchiveLimits(),
    skipped: Callable[[str, str], None] = lambda _name, _reason: None,
) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the bytes of each file in a .zip, in the archive's order.

    Args:
        name: Where the archive comes from.
        file: The archive; it must be able to seek.
        suffixes: Suffixes of the files to read, in lower case; all where empty.
        limits: How much it may hold.
        skipped: Receives the path of each file left out, and why; folders are not told.

    Raises:
        DocumentError: It is no archive, is broken, or unpacks to more than is allowed.
    """
    with _opened(name, file) as archive:
        left = limits.bytes
        for path, entry in _chosen(name, archive, suffixes, limits, skipped):
            content = _content(f"{name}, {path}", archive, entry)
            left -= len(content)
            if left < 0:
                raise DocumentError(_too_much(name, limits))
            yield path, content


def listing(
    name: str,
    file: BinaryIO,
    *,
    suffixes: Collection[str] = (),
    limits: ArchiveLimits = ArchiveLimits(),
    skipped: Callable[[str, str], None] = lambda _name, _reason: None,
) -> list[tuple[str, int]]:
    """Return the path and the size of each file that `members` would read, without unpacking any."""
    with _opened(name, file) as archive:
        chosen = _chosen(name, archive, suffixes, limits, skipped)
        return [(path, entry.file_size) for path, entry in chosen]


@contextmanager
def _opened(name: str, file: BinaryIO) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except BROKEN as error:
        raise DocumentError(f"{name}: it is not a .zip that can be read ({error}); repair it") from error


def _chosen(
    name: str,
    archive: zipfile.ZipFile,
    suffixes: Collection[str],
    limits: ArchiveLimits,
    skipped: Callable[[str, str], None],
) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """Yield the files to read with their paths, after a look at the archive as a whole."""
    entries = archive.infolist()
    _check(name, entries, limits)
    seen: set[str] = set()
    for entry in entries:
        path = entry.filename.replace("\\", "/")
        if path.endswith("/"):
            continue
        if reason := "the archive holds it twice" if path in seen else _reason_to_skip(path, entry, limits):
            skipped(path, reason)
        elif suffixes and PurePosixPath(path).suffix.lower() not in suffixes:
            skipped(path, NOT_READ)
        else:
            seen.add(path)
            yield path, entry


def _check(name: str, entries: list[zipfile.ZipInfo], limits: ArchiveLimits) -> None:
    if len(entries) > limits.files:
        raise DocumentError(
            f"{name}: {len(entries):,} files are more than the {limits.files:,} allowed; split it"
        )
    if sum(entry.file_size for entry in entries if entry.file_size <= limits.member_bytes) > limits.bytes:
        raise DocumentError(_too_much(name, limits))
    for entry in entries:
        if entry.file_size > max(_FREE_OF_RATIO, entry.compress_size * limits.ratio):
            raise DocumentError(
                f"{name}: {entry.filename!r} unpacks to more than {limits.ratio} times its size, as bombs do; "
                "leave it out"
            )
    spans = sorted((entry.header_offset, entry.compress_size) for entry in entries)
    if any(start + size > after for (start, size), (after, _) in pairwise(spans)):
        raise DocumentError(f"{name}: its files overlap, as those of bombs do; leave it out")


def _too_much(name: str, limits: ArchiveLimits) -> str:
    return f"{name}: it unpacks to more than the {limits.bytes:,} bytes allowed; split it"


def _reason_to_skip(path: str, entry: zipfile.ZipInfo, limits: ArchiveLimits) -> str:
    """Return why a file is left out; nothing where it is not."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", path) or "\0" in path:
        return "its path leads out of the archive"
    if _CONTROL.search(path):
        return "its name holds control characters"
    if "__MACOSX" in parts or any(part.startswith(".") for part in parts):
        return HIDDEN
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "it is a link or another special file"
    if entry.flag_bits & _ENCRYPTED:
        return "it is encrypted"
    if PurePosixPath(path).suffix.lower() in _ARCHIVES:
        return "it is an archive within the archive"
    if entry.compress_type not in _READ:
        return "it is packed in a way that is not read"
    if entry.file_size > limits.member_bytes:
        return f"its {entry.file_size:,} bytes are more than the {limits.member_bytes:,} allowed"
    return ""


def _content(where: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return the bytes of a member, no more than it says it has."""
    try:
        with archive.open(entry) as member:
            content = member.read(entry.file_size + 1)
            complete = len(content) == entry.file_size and not member.read(1)
    except BROKEN as error:
        raise DocumentError(f"{where}: it cannot be unpacked ({error}); pack it anew") from error
    if not complete:
        raise DocumentError(f"{where}: it is not of the size that it says; pack it anew")
    return content
