"""The versions that `make` installs: resolve them, and compare with them. Standard library and pip alone.

lock.py lock          write constraints.txt and protos/constraints.txt anew, the newest that is allowed
lock.py oldest        print a pin for each lower bound that pyproject.toml declares
lock.py changes FILE  print how what `pip freeze` wrote to FILE differs from constraints.txt
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INSTALLED = ROOT / "constraints.txt"
BUILD = ROOT / "protos" / "constraints.txt"
HEADS = {
    INSTALLED: """\
# What `make` installs: the newest versions that pyproject.toml allows, of the base and of every extra.
# Made by `make lock` on Linux with Python 3.11; never edited. What builds the package: protos/constraints.txt.
""",
    BUILD: """\
# What builds the package, for pip's --build-constraint. Made by `make lock`; never edited.
# Apart from constraints.txt, because generated code runs on the protobuf that made it and on newer ones.
""",
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# hatchling asks for this itself, and only when the install is editable.
EDITABLE = "editables"


def main(arguments: list[str]) -> None:
    """Do what the module's docstring says of the arguments."""
    match arguments:
        case ["lock"]:
            extras = ",".join(PROJECT["project"]["optional-dependencies"])
            write(BUILD, resolve(*PROJECT["build-system"]["requires"], EDITABLE))
            write(INSTALLED, resolve("--build-constraint", str(BUILD), f"{ROOT}[{extras}]"))
        case ["oldest"]:
            sys.stdout.writelines(f"{pin}\n" for pin in lower_bounds())
        case ["changes", path]:
            now = read_pins(Path(path).read_text(encoding="utf-8").splitlines())
            sys.stdout.writelines(f"{line}\n" for line in changes(now))
        case _:
            raise SystemExit(__doc__)


def resolve(*requirements: str) -> dict[str, str]:
    """Return the versions that pip would install into an empty environment."""
    report = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"),
            *("--report", "-", *requirements),
        ],
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    found = (item["metadata"] for item in json.loads(report)["install"])
    # A build's own tag, such as +cpu, is not part of what others can ask for.
    pins = {normalized(each["name"]): each["version"].partition("+")[0] for each in found}
    pins.pop(PROJECT["project"]["name"], None)
    return pins


def write(target: Path, pins: dict[str, str]) -> None:
    """Write pins below the head of their file."""
    lines = (f"{name}=={version}\n" for name, version in sorted(pins.items()))
    target.write_text(HEADS[target] + "".join(lines), encoding="utf-8")


def lower_bounds() -> list[str]:
    """Return `name==lower bound` for each direct dependency that declares one."""
    project = PROJECT["project"]
    extras = project["optional-dependencies"].values()
    declared = (*project["dependencies"], *(each for extra in extras for each in extra))
    bounds = (re.match(r"([\w.-]+)(?:\[.*\])?[>~]=([\w.]+)", requirement) for requirement in declared)
    return sorted({f"{bound[1]}=={bound[2]}" for bound in bounds if bound})


def read_pins(lines: Iterable[str]) -> dict[str, str]:
    """Return the versions of lines such as `name==version`, passing over all others."""
    found = (re.match(r"([\w.-]+)==([^+\s]+)", line) for line in lines)
    return {normalized(pin[1]): pin[2] for pin in found if pin}


def changes(now: dict[str, str]) -> list[str]:
    """Return a line for each package whose version differs from the lock's."""
    locked = read_pins(INSTALLED.read_text(encoding="utf-8").splitlines())
    lines = [
        f"  {name} {locked.get(name, '(none)')} -> {now.get(name, '(none)')}"
        for name in sorted(locked.keys() | now.keys())
        if locked.get(name) != now.get(name)
    ]
    return [f"{len(lines)} packages differ from constraints.txt", *lines]


def normalized(name: str) -> str:
    """Return a package's name as indexes write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main(sys.argv[1:])
