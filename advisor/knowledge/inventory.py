"""What there is to work with, and the facts that it tells where a use case is silent, or that it contradicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from advisor.knowledge.facts import (
    Fact,
    FactValue,
    encode_value,
    fact,
    facts_from_mapping,
    facts_to_mapping,
    value_to_text,
)
from advisor.knowledge.measurement import Measurement
from advisor.v1 import facts_pb2
from backends.counts import counted

__all__ = [
    "NOTHING",
    "Changes",
    "Gathered",
    "Inventory",
    "complete",
    "observed_changes",
]

BYTES_PER_TOKEN = 4
"""Usual for English text and the vocabularies of current models."""
LEAST_CHANGES = 3
"""Fewer say nothing of how often documents change."""
_COUNTED = ("labelled_examples", "has_evaluation_set")
"""Facts that are counted in the store, whatever else was measured."""
_EXACT = ("label_count",)
_GUESSED = ("task", "context_tokens")
"""Facts of which the data shows a part: what is asked for beyond it, and instructions, are not in it."""
_SHARE_APART, _TIMES_APART = 0.1, 3.0
"""A share within so much of what was measured is no contradiction, nor is another number within such a factor."""
ONE_CHANGE = timedelta(hours=1)
"""Changes that follow each other within this time are one: somebody imports again until it is right."""


@dataclass(frozen=True, slots=True)
class Changes:
    """How often documents were seen to change.

    Attributes:
        number: Changes.
        over: The time in which they were seen.
        interval: Time between two of them.
    """

    number: int
    over: timedelta
    interval: timedelta


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the user's data says of facts.

    Attributes:
        taken: Those taken from it where the use case is silent, in words; empty for none.
        contradictions: Where it says otherwise than the use case, which is believed: a sentence each.
    """

    taken: str = ""
    contradictions: tuple[str, ...] = ()


NOTHING = Gathered()
"""Where there is no data, or nobody looked."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """How much there is, in a file or in the store.

    Attributes:
        documents: Documents to retrieve from.
        document_bytes: Their size together.
        examples: Examples that differ.
        changes: How often the documents changed; None where too little of it was seen.
        held_out: Examples that are held out to measure on.
    """

    documents: int
    document_bytes: int
    examples: int
    changes: Changes | None = None
    held_out: int = 0


def observed_changes(times: Sequence[datetime], since: datetime, now: datetime) -> Changes | None:
    """Return how often documents changed; None where that was seen too seldom to tell.

    The interval is the median of those between two changes, but no less than
    the mean: a burst of changes, and silence since, is no habit.

    Args:
        times: When contents were replaced, in order.
        since: From when on changes would have been seen.
        now: Until when.
    """
    begun = [each for before, each in pairwise([since, *times]) if each - before > ONE_CHANGE]
    if len(begun) < LEAST_CHANGES:
        return None
    over = now - since
    between_s = median((later - earlier).total_seconds() for earlier, later in pairwise(begun))
    return Changes(len(begun), over, max(timedelta(seconds=between_s), over / len(begun)))


def complete(
    facts: facts_pb2.Facts, there_is: Inventory, measured: Iterable[Measurement] = ()
) -> tuple[facts_pb2.Facts, Gathered]:
    """Return facts completed by what there is and what was measured of it, and what that was; what is stated stays."""
    known = facts_pb2.Facts()
    known.CopyFrom(facts)
    learned: list[str] = []
    contradictions: list[str] = []
    for each in measured:
        if each.value is None or each.name in _COUNTED:
            continue
        if not known.HasField(each.name):
            known.MergeFrom(facts_from_mapping({each.name: each.value}))
            learned.append(f"{each.name} {_told(each, each.value)}")
        elif facts.HasField(each.name) and each.name not in _GUESSED:
            contradictions.extend(_contradiction(each, each.value, facts_to_mapping(facts)[each.name]))
    learned.extend(_counted(known, there_is))
    return known, Gathered(", ".join(learned), tuple(contradictions))


def _counted(known: facts_pb2.Facts, there_is: Inventory) -> Iterator[str]:
    """Complete facts by counts, and yield each in words."""
    if there_is.examples and not known.HasField("labelled_examples"):
        known.labelled_examples = there_is.examples
        yield f"labelled_examples {there_is.examples:,}"
    if there_is.held_out and not known.HasField("has_evaluation_set"):
        known.has_evaluation_set = True
        yield f"has_evaluation_set true ({counted(there_is.held_out, 'example')} held out)"
    if there_is.documents and not known.HasField("corpus_tokens"):
        known.corpus_tokens = max(1, there_is.document_bytes // BYTES_PER_TOKEN)
        yield f"corpus_tokens about {known.corpus_tokens:,}"
    if there_is.changes is not None and not known.HasField("update_interval"):
        known.update_interval.FromTimedelta(there_is.changes.interval)
        yield (
            f"update_interval about {_words(there_is.changes.interval)} (observed: "
            f"{counted(there_is.changes.number, 'change')} in {_words(there_is.changes.over)})"
        )


def _told(measured: Measurement, value: FactValue) -> str:
    """Return what was measured in words, an estimate with its interval."""
    item = fact(measured.name)
    if item.kind in ("flag", "choice"):
        return str(value).lower() if item.kind == "flag" else str(value)
    number = encode_value(item, value)
    if measured.low is None or measured.high is None:
        return value_to_text(item, number)
    told, low, high = (value_to_text(item, each, 2) for each in (number, measured.low, measured.high))
    return told if low == high else f"{told} [{low} to {high}, {measured.count:,} measured]"


def _contradiction(measured: Measurement, value: FactValue, stated: FactValue) -> Iterator[str]:
    """Yield what is to be said where a fact that is stated is not what was measured."""
    item = fact(measured.name)
    said = encode_value(item, stated)
    if _agree(item, said, encode_value(item, value), measured):
        return
    told = str(stated).lower() if item.kind == "flag" else str(stated)
    if item.kind not in ("flag", "choice"):
        told = value_to_text(item, said, 2)
    yield (
        f"{item.name} is stated as {told}, but the data says {_told(measured, value)} ({measured.method}). "
        "What is stated counts: correct it, or leave it out."
    )


def _agree(item: Fact, said: float, found: float, measured: Measurement) -> bool:
    """Return whether a stated number may be what was measured."""
    if said == found or (item.name == "output_form" and item.choices[int(said) - 1] == "STYLE"):
        return True  # a style is not told from other text by looking at it
    if item.kind in ("flag", "choice") or item.name in _EXACT:
        return False
    if measured.low is not None and measured.high is not None and measured.low <= said <= measured.high:
        return True
    if item.unit in ("share", "quality"):
        return abs(said - found) <= _SHARE_APART
    return max(said, found) <= _TIMES_APART * min(said, found)


def _words(time: timedelta) -> str:
    return value_to_text(fact("update_interval"), time.total_seconds(), 2)
