"""Held-out questions that stand nearly as they are among those that are trained on.

A check of splits that shares nothing with how groups are found: questions are compared by the runs of five characters
that they hold, all with all.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from backends.base import Example

__all__ = ["Leak", "leaks"]

_RUN = 5
_BATCH = 4_000
"""Examples trained on whose runs are held at a time."""
_NO = re.compile(r"\b(?:not|no|never|without|cannot|nicht|kein\w*|ohne|pas|sans|sin)\b|n't\b")


@dataclass(frozen=True, slots=True)
class Leak:
    """A held-out question, and one trained on that is nearly the same.

    Attributes:
        trained: Its place among the examples trained on.
        held_out: Its place among those held out.
        likeness: Jaccard index of their runs of characters.
    """

    trained: int
    held_out: int
    likeness: float


def leaks(train: Sequence[Example], held_out: Sequence[Example], *, likeness: float = 0.85) -> list[Leak]:
    """Return the pairs that are nearly the same, the most alike first.

    Questions with other numbers or identifiers, or of which one says no, are different ones however alike they
    look. Where both have a context, it counts as part of the question.

    Args:
        train: What is trained on, or shown in a prompt.
        held_out: What is measured on.
        likeness: Jaccard index from which on two are nearly the same, above 0 to 1.

    Raises:
        ValueError: `likeness` is out of bounds.
    """
    if not 0 < likeness <= 1:
        raise ValueError(f"likeness is {likeness}; give a number above 0 to 1")
    found: list[Leak] = []
    for ours, theirs in product((True, False), repeat=2):
        with_context = ours and theirs
        trained = {at: _text(one, with_context) for at, one in enumerate(train) if bool(one.context) is ours}
        asked = {
            at: _text(one, with_context) for at, one in enumerate(held_out) if bool(one.context) is theirs
        }
        if trained and asked:
            found.extend(_alike(trained, asked, likeness))
    return sorted(found, key=lambda leak: (-leak.likeness, leak.held_out, leak.trained))


def _alike(trained: Mapping[int, str], asked: Mapping[int, str], likeness: float) -> Iterator[Leak]:
    """Yield the pairs of texts that are nearly the same; texts by the places of their examples."""
    own = {place: _runs(text) for place, text in asked.items()}
    places = list(trained)
    for start in range(0, len(places), _BATCH):
        batch = places[start : start + _BATCH]
        given = [_runs(trained[place]) for place in batch]
        sizes = np.array([len(each) for each in given])
        hashes, owners = _postings(given)
        for place, runs in own.items():
            shared = _shared(runs, hashes, owners, len(batch))
            jaccard = shared / np.maximum(1, sizes + len(runs) - shared)
            for row in np.flatnonzero(jaccard >= likeness):
                other = batch[row]
                if _told(trained[other]) == _told(asked[place]):
                    yield Leak(other, place, float(jaccard[row]))


def _text(example: Example, with_context: bool) -> str:
    return f"{example.question} {example.context}" if with_context else example.question


def _runs(text: str) -> NDArray[np.uint32]:
    """Return the different hashes of a text's runs of characters, sorted."""
    letters = re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()
    text = f" {letters} "
    runs = {zlib.crc32(text[at : at + _RUN].encode()) for at in range(max(1, len(text) - _RUN + 1))}
    return np.array(sorted(runs), dtype=np.uint32)


def _told(text: str) -> tuple[list[str], int]:
    """Return the numbers and identifiers in a text, and how often it says no."""
    return re.findall(r"\w*[\d_]\w*", text.casefold()), len(_NO.findall(text.casefold().replace("’", "'")))


def _postings(given: Sequence[NDArray[np.uint32]]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return all hashes, sorted, each with the place of the example that holds it."""
    owners = np.repeat(np.arange(len(given)), [len(each) for each in given])
    hashes = np.concatenate(given)
    order = np.argsort(hashes, kind="stable")
    return hashes[order], owners[order]


def _shared(
    own: NDArray[np.uint32], hashes: NDArray[np.uint32], owners: NDArray[np.int64], size: int
) -> NDArray[np.int64]:
    """Return how many of its hashes an example shares with each of a batch."""
    starts, ends = np.searchsorted(hashes, own, "left"), np.searchsorted(hashes, own, "right")
    lengths = ends - starts
    places = np.repeat(starts - np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths) + np.arange(
        lengths.sum()
    )
    return np.bincount(owners[places], minlength=size)
