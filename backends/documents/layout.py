"""Lines on pages to Markdown: paragraphs, headings, definitions and code from where each line stands.

A line tells much by its place. One that ends before the next word would have
needed the room was ended on purpose; one indented below a short line says what
that line means; one that comes back on page after page belongs to the pages.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from backends.documents.markup import definition, escaped, fence, heading, marked, one_line
from backends.documents.pages import GOES_ON, LEADERS, Bookmark, Line, rounded, told_apart

__all__ = ["markdown"]

_DEEPEST = 6  # definitions within definitions
_LIST = re.compile(r"(?:[•▪◦‣∙●○■□]\s*|[\x0f\ue000-\uf8ff]\s+)")


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines that belong together; a heading where `level` is not 0, code where it is -1."""

    lines: tuple[Line, ...]
    level: int = 0
    edge: float = 0.0

    @property
    def left(self) -> float:
        return min(line.left for line in self.lines)

    @property
    def size(self) -> float:
        return self.lines[0].size


def markdown(pages: Sequence[Sequence[Line]], bookmarks: Sequence[Bookmark] = ()) -> Iterator[str]:
    """Yield the blocks of Markdown that pages of lines make, with a mark where a page begins.

    Args:
        pages: The lines of each page, in reading order.
        bookmarks: The outline; its titles are the headings. Without one, large letters are.
    """
    kept, levels = told_apart(pages, bookmarks)
    leading = _leading(kept)
    blocks: list[_Block] = []
    for index, page in enumerate(kept):
        here = [levels.get((index, line), -1 if line.fixed else 0) for line in page]
        named = [replace(line, page=f"page {index + 1}") if not i else line for i, line in enumerate(page)]
        found = list(_blocks(named, here, leading))
        if blocks and found and _goes_on(blocks[-1], found[0]):
            blocks[-1] = replace(blocks[-1], lines=blocks[-1].lines + found.pop(0).lines)
        blocks += found
    yield from _texts(blocks, _vocabulary(kept))


def _leading(pages: Sequence[Sequence[Line]]) -> Callable[[float], float]:
    """Return what tells the distance of lines in a paragraph from their size."""
    steps: dict[float, Counter[float]] = {}
    for page in pages:
        for above, below in pairwise(page):
            step = above.y - below.y
            if 0.7 * below.size < step < 3 * below.size and abs(above.size - below.size) < 1:
                steps.setdefault(rounded(below.size), Counter())[rounded(step)] += 1
    usual = {size: counts.most_common(1)[0][0] for size, counts in steps.items()}
    return lambda size: usual.get(rounded(size), 1.3 * size)


def _blocks(
    page: Sequence[Line], levels: Sequence[int], leading: Callable[[float], float]
) -> Iterator[_Block]:
    edges = _edges(page)
    lines: list[Line] = []
    level = 0
    for index, (line, this) in enumerate(zip(page, levels, strict=True)):
        goes_on = this == level + GOES_ON
        this = this - GOES_ON if this > GOES_ON else this
        if (
            lines
            and not goes_on
            and (this != level or not _belongs(lines, line, level, edges[index], leading(line.size)))
        ):
            yield _Block(tuple(lines), level, edges[index - 1])
            lines = []
        lines.append(line)
        level = this
    if lines:
        yield _Block(tuple(lines), level, edges[-1])


def _edges(page: Sequence[Line]) -> list[float]:
    """Return the right edge of the column in which each line stands; a column goes down the page."""
    edges: list[float] = []
    column: list[Line] = []
    for line in (*page, None):
        if column and (line is None or line.y > column[-1].y + line.size):
            rights = sorted(member.right for member in column)
            edges += [rights[-2] if len(rights) > 8 else rights[-1]] * len(column)
            column = []
        if line:
            column.append(line)
    return edges


def _belongs(lines: Sequence[Line], line: Line, level: int, edge: float, leading: float) -> bool:
    """Tell whether a line goes on with the block of those before it."""
    last = lines[-1]
    step = last.y - line.y
    if level > 0:
        return False
    if level < 0:
        signature = len(lines) < 3 and line.left > lines[0].left + 4 * line.size  # set off from its term
        return not signature and 0 < step < 2.2 * max(leading, line.size)
    if not 0 < step <= 1.25 * leading + 0.5 or abs(last.size - line.size) > 0.15 * line.size:
        return False
    if _LIST.match(line.text):
        return False
    opens = len(lines) == 1 or not _is_full(lines[-2], last, edge)
    indent = line.left - last.left
    if indent > 0.4 * line.size:  # an item goes on, or something else begins
        return opens and _is_full(last, line, edge)
    if indent < -0.4 * line.size:  # back from a first line's indent
        indented = len(lines) < 3 and abs(lines[0].left - last.left) < 1
        return indented and -indent < 3 * line.size and _is_full(last, line, edge)
    return True


