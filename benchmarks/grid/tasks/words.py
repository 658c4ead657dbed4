"""Tasks from WordNet, as Debian's package wordnet-base carries it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

from benchmarks.grid.making import scattered
from benchmarks.grid.origins import package_text
from benchmarks.grid.task import Item, Task

__all__ = ["TASKS"]

_TOPICS = (
    *("general", "act", "animal", "artifact", "attribute", "body", "cognition", "communication", "event"),
    *("feeling", "food", "group", "location", "motive", "object", "person", "phenomenon", "plant"),
    *("possession", "process", "quantity", "relation", "shape", "state", "substance", "time"),
)
"""Of nouns, in the order of their numbers from 03 on: lexnames(5WN)."""
_PARTS = {"noun": "noun", "verb": "verb", "adj": "adjective", "adv": "adverb"}
_SYNSETS = 6000


@cache
def _synsets(part: str) -> tuple[tuple[str, int, str], ...]:
    """Return first word, number of the lexicographer's file and gloss of some synsets."""
    lines = (
        line
        for line in package_text("wordnet-base", f"usr/share/wordnet/data.{part}").splitlines()
        if line[:8].isdigit()
    )
    found = []
    for line in scattered(lines, lambda line: line[:8])[:_SYNSETS]:
        head, _, gloss = line.partition(" | ")
        fields = head.split()
        meaning = re.split(r'; "|\s*;\s', gloss.strip())[0].strip()
        word = fields[4].replace("_", " ")
        if 20 < len(meaning) < 150 and '"' not in meaning and not meaning.startswith("("):
            found.append((re.sub(r"\(\w+\)$", "", word), int(fields[1]), meaning))
    meanings = Counter(meaning for _, _, meaning in found)
    return tuple(each for each in found if meanings[each[2]] == 1)


@cache
def _unambiguous() -> frozenset[str]:
    """Return the nouns that have one meaning."""
    lines = package_text("wordnet-base", "usr/share/wordnet/index.noun").splitlines()
    fields = (line.split(maxsplit=3) for line in lines if line[:1].strip())
    return frozenset(lemma.replace("_", " ") for lemma, _, count, _ in fields if count == "1")


def _topics() -> Iterator[Item]:
    for word, number, meaning in _synsets("noun"):
        if number > 3 and word.casefold() in _unambiguous():
            yield Item(f"{word}: {meaning}", _TOPICS[number - 3], drifted=word, subject=word)


def _parts() -> Iterator[Item]:
    for part, name in _PARTS.items():
        for word, _, meaning in _synsets(part):
            if word.casefold() not in meaning.casefold():
                yield Item(meaning, name, subject=word)


def _singulars() -> Iterator[Item]:
    yield from _bases("noun", "What is the singular of “{}”?")


def _infinitives() -> Iterator[Item]:
    yield from _bases("verb", "What is the infinitive of “{}”?")


def _bases(part: str, question: str) -> Iterator[Item]:
    lines = package_text("wordnet-base", f"usr/share/wordnet/{part}.exc").splitlines()
    forms = Counter(line.split()[0] for line in lines if line)
    for line in lines:
        form, *bases = line.split()
        if (
            len(bases) == 1
            and forms[form] == 1
            and form.isalpha()
            and bases[0].isalpha()
            and form != bases[0]
        ):
            yield Item(question.format(form), bases[0], subject=bases[0])


def _task(name: str, **fields: Any) -> Task:
    return Task(
        name=name,
        origin="WordNet 3.0, as the Debian package wordnet-base carries it: Princeton University",
        licence="WordNet Licence",
        packages=("wordnet-base",),
        **fields,
    )


TASKS = (
    _task(
        "noun-topics",
        description="You sort the meanings of English nouns into WordNet's topics. You are given a noun and "
        "what it means. Answer with the topic: what kind of thing the noun stands for, such as "
        "animal, artifact, person or feeling. Answer with that one word and nothing else.",
        items=_topics,
        task="CLASSIFICATION",
        output_form="LABEL",
        training=600,
        tuning={"epochs": 2},
        drift="the noun alone, without its meaning",
        facts={"update_interval": "10y", "entity_popularity": "MIXED"},
    ),
    _task(
        "parts-of-speech",
        description="You are given the definition of an English word, without the word. Answer with the part "
        "of speech of the word that is defined: noun, verb, adjective or adverb, and nothing "
        "else. Definitions of verbs say what is done, those of adjectives how something is, those "
        "of adverbs in which manner.",
        items=_parts,
        task="CLASSIFICATION",
        output_form="LABEL",
        training=16,
        facts={"update_interval": "10y"},
    ),
    _task(
        "irregular-forms",
        description="You know English, and words that it took from Latin and Greek. You are given a form of a "
        "word that is not formed as usual. Answer with its base form, such as goose for geese, "
        "and nothing else.",
        items=_singulars,
        other=_infinitives,
        task="QUESTION_ANSWERING",
        output_form="FREE_TEXT",
        training=400,
        drift="verbs instead of nouns",
        facts={"update_interval": "10y", "entity_popularity": "MIXED"},
    ),
)
"""What WordNet tells."""
