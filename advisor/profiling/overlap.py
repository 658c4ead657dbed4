"""Which answers stand word for word in the documents."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

__all__ = ["FEWEST_CHARACTERS", "standing_in"]

FEWEST_CHARACTERS = 4
"""Shorter answers, such as "yes" or "12", stand in texts that have nothing to do with them."""
_KEY_WORDS = 5


def standing_in(answers: Sequence[str], passages: Iterable[str]) -> list[bool | None]:
    """Return of each answer whether its words follow each other in a passage; None where it is too short to tell.

    Args:
        answers: The answers.
        passages: The documents, whole or in pieces; read once, one by one.
    """
    words = [tuple(_words(answer)) for answer in answers]
    found: list[bool | None] = [False if len("".join(each)) >= FEWEST_CHARACTERS else None for each in words]
    sought: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, each in enumerate(words):
        if found[index] is False:
            sought[each[:_KEY_WORDS]].append(index)
    lengths = sorted({len(key) for key in sought})
    for passage in passages:
        text = _words(passage)
        for at in range(len(text)):
            for length in lengths:
                key = tuple(text[at : at + length])
                for index in sought.get(key, ()):
                    if not found[index] and tuple(text[at : at + len(words[index])]) == words[index]:
                        found[index] = True
    return found


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())
