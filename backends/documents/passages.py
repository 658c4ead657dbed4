"""Text to passages whose bytes are known exactly, and which say what they are under."""

from __future__ import annotations

import hashlib
import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from backends.base import Passage
from backends.documents.markdown import markdown_blocks
from backends.documents.plain import plain_blocks
from backends.documents.text import DEEPEST_HEADING, Block, DocumentText

__all__ = ["FORM", "PASSAGE_WORDS", "split"]

FORM = 1
"""Number of the way from a document to its passages and their words: a change of it makes stored ones outdated."""

PASSAGE_WORDS = 60
"""Most words in a passage, and so about 45 on average: small ones are found more often, by measurement."""

_PASSAGE_CHARACTERS = 10_000  # with the white space between its words, which can be without end
_SECTION_WORDS = 30  # a shorter section is joined with the next: measured, alone it is harder to find
_HEADING_CHARACTERS = 120
_TITLE_CHARACTERS = 500
_OUTLINE_DEPTH = 12  # the nearest: what is deeper is no outline that anybody wrote
_BYTES_PER_WORD = 10  # text without spaces (code, Chinese) counts by its bytes
_SENTENCE_END = re.compile(r"[.!?][\"')\]]{0,2}\s+")
_LINE_END = re.compile(r"\n\s*")
_WORD_END = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class _Span:
    """Characters that stay together, with what they are under."""

    start: int
    end: int
    weight: int
    outline: tuple[str, ...]
    opens_section: bool
    names: tuple[str, ...] = ()


def split(source: str, document: DocumentText) -> tuple[Passage, ...]:
    """Cut a document into passages of up to about `PASSAGE_WORDS` words.

    Paragraphs, list items, rows and code stay whole where they fit; what is
    longer is cut between sentences or lines. A heading or a term stays with
    what follows it. The same input gives the same passages and ids.

    Args:
        source: Where the document comes from.
        document: Its text, as its reader returns it.
    """
    text = document.text
    blocks = document.blocks or (plain_blocks(text) if document.plain else markdown_blocks(text))
    starts = [place.start for place in document.places]
    passages = []
    bytes_before = characters_before = lines_before = 0
    for span in _packed(_spans(text, blocks)):
        piece = text[span.start : span.end]
        start_byte = bytes_before + len(text[characters_before : span.start].encode())
        end_byte = start_byte + len(piece.encode())
        line = lines_before + text.count("\n", characters_before, span.start)
        passages.append(
            Passage(
                _identity(source, start_byte, piece),
                source,
                start_byte,
                end_byte,
                piece,
                _heading(document.title, span.outline),
                _place(document, starts, span.start) if starts else f"line {line + 1:,}",
                "\n".join(span.names),
            )
        )
        bytes_before, characters_before = end_byte, span.end
        lines_before = line + piece.count("\n")
    return tuple(passages)


def _heading(title: str, outline: Sequence[str]) -> str:
    """Return the outline under the document's title, without what says the same twice."""
    parts: list[str] = []
    for part in (title[:_TITLE_CHARACTERS], *outline):
        if part and (not parts or part not in parts[-1]):
            parts.append(part)
    return " > ".join(parts)


def _place(document: DocumentText, starts: Sequence[int], position: int) -> str:
    index = bisect_right(starts, position)
    return document.places[index - 1].name if index else ""


