"""Tasks from Python and installed packages: tables of its standard library, metadata, the rules of a linter."""

from __future__ import annotations

import csv
import errno
import importlib
import inspect
import io
import json
import os
import pkgutil
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from encodings.aliases import aliases
from functools import cache
from importlib import metadata
from typing import Any

from benchmarks.grid.making import scattered
from benchmarks.grid.task import Item, Task

__all__ = ["TASKS"]

_PYTHON = "of Python itself, as installed: the Python Software Foundation and contributors"
_PYTHON_LICENCE = "PSF Licence"
_RUFF = "the rules that ruff, as installed, prints: Astral and contributors"
_LINTERS = 8
"""Rules that a linter has at least, to be a label."""
_STDLIB = 12
"""Public names taken of a module at most."""


@cache
def _rules() -> tuple[dict[str, Any], ...]:
    command = [sys.executable, "-m", "ruff", "rule", "--all", "--output-format", "json"]
    printed = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", timeout=60).stdout
    found = json.loads(printed)
    return tuple(each for each in found if each["linter"] and "Removed" not in str(each["status"]))


def _linters() -> Iterator[Item]:
    counts = Counter(each["linter"] for each in _rules())
    for each in _rules():
        if counts[each["linter"]] >= _LINTERS:
            shown = f"{each['name']}: {each['summary']}"
            yield Item(shown, each["linter"], drifted=each["summary"], subject=each["name"])


def _told(each: dict[str, Any]) -> str:
    about = re.sub(
        r"\s+", " ", each["explanation"].partition("## Why")[0].replace("## What it does", "")
    ).strip()
    fix = {"Always": "always", "Sometimes": "sometimes", "None": "never"}[str(each["fix_availability"])]
    return (
        f"## {each['name']} ({each['code']})\n{about[:300]} From {each['linter']}. A fix is {fix} available."
    )


def _codes() -> Iterator[Item]:
    for each in _rules():
        yield Item(
            f"Which code has ruff's rule {each['name']}?",
            each["code"],
            _told(each),
            f"How do I write a noqa comment for {each['name']}: by which code?",
            each["name"],
        )


def _fixes() -> Iterator[Item]:
    for each in _rules():
        fix = {"Always": "always", "Sometimes": "sometimes", "None": "never"}[str(each["fix_availability"])]
        yield Item(
            f"Can ruff fix what {each['name']} ({each['code']}) finds?",
            fix,
            _told(each),
            subject=each["name"],
        )


def _errors() -> Iterator[Item]:
    texts = Counter(os.strerror(number) for number in errno.errorcode)
    for number, name in errno.errorcode.items():
        text = os.strerror(number)
        if texts[text] == 1:
            yield Item(
                f"Which errno constant stands for “{text}”?",
                name,
                f"{name} ({number}): {text}",
                subject=name,
            )


def _codecs() -> Iterator[Item]:
    for alias, codec in aliases.items():
        if alias != codec:
            yield Item(alias, codec, drifted=alias.upper().replace("_", "-"), subject=alias)


