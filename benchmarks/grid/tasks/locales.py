"""Tasks from the locales of the GNU C library, as Debian's package locales carries them: how countries write things."""

from __future__ import annotations

import datetime
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from benchmarks.grid.making import hashed
from benchmarks.grid.origins import package_files
from benchmarks.grid.task import Item, Task

__all__ = ["TASKS"]

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_LANGUAGES = 36
_DATES, _NUMBERS = 4, 3
"""Written for each locale."""


@dataclass(frozen=True, slots=True)
class _Locale:
    language: str
    territory: str
    days: tuple[str, ...]
    months: tuple[str, ...]
    date: str
    point: str
    group: str
    prefix: str


@cache
def _locales() -> tuple[_Locale, ...]:
    """Return locales, one for each language and territory."""
    found: dict[tuple[str, str], _Locale] = {}
    for text in package_files("locales", "usr/share/i18n/locales/*_*").values():
        each = _Locale(
            language=_value(text, "language"),
            territory=_value(text, "territory"),
            days=_list(text, "day"),
            months=_list(text, "mon"),
            date=_value(text, "d_fmt"),
            point=_value(text, "decimal_point"),
            group=_value(text, "thousands_sep"),
            prefix=_value(text, "int_prefix"),
        )
        if each.language and each.territory:
            found.setdefault((each.language, each.territory), each)
    return tuple(found[key] for key in sorted(found))


def _value(text: str, name: str) -> str:
    match = re.search(rf'^{name}\s+"([^"]*)"', text, re.MULTILINE)
    return _decoded(match[1]) if match else ""


def _list(text: str, name: str) -> tuple[str, ...]:
    match = re.search(rf'^{name}\s+((?:"[^"]*";?[/\s]*)+)', text, re.MULTILINE)
    return tuple(map(_decoded, re.findall(r'"([^"]*)"', match[1]))) if match else ()


def _decoded(text: str) -> str:
    """Return a value as it is meant: a slash escapes, or has the line go on, and characters may be numbers."""
    text = re.sub(r"/\n\s*", "", text).replace("//", "/")
    return re.sub(r"<U([0-9A-F]{4,5})>", lambda match: chr(int(match[1], 16)), text).strip()


