"""What the lines of pages are: headings, headers and footers, contents, or text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace

__all__ = ["GOES_ON", "LEADERS", "Bookmark", "Line", "rounded", "told_apart"]

GOES_ON = 100
"""Added to the level of a line that goes on with the heading of the line before it."""
LEADERS = re.compile(r"(?:[ ]?\.){4,}[ ]?")
"""The dots that lead from a title to its page."""

_EDGE_LINES = 3  # of a page, at its top and at its foot, that may be repeated ones
_MOST_LINES = 2_000  # of a page, that may be titles
_REPEATED = 3  # pages on which a line comes back that is none of the text
_HEADING_SCALE = 1.15
_HEADING_CHARACTERS = 150
_DEEPEST = 6
_ROMAN = re.compile(r"[ivxlc]{1,7}", re.IGNORECASE)
_CONTENTS = re.compile(r"(?:[ ]?\.){4,}[ ]?[\divxlc]+$")
_LABEL = re.compile(r"^(?:(?:chapter|section|part|appendix)\s)?\s*[\dA-Z][\d.]*\s+", re.IGNORECASE)
_NUMBERED = re.compile(r"(?:chapter|section|part|appendix)?(?:[a-z]{1,6}|[a-z]?\d{0,8})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page, in points from its lower left corner.

    Attributes:
        text: What it says.
        left: Where it begins.
        right: Where it ends.
        y: Its baseline.
        size: Height of its letters with ascent and descent.
        fixed: Whether its font is one for code.
        bold: Whether its letters are bold.
        broken: Whether it ends within a word.
        page: Name of the page that it opens; empty where it opens none.
    """

    text: str
    left: float
    right: float
    y: float
    size: float
    fixed: bool = False
    bold: bool = False
    broken: bool = False
    page: str = ""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """An entry of a document's outline: the index of its page, its title, and its depth from 1."""

    page: int
    title: str
    level: int
    y: float | None = None


def told_apart(
    pages: Sequence[Sequence[Line]], bookmarks: Sequence[Bookmark]
) -> tuple[list[list[Line]], dict[tuple[int, Line], int]]:
    """Return the lines of each page that are its text, and the levels of those that are headings.

    Headings are what the outline names or, without one, what is set in large or bold letters. Headers,
    footers, page numbers and tables of contents are left out.
    """
    rows = [_rows(page) for page in pages]
    titles = {_squashed(bookmark.title) for bookmark in bookmarks}
    levels = _outlined(rows, bookmarks)
    kept = [_without_contents(page, titles) for page in _without_running(rows, levels)]
    return kept, levels or _prominent(kept)


def rounded(size: float) -> float:
    """Return a length to the half point."""
    return round(size * 2) / 2


def _rows(page: Sequence[Line]) -> list[Line]:
    """Join what stands side by side."""
    rows: list[Line] = []
    for line in page:
        last = rows[-1] if rows else None
        if (
            last
            and abs(last.y - line.y) < 0.3 * last.size
            and line.left >= last.right - 1
            and not last.broken
        ):
            rows[-1] = replace(
                last, text=f"{last.text} {line.text}", right=line.right, fixed=last.fixed and line.fixed
            )
        else:
            rows.append(line)
    return rows


def _without_running(
    pages: Sequence[Sequence[Line]], headings: Container[tuple[int, Line]]
) -> list[list[Line]]:
    """Leave out headers, footers and page numbers: what comes back at one height, but for a page's number."""
    edges = [_edge(page) for page in pages]
    seen = Counter(
        key for index, page in enumerate(edges) for key in {k for x in page for k in _keys(x, index)}
    )

    def runs(index: int, line: Line) -> bool:
        return line in edges[index] and any(seen[key] >= _REPEATED for key in _keys(line, index))

    kept = [
        [line for line in page if (index, line) in headings or not runs(index, line)]
        for index, page in enumerate(pages)
    ]
    return kept if any(kept) else [list(page) for page in pages]


