"""Tasks from Python's numerical libraries: what docstrings and signatures of NumPy, SciPy and others say."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

from benchmarks.grid.making import hashed, scattered
from benchmarks.grid.task import Item, Task

__all__ = ["TASKS"]

_LIBRARIES = "docstrings and signatures of NumPy, SciPy and scikit-learn, as installed: their authors"
_MODULES = {
    **dict.fromkeys(("numpy", "numpy.linalg", "numpy.fft"), "numpy"),
    **{
        f"scipy.{name}": f"scipy.{name}"
        for name in (
            *(
                "fft",
                "integrate",
                "interpolate",
                "linalg",
                "ndimage",
                "optimize",
                "signal",
                "sparse",
                "spatial",
            ),
            *("special", "stats"),
        )
    },
    **{
        f"sklearn.{name}": "sklearn"
        for name in (
            "cluster",
            "datasets",
            "decomposition",
            "ensemble",
            "linear_model",
            "metrics",
            "preprocessing",
        )
    },
    "networkx": "networkx",
}
"""Modules, and the library or part of one that they stand for."""
_MOST_ALIKE = 20
"""Parameters with the same default, so that no guess is right for many."""
_STARS: dict[object, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


@cache
def _documented() -> tuple[tuple[str, str, str, Any], ...]:
    """Return module, name, first line of the docstring and value of public functions and classes."""
    found = {}
    for path in _MODULES:
        module = importlib.import_module(path)
        for name in sorted(getattr(module, "__all__", None) or vars(module)):
            value = vars(module).get(name)
            text = inspect.getdoc(value) if callable(value) and not name.startswith("_") else None
            lines = (text or "").strip().split("\n\n")
            first = next((line for line in lines if not re.match(rf"{name}\(", line)), "")
            summary = re.sub(r"\s+", " ", first.partition("\n\n")[0]).strip()
            if 20 < len(summary) < 200:
                found[summary] = (path, name, summary, value)
    return tuple(scattered(found.values(), lambda each: f"{each[0]}.{each[1]}"))


def _parts() -> Iterator[Item]:
    for path, name, summary, _ in _documented():
        yield Item(summary, _MODULES[path], drifted=name, subject=f"{path}.{name}")


def _defaults() -> Iterator[Item]:
    alike: Counter[str] = Counter()
    # By another hash than that which splits: else all that are alike would be held out.
    for path, name, summary, value in scattered(_documented(), lambda each: f"kept: {each[0]}.{each[1]}"):
        try:
            parameters = list(inspect.signature(value).parameters.values())
        except (TypeError, ValueError):
            continue  # in compiled code
        given = [each for each in parameters if isinstance(each.default, str | float | int)]
        plain = [each for each in given if not isinstance(each.default, bool)]
        plain = [each for each in plain if str(each.default) not in ("", each.name)]
        if plain and len(parameters) < 20:
            one = min(plain, key=lambda each: hashed(each.name))
            alike[str(one.default)] += 1
            if alike[str(one.default)] > _MOST_ALIKE:
                continue
            whole = ", ".join(map(_shown, parameters))
            yield Item(
                f"What is the default of the parameter {one.name} of {path}.{name}?",
                str(one.default),
                f"{path}.{name}({whole}): {summary}",
                f"I call {name} of {path} and leave {one.name} out. What does it work with?",
                subject=f"{path}.{name}",
            )


def _shown(parameter: inspect.Parameter) -> str:
    star = _STARS.get(parameter.kind, "")
    plain = parameter.default is None or isinstance(parameter.default, str | int | float)
    return f"{star}{parameter.name}" + (f"={parameter.default!r}" if plain else "")


def _camel() -> Iterator[Item]:
    for _, name, *_ in _documented():
        words = name.split("_")
        if len(words) > 1 and all(word.isalpha() and word.islower() for word in words):
            answer = words[0] + "".join(word.capitalize() for word in words[1:])
            yield Item(name, answer, drifted=name.upper(), subject=name)


def _parameters() -> Iterator[Item]:
    """Yield lines that introduce a parameter by the numpydoc standard, with what they say as JSON."""
    for path, name, _, value in _documented():
        text = inspect.getdoc(value) or ""
        lines = re.findall(
            r"^([a-z]\w+) : ([^\n,{}]{3,30}), (?:default(?:=|: | )(\S{1,12})|optional)$", text, re.MULTILINE
        )
        for parameter, kind, default in lines[:2]:
            record = {"name": parameter, "type": kind, "default": default.strip("'\"`") or None}
            line = f"{parameter} : {kind}, " + (f"default={default}" if default else "optional")
            yield Item(line, json.dumps(record), subject=f"{path}.{name}")


def _task(name: str, origin: str, licence: str, **fields: Any) -> Task:
    return Task(name=name, origin=origin, licence=licence, **fields)


TASKS = (
    _task(
        "library-parts",
        "first lines of docstrings of NumPy, SciPy, scikit-learn and NetworkX, as installed: their authors",
        "BSD 3-Clause",
        description="You know the scientific libraries of Python. You are given what a function or class "
        "does, in the words of its documentation. Answer with the library, or the part of SciPy, "
        "that has it, and nothing else.",
        items=_parts,
        task="CLASSIFICATION",
        output_form="LABEL",
        training=400,
        drift="the name of the function instead of what it does",
        facts={"update_interval": "180d", "entity_popularity": "MIXED"},
    ),
    _task(
        "function-defaults",
        _LIBRARIES,
        "BSD 3-Clause",
        description="You know the signatures of NumPy, SciPy, scikit-learn and NetworkX. Answer with the "
        "default value of the parameter alone, as it stands in the signature, without quotes and "
        "without the parameter's name.",
        items=_defaults,
        task="QUESTION_ANSWERING",
        output_form="FREE_TEXT",
        training=150,
        documents=True,
        drift="asked by who calls the function, in other words",
        per_document=5,
        broken=True,
        halved=True,
        changes=True,
        facts={"update_interval": "60d", "entity_popularity": "MIXED"},
    ),
    _task(
        "camel-case",
        "names of functions of NumPy, SciPy, scikit-learn and NetworkX, as installed: their authors",
        "BSD 3-Clause",
        description="You rename identifiers from snake_case to camelCase: the first word stays in small "
        "letters, each following word begins with a capital letter, and underscores go. "
        "read_text_file becomes readTextFile. Answer with the new name alone.",
        items=_camel,
        task="CODE",
        output_form="FREE_TEXT",
        metric="exact_match",
        training=64,
        drift="names in capital letters",
        curve=True,
        facts={"update_interval": "10y"},
    ),
    _task(
        "parameter-records",
        "lines of docstrings of NumPy, SciPy and scikit-learn by the numpydoc standard, as "
        "installed: their authors",
        "BSD 3-Clause",
        description="You read lines that introduce a parameter in numpydoc's form. Answer with one JSON "
        'object and nothing else: {"name": the parameter, "type": its type as written, "default": '
        'its default as a string, or null where the line tells none}. For example, "axis : int, '
        'default=0" is {"name": "axis", "type": "int", "default": "0"}.',
        items=_parameters,
        task="EXTRACTION",
        output_form="STRUCTURED",
        training=96,
        curve=True,
        facts={"update_interval": "10y"},
    ),
)
"""What numerical libraries tell."""