def _words() -> dict[str, set[str]]:
    """Return names of days and months, with the languages that have them so."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for each in _locales():
        for word in (*each.days, *each.months):
            if len(word) > 3:
                found[word.casefold()].add(each.language)
    return found


def _word_languages() -> Iterator[Item]:
    alone = {word: next(iter(names)) for word, names in _words().items() if len(names) == 1}
    counts = Counter(alone.values())
    frequent = {
        name for name, _ in sorted(counts.items(), key=lambda each: (-each[1], hashed(each[0])))[:_LANGUAGES]
    }
    for word, language in alone.items():
        if language in frequent:
            yield Item(word, language, drifted=word.upper(), subject=word)


def _month_names() -> Iterator[Item]:
    meanings: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for each in _locales():
        if len(each.months) == len(_MONTHS):
            for number, word in enumerate(each.months):
                if not re.search(r"\d", word) and word.casefold() != _MONTHS[number].casefold():
                    meanings[word, each.language].add(number)
    for (word, language), numbers in meanings.items():
        if len(numbers) == 1:
            yield Item(
                f"{word} ({language})", _MONTHS[min(numbers)], drifted=word, subject=f"{word} {language}"
            )


def _dates() -> Iterator[Item]:
    first = datetime.date(1950, 1, 1)
    for each in _locales():
        form = (
            each.date.replace("%D", "%m/%d/%y").replace("%e", "%d").replace("%-d", "%d").replace("%-m", "%m")
        )
        if set(re.findall(r"%(.)", form)) != {"d", "m", "Y"}:
            continue
        for number in range(_DATES):
            day = first + datetime.timedelta(
                days=int(hashed(f"{each.language} {each.territory} {number}"), 16) % 36_000
            )
            text = day.strftime(form).strip()
            yield Item(
                f"{text} ({each.language}, {each.territory})",
                day.isoformat(),
                subject=text,
            )


def _drifting_dates() -> Iterator[Item]:
    """Yield dates as they are spelled in English, which no locale writes by default."""
    for each in _dates():
        day = datetime.date.fromisoformat(each.answer)
        yield Item(f"{_MONTHS[day.month - 1]} {day.day}, {day.year}", each.answer)


def _numbers() -> Iterator[Item]:
    for each in _locales():
        if not each.point or not each.group or each.point == each.group:
            continue
        for place in range(_NUMBERS):
            drawn = int(hashed(f"number {each.language} {each.territory} {place}"), 16)
            whole, cents = drawn % 10**7 + 1000, drawn // 10**9 % 100
            text = f"{whole:,}".replace(",", each.group) + f"{each.point}{cents:02}"
            yield Item(f"{text} ({each.language}, {each.territory})", f"{whole}.{cents:02}", subject=text)


def _prefixes() -> Iterator[Item]:
    codes: defaultdict[str, set[str]] = defaultdict(set)
    for each in _locales():
        if each.prefix.isdigit():
            codes[each.territory].add(each.prefix)
    for territory, found in codes.items():
        if len(found) == 1:
            (code,) = found
            yield Item(
                f"What is the international calling code of {territory}?",
                code,
                f"{territory}: international calling code {code}.",
                subject=territory,
            )


def _task(name: str, **fields: Any) -> Task:
    return Task(
        name=name,
        origin="locales of the GNU C library, as the Debian package locales carries them: its contributors",
        licence="LGPL-2.1-or-later; locales themselves are free to use without limitation",
        packages=("locales",),
        **fields,
    )


TASKS = (
    _task(
        "calendar-languages",
        description="You tell languages by the names of their weekdays and months. You are given one such "
        "name in small letters. Answer with the language that it belongs to, by its English name, "
        "and nothing else.",
        items=_word_languages,
        task="CLASSIFICATION",
        output_form="LABEL",
        training=400,
        drift="names in capital letters",
        facts={"update_interval": "10y", "entity_popularity": "LONG_TAIL"},
    ),
    _task(
        "month-names",
        description="You know the names of the months in many languages. You are given a month's name, and in "
        "brackets the language. Answer with the same month in English, such as October for "
        "lokakuu, and nothing else.",
        items=_month_names,
        task="CLASSIFICATION",
        output_form="LABEL",
        training=300,
        drift="the name alone, without the language",
        facts={"update_interval": "10y", "entity_popularity": "LONG_TAIL"},
    ),
    _task(
        "local-dates",
        description="You rewrite dates. You are given a date as a locale writes it, and in brackets the "
        "language and the territory, which tell whether the day, the month or the year comes "
        "first. Answer with the same date by ISO 8601, four digits of the year, two of the month, "
        "two of the day, with hyphens, such as 2024-03-09, and nothing else.",
        items=_dates,
        other=_drifting_dates,
        task="CODE",
        output_form="FREE_TEXT",
        metric="exact_match",
        training=96,
        drift="dates spelled in English",
        curve=True,
        facts={"update_interval": "10y", "synthetic_examples": True},
    ),
    _task(
        "local-numbers",
        description="You rewrite numbers. You are given an amount as a locale writes it, and in brackets the "
        "language and the territory, which tell the sign for decimals and that for thousands. "
        "Answer with the same number without any sign for thousands and with a full stop before "
        "the two decimals, such as 1234567.05, and nothing else.",
        items=_numbers,
        task="CODE",
        output_form="FREE_TEXT",
        metric="exact_match",
        training=48,
        curve=True,
        facts={"update_interval": "10y", "synthetic_examples": True},
    ),
    _task(
        "calling-codes",
        description="You know the international calling codes of countries. Answer with the digits of the "
        "code alone, without a plus sign or zeros before it, such as 33 for France.",
        items=_prefixes,
        task="QUESTION_ANSWERING",
        output_form="FREE_TEXT",
        training=16,
        held_out=80,
        documents=True,
        spare=40,
        per_document=8,
        broken=True,
        changes=True,
        facts={"update_interval": "2y", "entity_popularity": "HEAD"},
    ),
)
"""What locales tell."""