def _without_contents(page: Sequence[Line], titles: set[str]) -> list[Line]:
    """Leave out the lines of a table of contents: the outline's titles, dots, and a page's number."""

    def repeats(line: Line) -> bool:
        title = LEADERS.split(line.text, maxsplit=1)[0]
        return _CONTENTS.search(line.text) is not None and bool(
            {_squashed(title), _squashed(_LABEL.sub("", title))} & titles
        )

    return [line for line in page if not repeats(line)]


def _edge(page: Sequence[Line]) -> frozenset[Line]:
    ordered = sorted(page, key=lambda line: line.y)
    most = max(1, min(_EDGE_LINES, len(page) // 4))
    return frozenset((*ordered[:most], *ordered[-most:]))


def _keys(line: Line, index: int) -> Iterator[tuple[str | int, int]]:
    """Yield what a line has in common with those of other pages: its text, or numbers counted from the page's."""
    words = line.text.split()
    height = round(line.y / 4)
    yield ("#" if len(words) == 1 and _ROMAN.fullmatch(words[0]) else line.text.strip()), height
    for word in words if len(words) < 15 else ():
        if word.isdecimal() and len(word) < 5:
            yield int(word) - index, height


def _outlined(pages: Sequence[Sequence[Line]], bookmarks: Sequence[Bookmark]) -> dict[tuple[int, Line], int]:
    """Return the levels of the lines that the outline names, by page and line."""
    levels: dict[tuple[int, Line], int] = {}
    squashed: dict[int, list[str]] = {}
    for bookmark in bookmarks:
        for index in (bookmark.page, bookmark.page + 1):
            page = pages[index] if 0 <= index < len(pages) else ()
            if index not in squashed:
                squashed[index] = [_squashed(line.text) for line in page[:_MOST_LINES]]
            y = bookmark.y if index == bookmark.page else None
            free = [
                lines
                for lines in _titled(squashed[index], _squashed(bookmark.title))
                if not any((index, page[i]) in levels for i in lines)
            ]
            # The nearest to where the bookmark points or, where that is unknown, the largest.
            found = min(free, key=lambda x: abs(page[x[0]].y - y) if y else -page[x[0]].size, default=None)
            if found:
                level = min(bookmark.level, _DEEPEST)
                levels |= {(index, page[i]): level + GOES_ON * (i > found[0]) for i in found}
                break
    return levels


def _titled(lines: Sequence[str], sought: str) -> Iterator[range]:
    """Yield which lines of a page are a title, one to three of them, numbered or not."""
    for first in range(len(lines)) if sought else ():
        text = ""
        for last in range(first, min(first + 3, len(lines))):
            text += lines[last]
            if text.endswith(sought) and _NUMBERED.fullmatch(text.removesuffix(sought)):
                yield range(first, last + 1)
                break
            if len(text) > len(sought) + 20:
                break


def _squashed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold() or text.strip()


def _prominent(pages: Sequence[Sequence[Line]]) -> dict[tuple[int, Line], int]:
    """Return the levels of lines in letters larger than the text's, and below them bold ones at the margin."""
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page:
            sizes[rounded(line.size)] += len(line.text)
    body = sizes.most_common(1)[0][0] if sizes else 0.0
    found: dict[tuple[int, Line], float] = {}
    further: set[tuple[int, Line]] = set()
    for index, page in enumerate(pages):
        margin = min((line.left for line in page), default=0.0) + 2
        for above, line in zip((None, *page), page, strict=False):
            large = line.size >= body * _HEADING_SCALE
            short = len(line.text) <= _HEADING_CHARACTERS and re.search(r"[^\W\d_]", line.text)
            if not short or line.fixed or not (large or (line.bold and line.left < margin)):
                continue
            size = found[index, line] = rounded(line.size) if large else 0.0
            if above and found.get((index, above)) == size and 0 < above.y - line.y < 1.6 * line.size:
                further.add((index, line))
    if len(found) * 4 > sum(map(len, pages)):
        return {}
    order = sorted(set(found.values()), reverse=True)
    return {
        place: min(order.index(size) + 1, _DEEPEST) + GOES_ON * (place in further)
        for place, size in found.items()
    }
