"""Where a value stands in a text: its words one after the other, each whole, not denied, and small ones by themselves.

5 is not in 15, 5.5 or -5, nor `timeout` in `wal_sender_timeout`; a number may have a unit where the value has none, but
not another, and `1 minute` is `60 seconds`. A small word such as "no" or "on" must be said by itself: "no, it is not"
and "it is on by default", but not "no longer" or "on disk". What follows "not" or "instead of" is not said at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from advisor.metrics.words import LIGHT, Word, spoken
from backends.approaches.stopwords import STOP_WORDS

__all__ = ["Quantity", "is_denied", "quantity_at", "said_at", "stands", "value_of", "written_at"]

_SMALL = STOP_WORDS | {"all", "any", "down", "i", "no", "not", "off", "out", "over", "under", "up"}
_LINKS = frozenset({"are", "be", "is", "stays", "to", "was", "were"})
_GOES_ON = frozenset(
    {"and", "as", "at", "because", "but", "by", "for", "if", "in", "or", "since", "unless", "when"}
)
_QUANTIFIERS = frozenset({"all", "any", "no"})
_OTHERWISE = frozenset({"longer", "more", "one"})  # "no longer" says not no
_NOT = frozenset({"cannot", "except", "never", "not", "unlike", "without"})
_NOT_OF = frozenset({("instead", "of"), ("rather", "than"), ("other", "than"), ("no", "longer")})
_BETWEEN = frozenset({"a", "an", "be", "the", "to"})
_MILLISECONDS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_BYTES = {"B": 0, "kB": 1, "KiB": 1, "MB": 2, "MiB": 2, "GB": 3, "GiB": 3, "TB": 4, "TiB": 4}
_CURRENCIES = frozenset("$€£¥")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in a text.

    Attributes:
        number: The number as it is written, without what groups its digits.
        kind: What it counts: `time`, `bytes`, a unit or the word after it; empty where nothing says so.
        amounts: What it comes to in the least unit of its kind; several where a kB is 1000 bytes or 1024.
    """

    number: str
    kind: str
    amounts: frozenset[Fraction]

    def rivals(self, other: Quantity) -> bool:
        """Return whether it says another number of the same."""
        if self.number == other.number and (self.kind == other.kind or not self.kind or not other.kind):
            return False
        return (
            self.kind == other.kind or not self.kind or not other.kind
        ) and not self.amounts & other.amounts


def value_of(text: str) -> tuple[Word, ...]:
    """Return the words of a value, without articles and `and`, which may be there or not."""
    found = spoken(text)
    return tuple(each for each in found if each.text not in LIGHT) or tuple(found)


def stands(value: str, text: str) -> bool:
    """Return whether a value stands in a text.

    >>> stands("5 s", "It is 5 seconds."), stands("5", "It is 15."), stands("no", "It is no longer so.")
    (True, False, False)
    """
    if not re.search(r"[^\W_]", value):  # a sign, such as "->"
        return (
            re.search(rf"(?<![^\s\"'`(\[]){re.escape(value.strip())}(?![^\s\"'`)\].,;:!?])", text) is not None
        )
    return bool(said_at(value_of(value), spoken(text)))


def said_at(value: Sequence[Word], text: Sequence[Word]) -> list[range]:
    """Return where a value is said in a text: the places of its words."""
    return [
        place
        for place in written_at(value, text)
        if not is_denied(text, place.start) and (not _is_small(value) or _by_itself(text, place.start))
    ]


def written_at(value: Sequence[Word], text: Sequence[Word]) -> list[range]:
    """Return where the words of a value are in a text, or the same amount in another unit, whatever is said of it."""
    found = [range(start, end) for start in range(len(text)) if (end := _end(value, text, start)) is not None]
    amounts = (
        _amounts(value[0].meaning, value[1].meaning)
        if len(value) == 2 and value[0].is_number
        else frozenset()
    )
    if amounts:
        found += [
            range(start, start + 2)
            for start in range(len(text) - 1)
            if text[start].is_number and _amounts(text[start].meaning, text[start + 1].meaning) & amounts
        ]
    return found


def quantity_at(text: Sequence[Word], place: int) -> Quantity | None:
    """Return the quantity that begins at a word; None where that is no number."""
    word = text[place]
    if not word.is_number:
        return None
    after = text[place + 1] if place + 1 < len(text) and not text[place + 1].opens else None
    if place and text[place - 1].text in _CURRENCIES:
        return Quantity(word.meaning, text[place - 1].text, frozenset())
    if after is None or after.is_number or after.text in STOP_WORDS | _GOES_ON | _NOT:
        return Quantity(word.meaning, "", frozenset())
    kind = "time" if after.meaning in _MILLISECONDS else "bytes" if after.meaning in _BYTES else after.meaning
    return Quantity(word.meaning, kind, _amounts(word.meaning, after.meaning))


def is_denied(text: Sequence[Word], place: int) -> bool:
    """Return whether what begins at a place is denied by the words before, in the same clause."""
    before = [] if not place or text[place].opens else [text[place - 1]]
    if before and place > 1 and not text[place - 1].opens:
        before.insert(0, text[place - 2])
    said = [each.text for each in before]
    if tuple(said) in _NOT_OF or any(map(_denies, said[-1:])):
        return True
    return len(said) == 2 and _denies(said[0]) and said[1] in _BETWEEN


def _end(value: Sequence[Word], text: Sequence[Word], start: int) -> int | None:
    """Return where a value that begins at a place ends, over articles and `and`; None where it does not begin there."""
    place = start
    for word in value:
        while start < place < len(text) and text[place].text in LIGHT and not word.says(text[place]):
            place += 1
        if place >= len(text) or not word.says(text[place]):
            return None
        place += 1
    return place


def _amounts(number: str, unit: str) -> frozenset[Fraction]:
    try:
        amount = Fraction(number)
    except ValueError:  # a version
        return frozenset()
    if unit in _MILLISECONDS:
        return frozenset({amount * _MILLISECONDS[unit]})
    if unit in _BYTES:
        return frozenset({amount * base ** _BYTES[unit] for base in (1000, 1024)})
    return frozenset()


def _is_small(value: Sequence[Word]) -> bool:
    return len(value) == 1 and value[0].text in _SMALL


def _by_itself(text: Sequence[Word], place: int) -> bool:
    """Return whether a word is said by itself: before a mark, first of all, or between "is" and what goes on."""
    word = text[place]
    if word.closes:
        return True
    after = text[place + 1].text if place + 1 < len(text) else ""
    if word.opens and after in _LINKS:
        return True
    if not place:
        return word.text in _QUANTIFIERS and after not in _OTHERWISE
    return text[place - 1].text in _LINKS and after in _GOES_ON


def _denies(word: str) -> bool:
    return word in _NOT or word.endswith("n't")
