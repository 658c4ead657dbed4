"""Tasks from manuals in Debian's packages: Perl's diagnostics, lintian's tags, pages of man, Apache's directives."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import PurePosixPath
from typing import Any

from benchmarks.grid.origins import package_files, package_text, paragraphs
from benchmarks.grid.task import Item, Task

__all__ = ["TASKS"]

_SEVERITIES = {
    "W": "warning",
    "D": "deprecation",
    "S": "severe warning",
    "F": "fatal error",
    "P": "internal error",
    "X": "very fatal error",
    "A": "alien error",
}
"""As the head of perldiag has them."""
_SECTIONS = {
    "1": "user command",
    "2": "system call",
    "3": "library function",
    "4": "device",
    "5": "file format",
    "7": "overview",
    "8": "administration command",
}
_PAGES = (
    *(("manpages-dev", f"usr/share/man/man{section}/*.gz") for section in "23"),
    *(("manpages", f"usr/share/man/man{section}/*.gz") for section in "4578"),
    *(
        (package, f"usr/share/man/man{section}/*.gz")
        for package in ("coreutils", "util-linux", "git-man")
        for section in "1"
    ),
    *((package, "usr/share/man/man8/*.gz") for package in ("util-linux", "iproute2", "lvm2")),
)
_ROFF = re.compile(r"\\f[BIRPC]|\\f\(\w\w|\\&|\\s[-+]?\d|\\\*\(\w\w")
_TAGS = re.compile(r"<[^>]+>")
_ROW = re.compile(r"<th><a[^>]*>(\w+):</a></th><td>(.*?)</td>", re.DOTALL)
_DIRECTIVE = re.compile(
    r'<div class="directive-section"><h2[^>]*>.*?<span id="\w+">(\w+)</span>.*?</table>', re.DOTALL
)


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(_TAGS.sub("", text))).strip()


def _unroffed(text: str) -> str:
    text = text.replace(r"\-", "-").replace(r"\e", "\\").replace(r"\*(L", '"').replace(r"\*(R", '"')
    return re.sub(r"\s+", " ", _ROFF.sub("", text)).strip()


def _diagnostics() -> Iterator[Item]:
    text = package_text("perl-doc", "usr/share/man/man1/perldiag.1.gz")
    pattern = r'^\.IX Item "(.+)"\n\((\w)(?:[| ][^)]*)?\) ((?:[^.\n].*\n)+)'
    for message, letter, about in re.findall(pattern, text, re.MULTILINE):
        if letter in _SEVERITIES and "\\" not in message:
            kind = _SEVERITIES[letter]
            yield Item(
                f"How severe is Perl's diagnostic “{message}”?",
                kind,
                f"“{message}” is classified as: {kind}. {_unroffed(about)[:250]}",
                f"My script printed: {message} at line 12. What kind of message is that?",
                message,
            )


def _lint_tags() -> Iterator[Item]:
    text = package_text("lintian", "usr/share/lintian/tags/**/*.tag")
    for fields in _tag_fields(text):
        first = _plain(fields["Explanation"]).partition(". ")[0]
        if 20 < len(first) < 250:
            yield Item(
                f"{fields['Tag']}: {first}.", fields["Severity"], drifted=fields["Tag"], subject=fields["Tag"]
            )


def _tag_fields(text: str) -> Iterator[dict[str, str]]:
    for part in re.split(r"^(?=Tag: )", text, flags=re.MULTILINE):
        fields = next(paragraphs(part), {})
        if {"Tag", "Severity", "Explanation"} <= set(fields):
            yield fields


@cache
def _pages() -> tuple[tuple[str, str, str], ...]:
    """Return name, section and description of manual pages, those described in the same words once."""
    found: dict[str, tuple[str, str, str]] = {}
    for package, pattern in _PAGES:
        try:
            files = package_files(package, pattern)
        except ValueError:
            continue
        for path, text in files.items():
            match = re.search(r'^\.S[Hh] "?N[Aa][Mm][Ee]"?\n(.+?)\n\.', text, re.MULTILINE | re.DOTALL)
            told = _unroffed(match[1]) if match else ""
            names, dash, about = told.partition(" - ")
            if dash and 15 < len(about) < 150 and not about.startswith("."):
                section = PurePosixPath(path).parent.name.removeprefix("man")
                found.setdefault(about, (names.partition(",")[0].strip(), section, about))
    return tuple(found.values())


def _sections() -> Iterator[Item]:
    for name, section, about in _pages():
        yield Item(f"{name} - {about}", _SECTIONS[section], drifted=about, subject=about)


@cache
def _directives() -> tuple[tuple[str, dict[str, str]], ...]:
    """Return Apache's directives that one module has, with what the table of each says."""
    text = package_text("apache2-doc", "usr/share/doc/apache2-doc/manual/en/mod/*.html")
    found = [
        (match[1], {name: _plain(value) for name, value in _ROW.findall(match[0])})
        for match in _DIRECTIVE.finditer(text)
    ]
    counts = Counter(name for name, _ in found)
    return tuple(
        each
        for each in found
        if counts[each[0]] == 1
        and "," not in each[1].get("Module", ",")
        and {"Module", "Status", "Context"} <= set(each[1])
    )


