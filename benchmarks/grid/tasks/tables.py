"""Tasks from tables that software carries: characters, constants, units, languages of programs, time zones."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Any

from benchmarks.grid.making import scattered
from benchmarks.grid.origins import iso_codes, package_text
from benchmarks.grid.task import Item, Task

__all__ = ["TASKS"]

_CATEGORIES = {
    "Lu": "uppercase letter",
    "Ll": "lowercase letter",
    "Lt": "titlecase letter",
    "Lm": "modifier letter",
    "Lo": "other letter",
    "Mn": "nonspacing mark",
    "Mc": "spacing mark",
    "Me": "enclosing mark",
    "Nd": "decimal number",
    "Nl": "letter number",
    "No": "other number",
    "Pc": "connector punctuation",
    "Pd": "dash punctuation",
    "Ps": "open punctuation",
    "Pe": "close punctuation",
    "Pi": "initial quote",
    "Pf": "final quote",
    "Po": "other punctuation",
    "Sm": "math symbol",
    "Sc": "currency symbol",
    "Sk": "modifier symbol",
    "So": "other symbol",
    "Zs": "space separator",
    "Cf": "format character",
}
_UNICODE = "names and categories of characters, as Python's unicodedata has them: the Unicode Consortium"
_ENUMERATED = re.compile(
    r"CJK|HANGUL SYLLABLE|TANGUT|NUSHU|KHITAN|SIGNWRITING|EGYPTIAN|ANATOLIAN|CUNEIFORM|VARIATION"
)


def _characters() -> Iterator[tuple[str, str]]:
    """Yield characters with names that say something of them."""
    for number in range(32, sys.maxunicode):
        name = unicodedata.name(chr(number), "")
        if name and not _ENUMERATED.search(name):
            yield chr(number), name


def _categories() -> Iterator[Item]:
    for sign, name in _characters():
        if (category := _CATEGORIES.get(unicodedata.category(sign))) is not None:
            yield Item(name, category, drifted=f"{name.capitalize()} (U+{ord(sign):04X})", subject=name)


def _code_points() -> Iterator[Item]:
    for sign, name in scattered(_characters(), lambda each: each[1])[:2000]:
        code = f"U+{ord(sign):04X}"
        yield Item(
            f"What is the code point of the character {name}?",
            code,
            f"{code} is the character {name}, {_CATEGORIES.get(unicodedata.category(sign), 'control')}.",
            f"I have to type {name.lower()}. Under which number do I find it?",
            name,
        )


def _constants() -> Iterator[Item]:
    from scipy.constants import physical_constants

    for name, (value, unit, uncertainty) in physical_constants.items():
        if unit and "relationship" not in name:
            yield Item(
                f"In which unit does CODATA give the constant “{name}”?",
                unit,
                f"Constant: {name}. Value: {value!r} {unit}, uncertainty {uncertainty!r}.",
                f"I found the {name} in a table, but without its unit. Which is it?",
                name,
            )


def _units() -> Iterator[Item]:
    text = package_text("units", "usr/share/units/definitions.units")
    pattern = r"^([a-z]{4,20}) {2,}(\d[\d.|]* [a-zA-Z]+)(?: +# *(.*))?$"
    found = re.findall(pattern, text, re.MULTILINE)
    counts = Counter(name for name, _, _ in found)
    for name, definition, about in found:
        if counts[name] == 1:
            definition = definition.replace("|", "/")
            yield Item(
                f"How does GNU units define the unit {name}?",
                definition,
                f"Unit {name}: {definition}{f' ({about})' if about else ''}",
                f"An old book measures in {name}. What is one of it, by GNU units?",
                name,
            )


def _lexers() -> Iterator[Item]:
    from pygments.lexers import get_all_lexers  # type: ignore[import-untyped]

    lexers = list(get_all_lexers(plugins=False))
    counts = Counter(pattern for _, _, patterns, _ in lexers for pattern in patterns)
    for name, aliases, patterns, types in lexers:
        own = [each for each in patterns if re.fullmatch(r"\*\.\w{1,8}", each) and counts[each] == 1]
        stem = {name.casefold(), *(alias.casefold() for alias in aliases)}
        told = [each for each in own if each[2:].casefold() not in stem]
        if told and len(name.split()) <= 3 and "+" not in name:
            ending = scattered(told)[0][1:]
            yield Item(
                f"Which language are files that end in {ending} written in?",
                name,
                f"{name}. Short names: {', '.join(aliases)}. Files: {', '.join(patterns[:8])}."
                f"{f' Media type: {types[0]}.' if types else ''}",
                f"Someone sent me main{ending}. What is that written in?",
                name,
            )


def _zones() -> Iterator[Item]:
    names = {each["alpha_2"]: each.get("common_name", each["name"]) for each in iso_codes("3166-1")}
    for line in package_text("tzdata", "usr/share/zoneinfo/zone.tab").splitlines():
        if not line.startswith("#"):
            code, _, zone, *about = line.split("\t")
            country = names.get(code, "")
            if country and "(" not in country and country.casefold() not in zone.replace("_", " ").casefold():
                yield Item(
                    f"Which country has the time zone {zone}?",
                    country,
                    f"Time zone {zone}: {country}{f', {about[0]}' if about and about[0] else ''}.",
                    f"A user's clock is set to {zone}. Where are they, by country?",
                    zone,
                )


def _task(name: str, origin: str, licence: str, **fields: Any) -> Task:
    return Task(name=name, origin=origin, licence=licence, **fields)


TASKS = (
    _task(
        "character-categories",
        _UNICODE,
        "Unicode License",
        description="You know the characters of Unicode. You are given the name of a character. Answer with "
        "its general category in words, such as uppercase letter, nonspacing mark, math symbol or "
        "other symbol, and nothing else.",
        items=_categories,
        task="CLASSIFICATION",
        output_form="LABEL",
        training=2000,
        tuning={"epochs": 1},
        drift="names in small letters, with the code point behind",
        facts={"update_interval": "1y", "entity_popularity": "LONG_TAIL"},
    ),
    _task(
        "code-points",
        _UNICODE,
        "Unicode License",
        description="You know the characters of Unicode. Answer with the code point of the character that is "
        "named, as U+ and at least four hexadecimal digits in capital letters, such as U+0041 for "
        "LATIN CAPITAL LETTER A, and nothing else.",
        items=_code_points,
        task="QUESTION_ANSWERING",
        output_form="FREE_TEXT",
        training=60,
        documents=True,
        drift="asked by who has to type it, in small letters",
        per_document=8,
        hybrid=True,
        broken=True,
        halved=True,
        facts={"update_interval": "1y", "entity_popularity": "LONG_TAIL"},
    ),
    _task(
        "constant-units",
        "scipy.constants, as installed: CODATA's recommended values, of NIST; SciPy's authors",
        "BSD 3-Clause; the values are in the public domain",
        description="You know the physical constants as CODATA recommends them. Answer with the unit of the "
        "constant alone, in CODATA's notation, such as J Hz^-1 or m s^-1, without its value.",
        items=_constants,
        task="QUESTION_ANSWERING",
        curve=True,
        output_form="FREE_TEXT",
        training=100,
        documents=True,
        drift="asked by who found it in a table",
        drifted=40,
        per_document=8,
        broken=True,
        facts={"update_interval": "4y", "entity_popularity": "MIXED"},
    ),
    _task(
        "unit-definitions",
        "definitions.units of the Debian package units: Adrian Mariano and the Free Software Foundation",
        "GPL-3-or-later",
        description="You know the definitions of old and new units of measurement. Answer with the definition "
        "of the unit as a number or a fraction and one other unit, such as 40 rod for furlong, "
        "and nothing else.",
        items=_units,
        packages=("units",),
        task="QUESTION_ANSWERING",
        output_form="FREE_TEXT",
        training=150,
        documents=True,
        drift="asked by who reads an old book",
        per_document=8,
        broken=True,
        halved=True,
        facts={"update_interval": "2y", "entity_popularity": "LONG_TAIL"},
    ),
    _task(
        "source-languages",
        "the lexers of Pygments, as installed: its authors",
        "BSD 2-Clause",
        description="You know programming languages and the files that they are kept in. Answer with the name "
        "of the language, as Pygments writes it, such as C# for .cs, and nothing else.",
        items=_lexers,
        task="QUESTION_ANSWERING",
        output_form="FREE_TEXT",
        training=30,
        held_out=70,
        documents=True,
        drift="asked about a file that someone sent",
        drifted=25,
        per_document=6,
        hybrid=True,
        broken=True,
        halved=True,
        facts={"update_interval": "180d", "entity_popularity": "MIXED"},
    ),
    _task(
        "zone-countries",
        "zone.tab of the Debian package tzdata: the contributors of the tz database; names of "
        "countries by iso-codes",
        "public domain; LGPL-2.1-or-later",
        description="You know the time zones of the tz database. Answer with the name of the country that has "
        "the zone, in English as ISO 3166 has it, and nothing else.",
        items=_zones,
        packages=("tzdata", "iso-codes"),
        task="QUESTION_ANSWERING",
        output_form="FREE_TEXT",
        training=60,
        documents=True,
        drift="asked about a user's clock",
        per_document=8,
        hybrid=True,
        broken=True,
        halved=True,
        facts={"update_interval": "90d", "entity_popularity": "HEAD"},
    ),
)
"""What tables tell."""