def _is_full(last: Line, line: Line, edge: float) -> bool:
    """Tell whether the first word of a line had no more room in the last one."""
    if LEADERS.search(last.text):
        return False
    width = (line.right - line.left) / max(1, len(line.text))
    return last.broken or last.right + width * (len(line.text.split(" ", 1)[0]) + 0.5) > edge


def _goes_on(block: _Block, other: _Block) -> bool:
    """Tell whether a page's first block is the rest of the last one of the page before."""
    last, line = block.lines[-1], other.lines[0]
    if block.level or other.level or abs(last.size - line.size) > 1:
        return False
    return last.broken or (line.text[:1].islower() and _is_full(last, line, block.edge))


def _texts(blocks: Sequence[_Block], known: frozenset[str], depth: int = 0) -> Iterator[str]:
    """Yield the blocks as Markdown; what is indented below a term is its definition."""
    index = 0
    while index < len(blocks):
        block = blocks[index]
        index += 1
        end = _definition_end(blocks, index) if depth < _DEEPEST else index
        if end > index:
            terms = (_text((line,), known) for line in block.lines)
            yield definition(terms, _texts(blocks[index:end], known, depth + 1))
            index = end
        elif block.level > 0:
            yield _page(block) + heading(block.level, _joined(block.lines, known, marks=False))
        elif block.level < 0:
            yield _page(block) + fence("\n".join(_indented(block)))
        else:
            yield _text(block.lines, known, block.edge)


def _definition_end(blocks: Sequence[_Block], index: int) -> int:
    """Return where the definition of the block before `index` ends: there, if it is no term."""
    term = blocks[index - 1]
    if term.level > 0 or len(term.lines) > 3 or index == len(blocks):
        return index
    if any(re.search(r"[.:;,?!]$", line.text) or len(line.text) > 80 for line in term.lines):
        return index
    if _LIST.match(term.lines[0].text) or max(line.left for line in term.lines) > term.left + 1:
        return index
    below = blocks[index]
    body = next((block for block in blocks[index : index + 4] if block.level >= 0), below)
    close = term.lines[-1].y - below.lines[0].y < 2.2 * below.size or bool(below.lines[0].page)
    plain = body.level == 0 and body.lines[0].left < body.left + 0.4 * body.size
    if not (close and plain and body.left > term.left + 1.6 * term.size):
        return index
    while (
        index < len(blocks) and blocks[index].level <= 0 and blocks[index].left > term.left + 1.6 * term.size
    ):
        index += 1
    return index


def _page(block: _Block) -> str:
    return "".join(marked(line.page) for line in block.lines if line.page)


def _indented(block: _Block) -> Iterator[str]:
    widths = [(line.right - line.left) / len(line.text) for line in block.lines if line.text]
    width = max(1.0, sorted(widths)[len(widths) // 2])
    above = block.lines[0]
    for line in block.lines:
        if above.y - line.y > 1.6 * line.size:
            yield ""
        yield " " * round((line.left - block.left) / width) + line.text
        above = line


def _text(lines: Sequence[Line], known: frozenset[str], edge: float = 0.0) -> str:
    """Return prose: lines that were full are joined, others end where they end."""
    runs: list[list[Line]] = []
    for line in lines:
        if runs and (line.page or _is_full(runs[-1][-1], line, edge)):
            runs[-1].append(line)
        else:
            runs.append([line])
    text = "\n".join(_joined(run, known, marks=True) for run in runs)
    return escaped(_LIST.sub("- ", text, count=1) if _LIST.match(text) else text)


def _joined(lines: Iterable[Line], known: frozenset[str], *, marks: bool) -> str:
    text = ""
    broken = False
    for line in lines:
        words = LEADERS.sub(" ... ", one_line(line.text))
        mark = marked(line.page) if marks and line.page else ""
        if broken:
            start, end = text[-80:].rsplit(" ", 1)[-1], words.split(" ", 1)[0]
            text += _hyphen(start, end, known) + mark + words
        else:
            text += (" " if text else "") + mark + words
        broken = line.broken
    return text


def _hyphen(start: str, end: str, known: frozenset[str]) -> str:
    """Return the hyphen where a word broken after one has it elsewhere, too."""
    one, two = (re.sub(r"^\W+|\W+$", "", word).casefold() for word in (f"{start}{end}", f"{start}-{end}"))
    if one in known:
        return ""
    return "-" if two in known or not start[-1:].isalpha() or not end[:1].islower() or "-" in start else ""


def _vocabulary(pages: Sequence[Sequence[Line]]) -> frozenset[str]:
    words = (word for page in pages for line in page for word in line.text.split())
    return frozenset(re.sub(r"^\W+|\W+$", "", word).casefold() for word in words)
