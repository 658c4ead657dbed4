"""A Word document's tree to Markdown, in the order in which it is read."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from backends.documents.markup import escaped, fence, heading, one_line, table

__all__ = ["Writer"]

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
_LIST = re.compile(r"list (?:bullet|number) ?(\d)?$", re.IGNORECASE)
_CODE = re.compile(r"code|preformatted|verbatim|listing|macro", re.IGNORECASE)
# What is within a paragraph and not of its text: what was deleted, a second form of the first, fields' recipes.
_APART = {f"{_W}del", f"{_W}moveFrom", f"{_MC}Fallback", f"{_W}txbxContent", f"{_W}instrText", f"{_W}delText"}
_SIGNS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_NOTES = {f"{_W}footnoteReference": "footnotes", f"{_W}endnoteReference": "endnotes"}
_HASHES = re.compile(r"^#{1,6} ")
_DEEPEST = 50  # tables within tables, boxes within boxes


class Writer:
    """Writes the blocks of a document; it knows its styles, numbering and notes.

    Args:
        document: The document, as python-docx opens it.
    """

    def __init__(self, document: Any) -> None:
        self._document = document
        self._chains = {style.style_id: tuple(_based_on(style)) for style in document.styles}
        self._formats = _list_formats(document)
        self._notes = {kind: _notes(document, kind) for kind in _NOTES.values()}
        self._counts: dict[str, dict[int, int]] = defaultdict(dict)
        self._found: list[str] = []
        body = document.element.body
        self._titled = any(self._style(p) == "title" for p in body.iter(f"{_W}p"))
        self.title = ""

    def blocks(self) -> Iterator[str]:
        """Yield the blocks of the document."""
        yield from _joined(self._within(self._document.element.body, 0))

    def _within(self, node: Any, depth: int) -> Iterator[tuple[str, str]]:
        """Yield the kind and the text of each block within a node: code, item or other."""
        for child in node if depth < _DEEPEST else ():
            if child.tag == f"{_W}p":
                yield from self._paragraph(child, depth)
            elif child.tag == f"{_W}tbl":
                yield from self._table(child, depth)
            elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}customXml", f"{_W}ins", f"{_W}moveTo"):
                yield from self._within(child, depth + 1)

    def _paragraph(self, node: Any, depth: int) -> Iterator[tuple[str, str]]:
        text = self._text(node).strip("\n")
        noted, self._found = self._found, []
        if text.strip():
            yield self._kind_and_text(node, text)
        for mark in noted:
            kind, number = mark.split(" ")
            if note := self._notes[kind].get(number):
                yield "other", f"[{number}] {escaped(one_line(note))}"
        for box in node.iter(f"{_W}txbxContent"):
            if not any(above.tag in _APART for above in _between(box, node)):
                yield from self._within(box, depth + 1)

    def _kind_and_text(self, node: Any, text: str) -> tuple[str, str]:
        style = self._style(node)
        level = self._level(node, style)
        if level:
            self.title = self.title or (one_line(text) if style == "title" or not self._titled else "")
            return "other", heading(level, text)
        if _CODE.search(style):
            return "code", text
        if numbering := self._numbering(node):
            return "item", self._item(*numbering, text)
        return "other", escaped("\n".join(line for line in map(one_line, text.split("\n")) if line))

    def _text(self, node: Any) -> str:
        """Return the text of a paragraph, noting the notes that it refers to."""
        parts: list[str] = []
        stack = list(reversed(node))
        while stack:
            child = stack.pop()
            tag = child.tag
            if tag in (f"{_W}t", "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"):
                parts.append(child.text or "")
            elif tag in _SIGNS:
                parts.append(_SIGNS[tag])
            elif tag in _NOTES:
                number = str(child.get(f"{_W}id"))
                self._found.append(f"{_NOTES[tag]} {number}")
                parts.append(f"[{number}]")
            elif tag not in _APART and tag != f"{_W}pPr":
                stack.extend(reversed(child))
        return "".join(parts)

    def _style(self, node: Any) -> str:
        """Return the name of a paragraph's style, in lower case and English where Word has one for it."""
        chain = self._chain(node)
        return chain[0][0].casefold() if chain else ""

    def _level(self, node: Any, style: str) -> int:
        """Return the level of a heading: by the name of its style, of those it is based on, or by its outline."""
        if style == "title":
            return 1
        shift = 1 if self._titled else 0
        for name, properties in self._inherited(node):
            if match := _HEADING.match(name):
                return int(match.group(1)) + shift
            outline = properties.find(f"{_W}outlineLvl") if properties is not None else None
            if outline is not None and str(outline.get(f"{_W}val")).isdecimal():
                level = int(outline.get(f"{_W}val")) + 1
                return level + shift if level < 10 else 0
        return 0

    def _inherited(self, node: Any) -> Iterator[tuple[str, Any]]:
        """Yield the name and the properties of a paragraph, of its style, and of those it is based on."""
        yield "", node.find(f"{_W}pPr")
        yield from self._chain(node)

    def _chain(self, node: Any) -> Sequence[tuple[str, Any]]:
        named = node.find(f"{_W}pPr/{_W}pStyle")
        return self._chains.get(named.get(f"{_W}val"), ()) if named is not None else ()

    def _numbering(self, node: Any) -> tuple[str, int] | None:
        """Return the list and the depth in it of a paragraph that is an item of one."""
        for name, properties in self._inherited(node):
            named = _LIST.match(name)
            depth = int(named.group(1) or 1) - 1 if named else 0
            found = properties.find(f"{_W}numPr/{_W}numId") if properties is not None else None
            if found is not None:
                number = str(found.get(f"{_W}val"))
                level = properties.find(f"{_W}numPr/{_W}ilvl")
                value = str(level.get(f"{_W}val")) if level is not None else "0"
                return (number, max(depth, int(value) if value.isdecimal() else 0)) if number != "0" else None
            if named:
                return name.casefold(), depth
        return None

    def _item(self, number: str, depth: int, text: str) -> str:
        depth = min(depth, 8)
        counts = self._counts[number]
        for deeper in [level for level in counts if level > depth]:
            del counts[deeper]
        counts[depth] = counts.get(depth, 0) + 1
        bullet = (
            self._formats.get((number, depth), "bullet" if "number" not in number else "decimal") == "bullet"
        )
        sign = "- " if bullet else f"{counts[depth]}. "
        return "   " * depth + sign + one_line(text)

    def _table(self, node: Any, depth: int) -> Iterator[tuple[str, str]]:
        cells_of = [list(_cells(row)) for row in _rows(node)]
        if all(len(cells) <= 1 for cells in cells_of):  # a frame, not a table
            for cells in cells_of:
                for cell in cells:
                    yield from self._within(cell, depth + 1)
            return
        rows: list[list[str]] = []
        for cells in cells_of:
            texts: list[str] = []
            for cell in cells:
                above = rows[-1][len(texts)] if rows and len(texts) < len(rows[-1]) else ""
                text = above if _goes_on(cell) else self._cell(cell, depth)
                texts += [text, *[""] * (_span(cell) - 1)]
            rows.append(texts)
        yield "other", table([row for row in rows if any(row)])

    def _cell(self, cell: Any, depth: int) -> str:
        blocks = self._within(cell, depth + 1)
        return " ".join(_HASHES.sub("", block) if kind == "other" else block for kind, block in blocks)


