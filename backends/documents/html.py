"""HTML to text: what a page says, without what leads around it, and the structure that its tags give.

The tree is that of an HTML5 parser (lexbor), so broken markup is read as
browsers read it. Definitions keep their terms, rows their headers, and anchors
are known as places. Left out are scripts, what is hidden, navigation by its tags, roles
and usual class names, and blocks that are links and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from backends.documents.cells import BLOCKS, SPACE, children, flat, is_data, rows_of
from backends.documents.navigation import leads_around
from backends.documents.text import DEEPEST_HEADING, Block, DocumentText, Place
from backends.documents.unseen import drop_hidden

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

__all__ = ["read_html"]

_UNSEEN = frozenset(
    [
        "script",
        "style",
        "template",
        "noscript",
        "svg",
        "math",
        "head",
        "title",
        "nav",
        "iframe",
        "object",
        "button",
        "select",
        "input",
        "textarea",
        "form",
        "map",
        "audio",
        "video",
        "canvas",
        "dialog",
        "img",
    ]
)
_HEADINGS = {f"h{level}": level for level in range(1, DEEPEST_HEADING + 1)}
_DEEPEST = 6
_ANCHOR_CHARACTERS = 200  # a longer name is no place that anybody looks for


def read_html(html: str) -> DocumentText:
    """Return what a page says, its structure, and the places that its anchors name.

    Raises:
        MemoryError: There is not enough for its tree.
    """
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError

    try:
        parser = LexborHTMLParser(html)
    except SelectolaxError as error:  # any text is HTML to it, while there is memory
        raise MemoryError from error
    drop_hidden(parser)
    title = parser.css_first("title")
    writer = _Writer()
    if parser.body is not None:
        writer.walk(parser.body)
    name = SPACE.sub(" ", title.text()).strip() if title else ""
    return DocumentText(writer.text(), name, tuple(writer.places), blocks=tuple(writer.blocks))


class _Writer:
    """Writes text and notes its structure while it walks the tree."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.places: list[Place] = []
        self._parts: list[str] = []
        self._size = 0
        self._breaks = 0  # newlines owed before the next text
        self._prefix = ""
        self._start: int | None = None  # of the block that is being written
        self._level = 0
        self._depth = 0
        self._spaced = False  # whether white space is owed
        self._fresh = False  # whether a mark such as "- " was written last

    def text(self) -> str:
        """Return what was written, ending in a newline."""
        self._close()
        return "".join(self._parts) + "\n"

    def walk(self, root: LexborNode) -> None:
        """Write a node and all below it; without recursion, however deep the tree is."""
        pending: list[LexborNode | Callable[[], None]] = [root]
        while pending:
            item = pending.pop()
            if callable(item):
                item()
                continue
            if item.tag == "-text":
                self._inline(item.text_content or "")
                continue
            tag = item.tag or "-"
            if tag.startswith("-") or tag in _UNSEEN or leads_around(item):
                continue
            self._note_place(item)
            leave = self._enter(item)
            if leave is not None:
                pending.append(leave)
                pending.extend(reversed(list(children(item))))

    def _enter(self, node: LexborNode) -> Callable[[], None] | None:
        """Begin an element; return what ends it, or None where it was written whole."""
        tag = node.tag
        if tag in _HEADINGS:
            return self._begin(level=_HEADINGS[tag])
        if tag == "pre":
            self._write_code(node)
            return None
        if tag == "table":
            return self._enter_table(node)
        if tag == "li":
            return self._enter_item("- ")
        if tag == "dt":
            return self._enter_term()
        if tag == "dd":
            return self._enter_item(": ")
        if tag == "br":
            self._break(1)
        elif tag in ("td", "th"):
            self._close()
            self._break(1)
        elif tag in BLOCKS:
            self._close()
            inner = tag in ("ul", "ol") and node.parent is not None and node.parent.tag == "li"
            self._break(1 if inner else 2)
            return self._leave_inner if inner else self._leave_block
        return lambda: None

    def _begin(self, level: int) -> Callable[[], None]:
        self._close()
        self._break(2)
        self._mark("#" * level + " ")
        self._level = level
        return self._leave_block

    def _enter_item(self, mark: str) -> Callable[[], None]:
        self._close()
        if mark == "- ":
            self._lead_in()
        self._break(1)
        self._mark(mark)
        before = self._prefix
        if len(before) < 2 * _DEEPEST:
            self._prefix += "  "
        self._depth += 1

        def leave() -> None:
            self._leave_inner()
            self._prefix = before
            self._depth -= 1
            self._fresh = False

        return leave

    def _enter_term(self) -> Callable[[], None]:
        self._close()
        self._break(1 if self._after_term() else 2)
        self._level = DEEPEST_HEADING + self._depth + 1
        return self._leave_inner

    def _after_term(self) -> bool:
        last = self.blocks[-1] if self.blocks else None
        return last is not None and last.level == DEEPEST_HEADING + self._depth + 1

    def _leave_block(self) -> None:
        self._close()
        self._break(2)

    def _leave_inner(self) -> None:
        self._close()
        self._break(1)

    def _write_code(self, node: LexborNode) -> None:
        self._close()
        self._lead_in()
        self._break(2)
        lines = (node.text(deep=True) or "").strip("\n").expandtabs().split("\n")
        if any(line.strip() for line in lines):
            self._put("```")
            for line in [*lines, "```"]:
                self._break(1)
                self._put(line.rstrip() or " ")
            self._close()
            self._break(2)

    def _enter_table(self, node: LexborNode) -> Callable[[], None] | None:
        self._close()
        self._lead_in()
        self._break(2)
        rows = list(rows_of(node))
        if not is_data(node, rows):
            return self._leave_block
        if max(map(len, rows)) == 1:
            self._write_entries([row[0] for row in rows])
            return None
        cells = [[(cell, flat(cell)) for cell in row] for row in rows]
        header = cells[0] if all(cell.tag == "th" for cell, _ in cells[0]) and len(cells) > 1 else []
        if header:
            self._write_row([text for _, text in header], header=True)
            self._depth += 1
        for row in cells[1 if header else 0 :]:
            for cell, _ in row:
                self._note_places(cell)
            if not header and len(row) == 2 and row[0][0].tag == "th":
                self._write_line(f"{row[0][1].rstrip(':')}: {row[1][1]}")
            else:
                self._write_row([text for _, text in row], header=False)
        if header:
            self._depth -= 1
        self._close()
        self._break(2)
        return None

    def _write_entries(self, cells: list[LexborNode]) -> None:
        """Write a table of one column: an item for each row, whose paragraphs stay together."""
        for cell in cells:
            lines = [line for line in flat(cell, line_end="\n").split("\n") if line.strip()]
            self._note_places(cell)
            if cell.tag == "td" and lines:
                self._break(1)
                self._put("- " + "\n  ".join(line.strip() for line in lines))
                self._close()
        self._break(2)

    def _write_row(self, texts: list[str], *, header: bool) -> None:
        if not any(texts):
            return
        line = " | ".join(text.replace("|", "\\|") for text in texts)
        self._break(1)
        if header:
            self._level = DEEPEST_HEADING + self._depth + 1
        self._put(f"| {line} |")
        self._close(title=" | ".join(text for text in texts if text) if header else "")
        if header:
            self._break(1)
            self._put("|" + " --- |" * len(texts))
            self._start = None

    def _write_line(self, line: str) -> None:
        """Write a row of a name and a value; such rows stay together."""
        self._break(1)
        self._put(line)

    def _inline(self, text: str) -> None:
        """Write text whose white space is that of HTML."""
        if not (words := SPACE.sub(" ", text)):
            return
        if words[0] == " ":
            self._spaced = True
        if body := words.strip(" "):
            at_start = self._start is None or self._breaks or self._fresh
            self._put((" " if self._spaced and not at_start else "") + body)
            self._spaced = words[-1] == " "

    def _put(self, text: str) -> None:
        if self._breaks and self._parts:
            lead = "\n" * self._breaks + self._prefix
            self._parts.append(lead)
            self._size += len(lead)
        self._breaks = 0
        self._fresh = False
        if self._start is None:
            self._start = self._size
        self._parts.append(text)
        self._size += len(text)

    def _mark(self, mark: str) -> None:
        """Write what introduces a block; it is part of the block, if one comes."""
        self._put(mark)
        self._fresh = True

    def _break(self, newlines: int) -> None:
        """Owe line ends before the next text; not right after a mark."""
        if not self._fresh:
            self._breaks = max(self._breaks, newlines)
        self._spaced = False

    def _lead_in(self) -> None:
        """Put the paragraph before above what is about to be written, where it ends in a colon."""
        last = self.blocks[-1] if self.blocks else None
        if last and not last.level and last.depth == self._depth and last.end == self._size:
            text = "".join(self._tail(last.start))
            if text.endswith(":"):
                title = SPACE.sub(" ", text).strip(" :")
                level = DEEPEST_HEADING + self._depth + 1
                self.blocks[-1] = replace(last, level=level, title=title)

    def _close(self, *, title: str = "") -> None:
        """End the block that is being written, if there is one with words in it."""
        if self._start is None or self._fresh:
            return
        text = "".join(self._tail(self._start))
        start, end, level = self._start, self._start + len(text.rstrip()), self._level
        self._start, self._level = None, 0
        if not re.search(r"\w", text):
            return
        named = title or re.sub(r"^(?:#+|[:-]) |:$", "", SPACE.sub(" ", text).strip())
        if level > DEEPEST_HEADING and self.blocks and self.blocks[-1].level == level and not title:
            last = self.blocks[-1]
            if not text.rstrip().endswith(":") and not re.search(r"\S", self._between(last.end, start)):
                self.blocks[-1] = Block(last.start, end, level, f"{last.title}, {named}", self._depth)
                return
        self.blocks.append(Block(start, end, level, named if level else "", self._depth))

    def _tail(self, start: int) -> list[str]:
        """Return the parts from a character on, which is the first of one."""
        size, count = self._size, 0
        while size > start:
            count += 1
            size -= len(self._parts[-count])
        return self._parts[len(self._parts) - count :] if count else []

    def _between(self, start: int, end: int) -> str:
        """Return the part that ends where the second of two blocks begins; nothing where they touch."""
        before = len(self._parts) - len(self._tail(end))
        return self._parts[before - 1] if before and end > start else ""

    def _note_places(self, cell: LexborNode) -> None:
        """Note the anchors of a cell that is written whole: its own, and those within it."""
        for anchored in (cell, *cell.css("[id]")):
            self._note_place(anchored)

    def _note_place(self, node: LexborNode) -> None:
        attributes = node.attributes
        name = attributes.get("id") or (attributes.get("name") if node.tag == "a" else None)
        if name and len(name) <= _ANCHOR_CHARACTERS and not re.match(r"id-?[\d.]+$|idm?\d+", name):
            owed = self._breaks + len(self._prefix) if self._breaks and self._parts else 0
            here = self._size + owed
            if self._fresh and self._start is not None:
                here = self._start
            if self.places and self.places[-1].start == here:
                self.places.pop()
            self.places.append(Place(here, f"#{name}"))
