"""What a sentence says that must stand in a passage as it is: numbers, names as written, and proper names.

Whether a sentence is true cannot be told by its form. Whether `500 MB`, `max_connections`
or `Jane Smith` stands in the passages can, and that is where a model that writes goes
wrong unseen. A sentence without any of these has nothing to check.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backends.approaches.statements import names_in, stands_in
from backends.approaches.stopwords import STOP_WORDS
from backends.base import Passage
from backends.retrieval.words import language_of

__all__ = ["UNIT_OF", "Checked", "Item", "items_of"]

_UNITS = {
    "ms": "ms msec msecs millisecond milliseconds",
    "s": "s sec secs second seconds",
    "min": "min mins minute minutes",
    "h": "h hr hrs hour hours",
    "d": "d day days",
    "B": "b byte bytes",
    "kB": "kb kilobyte kilobytes",
    "KiB": "kib kibibyte kibibytes",
    "MB": "mb megabyte megabytes",
    "MiB": "mib mebibyte mebibytes",
    "GB": "gb gigabyte gigabytes",
    "GiB": "gib gibibyte gibibytes",
    "TB": "tb terabyte terabytes",
    "TiB": "tib tebibyte tebibytes",
    "%": "% percent",
}
UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words.split()}
"""The usual sign of each unit, by the words for it in lower case."""
_COUNTS = {
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
}
_SIGNS = "|".join(sorted(UNIT_OF, key=len, reverse=True))
_QUANTITY = re.compile(
    r"(?<![\w.,/])(?<![A-Za-z_]-)(?P<number>\d+(?:[.,'’\u00a0\u202f]\d+)*)"
    rf"(?:[ \u00a0\u202f-]?(?P<unit>{_SIGNS})\b|(?P<percent> ?%)|(?![^\W_]))",
    re.IGNORECASE,
)
_COUNT = re.compile(
    rf"\b(?P<number>{'|'.join(_COUNTS)})(?:[ -](?P<unit>{'|'.join(UNIT_OF)}))?\b", re.IGNORECASE
)
_GROUPED = re.compile(r"\d{1,3}(?:([,'’\u00a0\u202f])\d{3})(?:\1\d{3})*(?:\.\d+)?")
_MARKS = re.compile(r"\[\d{1,3}\]")
_LIST_MARK = re.compile(r"\A\s*(?:[-*•>#]+\s+|\(?\d{1,3}[.)]\s+)+")
_APART = re.compile(r"[\s=,;()\[\]{}<>\"'`‘’“”…*|]+")
_PLAIN = re.compile(r"[^\W\d_]+(?:[-/][^\W\d_]+)+")
_CAPITAL = re.compile(r"[A-Z][^\W\d_]+(?:['’][^\W\d_]+)?")
_JOINING = frozenset("_@/\\")
_STARTS = re.compile(r"(?:\A|[.!?:;\"“‘(*_`|]|(?<=\s)[-–—])\s*\Z")


@dataclass(frozen=True, slots=True)
class Item:
    """A thing that must stand in a passage.

    Attributes:
        text: As the sentence has it.
        number: The number, without what groups its digits; empty for a name.
        unit: The number's unit, by its usual sign; empty without one.
    """

    text: str
    number: str = ""
    unit: str = ""


def items_of(sentence: str, *, capitals: bool = True) -> list[Item]:
    """Return what a sentence says that must stand in a passage, each once.

    Args:
        sentence: The sentence, which may begin with the mark of a list.
        capitals: Whether a capital letter tells a proper name; it does not in German.
    """
    bare = _LIST_MARK.sub("", _MARKS.sub(" ", sentence))
    found = list(_quantities(_QUANTITY, bare))
    rest = _QUANTITY.sub(" ", bare)
    names = [name.removesuffix("'s").removesuffix("’s") for name in names_in(_APART.sub(" ", rest))]
    names = [name for name in names if not _PLAIN.fullmatch(name) or name.isupper()]
    found += map(Item, names)
    if capitals:
        found += [
            Item(term)
            for term in _proper(_QUANTITY.sub("0", bare))
            if not any(term in name for name in names)
        ]
    return list(dict.fromkeys(found))


class Checked:
    """The passages that sentences are checked against.

    Args:
        passages: What can be cited, as [1], [2], ...
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._texts = [f"{each.source}\n{each.heading}\n{each.text}" for each in passages]
        self._squashed = [f" {_squashed(text)} " for text in self._texts]
        self._quantities = [
            {
                (item.number, item.unit)
                for pattern in (_QUANTITY, _COUNT)
                for item in _quantities(pattern, text)
            }
            for text in self._texts
        ]
        self._capitals = language_of("\n".join(each.text for each in passages)) != "german"

    def items(self, sentence: str) -> list[Item]:
        """Return what a sentence says that must stand in a passage."""
        return items_of(sentence, capitals=self._capitals)

    def holds(self, number: int, item: Item) -> bool:
        """Return whether an item stands in a passage, which is given by its number from 1.

        A number with a unit may stand there without one, as in a table, but not with another.
        """
        place = number - 1
        if item.number:
            units = {unit for value, unit in self._quantities[place] if value == item.number}
            return bool(units) and (not item.unit or bool(units & {"", item.unit}))
        if stands_in(item.text, self._texts[place]):
            return True
        if not item.text.replace(" ", "").isalnum():
            return False  # `--quiet` is not quiet
        return any(f" {form} " in self._squashed[place] for form in _forms(_squashed(item.text)) if form)

    def holding(self, items: Sequence[Item]) -> tuple[int, ...]:
        """Return the numbers of the passages that hold all of the items."""
        numbers = range(1, len(self._texts) + 1)
        return tuple(number for number in numbers if all(self.holds(number, item) for item in items))

    def missing(self, items: Sequence[Item], cited: Sequence[int]) -> tuple[str, ...]:
        """Return the items that stand in no passage cited; where none is cited, not in the one that holds most."""
        groups = [cited] if cited else [(number,) for number in range(1, len(self._texts) + 1)]
        lacking = [
            tuple(item.text for item in items if not any(self.holds(number, item) for number in numbers))
            for numbers in groups
        ]
        return min(lacking, key=len, default=())


