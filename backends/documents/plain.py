"""The structure of plain text: underlined and numbered headings, boxes, and what is indented under a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from backends.documents.text import DEEPEST_HEADING, Block

__all__ = ["plain_blocks"]

_PARAGRAPH = re.compile(r"\S[^\n]*(?:\n[^\S\n]*\S[^\n]*)*")
_UNDERLINED = re.compile(
    r"(?:([^\w\s])\1{2,}[^\S\n]*\n)?[^\S\n]?(\S[^\n]*)\n([^\w\s])\3{2,}[^\S\n]*(?:\n|\Z)"
)
_BOXED = re.compile(r"\+-+\+\n((?:\|[^\n]*\|\n)+)\+-+\+(?:\n|\Z)")
_NUMBERED = re.compile(r"(\d+(?:\.\d+)*)\.? +\S[^\n]{0,76}(?<![.,;:])")
# Texinfo's Info: the line that leads to other nodes, menus, and the index at the end.
_NAVIGATION = re.compile(
    r"\x1f?\s*File: [^\n]*Node: [^\n]*|\* Menu:"
    r"|(?:\* [^\n]*(?:::|:\s[^\n]*\.(?:\s+\(line +\d+\))?)[^\n]*(?:\n +[^\n]*)*\n?)+"
)
_TABS = re.compile(r"^[ \t]*")
_MOST_TERM_LINES = 4
_FIRST_LINE = 4  # columns by which the first line of a paragraph is set in at most


@dataclass(frozen=True, slots=True)
class _Piece:
    """Lines that are indented alike, without a blank line among them."""

    start: int
    end: int
    indent: int
    after_blank: bool


def plain_blocks(text: str) -> list[Block]:
    """Return the paragraphs of a plain text, in order, and the headings and terms that they are under.

    An underlined line is a heading, and so is a numbered one that stands alone.
    Lines that are followed by others indented deeper are a term, of which
    those are the definition.
    """
    blocks: list[Block] = []
    levels: dict[tuple[str | None, str], int] = {}
    pieces: list[_Piece] = []
    for paragraph in _PARAGRAPH.finditer(text):
        start = _line_start(text, paragraph.start())
        if found := _NAVIGATION.match(text, start, paragraph.end()):
            start = min(found.end() + 1, paragraph.end())
        heading = _heading(text, start, paragraph.end(), levels)
        if heading:
            blocks += _nested(text, pieces)
            pieces = []
            blocks.append(heading)
            start = heading.end + 1
        pieces.extend(_pieces(text, start, paragraph.end()))
    return [*blocks, *_nested(text, pieces)]


def _heading(text: str, start: int, end: int, levels: dict[tuple[str | None, str], int]) -> Block | None:
    if found := _UNDERLINED.match(text, start, end):
        over, title, under = found.groups()
        level = min(levels.setdefault((over, under), len(levels) + 1), DEEPEST_HEADING - 1)
        return Block(start, start + len(found.group().rstrip()), level, title.strip())
    if found := _BOXED.match(text, start, end):
        title = " ".join(found.group(1).replace("|", " ").split())
        return Block(start, start + len(found.group().rstrip()), DEEPEST_HEADING, title)
    if found := _NUMBERED.fullmatch(text, start, end):
        level = min(found.group(1).count(".") + 1, DEEPEST_HEADING - 1)
        return Block(start, end, level, found.group().strip())
    return None


def _pieces(text: str, start: int, end: int) -> Iterator[_Piece]:
    """Yield the runs of lines of a paragraph that are indented alike; small steps are hanging lines."""
    begin, indent, after_blank = start, -1, True
    position = start
    first = text[start:end].split("\n", 1)[0]
    for line in text[start:end].split("\n"):
        here = _indent(line)
        if (
            indent > here
            and after_blank
            and begin + len(first) + 1 == position
            and indent - here <= _FIRST_LINE
        ):
            indent = here  # the first line of a paragraph is set in
        elif indent >= 0 and (here > indent + 1 or here < indent):
            yield _Piece(begin, position - 1, indent, after_blank)
            begin, after_blank, indent = position, False, here
        elif indent < 0:
            indent = here
        position += len(line) + 1
    if begin < end:
        yield _Piece(begin, end, indent, after_blank)


def _nested(text: str, pieces: list[_Piece]) -> Iterator[Block]:
    """Yield pieces as blocks: one before another that is deeper, without a blank line between, is a term."""
    open_: list[int] = []  # the indents of the terms that the next piece may be under
    for index, piece in enumerate(pieces):
        while open_ and piece.indent <= open_[-1]:
            open_.pop()
        depth = len(open_)
        after = pieces[index + 1] if index + 1 < len(pieces) else None
        lines = text.count("\n", piece.start, piece.end) + 1
        if after and not after.after_blank and after.indent > piece.indent + 1 and lines <= _MOST_TERM_LINES:
            title = " ".join(text[piece.start : piece.end].split())
            yield Block(piece.start, piece.end, DEEPEST_HEADING + depth + 1, title, depth)
            open_.append(piece.indent)
        else:
            yield Block(piece.start, piece.end, 0, "", depth)


def _line_start(text: str, position: int) -> int:
    return text.rfind("\n", 0, position) + 1


def _indent(line: str) -> int:
    found = _TABS.match(line)
    return len(found.group().expandtabs()) if found else 0
