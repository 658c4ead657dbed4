"""What there is to work with, and the facts that it tells where a use case is silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from advisor.knowledge.facts import fact, value_to_text
from advisor.v1 import facts_pb2
from backends.counts import counted

__all__ = ["Changes", "Inventory", "complete", "observed_changes"]

BYTES_PER_TOKEN = 4
"""Usual for English text and the vocabularies of current models."""
LEAST_CHANGES = 3
"""Fewer say nothing of how often documents change."""
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


def complete(facts: facts_pb2.Facts, there_is: Inventory) -> tuple[facts_pb2.Facts, str]:
    """Return facts completed by what there is, and what that was, in words; what is stated stays."""
    known = facts_pb2.Facts()
    known.CopyFrom(facts)
    learned = []
    if there_is.examples and not known.HasField("labelled_examples"):
        known.labelled_examples = there_is.examples
        learned.append(f"labelled_examples {there_is.examples:,}")
    if there_is.held_out and not known.HasField("has_evaluation_set"):
        known.has_evaluation_set = True
        learned.append(f"has_evaluation_set true ({counted(there_is.held_out, 'example')} held out)")
    if there_is.documents and not known.HasField("corpus_tokens"):
        known.corpus_tokens = max(1, there_is.document_bytes // BYTES_PER_TOKEN)
        learned.append(f"corpus_tokens about {known.corpus_tokens:,}")
    if there_is.changes is not None and not known.HasField("update_interval"):
        known.update_interval.FromTimedelta(there_is.changes.interval)
        learned.append(
            f"update_interval about {_words(there_is.changes.interval)} (observed: "
            f"{counted(there_is.changes.number, 'change')} in {_words(there_is.changes.over)})"
        )
    return known, ", ".join(learned)


def _words(time: timedelta) -> str:
    return value_to_text(fact("update_interval"), time.total_seconds(), 2)
