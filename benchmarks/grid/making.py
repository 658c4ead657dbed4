"""A task made: items split by subject, documents put together, facts in them changed; the same every time."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from advisor.profiling.leaks import leaks
from backends.base import Example
from benchmarks.grid.task import Changed, Item, Material, Task

__all__ = ["MOST_CHARACTERS", "hashed", "made", "scattered"]

T = TypeVar("T")

MOST_CHARACTERS = 2_000
"""Of a document."""
LEAST_OF_LABEL = 4
"""Items of a label, or it is left out."""
LEAKING = 0.85
"""From which likeness on an example to learn from is left out, as nearly the same as a question: as trials do."""


def hashed(text: str) -> str:
    """Return what stands for a random number of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def scattered(values: Iterable[T], key: Callable[[T], str] = str) -> list[T]:
    """Return values in an order that nobody chose, the same every time."""
    return sorted(values, key=lambda each: hashed(key(each)))


def made(task: Task) -> Material:
    """Return what a task is made of.

    Raises:
        ValueError: What it is read from holds too little.
    """
    items = _different(task.items())
    if task.output_form == "LABEL":
        items = _of_frequent_labels(items, task)
    held_out, rest = _taken(items, task.held_out)
    drifted: list[Item] = []
    if task.drift and task.other is None:
        drifted, rest = _taken(rest, task.drifted)
        drifted = [replace(each, question=each.drifted) for each in drifted]
    elif task.other is not None:
        asked = {each.subject for each in items}
        apart = [each for each in _different(task.other()) if each.subject not in asked]
        drifted, _ = _taken(apart, task.drifted)
    training, rest = _learnt(rest, [*held_out, *drifted], task.training)
    if task.output_form == "LABEL":
        known = {each.answer for each in training}
        held_out = [each for each in held_out if each.answer in known]
        drifted = [each for each in drifted if each.answer in known]
    _check(task, held_out, drifted, training)
    told = [*held_out, *drifted, *training, *rest[: task.spare]]
    documents = _documents(told, task) if task.documents else {}
    whole = Material(_examples(training), _examples(held_out), _examples(drifted), documents)
    return replace(whole, changed=_changed(whole, told, held_out)) if task.changes else whole


def _different(items: Iterable[Item]) -> list[Item]:
    """Return items with their subjects, those about a subject together, each question once; none without an answer."""
    found = {each.question: replace(each, subject=each.subject or each.question) for each in items}
    return _ordered(each for each in found.values() if each.answer.strip())


def _ordered(items: Iterable[Item]) -> list[Item]:
    return sorted(items, key=lambda each: (hashed(each.subject), hashed(each.question)))


def _of_frequent_labels(items: Sequence[Item], task: Task) -> list[Item]:
    """Return items of labels that are not rare, none much more frequent than the others."""
    counts = Counter(each.answer for each in items)
    labels = {label: count for label, count in counts.items() if count >= LEAST_OF_LABEL}
    wanted = 1.3 * (task.held_out + task.training + (task.drifted if task.drift and not task.other else 0))
    most = LEAST_OF_LABEL
    while sum(min(most, count) for count in labels.values()) < min(wanted, sum(labels.values())):
        most += 1
    taken: Counter[str] = Counter()
    kept = []
    # By another hash than that which splits: else frequent labels would all be held out.
    for each in scattered(items, lambda each: f"kept: {each.subject} {each.question}"):
        if each.answer in labels and taken[each.answer] < most:
            taken[each.answer] += 1
            kept.append(each)
    return _ordered(kept)


def _taken(items: Sequence[Item], count: int) -> tuple[list[Item], list[Item]]:
    """Return the first items, and those on other subjects."""
    taken = list(items[:count])
    subjects = {each.subject for each in taken}
    return taken, [each for each in items[count:] if each.subject not in subjects]


def _learnt(items: Sequence[Item], asked: Sequence[Item], count: int) -> tuple[list[Item], list[Item]]:
    """Return what is learnt from, none of it nearly the same as a question, and the rest."""
    offered = items[: 2 * count]
    leaking = {each.trained for each in leaks(_examples(offered), _examples(asked), likeness=LEAKING)}
    clean = [each for place, each in enumerate(offered) if place not in leaking]
    return clean[:count], [*clean[count:], *items[2 * count :]]


