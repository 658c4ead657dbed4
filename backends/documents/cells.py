"""The parts of an HTML tree that tables are read from: rows, cells, and their text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

__all__ = ["BLOCKS", "SPACE", "children", "flat", "is_data", "rows_of"]

BLOCKS = frozenset(
    [
        "p",
        "div",
        "section",
        "article",
        "main",
        "header",
        "footer",
        "aside",
        "blockquote",
        "hr",
        "dl",
        "figure",
        "figcaption",
        "address",
        "details",
        "summary",
        "fieldset",
        "center",
        "caption",
        "table",
        "ul",
        "ol",
        "menu",
        "body",
        "tbody",
        "thead",
        "tfoot",
        "tr",
    ]
)
SPACE = re.compile(r"[ \t\r\n\f\v\xa0]+")


def children(node: LexborNode) -> Iterator[LexborNode]:
    """Yield the nodes right below one."""
    child = node.child
    while child is not None:
        yield child
        child = child.next


def rows_of(table: LexborNode) -> Iterator[list[LexborNode]]:
    """Yield the cells of each row of a table, not of tables within it."""
    for part in children(table):
        rows = children(part) if part.tag in ("tbody", "thead", "tfoot") else iter([part])
        for row in rows:
            if row.tag == "tr":
                cells = [cell for cell in children(row) if cell.tag in ("td", "th")]
                if cells:
                    yield cells


def is_data(table: LexborNode, rows: list[list[LexborNode]]) -> bool:
    """Return whether a table holds rows of short cells, rather than lay out a page or one column of entries."""
    if len(rows) < 2 or table.attributes.get("role") == "presentation":
        return False
    return table.css_first("td table, td pre, td ul, td dl, td h1, td h2, td h3") is None


def flat(cell: LexborNode, line_end: str = " ") -> str:
    """Return the text of a cell, on one line unless paragraphs are to end in another way."""
    parts: list[str] = []
    for node in cell.traverse(include_text=True):
        if node.tag == "-text":
            parts.append(SPACE.sub(" ", node.text_content or ""))
        elif node.tag in BLOCKS or node.tag == "br":
            parts.append(line_end)
    return re.sub(" +", " ", "".join(parts)).strip()
