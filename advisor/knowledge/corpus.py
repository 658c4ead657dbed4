"""The documents that a use-case file names: files, patterns, folders, and archives that hold documents in turn.

What is named and cannot be taken is an error. What a pattern, a folder or an
archive brings along is left out, and said to be: the server tells what it
cannot read, so nothing is parsed here.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from advisor.knowledge.yamltree import Entry
from backends.base import DocumentError
from backends.counts import counted
from backends.documents.archives import HIDDEN, NOT_READ, listing
from backends.documents.reading import MAX_DOCUMENT_BYTES, SUFFIXES

__all__ = [
    "TAKEN",
    "LeftOut",
    "Named",
    "documents_named",
    "files_below",
    "is_archive",
    "members_of",
]

_ARCHIVE = ".zip"
TAKEN = (*SUFFIXES, _ARCHIVE)
"""The suffixes of what can be imported, in lower case."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a pattern, a folder or an archive holds and is not imported, for one reason.

    Attributes:
        where: What holds it, as the use-case file writes it.
        reason: Why it is not imported.
        names: What it is called there, or of which kinds it is.
        is_fault: Whether a document is missed that should be there.
    """

    where: str
    reason: str
    names: tuple[str, ...]
    is_fault: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """What an entry of a use-case file stands for.

    Attributes:
        files: Files in order; of the documents in an archive, the archive.
        left_out: What is not imported, by reason.
        nothing: Why there are no files; empty where there are.
    """

    files: tuple[Path, ...]
    left_out: tuple[LeftOut, ...] = ()
    nothing: str = ""


def documents_named(item: Entry, folder: Path, examples: Path | None = None) -> Named:
    """Return what a path or a pattern stands for; nothing where it is a pattern or a folder without documents.

    Args:
        item: The path or the pattern.
        folder: Where it starts.
        examples: File of examples, which is no document unless it is named itself.

    Raises:
        RulesError: There is no such file, or it cannot be imported.
    """
    text = item.text()
    path = folder / text
    try:
        if path.is_dir():
            below = (each for each in files_below(path) if each != examples)
            return _sorted_out(item, below, only_taken=True)
        if path.is_file():
            _mind_what_is_named(item, path)
            return Named((path,), tuple(_left_out_of(path)))
        if not any(character in text for character in "*?["):
            raise item.error(f"there is no file {str(path)!r}")
        matching = (each for each in _files_matching(folder, Path(text)) if each != examples)
        return _sorted_out(item, matching, only_taken=False)
    except OSError as error:
        raise item.error(f"{error.filename or text!r} cannot be read: {error.strerror}") from None


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder and in those within it, in order, less hidden ones and links that lead out.

    Raises:
        OSError: A folder cannot be read.
    """
    home = folder.resolve()
    for where, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for path in (Path(where, name) for name in sorted(names) if not name.startswith(".")):
            if path.is_file() and not (path.is_symlink() and _leads_out(path, home)):
                yield path


def is_archive(path: Path) -> bool:
    """Return whether a file stands for the documents in it."""
    return path.suffix.lower() == _ARCHIVE


def members_of(archive: Path) -> list[tuple[str, int]]:
    """Return the path and the size of each document in an archive; DocumentError where it is none, or unsafe."""
    with archive.open("rb") as content:
        return listing(str(archive), content, suffixes=SUFFIXES)


def _files_matching(folder: Path, pattern: Path) -> Iterator[Path]:
    """Yield the files that a pattern matches, in order; hidden ones only where the pattern names them.

    As in a shell, what begins with a dot is matched by what is written with one: `**/*.md` looks into no `.venv`.
    """
    root = Path(pattern.anchor) if pattern.is_absolute() else folder
    pattern = pattern.relative_to(pattern.anchor)
    hidden = _is_hidden(pattern)
    for path in sorted(root.glob(str(pattern))):
        if path.is_file() and (hidden or not _is_hidden(path.relative_to(root))):
            yield path


def _is_hidden(path: Path) -> bool:
    """Return whether a file, or a folder on the way to it, has a name that begins with a dot."""
    return any(part.startswith(".") and part != ".." for part in path.parts)


def _refuse(error: OSError) -> None:
    raise error


