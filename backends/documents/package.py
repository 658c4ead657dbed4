"""The packages that office files are: a .zip of XML, unpacked within bounds before anything parses it."""

from __future__ import annotations

import io
import zipfile
from pathlib import PurePosixPath

from backends.base import DocumentError
from backends.documents.archives import BROKEN

__all__ = ["opened"]

_MOST_BYTES = 200 * 1024 * 1024
_MOST_PART_BYTES = 64 * 1024 * 1024  # of a part that becomes a tree, which takes several times as much
_MOST_RATIO = 200
_MOST_PARTS = 20_000
_FREE_OF_RATIO = 8 * 1024 * 1024  # smaller parts may be as repetitive as they like
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_UNREAD = ("/media/", "/embeddings/", "/fonts/", "/activeX/")
_STREAMED = ("xl/worksheets/",)
_DOCTYPES = tuple(
    "<!DOCTYPE".encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
)


def opened(source: str, content: bytes, part: str) -> io.BytesIO:
    """Return an office file whose parts are of the size they say, without pictures and what is embedded.

    Libraries unpack parts whole and believe their sizes, so they are given a package packed anew.

    Args:
        source: Where the file comes from.
        content: Its bytes.
        part: The folder of the parts that its kind has: `word/`, `ppt/` or `xl/`.

    Raises:
        DocumentError: It is protected, of another kind, broken, or unpacks to too much.
    """
    if content.startswith(_OLE):
        raise DocumentError(
            f"{source}: it is protected by a password or of the format before 2007; save it anew, without one"
        )
    anew = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(anew, "w") as new:
            entries = old.infolist()
            _check(source, entries)
            if not any(entry.filename.startswith(part) for entry in entries):
                raise DocumentError(
                    f"{source}: it holds no {part.rstrip('/')!r} folder; it is of another kind"
                )
            for entry in {entry.filename: entry for entry in entries if not entry.is_dir()}.values():
                new.writestr(entry.filename, _part(source, old, entry))
    except BROKEN as error:
        raise DocumentError(
            f"{source}: it is no office file that can be read ({error}); repair it"
        ) from error
    anew.seek(0)
    return anew


def _check(source: str, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > _MOST_PARTS:
        raise DocumentError(
            f"{source}: {len(entries):,} parts are more than the {_MOST_PARTS:,} allowed; split it"
        )
    if sum(entry.file_size for entry in entries) > _MOST_BYTES:
        raise DocumentError(f"{source}: it unpacks to more than the {_MOST_BYTES:,} bytes allowed; split it")
    for entry in entries:
        if entry.file_size > max(_FREE_OF_RATIO, entry.compress_size * _MOST_RATIO):
            raise DocumentError(
                f"{source}: {entry.filename!r} unpacks to more than {_MOST_RATIO} times its size, as bombs do; "
                "leave it out"
            )


def _part(source: str, package: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    name = entry.filename
    if any(folder in f"/{name}" for folder in _UNREAD):
        return b""
    xml = PurePosixPath(name).suffix.lower() in (".xml", ".rels")
    if xml and entry.file_size > _MOST_PART_BYTES and not name.startswith(_STREAMED):
        raise DocumentError(
            f"{source}: {name!r} is larger than the {_MOST_PART_BYTES:,} bytes allowed; split it"
        )
    with package.open(entry) as file:
        content = file.read(entry.file_size + 1)  # a size given bounds what is unpacked; none does not
        complete = len(content) == entry.file_size and not file.read(1)
    if not complete:
        raise DocumentError(f"{source}: {name!r} is not of the size that it says; repair it")
    if xml and any(doctype in content for doctype in _DOCTYPES):
        raise DocumentError(f"{source}: {name!r} declares entities, which no office file does; leave it out")
    return content