def _spans(text: str, blocks: Sequence[Block]) -> Iterator[_Span]:
    """Join headings and terms with what follows, cut what is too long, and note what each piece is under."""
    path: list[tuple[int, str]] = []
    opening: tuple[int, tuple[str, ...]] | None = None  # a run of headings that is not yet joined
    names: list[str] = []
    last_end = 0
    for block in blocks:
        while path and path[-1][0] > DEEPEST_HEADING + block.depth:
            path.pop()
        if block.level:
            while path and path[-1][0] >= block.level:
                path.pop()
            if opening and _weight(text[opening[0] : last_end]) > PASSAGE_WORDS // 2:
                yield _Span(opening[0], last_end, PASSAGE_WORDS // 2, opening[1], True, tuple(names))
                opening = None
            if not opening:
                opening, names = (block.start, _outline(path)), []
            path.append((block.level, block.title[:_HEADING_CHARACTERS]))
            names.append(path[-1][1])
            last_end = block.end
            continue
        start, outline = opening or (block.start, _outline(path))
        for first, (begin, end) in _cut(text, start, block.end):
            above = outline if first else _outline(path)
            opens = bool(opening) and first
            yield _Span(begin, end, _weight(text[begin:end]), above, opens, tuple(names) if opens else ())
        opening = None
    if opening:
        yield _Span(opening[0], last_end, PASSAGE_WORDS // 2, opening[1], True, tuple(names))


def _outline(path: list[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(title for _, title in path[-_OUTLINE_DEPTH:])


def _cut(text: str, start: int, end: int) -> Iterator[tuple[bool, tuple[int, int]]]:
    """Cut a block into parts of about the same weight, none much over the limit; the first is marked."""
    weight = _weight(text[start:end])
    parts = math.ceil(weight / PASSAGE_WORDS)
    limit = math.ceil(weight / parts) if parts else 0
    begin, stop, filled = start, start, 0
    for piece_start, piece_end in _cuttings(text, start, end, limit) if parts > 1 else [(start, end)]:
        piece = _weight(text[piece_start:piece_end])
        if filled and (
            filled + piece > min(limit * 1.2, PASSAGE_WORDS) or piece_end - begin > _PASSAGE_CHARACTERS
        ):
            yield begin == start, (begin, stop)
            begin, filled = piece_start, 0
        stop = piece_end
        filled += piece
    yield begin == start, (begin, stop)


def _cuttings(text: str, start: int, end: int, limit: int) -> Iterator[tuple[int, int]]:
    """Yield sentences; lines of a sentence that is over the limit, and words of such a line."""
    for sentence in _between(text, start, end, _SENTENCE_END):
        if _weight(text[slice(*sentence)]) <= limit:
            yield sentence
            continue
        for line in _between(text, *sentence, _LINE_END):
            if _weight(text[slice(*line)]) <= limit:
                yield line
            else:
                yield from _runs(text, *line, limit)


def _between(text: str, start: int, end: int, separator: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Yield what lies between separators, with the separator's punctuation and without its white space."""
    begin = start
    for match in separator.finditer(text, start, end):
        stop = match.start() + len(match.group().rstrip())
        if stop > begin:
            yield begin, stop
        begin = match.end()
    if begin < end:
        yield begin, end


def _runs(text: str, start: int, end: int, limit: int) -> Iterator[tuple[int, int]]:
    """Yield words, and pieces of a word without end."""
    longest = limit * _BYTES_PER_WORD // 4  # a character is at most four bytes
    for begin, stop in _between(text, start, end, _WORD_END):
        for offset in range(begin, stop, longest):
            yield offset, min(offset + longest, stop)


def _packed(spans: Iterator[_Span]) -> Iterator[_Span]:
    """Join neighbours while they fit; a new section starts a new passage unless the one before is short."""
    held: _Span | None = None
    for span in spans:
        if held is None:
            held = span
        elif (
            held.weight + span.weight > PASSAGE_WORDS
            or span.end - held.start > _PASSAGE_CHARACTERS
            or (
                span.opens_section
                and (held.weight >= _SECTION_WORDS or len(span.outline) < len(held.outline))
            )
        ):
            yield held
            held = span
        else:
            names = held.names + span.names
            held = replace(held, end=span.end, weight=held.weight + span.weight, names=names)
    if held:
        yield held


def _weight(piece: str) -> int:
    return max(len(piece.split()), len(piece.encode()) // _BYTES_PER_WORD)


def _identity(source: str, start_byte: int, piece: str) -> str:
    return hashlib.sha256(f"{source}\0{start_byte}\0{piece}".encode()).hexdigest()[:32]
