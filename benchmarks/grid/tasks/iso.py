"""Tasks from lists of codes that ISO standards define, as Debian's package iso-codes carries them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from benchmarks.grid.origins import iso_codes
from benchmarks.grid.task import Item, Task

__all__ = ["TASKS"]

_FREQUENT_COUNTRIES = 100


def _currencies() -> Iterator[Item]:
    for each in iso_codes("4217"):
        name, code = each["name"], each["alpha_3"]
        if code.startswith("X") and code not in ("XAF", "XCD", "XOF", "XPF"):
            continue  # metals, units of account and tests
        yield Item(
            f"What is the ISO 4217 code of the currency {name}?",
            code,
            f"Currency: {name}. Code: {code}. Number: {each['numeric']}.",
            f"The invoice is in {name}; how is that abbreviated in the order form?",
            name,
        )


def _languages() -> Iterator[Item]:
    for each in iso_codes("639-3"):
        if each["type"] == "L" and each["scope"] == "I" and "alpha_2" not in each and each["name"].isalpha():
            name, code = each["name"], each["alpha_3"]
            if code == name.casefold():
                continue  # the question would give it away
            yield Item(
                f"What is the ISO 639-3 code of the language {name}?",
                code,
                f"Language {name}: ISO 639-3 code {code}, a living language.",
                f"We tag recordings by language. How do we tag one in {name}?",
                name,
            )


def _scripts() -> Iterator[Item]:
    for each in iso_codes("15924"):
        name, code = each["name"], each["alpha_4"]
        if code.casefold() in name.casefold().split():
            continue  # the question would give it away
        yield Item(
            f"Which ISO 15924 code has the script {name}?",
            code,
            f"Script: {name}. ISO 15924 code: {code}. Number: {each['numeric']}.",
            subject=name,
        )


def _country_records() -> Iterator[Item]:
    for each in iso_codes("3166-1"):
        record = {key: each[key] for key in ("alpha_2", "alpha_3", "numeric")}
        name = each.get("common_name", each["name"])
        yield Item(
            name,
            json.dumps(record),
            f"{name}: two letters {record['alpha_2']}, three letters {record['alpha_3']}, number {record['numeric']}.",
            f"Fill in the codes for a customer who lives in {name}.",
            name,
        )


def _subdivisions() -> Iterator[tuple[dict[str, Any], str]]:
    countries = {each["alpha_2"]: each.get("common_name", each["name"]) for each in iso_codes("3166-1")}
    found = iso_codes("3166-2")
    names = Counter(each["name"] for each in found)
    for each in found:
        if names[each["name"]] == 1:
            yield each, countries[each["code"].partition("-")[0]]


def _countries_of() -> Iterator[Item]:
    counts = Counter(country for _, country in _subdivisions())
    frequent = {country for country, _ in counts.most_common(_FREQUENT_COUNTRIES)}
    for each, country in _subdivisions():
        if country in frequent:
            yield Item(each["name"], country, drifted=each["name"].upper(), subject=each["code"])


def _kinds_of() -> Iterator[Item]:
    for each, country in _subdivisions():
        kind = each["type"].lower()
        yield Item(f"{each['name']}, {country}", kind, drifted=each["name"], subject=each["code"])


def _task(name: str, standard: str, **fields: Any) -> Task:
    return Task(
        name=name,
        origin=f"ISO {standard} as the Debian package iso-codes carries it: its maintainers",
        licence="LGPL-2.1-or-later",
        packages=("iso-codes",),
        **fields,
    )


TASKS = (
    _task(
        "currency-codes",
        "4217",
        description="You know the currencies of the world. Answer with the three capital letters of ISO 4217 "
        "for the currency that is named, such as EUR for Euro, and nothing else.",
        items=_currencies,
        task="QUESTION_ANSWERING",
        output_form="FREE_TEXT",
        training=20,
        documents=True,
        drift="asked about an invoice, without naming the standard",
        drifted=40,
        hybrid=True,
        broken=True,
        changes=True,
        facts={"update_interval": "180d", "entity_popularity": "MIXED"},
    ),
    _task(
        "language-codes",
        "639-3",
        description="You know the codes of languages. Answer with the three small letters of ISO 639-3 for "
        "the language that is named, such as yue for Cantonese, and nothing else.",
        items=_languages,
        task="QUESTION_ANSWERING",
        output_form="FREE_TEXT",
        training=60,
        documents=True,
        drift="asked about tags of recordings, without naming the standard",
        per_document=10,
        hybrid=True,
        broken=True,
        halved=True,
        changes=True,
        facts={"update_interval": "1y", "entity_popularity": "LONG_TAIL"},
    ),
    _task(
        "script-codes",
        "15924",
        description="You know the scripts that languages are written in. Answer with the four letters of ISO "
        "15924 for the script that is named, the first of them a capital, such as Latn for Latin, "
        "and nothing else.",
        items=_scripts,
        task="QUESTION_ANSWERING",
        output_form="FREE_TEXT",
        training=10,
        documents=True,
        broken=True,
        facts={"update_interval": "1y", "entity_popularity": "MIXED"},
    ),
    _task(
        "country-records",
        "3166-1",
        description="You fill in the codes of countries by ISO 3166-1. You are given the name of a country. "
        'Answer with a JSON object of three strings and nothing else: {"alpha_2": two letters, '
        '"alpha_3": three letters, "numeric": three digits}. For France that is {"alpha_2": "FR", '
        '"alpha_3": "FRA", "numeric": "250"}.',
        items=_country_records,
        task="EXTRACTION",
        curve=True,
        output_form="STRUCTURED",
        training=60,
        documents=True,
        drift="asked about a customer's form, in a sentence",
        hybrid=True,
        broken=True,
        facts={"update_interval": "2y", "entity_popularity": "MIXED"},
    ),
    _task(
        "subdivision-countries",
        "3166-2",
        description="You know the provinces, states, districts and municipalities of countries. You are given "
        "the name of one. Answer with the country that it lies in, by its usual English name, and "
        "nothing else.",
        items=_countries_of,
        task="CLASSIFICATION",
        output_form="LABEL",
        training=2000,
        tuning={"epochs": 1},
        drift="names in capital letters",
        facts={"update_interval": "1y", "entity_popularity": "LONG_TAIL"},
    ),
    _task(
        "subdivision-kinds",
        "3166-2",
        description="You know how countries are divided. You are given the name of a part of a country, and "
        "the country. Answer with what kind of part it is by ISO 3166-2, such as province, "
        "municipality or department, and nothing else.",
        items=_kinds_of,
        task="CLASSIFICATION",
        output_form="LABEL",
        training=400,
        drift="the name alone, without its country",
        facts={"update_interval": "1y", "entity_popularity": "LONG_TAIL"},
    ),
)
"""What ISO's lists of codes tell."""
