"""Hashes and states of files and folders: whether a model is the one that was meant."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

__all__ = ["file_sha256", "file_states", "tree_sha256"]


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


def file_states(folder: Path, names: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Return time (ns) and size (bytes) of files: one that was written anew has another state.

    Raises:
        OSError: A file is missing.
    """
    stats = [(folder / name).stat() for name in names]
    return tuple((stat.st_mtime_ns, stat.st_size) for stat in stats)