def _examples(items: Sequence[Item]) -> tuple[Example, ...]:
    return tuple(Example(each.question, each.answer, each.context or None) for each in items)


def _documents(items: Sequence[Item], task: Task) -> dict[str, str]:
    """Return paragraphs as documents, those of a source together, others as chance has them."""
    paragraphs: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for each in items:
        if each.context and each.source:
            paragraphs[each.source][each.context] = None
    loose = scattered(dict.fromkeys(each.context for each in items if each.context and not each.source))
    for start in range(0, len(loose), task.per_document):
        paragraphs[f"{task.name}-{start // task.per_document + 1}.md"] = dict.fromkeys(
            loose[start : start + task.per_document]
        )
    return {
        source: text for name, texts in sorted(paragraphs.items()) for source, text in _cut(name, list(texts))
    }


def _cut(source: str, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield paragraphs as documents that are not too long."""
    part: list[str] = []
    number = 1
    for text in texts:
        if part and len("\n\n".join((*part, text))) > MOST_CHARACTERS:
            yield _numbered(source, number), "\n\n".join(part) + "\n"
            part, number = [], number + 1
        part.append(text)
    yield _numbered(source, number), "\n\n".join(part) + "\n"


def _numbered(source: str, number: int) -> str:
    stem, dot, suffix = source.rpartition(".")
    return source if number == 1 else f"{stem}-{number}{dot}{suffix}"


def _changed(whole: Material, told: Sequence[Item], held_out: Sequence[Item]) -> Changed:
    """Return documents in which half of the facts that are asked about have the value of another of them."""
    told_of = Counter(each.context for each in told)
    able = [
        each
        for each in held_out
        if told_of[each.context] == 1 and _stands_once(each) and int(hashed(each.subject), 16) % 2
    ]
    following = _following({each.answer for each in able})
    new = {
        each: replace(each, answer=following[each.answer], context=_with(each, following[each.answer]))
        for each in able
    }
    texts = {old.context: each.context for old, each in new.items()}
    now = [new.get(each, each) for each in held_out]
    documents = _documents_with(whole.documents, texts)
    share = sum(old.answer != each.answer for old, each in zip(held_out, now, strict=True)) / len(held_out)
    return Changed(documents, _examples(now), share)


def _following(values: Iterable[str]) -> dict[str, str]:
    """Return another value in place of each: of numbers a number, of words a word, none twice."""
    kinds: defaultdict[bool, list[str]] = defaultdict(list)
    for value in sorted(values):
        kinds[not re.search("[^\\W\\d_]", value)].append(value)
    return {
        value: after
        for kind in kinds.values()
        for value, after in zip(kind, [*kind[1:], *kind[:1]], strict=True)
    }


def _documents_with(documents: Mapping[str, str], texts: Mapping[str, str]) -> dict[str, str]:
    """Return documents with paragraphs replaced."""
    return {
        source: "\n\n".join(texts.get(part, part) for part in text.rstrip("\n").split("\n\n")) + "\n"
        for source, text in documents.items()
    }


def _stands_once(item: Item) -> bool:
    return len(_places(item)) == 1 and "\n\n" not in item.context


def _with(item: Item, answer: str) -> str:
    start, end = _places(item)[0]
    return f"{item.context[:start]}{answer}{item.context[end:]}"


def _places(item: Item) -> list[tuple[int, int]]:
    found = re.finditer(rf"(?<![\w.]){re.escape(item.answer)}(?!\w|[.,]\d)", item.context)
    return [each.span() for each in found]


def _check(task: Task, held_out: Sequence[Item], drifted: Sequence[Item], training: Sequence[Item]) -> None:
    least = {"held_out": 0.8 * task.held_out, "training": 0.8 * task.training}
    if task.drift:
        least["drifted"] = 0.7 * task.drifted
    sizes = {"held_out": len(held_out), "drifted": len(drifted), "training": len(training)}
    for name, count in least.items():
        if sizes[name] < count:
            raise ValueError(f"{task.name}: {sizes[name]} {name}, at least {count:.0f} are needed")