def _of_directive(name: str, row: dict[str, str]) -> str:
    default = f" Default: {row['Default']}." if row.get("Default") else ""
    return (
        f"Directive {name}: {row['Description']}. Context: {row['Context']}. Status: {row['Status']}. "
        f"Module: {row['Module']}.{default}"
    )


def _modules() -> Iterator[Item]:
    for name, row in _directives():
        yield Item(
            f"Which Apache module has the directive {name}?",
            row["Module"],
            _of_directive(name, row),
            f"Apache says: Invalid command '{name}'. What do I have to load?",
            name,
        )


def _directive_records() -> Iterator[Item]:
    for name, row in _directives():
        record = {"module": row["Module"], "status": row["Status"], "contexts": row["Context"].split(", ")}
        yield Item(name, json.dumps(record), _of_directive(name, row), subject=name)


def _task(name: str, origin: str, licence: str, *packages: str, **fields: Any) -> Task:
    return Task(name=name, origin=origin, licence=licence, packages=packages, **fields)


_APACHE = (
    "the manual of the Apache HTTP Server in the Debian package apache2-doc: The Apache Software Foundation"
)

TASKS = (
    _task(
        "perl-diagnostics",
        "perldiag of the Debian package perl-doc: Perl's authors",
        "GPL-1-or-later or Artistic License",
        "perl-doc",
        description="You know the diagnostics of Perl and how perldiag classifies them. Answer with the class "
        "of the message and nothing else: warning for what is optional, severe warning for what "
        "is on by default, deprecation, fatal error for what can be trapped, very fatal error for "
        "what cannot, internal error for what one should never see, or alien error for what does "
        "not come from Perl.",
        items=_diagnostics,
        task="QUESTION_ANSWERING",
        curve=True,
        output_form="LABEL",
        training=150,
        documents=True,
        drift="asked with the output of a script",
        per_document=4,
        broken=True,
        halved=True,
        changes=True,
        facts={"update_interval": "1y", "entity_popularity": "LONG_TAIL"},
    ),
    _task(
        "lintian-severities",
        "tags of the Debian package lintian: its maintainers",
        "GPL-2-or-later",
        "lintian",
        description="You know lintian, which checks Debian packages. You are given a tag and what it means. "
        "Answer with its severity: error for a bug or a breach of policy, warning for what is "
        "likely a bug, info for advice, pedantic for matters of taste, classification for what "
        "only describes a package. Answer with that one word.",
        items=_lint_tags,
        task="CLASSIFICATION",
        output_form="LABEL",
        training=300,
        drift="the name of the tag alone",
        facts={"update_interval": "60d", "entity_popularity": "LONG_TAIL"},
    ),
    _task(
        "manual-sections",
        "names and descriptions of manual pages in Debian's manpages, manpages-dev, coreutils, "
        "util-linux, git-man, iproute2 and lvm2: their authors",
        "each under the terms of its page: GPL, BSD, or the licence of the Linux man-pages",
        *dict.fromkeys(package for package, _ in _PAGES),
        description="You know the manual of Unix. You are given the name of a page and its description. "
        "Answer with what it describes: user command (section 1), system call (2), library "
        "function (3), device (4), file format (5), overview (7) or administration command (8). "
        "Answer with that phrase and nothing else.",
        items=_sections,
        task="CLASSIFICATION",
        output_form="LABEL",
        training=300,
        drift="the description alone, without the name",
        facts={"update_interval": "180d", "entity_popularity": "MIXED"},
    ),
    _task(
        "apache-modules",
        _APACHE,
        "Apache License 2.0",
        "apache2-doc",
        description="You know the configuration of the Apache HTTP Server. Answer with the name of the module "
        "that has the directive, such as mod_rewrite for RewriteRule or core for ServerName, and "
        "nothing else.",
        items=_modules,
        task="QUESTION_ANSWERING",
        curve=True,
        output_form="FREE_TEXT",
        training=60,
        documents=True,
        drift="asked with an error message",
        per_document=5,
        hybrid=True,
        broken=True,
        changes=True,
        facts={"update_interval": "180d", "entity_popularity": "MIXED"},
    ),
    _task(
        "apache-records",
        _APACHE,
        "Apache License 2.0",
        "apache2-doc",
        description="You know the directives of the Apache HTTP Server. You are given the name of a "
        'directive. Answer with one JSON object and nothing else: {"module": the module that has '
        'it, "status": such as Core, Base or Extension, "contexts": a list of where it is '
        'allowed}. For ServerName that is {"module": "core", "status": "Core", "contexts": '
        '["server config", "virtual host"]}.',
        items=_directive_records,
        task="EXTRACTION",
        output_form="STRUCTURED",
        training=200,
        documents=True,
        per_document=5,
        broken=True,
        facts={"update_interval": "180d", "entity_popularity": "MIXED"},
    ),
)
"""What manuals tell."""
