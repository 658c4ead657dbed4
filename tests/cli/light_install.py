"""A light install, without building one: what only the extras bring is hidden from a process and its children."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

__all__ = ["hidden_packages", "write_hook"]

_HOOK = """
import sys

HIDDEN = {hidden!r}


class Without:
    '''A finder that does not find what is hidden.'''

    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in HIDDEN else self.finder.find_spec(name, path, target)


sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
"""


def hidden_packages(dependencies: list[str]) -> set[str]:
    """Return the packages installed here that the dependencies, and theirs, do not bring, as they are imported."""
    brought = _closure(dependencies)
    return {
        package
        for package, owners in packages_distributions().items()
        if not brought & set(map(canonicalize_name, owners))
        and package not in {"advisor", "backends", "google", "sitecustomize"}
        and package not in sys.stdlib_module_names
    }


def write_hook(folder: Path, dependencies: list[str]) -> None:
    """Write the module that Python imports as it starts where the folder is on PYTHONPATH."""
    hidden = sorted(hidden_packages(dependencies))
    (folder / "sitecustomize.py").write_text(_HOOK.format(hidden=hidden))


def _closure(requirements: list[str]) -> set[str]:
    found: set[str] = set()
    left = [Requirement(each) for each in requirements]
    while left:
        requirement = left.pop()
        name = canonicalize_name(requirement.name)
        if name in found:
            continue
        try:
            further = [Requirement(each) for each in requires(name) or ()]
        except PackageNotFoundError:
            continue
        found.add(name)
        left += [
            each
            for each in further
            if each.marker is None
            or any(each.marker.evaluate({"extra": extra}) for extra in ("", *requirement.extras))
        ]
    return found
