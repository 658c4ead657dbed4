"""What tasks are read from: Debian's packages, fetched when needed, its list of packages, files of installed ones."""

from __future__ import annotations

import gzip
import json
import subprocess
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from backends.models.resolve import default_cache
from benchmarks.retrieval.corpora import unpacked

__all__ = [
    "available",
    "cache_folder",
    "installed_text",
    "iso_codes",
    "package_files",
    "package_text",
    "paragraphs",
]


def cache_folder() -> Path:
    """Return the folder in which what is fetched, and the server's data, are kept."""
    return default_cache().with_name("grid")


@cache
def package_text(package: str, pattern: str, encoding: str = "utf-8") -> str:
    """Return the text of the files of a package that a pattern matches, in order, unpacked where they are compressed.

    Args:
        package: Of Debian, or `pip:NAME` for a source distribution.
        pattern: Of the files, from the root of the package.
        encoding: Of the files.

    Raises:
        ValueError: No file matches.
        subprocess.CalledProcessError: The package cannot be fetched.
    """
    return "\n".join(package_files(package, pattern, encoding).values())


@cache
def package_files(package: str, pattern: str, encoding: str = "utf-8") -> dict[str, str]:
    """Return the same file by file, by their paths in the package; links are left out.

    Raises:
        ValueError: No file matches.
        subprocess.CalledProcessError: The package cannot be fetched.
    """
    folder = unpacked(package, cache_folder() / "packages")
    paths = sorted(path for path in folder.glob(pattern) if path.is_file() and not path.is_symlink())
    if not paths:
        raise ValueError(f"{package} has no {pattern}: another version of it may keep it elsewhere")
    return {path.relative_to(folder).as_posix(): _content(path).decode(encoding, "replace") for path in paths}


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def iso_codes(standard: str) -> list[dict[str, Any]]:
    """Return the entries of a standard, such as `4217`, as the package iso-codes has them."""
    name = f"iso_{standard}.json"
    values = json.loads(package_text("iso-codes", f"usr/share/iso-codes/json/{name}"))
    found: list[dict[str, Any]] = values[standard]
    return found


@cache
def available() -> tuple[dict[str, str], ...]:
    """Return the fields of all of Debian's packages that can be had here, as `apt-cache dumpavail` prints them."""
    command = ["apt-cache", "dumpavail"]
    printed = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", timeout=120).stdout
    found = {fields["Package"]: fields for fields in paragraphs(printed) if "Package" in fields}
    return tuple(found[name] for name in sorted(found))


def paragraphs(text: str) -> Iterator[dict[str, str]]:
    """Yield paragraphs of fields, as Debian's control files have them; lines that go on are joined."""
    for paragraph in text.split("\n\n"):
        fields: dict[str, str] = {}
        name = ""
        for line in paragraph.splitlines():
            if line[:1].isspace() and name:
                fields[name] += f" {line.strip()}"
            elif ":" in line:
                name, _, value = line.partition(":")
                fields[name] = value.strip()
        if fields:
            yield fields


@cache
def installed_text(distribution: str, ending: str) -> str:
    """Return the text of a file of an installed distribution, the first whose path ends so.

    Raises:
        ValueError: It has none.
    """
    for file in metadata.files(distribution) or ():
        if str(file).endswith(ending):
            return Path(str(file.locate())).read_text(encoding="utf-8")
    raise ValueError(f"{distribution} has no {ending}")
