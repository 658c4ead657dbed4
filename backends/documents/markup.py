"""The Markdown that readers write, and the marks by which they say where in the document it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from backends.documents.text import DocumentText, Place

__all__ = ["definition", "escaped", "fence", "heading", "marked", "one_line", "table", "written"]

_MARK = re.compile("\0([^\0]*)\0")
_STRAY = re.compile("[\0-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_MEANS_SOMETHING = re.compile(
    r"^((?:\0[^\0]*\0)?[ ]{0,3})(#{1,6}(?=\s|$)|`{3}|~{3}|=+[ ]*$|-{2,}[ ]*$|-(?=[ ]*$)|:(?=[ ]))",
    re.MULTILINE,
)


def one_line(text: str) -> str:
    """Return a text on one line, without what is no text: control characters and halves of pairs."""
    return " ".join(_STRAY.sub(" ", text).split())


def escaped(text: str) -> str:
    """Return prose in which no line can be taken for a heading, a fence, an underline or a definition."""
    return _MEANS_SOMETHING.sub(r"\1\\\2", text)


def heading(level: int, title: str) -> str:
    """Return a heading; those deeper than Markdown has are of its last level."""
    return f"{'#' * min(max(level, 1), 6)} {one_line(title)}"


def fence(code: str, language: str = "") -> str:
    """Return code between fences longer than any within it."""
    longest = max((len(run) for run in re.findall("`{3,}", code)), default=2)
    bound = "`" * (longest + 1)
    return f"{bound}{language}\n{code.strip(chr(10))}\n{bound}"


def definition(terms: Iterable[str], blocks: Iterable[str]) -> str:
    """Return terms, each on a line, with the blocks that say what they mean."""
    named = "\n".join(terms)
    body = "\n\n".join(block for block in blocks if block.strip())
    if not body:
        return named
    first, *rest = body.split("\n")
    return "\n".join([named, f": {first}", *(f"  {line}" if line else "" for line in rest)])


def table(rows: Sequence[Sequence[str]], marks: Sequence[str] = ()) -> str:
    """Return a GitHub table whose first row is its header.

    Args:
        rows: The cells of each row; short rows are filled up.
        marks: What `marked` puts before each row; none where empty.
    """
    width = max((len(row) for row in rows), default=0)
    if not width:
        return ""
    lines = [
        f"{mark}| {' | '.join(map(_cell, row))}{' | ' * (width - len(row))} |"
        for row, mark in zip(rows, marks or [""] * len(rows), strict=True)
    ]
    lines.insert(1, f"|{' --- |' * width}")
    return "\n".join(lines)


def _cell(text: str) -> str:
    if not text.isprintable():
        text = one_line(text)
    return text.strip().replace("|", "\\|")


def marked(name: str) -> str:
    """Return the mark of a place: what follows it in a text comes from there."""
    return f"\0{name.replace(chr(0), '')}\0"


def written(blocks: Iterable[str], title: str = "") -> DocumentText:
    """Return the document that blocks make, blank lines between them, with marks as places."""
    text = "\n\n".join(block for block in (block.strip("\n") for block in blocks) if block)
    pieces: list[str] = []
    places: list[Place] = []
    length = end = 0
    for mark in _MARK.finditer(text):
        pieces.append(text[end : mark.start()])
        length += mark.start() - end
        end = mark.end()
        places.append(Place(length, mark.group(1)))
    pieces.append(text[end:] + "\n")
    return DocumentText("".join(pieces), one_line(title), tuple(places))