@cache
def _public() -> tuple[tuple[str, str, str], ...]:
    """Return module, name and first line of the docstring of what only one module of the standard library has."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    skipped = {
        "antigravity",
        "this",
        "idlelib",
        "lib2to3",
        "test",
        "turtledemo",
        "distutils",
        "tkinter",
        "turtle",
    }
    for each in pkgutil.iter_modules([os.path.dirname(os.__file__)]):  # noqa: PTH120 - as `pkgutil` wants it
        if each.name.startswith("_") or each.name in skipped or each.name not in sys.stdlib_module_names:
            continue
        module = importlib.import_module(each.name)
        for name in getattr(module, "__all__", ()):
            value = vars(module).get(name)
            text = inspect.getdoc(value) if inspect.isclass(value) or inspect.isroutine(value) else None
            summary = re.sub(r"\s+", " ", (text or "").partition("\n\n")[0]).strip()
            if len(summary) > 15 and len(name) > 2:
                found.setdefault(name, []).append((each.name, name, summary[:160]))
    alone = scattered((only for only, *others in found.values() if not others), lambda each: each[1])
    counts: Counter[str] = Counter()
    taken = []
    for one in alone:
        counts[one[0]] += 1
        if counts[one[0]] <= _STDLIB:
            taken.append(one)
    return tuple(taken)


def _stdlib() -> Iterator[Item]:
    for module, name, summary in _public():
        if module not in name.casefold():
            yield Item(
                f"Which module of Python's standard library has {name}?",
                module,
                f"{name}, from the module {module}. {summary}",
                f"NameError: name '{name}' is not defined. From where do I import it?",
                name,
            )


def _records() -> Iterator[Item]:
    for name in ("numpy", "rich", "pygments", "pip"):
        for path, digest, size in csv.reader(
            io.StringIO(metadata.distribution(name).read_text("RECORD") or "")
        ):
            if size and digest and not path.startswith("..") and len(path) < 60:
                record = {"path": path, "algorithm": digest.partition("=")[0], "bytes": int(size)}
                yield Item(f"{path},{digest[:19]},{size}", json.dumps(record), subject=path)


def _needs() -> Iterator[Item]:
    for each in scattered(metadata.distributions(), lambda each: str(each.metadata["Name"])):
        name, needed = each.metadata["Name"], each.metadata["Requires-Python"]
        match = re.match(r">= ?(3\.\d+)", needed or "")
        if match and each.metadata["Summary"]:
            yield Item(
                f"Which version of Python does {name} need at least?",
                match[1],
                f"Name: {name}\nVersion: {each.version}\nSummary: {each.metadata['Summary'][:200]}\n"
                f"Requires-Python: {match[0].replace(' ', '')}",
                subject=name,
            )


def _task(name: str, origin: str, licence: str, **fields: Any) -> Task:
    return Task(name=name, origin=origin, licence=licence, **fields)


TASKS = (
    _task(
        "ruff-linters",
        _RUFF,
        "MIT",
        description="You know where the rules of the linter ruff come from. You are given the name of a rule "
        "and its summary. Answer with the tool or plugin that the rule was taken from, such as "
        "pycodestyle or flake8-bugbear, and nothing else.",
        items=_linters,
        task="CLASSIFICATION",
        output_form="LABEL",
        training=400,
        drift="the summary alone, without the name of the rule",
        facts={"update_interval": "90d", "entity_popularity": "LONG_TAIL"},
    ),
    _task(
        "ruff-codes",
        _RUFF,
        "MIT",
        description="You know the rules of the linter ruff. Answer with the code of the rule, capital letters "
        "and digits such as F401 for unused-import, and nothing else.",
        items=_codes,
        task="QUESTION_ANSWERING",
        curve=True,
        output_form="FREE_TEXT",
        training=60,
        documents=True,
        drift="asked by who writes a noqa comment",
        per_document=5,
        hybrid=True,
        broken=True,
        changes=True,
        facts={"update_interval": "14d", "entity_popularity": "LONG_TAIL"},
    ),
    _task(
        "ruff-fixes",
        _RUFF,
        "MIT",
        description="You know which findings of the linter ruff it can fix by itself. Answer always where it "
        "fixes all that the rule finds, sometimes where it fixes some, never where it fixes none, "
        "and nothing else.",
        items=_fixes,
        task="QUESTION_ANSWERING",
        output_form="LABEL",
        training=200,
        documents=True,
        per_document=5,
        halved=True,
        changes=True,
        facts={"update_interval": "14d", "entity_popularity": "LONG_TAIL"},
    ),
    _task(
        "errno-names",
        f"the modules errno and os {_PYTHON}; texts of the C library",
        _PYTHON_LICENCE,
        description="You know the error numbers of POSIX. You are given the text of an error as strerror "
        "tells it. Answer with the name of its constant in capital letters, such as EACCES for "
        "Permission denied, and nothing else.",
        items=_errors,
        task="QUESTION_ANSWERING",
        output_form="FREE_TEXT",
        training=25,
        documents=True,
        spare=20,
        broken=True,
        halved=True,
        facts={"update_interval": "10y", "entity_popularity": "MIXED"},
    ),
    _task(
        "codec-aliases",
        f"the module encodings.aliases {_PYTHON}",
        _PYTHON_LICENCE,
        description="You know the text encodings of Python. You are given another name of an encoding. Answer "
        "with the name of Python's codec for it, such as iso8859_15 for latin9 or utf_8 for utf8, "
        "and nothing else.",
        items=_codecs,
        task="CLASSIFICATION",
        output_form="LABEL",
        training=90,
        held_out=50,
        drifted=20,
        drift="names in capital letters with hyphens",
        facts={"update_interval": "2y", "entity_popularity": "MIXED"},
    ),
    _task(
        "stdlib-modules",
        f"public names and docstrings of the standard library {_PYTHON}",
        _PYTHON_LICENCE,
        description="You know Python's standard library. You are given the name of a function or class. "
        "Answer with the module to import it from, such as collections for OrderedDict, and "
        "nothing else.",
        items=_stdlib,
        task="QUESTION_ANSWERING",
        output_form="FREE_TEXT",
        training=200,
        documents=True,
        drift="asked with the error message that its lack causes",
        per_document=8,
        broken=True,
        halved=True,
        facts={"update_interval": "1y", "entity_popularity": "HEAD"},
    ),
    _task(
        "file-records",
        "lines of RECORD of installed packages: written by pip",
        "each under the terms of its package; paths, hashes and sizes",
        description="You read lines of the file RECORD of Python's wheels: a path, a hash with its algorithm, "
        'and a size. Answer with one JSON object and nothing else: {"path": the path, '
        '"algorithm": the name of the algorithm alone, "bytes": the size as a number}. For '
        'example, "a/b.py,sha256=Zq3x,12" is {"path": "a/b.py", "algorithm": "sha256", "bytes": '
        "12}.",
        items=_records,
        task="EXTRACTION",
        output_form="STRUCTURED",
        training=8,
        facts={"update_interval": "10y"},
    ),
    _task(
        "python-versions",
        "metadata of the installed packages: their authors",
        "each under the terms of its package; name, version, summary",
        description="You know what Python packages need. Answer with the lowest version of Python that the "
        "package runs on, as two numbers with a full stop, such as 3.9, and nothing else.",
        items=_needs,
        task="QUESTION_ANSWERING",
        output_form="FREE_TEXT",
        training=30,
        held_out=70,
        documents=True,
        per_document=5,
        spare=20,
        hybrid=True,
        broken=True,
        changes=True,
        facts={"update_interval": "60d", "entity_popularity": "HEAD"},
    ),
)
"""What Python and its packages tell."""