def _leads_out(link: Path, home: Path) -> bool:
    target = link.resolve()
    return not target.is_relative_to(home) or _is_hidden(target.relative_to(home))


def _mind_what_is_named(item: Entry, path: Path) -> None:
    """Refuse a file that is named though no import would take it, as far as can be told without parsing it."""
    text = item.text()
    if path.suffix.lower() not in TAKEN:
        raise item.error(f"{text!r} cannot be read; convert it to one of {', '.join(TAKEN)}")
    with path.open("rb"):
        size = path.stat().st_size
    if size == 0:
        raise item.error(f"{text!r} is empty; leave it out")
    if is_archive(path):
        try:
            members = _members(path, {})
        except DocumentError as error:
            raise item.error(str(error)) from None
        if not members:
            raise item.error(f"{text!r} holds no document; put in files of {', '.join(SUFFIXES)}")
    elif size > MAX_DOCUMENT_BYTES:
        raise item.error(f"{text!r}: {_too_large(size)}")


def _sorted_out(item: Entry, found: Iterable[Path], *, only_taken: bool) -> Named:
    """Return which of the files found are imported; of a folder's, those of a format that can be."""
    taken: list[Path] = []
    kinds: Counter[str] = Counter()
    faults: list[LeftOut] = []
    within: list[LeftOut] = []
    for path in found:
        size = path.stat().st_size
        if only_taken and path.suffix.lower() not in TAKEN:
            kinds[path.suffix.lower() or "no suffix"] += 1
        elif not _is_text(path):
            faults.append(_fault(item, path, "its name is not UTF-8; rename it"))
        elif size > MAX_DOCUMENT_BYTES and not is_archive(path):
            faults.append(_fault(item, path, _too_large(size)))
        else:
            try:
                within.extend(_left_out_of(path))
            except DocumentError as error:
                faults.append(_fault(item, path, str(error).removeprefix(f"{path.name}: ")))
            else:
                taken.append(path)
    others = [_of_other_kinds(item.text(), kinds)] if kinds else []
    left_out = (*others, *faults, *within)
    return Named(tuple(taken), left_out, "" if taken else _nothing(item.text(), left_out))


def _nothing(text: str, left_out: Sequence[LeftOut]) -> str:
    if left_out:
        reasons = dict.fromkeys(each.reason for each in left_out)
        return f"nothing of {text!r} can be imported: {', '.join(reasons)}"
    return f"no file matches {text!r}; is it misspelt? Take it out where its files are gone"


def _left_out_of(path: Path) -> Iterator[LeftOut]:
    """Yield what a file holds and is not imported, where it is an archive; DocumentError where that cannot be read."""
    if not is_archive(path):
        return
    skipped: dict[str, list[str]] = {}
    _members(path, skipped)
    kinds = Counter(Path(each).suffix.lower() or "no suffix" for each in skipped.pop(NOT_READ, ()))
    if kinds:
        yield _of_other_kinds(path.name, kinds)
    for reason, names in skipped.items():
        is_fault = reason != HIDDEN and any(Path(each).suffix.lower() in SUFFIXES for each in names)
        yield LeftOut(path.name, reason, tuple(names), is_fault)


def _members(archive: Path, skipped: dict[str, list[str]]) -> list[tuple[str, int]]:
    """Return the documents in an archive; `skipped` takes the others, by the reason."""
    with archive.open("rb") as content:
        return listing(
            archive.name,
            content,
            suffixes=SUFFIXES,
            skipped=lambda path, reason: skipped.setdefault(reason, []).append(path),
        )


def _of_other_kinds(where: str, kinds: Counter[str]) -> LeftOut:
    reason = f"{counted(kinds.total(), 'file')} of other formats"
    return LeftOut(where, reason, tuple(f"{kind} ({number:,})" for kind, number in kinds.most_common()))


def _fault(item: Entry, path: Path, reason: str) -> LeftOut:
    name = str(path).encode(errors="backslashreplace").decode()
    return LeftOut(item.text(), reason, (name,), is_fault=True)


def _too_large(size: int) -> str:
    return f"{size:,} bytes are more than the {MAX_DOCUMENT_BYTES:,} allowed; split it"


def _is_text(path: Path) -> bool:
    """Return whether a file's name can be written down."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
