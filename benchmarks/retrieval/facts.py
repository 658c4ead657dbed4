"""Facts of documentation: a term, one thing that is said of it, and where it is said, which is nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.retrieval.matching import source_text, squash, visible

__all__ = ["DocumentFile", "Fact", "is_plain"]

_VALUE = re.compile(
    r"(?:[\w/:%+~*-]|\.(?=\w))+"
    r"(?: (?:(?:milli)?seconds?|minutes?|hours?|days?|characters?|[kKMG]i?B|(?:kilo|mega)?bytes?))?"
)
_NO_VALUES = frozenset(
    [
        "a",
        "an",
        "the",
        "to",
        "that",
        "this",
        "not",
        "no",
        "none",
        "used",
        "set",
        "taken",
        "from",
        "by",
        "for",
        "same",
        "determined",
        "derived",
        "computed",
        "as",
        "if",
        "what",
        "whatever",
        "based",
        "chosen",
        "in",
        "of",
        "on-demand",
        "empty",
        "unset",
        "usually",
        "typically",
        "also",
        "depends",
        "dependent",
    ]
)
_DEFAULT = re.compile(
    r"\b(?:The default(?: value| limit)?(?: of this (?:option|setting|parameter))? is|[Dd]efaults to|the default is)"
    r"\s+((?:<[^>]+>|[^.<>(,;]|\.(?=\w))+?)\s*(?=\.(?!\w)|[,;()]|</p>|\n\n)"
)
_LONGEST_GOLD = 200  # letters and digits


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing said of a term.

    Attributes:
        file: Where, within the corpus.
        term: What it is said of.
        owner: What the term is part of, such as a program or a table; empty where it stands alone.
        noun: What kind of thing the term is.
        aspect: `default`, `type`, `short form`, `module`, or `name` for a description without its name.
        value: The answer.
        description: For `name`, what the documentation says of the term.
        start_byte: First byte of the statement in the file; of a PDF, in the text taken from it.
        end_byte: Byte after the last.
        gold: The statement, squashed; there is one such text in the file.
        entry: All that is said of the term in this place, squashed to words.
    """

    file: str
    term: str
    owner: str
    noun: str
    aspect: str
    value: str
    description: str
    start_byte: int
    end_byte: int
    gold: str
    entry: str


class DocumentFile:
    """A file under reading, which knows what in it is unique."""

    def __init__(self, path: Path, root: Path) -> None:
        self.source = path.relative_to(root).as_posix()
        self.text = source_text(path)
        self.markup = path.suffix == ".html"
        self._squashed = squash(self.seen(self.text))

    def seen(self, piece: str) -> str:
        """Return a piece as a reader sees it, on one line."""
        piece = re.sub(r"\xad|-\n(?=[a-z])|\ufffe", "", piece)
        return " ".join((visible(piece) if self.markup else piece).split())

    def fact(
        self, term: str, aspect: str, value: str, span: tuple[int, int], entry: str, **more: str
    ) -> Iterator[Fact]:
        """Yield the fact where its statement, with as much of the text before as it takes, is unique."""
        start, end = span
        gold = squash(self.seen(self.text[start:end]))
        while (
            aspect == "default" and self._squashed.count(gold) > 1 and len(gold) < _LONGEST_GOLD and start > 0
        ):
            start = self._before(start)
            gold = squash(self.seen(self.text[start:end]))
        if self._squashed.count(gold) != 1 or len(gold) > 3 * _LONGEST_GOLD:
            return
        first, last = len(self.text[:start].encode()), len(self.text[:end].encode())
        yield Fact(
            file=self.source,
            term=term,
            owner=more.get("owner", ""),
            noun=more["noun"],
            aspect=aspect,
            value=value,
            description=more.get("description", ""),
            start_byte=first,
            end_byte=last,
            gold=gold,
            entry=self.seen(entry),
        )

    def defaults(self, term: str, entry: str, offset: int, **more: str) -> Iterator[Fact]:
        """Yield what an entry says to be the default, if it says one and a plain value."""
        found = [match for match in _DEFAULT.finditer(entry) if is_plain(self.seen(match.group(1)))]
        if len(found) == 1:
            value = self.seen(found[0].group(1)).strip("'\"‘’“”")
            span = (offset + found[0].start(), offset + found[0].end())
            yield from self.fact(term, "default", value, span, entry, **more)

    def name(
        self, term: str, span: tuple[int, int], sentence: str, entry: str, **more: str
    ) -> Iterator[Fact]:
        """Yield the description as a question for the term, where it is long enough and does not tell."""
        description = self.seen(sentence).rstrip(".")
        told = squash(term) in squash(description)
        if 6 <= len(description.split()) <= 30 and not told:
            yield from self.fact(term, "name", term, span, entry, description=description, **more)

    def _before(self, start: int) -> int:
        """Return where the word before begins; a tag counts as part of its word."""
        match = re.compile(r"\S+\s*\Z").search(self.text, max(0, start - 400), start)
        start = match.start() if match else start - 1
        opened, closed = self.text.rfind("<", 0, start), self.text.rfind(">", 0, start)
        return opened if self.markup and opened > closed else start


def is_plain(value: str) -> bool:
    """Return whether a value can be told right from wrong: a number, a name, a path, perhaps with a unit."""
    value = value.strip("'\"‘’“”")
    return bool(_VALUE.fullmatch(value)) and value.lower().split()[0] not in _NO_VALUES
