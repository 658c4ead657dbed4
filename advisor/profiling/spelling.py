"""Slips of spelling, told from other words by their kind and by how often each is written."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping
from itertools import combinations

__all__ = ["is_slip", "slips"]

_SHORTEST = 5
"""Letters; one letter more or less makes another word of most that are shorter."""
_SHORTEST_REPLACED = 7
"""Letters of a word in which one may stand for another."""
_SLIPS_A_WORD = 20
"""A slip is rarer than its word by this factor, unless it is seen but once."""
_MOST_ALIKE = 200
"""Words that are one when a letter is left out; more of them are no slips but a scheme of names."""

_VOWELS = frozenset("aeiouyäöüáéíóúàèìòùâêîôû")
_ALIKE = (
    frozenset("bp"),
    frozenset("dt"),
    frozenset("ckqg"),
    frozenset("fv"),
    frozenset("sz"),
    frozenset("mn"),
)
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")

_WORDS = frozenset(
    re.findall(
        r"\w+",
        "adapt adopt angel angle bearing breaking casual causal charge change complement compliment contact contract "
        "costume country county custom customer costumer dairy desert dessert diary diner dinner except expect "
        "hoping hopping insure ensure internal interval lasted later latest latter lightening lightning loose lose "
        "marital martial massage message minuet minute moral morale personal personnel planed planned present "
        "president prevent quiet quite resend resent reset resident scared scarred sending sever server spending "
        "staring starring stationary stationery statue status statute though thought through throughout trail trial "
        "unite unload untie upload weather whether",
    )
)
"""Words of which one becomes the other by a letter: each is a word of its own."""


def slips(counts: Mapping[str, int], known: Container[str] = frozenset()) -> dict[str, str]:
    """Return the words that are slips of others, each with the word that was meant.

    Args:
        counts: In how many texts each word stands, in lower case.
        known: Words that are no slips.
    """
    meant: dict[str, str] = {}
    for one, other in _near(counts):
        rare, common = sorted((one, other), key=lambda word: (word in known, counts[word], word))
        if (
            rare in known
            or counts[rare] > max(1, counts[common] // _SLIPS_A_WORD)
            or not is_slip(rare, common)
        ):
            continue
        before = meant.get(rare)
        if before is None or (counts[before], before) < (counts[common], common):
            meant[rare] = common
    return {word: _last(word, meant) for word in meant}


def is_slip(one: str, other: str) -> bool:
    """Return whether two words are one but for a slip: letters swapped, left out, doubled, or one for its like.

    >>> is_slip("invioce", "invoice"), is_slip("docment", "document"), is_slip("calender", "calendar")
    (True, True, True)
    >>> is_slip("charge", "charger"), is_slip("import", "export"), is_slip("contact", "contract")
    (False, False, False)
    """
    short, long = sorted((one, other), key=len)
    if len(short) < _SHORTEST - (len(long) > len(short)) or short[0] != long[0] or short == long:
        return False
    if short in _WORDS and long in _WORDS:
        return False
    start = next((at for at, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(long) == len(short) + 1:
        # At the end a letter is an ending, unless it doubles the last.
        at_end = start == len(short)
        doubled = len(short) >= _SHORTEST and long[-1] == short[-1]
        return short[start:] == long[start + 1 :] and (doubled or not at_end)
    if len(long) != len(short):
        return False
    if short[start:][2:] == long[start:][2:] and short[start : start + 2] == long[start : start + 2][::-1]:
        return True
    replaced = short[start + 1 :] == long[start + 1 :] and start + 1 < len(short)
    return replaced and len(short) >= _SHORTEST_REPLACED and _are_alike(short[start], long[start])


def _near(words: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Yield pairs of words that are one when a letter is left out of either, or of both."""
    lacking: defaultdict[str, list[str]] = defaultdict(list)
    for word in words:
        if len(word) >= _SHORTEST - 1 and word.isalpha():
            lacking[word].append(word)
            for shorter in {word[:at] + word[at + 1 :] for at in range(1, len(word))}:
                lacking[shorter].append(word)
    for alike in lacking.values():
        if len(alike) <= _MOST_ALIKE:
            yield from combinations(alike, 2)


def _are_alike(one: str, other: str) -> bool:
    """Return whether one letter is written for the other: both vowels, of like sound, or beside it on the keyboard."""
    pair = {one, other}
    beside = any(one + other in row or other + one in row for row in _ROWS)
    return pair <= _VOWELS or beside or any(pair <= alike for alike in _ALIKE)


def _last(word: str, meant: Mapping[str, str]) -> str:
    while word in meant:
        word = meant[word]
    return word