def _quantities(pattern: re.Pattern[str], text: str) -> Iterator[Item]:
    for found in pattern.finditer(text):
        groups = found.groupdict()
        word = (groups.get("percent") or groups["unit"] or "").strip().lower()
        number = groups["number"].lower()
        yield Item(found.group().strip(), _COUNTS.get(number) or _ungrouped(number), UNIT_OF.get(word, ""))


def _ungrouped(number: str) -> str:
    return re.sub(r"[,'’\u00a0\u202f]", "", number) if _GROUPED.fullmatch(number) else number


def _proper(sentence: str) -> Iterator[str]:
    """Yield the proper names of a sentence: capitalised words, those that follow one another as one."""
    run: list[str] = []
    end = 0
    for found in _CAPITAL.finditer(sentence):
        word = re.sub(r"['’]s$", "", found.group())
        begins = _STARTS.search(sentence[: found.start()]) is not None
        if run and sentence[end : found.start()] != " ":
            yield " ".join(run)
            run = []
        if (run or not begins) and word.lower() not in STOP_WORDS and not _inside_a_name(sentence, found):
            run.append(word)
        end = found.end()
    if run:
        yield " ".join(run)


def _inside_a_name(sentence: str, found: re.Match[str]) -> bool:
    """Return whether a word is part of a longer name, such as `Clients` of `MaxClients` or `KEY` of `API_KEY`."""
    before, after = sentence[: found.start()][-1:], sentence[found.end() :][:1]
    return before.isalnum() or after.isalnum() or before in _JOINING or after in _JOINING


def _forms(name: str) -> tuple[str, ...]:
    """Return a name as it stands and in the other number."""
    return name, name.removesuffix("s"), f"{name}s"


def _squashed(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.lower()))
