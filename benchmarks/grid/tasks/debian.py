"""Tasks from Debian: its list of packages, and tables that packages carry."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from benchmarks.grid.making import scattered
from benchmarks.grid.origins import available, package_text
from benchmarks.grid.task import Item, Task

__all__ = ["TASKS"]

_LIST = "the list of packages of Debian's archive, as apt-cache dumpavail prints it: Debian's maintainers"
_LIST_LICENCE = "free by Debian's guidelines: package metadata, each under the terms of its package"
_SECTIONS = 24
_LANGUAGES = (
    "c",
    "c++",
    "python",
    "perl",
    "java",
    "ruby",
    "shell",
    "haskell",
    "php",
    "lisp",
    "javascript",
    "ada",
)
_NAME = re.compile(r"[a-z][a-z0-9-]{3,20}")
_RELATION = re.compile(r"([a-z0-9][a-z0-9.+-]+) \((<<|<=|=|>=|>>) ([^)]+)\)")


@cache
def _packages() -> tuple[Mapping[str, str], ...]:
    """Return packages of the main archive with a description of their own, in an order that nobody chose."""
    texts = Counter(each.get("Description", "") for each in available())
    own = (
        each for each in available() if texts[each.get("Description", "")] == 1 and "/" not in each["Section"]
    )
    return tuple(scattered(own, lambda each: each["Package"]))


def _sections() -> Iterator[Item]:
    frequent = {name for name, _ in Counter(each["Section"] for each in _packages()).most_common(_SECTIONS)}
    for each in _packages():
        if each["Section"] in frequent:
            yield Item(each["Description"], each["Section"], drifted=each["Package"], subject=each["Package"])


def _described() -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield packages whose description does not name them, nor shares a stem with their name."""
    for each in _packages()[:4000]:
        name, text = each["Package"], each["Description"]
        stems = {part[:4] for part in name.split("-") if len(part) > 2}
        if _NAME.fullmatch(name) and len(text) > 25 and not any(stem in text.casefold() for stem in stems):
            yield name, each


def _stanza(each: Mapping[str, str]) -> str:
    return (
        f"Package: {each['Package']}\nVersion: {each['Version']}\nSection: {each['Section']}\n"
        f"Installed-Size: {each.get('Installed-Size', 'unknown')}\nDescription: {each['Description']}"
    )


def _names() -> Iterator[Item]:
    for name, each in _described():
        text = each["Description"]
        yield Item(
            f"Which Debian package is described as “{text}”?",
            name,
            _stanza(each),
            f"I need this on my machine: {text}. What do I apt install?",
            name,
        )


def _versions() -> Iterator[Item]:
    for name, each in _described():
        yield Item(
            f"Which version of the package {name} does Debian have?",
            each["Version"],
            _stanza(each),
            f"Is {name} up to date in Debian, or how far did they get?",
            name,
        )


def _implemented() -> Iterator[Item]:
    for each in _packages():
        found = re.findall(r"implemented-in::([\w+]+)", each.get("Tag", ""))
        if len(found) == 1 and found[0] in _LANGUAGES:
            told = f"{each['Package']}: {each['Description']}"
            yield Item(told, found[0], drifted=each["Description"], subject=each["Package"])


def _stanzas() -> Iterator[Item]:
    for each in _packages()[:3000]:
        size = each.get("Installed-Size", "")
        if _NAME.fullmatch(each["Package"]) and size.isdigit():
            record: dict[str, Any] = {
                "name": each["Package"],
                "version": each["Version"],
                "kilobytes": int(size),
                "section": each["Section"],
            }
            lines = "\n".join(
                f"{field}: {each.get(field, '')}"
                for field in ("Package", "Priority", "Section", "Installed-Size", "Architecture", "Version")
            )
            other = (
                f"{record['name']} {record['version']} ({each['Architecture']}), section {record['section']}, "
                f"takes up {size} kB"
            )
            yield Item(lines, json.dumps(record), drifted=other, subject=record["name"])


def _relations() -> Iterator[Item]:
    seen: set[str] = set()
    for each in _packages()[:3000]:
        for match in _RELATION.finditer(each.get("Depends", "")):
            package, relation, version = match.groups()
            if package not in seen:
                seen.add(package)
                answer = json.dumps({"package": package, "relation": relation, "version": version})
                yield Item(match[0], answer, subject=package)
                break