def _joined(blocks: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield blocks, the lines of code and the items of a list in one block each."""
    kind, lines = "", list[str]()
    for this, text in blocks:
        if lines and this != kind:
            yield _block(kind, lines)
            lines = []
        if this == "other":
            yield text
        else:
            lines.append(text)
        kind = this
    if lines:
        yield _block(kind, lines)


def _block(kind: str, lines: list[str]) -> str:
    return fence("\n".join(lines)) if kind == "code" else "\n".join(lines)


def _based_on(style: Any) -> Iterator[tuple[str, Any]]:
    """Yield the name and the properties of a style and of those it is based on."""
    for _ in range(20):  # they may be based on one another in a ring
        if style is None:
            return
        yield str(style.name or ""), style.element.find(f"{_W}pPr")
        style = getattr(style, "base_style", None)


def _between(node: Any, ancestor: Any) -> Iterator[Any]:
    for above in node.iterancestors():
        if above is ancestor:
            return
        yield above


def _rows(node: Any) -> Iterator[Any]:
    for row in node.iter(f"{_W}tr"):
        if next(row.iterancestors(f"{_W}tbl")) is node:
            yield row


def _cells(row: Any) -> Iterator[Any]:
    for cell in row.iter(f"{_W}tc"):
        if next(cell.iterancestors(f"{_W}tr")) is row:  # and not of a table within
            yield cell


def _span(cell: Any) -> int:
    span = cell.find(f"{_W}tcPr/{_W}gridSpan")
    value = str(span.get(f"{_W}val")) if span is not None else "1"
    return max(1, min(int(value), 64)) if value.isdecimal() else 1


def _goes_on(cell: Any) -> bool:
    """Tell whether a cell goes on with the one above it."""
    merge = cell.find(f"{_W}tcPr/{_W}vMerge")
    return merge is not None and merge.get(f"{_W}val", "continue") == "continue"


def _list_formats(document: Any) -> dict[tuple[str, int], str]:
    """Return the format of each depth of each list: `bullet`, or one of numbers."""
    try:
        numbering = document.part.numbering_part.element
    except (KeyError, NotImplementedError):
        return {}
    abstract = {node.get(f"{_W}abstractNumId"): node for node in numbering.iter(f"{_W}abstractNum")}
    formats: dict[tuple[str, int], str] = {}
    for number in numbering.iter(f"{_W}num"):
        link = number.find(f"{_W}abstractNumId")
        levels = abstract.get(link.get(f"{_W}val")) if link is not None else None
        for level in levels.iter(f"{_W}lvl") if levels is not None else ():
            form = level.find(f"{_W}numFmt")
            depth = str(level.get(f"{_W}ilvl"))
            if form is not None and depth.isdecimal():
                formats[str(number.get(f"{_W}numId")), int(depth)] = str(form.get(f"{_W}val"))
    return formats


def _notes(document: Any, kind: str) -> dict[str, str]:
    """Return the texts of footnotes or endnotes by their numbers."""
    from docx.oxml.parser import parse_xml

    part = next((r.target_part for r in document.part.rels.values() if r.reltype.endswith(f"/{kind}")), None)
    if part is None:
        return {}
    return {
        str(note.get(f"{_W}id")): "".join(text.text or "" for text in note.iter(f"{_W}t"))
        for note in parse_xml(part.blob)
    }