def _ports() -> Iterator[Item]:
    pattern = r"^([a-z][\w-]+)\s+(\d+)/(tcp|udp)[ \t]*[\w \t-]*?(?:#[ \t]*(.*))?$"
    lines = re.findall(pattern, package_text("netbase", "etc/services"), re.MULTILINE)
    ports = Counter(name for name, _ in {(name, port) for name, port, _, _ in lines})
    for name, port, protocol, about in lines:
        if ports[name] == 1:
            yield Item(
                f"Which port does the service {name} use?",
                port,
                f"Service {name}{f' ({about})' if about else ''}: port {port}, protocol {protocol}.",
                f"I have to open the firewall for {name}. For which port?",
                name,
            )


@cache
def _media_types() -> tuple[tuple[str, str], ...]:
    """Return endings of files with the one media type that each has."""
    found: dict[str, str] = {}
    for line in package_text("media-types", "etc/mime.types").splitlines():
        if line and not line.startswith("#"):
            kind, *endings = line.split()
            for ending in endings:
                found[ending] = "" if ending in found else kind
    return tuple((ending, kind) for ending, kind in sorted(found.items()) if kind)


def _media() -> Iterator[Item]:
    for ending, kind in _media_types():
        yield Item(
            f"What is the media type of files that end in .{ending}?",
            kind,
            f"Files that end in .{ending} have the media type {kind}",
            f"Which Content-Type do I send with a .{ending} file?",
            ending,
        )


def _media_tops() -> Iterator[Item]:
    for ending, kind in _media_types():
        top = kind.partition("/")[0]
        if top in ("application", "audio", "image", "text", "video", "chemical", "model", "font"):
            yield Item(f"example.{ending}", top, subject=ending)


def _vendors() -> Iterator[Item]:
    names: Counter[str] = Counter()
    found = re.findall(
        r"^([0-9a-f]{4})  (\S.*)$", package_text("pci.ids", "usr/share/misc/pci.ids"), re.MULTILINE
    )
    names.update(name for _, name in found)
    for number, name in found:
        if names[name] == 1 and len(name.split()) <= 4 and name.isascii():
            yield Item(
                f"Which vendor has the PCI id {number}?",
                name,
                f"PCI vendor {number}: {name}",
                f"lspci shows a device {number}:0001. Who made it?",
                number,
            )


def _task(name: str, **fields: Any) -> Task:
    given = {"origin": _LIST, "licence": _LIST_LICENCE, **fields}
    return Task(name=name, **given)


TASKS = (
    _task(
        "debian-sections",
        description="You sort software into the sections of Debian's archive. You are given the one-line "
        "description of a package. Answer with the name of its section, such as games, libs, "
        "science or web, and nothing else.",
        items=_sections,
        task="CLASSIFICATION",
        output_form="LABEL",
        training=2000,
        tuning={"epochs": 1},
        drift="the name of the package instead of its description",
        facts={"update_interval": "2y", "entity_popularity": "MIXED"},
    ),
    _task(
        "debian-names",
        description="You know the packages of Debian. You are given what a package is described as. Answer "
        "with the name of the package as apt takes it, in small letters, and nothing else.",
        items=_names,
        task="QUESTION_ANSWERING",
        output_form="FREE_TEXT",
        training=30,
        documents=True,
        drift="asked by a user who wants to install something",
        per_document=4,
        hybrid=True,
        broken=True,
        halved=True,
        facts={"update_interval": "30d", "entity_popularity": "LONG_TAIL"},
    ),
    _task(
        "debian-versions",
        description="You know what Debian's archive holds. Answer with the version of the package that is "
        "asked about, exactly as the archive writes it, with epoch and revision where there are "
        "any, and nothing else.",
        items=_versions,
        task="QUESTION_ANSWERING",
        output_form="FREE_TEXT",
        training=50,
        documents=True,
        drift="asked by a user in other words",
        per_document=4,
        hybrid=True,
        broken=True,
        halved=True,
        changes=True,
        metric="holds",
        facts={"update_interval": "14d", "entity_popularity": "LONG_TAIL"},
    ),
    _task(
        "debian-languages",
        description="You know in which programming language software is written. You are given the name of a "
        "Debian package and its description. Answer with the language that most of it is "
        "implemented in, and nothing else.",
        items=_implemented,
        task="CLASSIFICATION",
        output_form="LABEL",
        training=400,
        drift="the description alone, without the name of the package",
        facts={"update_interval": "1y", "entity_popularity": "LONG_TAIL"},
    ),
    _task(
        "stanza-records",
        description="You read stanzas of Debian's control files. Answer with one JSON object and nothing "
        'else, its keys in this order: "name", the package; "version"; "kilobytes", the installed '
        'size as a number; "section". For example: {"name": "hello", "version": "2.10-3", '
        '"kilobytes": 277, "section": "devel"}.',
        items=_stanzas,
        task="EXTRACTION",
        output_form="STRUCTURED",
        training=60,
        drift="the same told in a line instead of a stanza",
        curve=True,
        facts={"update_interval": "2y"},
    ),
    _task(
        "relation-records",
        description="You take dependencies of Debian packages apart. Answer with one JSON object of three "
        'strings and nothing else: {"package": its name, "relation": the sign, "version": the '
        'version}. For example, "zlib1g (>= 1:1.2.0)" is {"package": "zlib1g", "relation": ">=", '
        '"version": "1:1.2.0"}.',
        items=_relations,
        task="EXTRACTION",
        output_form="STRUCTURED",
        training=12,
        facts={"update_interval": "2y"},
    ),
    _task(
        "service-ports",
        description="You know the well-known ports of the Internet's services. Answer with the number of the "
        "port and nothing else: 80 for http.",
        items=_ports,
        origin="etc/services of the Debian package netbase: its maintainers, from IANA's registry",
        licence="GPL-2",
        packages=("netbase",),
        task="QUESTION_ANSWERING",
        output_form="FREE_TEXT",
        training=60,
        documents=True,
        drift="asked by who sets up a firewall",
        per_document=8,
        hybrid=True,
        broken=True,
        changes=True,
        facts={"update_interval": "1y", "entity_popularity": "MIXED"},
    ),
    _task(
        "media-types",
        description="You know the media types of files. You are asked by the ending of a file's name. Answer "
        "with its media type, such as text/html for .html, and nothing else.",
        items=_media,
        origin="etc/mime.types of the Debian package media-types: its maintainers, from IANA's registry",
        licence="public domain",
        packages=("media-types",),
        task="QUESTION_ANSWERING",
        output_form="FREE_TEXT",
        training=150,
        documents=True,
        drift="asked by who serves a file",
        per_document=10,
        broken=True,
        halved=True,
        facts={"update_interval": "1y", "entity_popularity": "LONG_TAIL"},
    ),
    _task(
        "media-kinds",
        description="You tell what kind of content a file holds by the ending of its name. Answer with the "
        "top level of its media type: image for example.png, text for example.csv, and so on. "
        "Answer with that one word and nothing else.",
        items=_media_tops,
        origin="etc/mime.types of the Debian package media-types: its maintainers, from IANA's registry",
        licence="public domain",
        packages=("media-types",),
        task="CLASSIFICATION",
        output_form="LABEL",
        training=800,
        tuning={"epochs": 2},
        facts={"update_interval": "1y", "entity_popularity": "LONG_TAIL"},
    ),
    _task(
        "pci-vendors",
        description="You know the vendors of PCI devices by their numbers. You are given the four hexadecimal "
        "digits of a vendor. Answer with the vendor's name as the list pci.ids has it, and "
        "nothing else.",
        items=_vendors,
        origin="the Debian package pci.ids: the PCI ID Project",
        licence="GPL-2-or-later or BSD 3-Clause",
        packages=("pci.ids",),
        task="QUESTION_ANSWERING",
        output_form="FREE_TEXT",
        training=100,
        documents=True,
        drift="asked with the output of lspci",
        per_document=12,
        broken=True,
        halved=True,
        changes=True,
        facts={"update_interval": "30d", "entity_popularity": "LONG_TAIL"},
    ),
)
"""What Debian's archive tells."""
