"""The structure of Markdown, plain text and HTML: headings, and blocks that belong together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import accumulate

__all__ = ["Block", "html_text", "markdown_blocks", "plain_blocks"]

_LEAVES = frozenset(
    {"heading_open", "paragraph_open", "fence", "code_block", "html_block", "table_open", "list_item_open"}
)
_PARAGRAPH = re.compile(r"\S[^\n]*(?:\n[^\S\n]*\S[^\n]*)*")
_UNDERLINED = re.compile(
    r"(?:([^\w\s])\1{2,}\s*\n)?[^\S\n]*(\S[^\n]*)\n[^\S\n]*([^\w\s])\3{2,}[^\S\n]*(?:\n|\Z)"
)
_DROPPED = frozenset({"script", "style", "template", "noscript", "svg", "nav", "title"})
_BREAKING = frozenset(
    {"p", "div", "section", "article", "main", "header", "footer", "aside", "blockquote", "hr"}
    | {"ul", "ol", "dl", "dt", "dd", "table", "figure", "figcaption"}
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}


@dataclass(frozen=True, slots=True)
class Block:
    """Characters of a text that belong together; a heading where `level` is not 0."""

    start: int
    end: int
    level: int = 0
    title: str = ""


def markdown_blocks(text: str) -> list[Block]:
    """Return the headings, paragraphs, list items, tables and code blocks of a Markdown text, in order."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table").disable(["inline"])
    lines = text.split("\n")
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    blocks: list[Block] = []
    covered = 0  # first line that no block holds yet; what lies within a block is part of it
    for token in parser.parse(text):
        if token.type not in _LEAVES or token.map is None or token.map[0] < covered:
            continue
        first, covered = token.map
        level = int(token.tag[1]) if token.type == "heading_open" else 0
        title = lines[first].strip().strip("#").strip() if level else ""
        blocks += _block(text, starts[first], min(starts[covered], len(text)), level, title)
    return _completed(text, blocks)


def plain_blocks(text: str) -> list[Block]:
    """Return the paragraphs of a plain text, in order; an underlined line is a heading."""
    blocks: list[Block] = []
    levels: dict[tuple[str | None, str], int] = {}
    for paragraph in _PARAGRAPH.finditer(text):
        start = paragraph.start()
        if heading := _UNDERLINED.match(text, start, paragraph.end()):
            over, title, under = heading.groups()
            level = levels.setdefault((over, under), len(levels) + 1)
            blocks += _block(text, start, heading.end(), level, title.strip())
            start = heading.end()
        blocks += _block(text, start, paragraph.end())
    return blocks


def html_text(html: str) -> str:
    """Return the visible text of an HTML page as Markdown: headings, lists, tables and code stay what they are."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return re.sub(r"\n{3,}", "\n\n", "".join(reader.parts)).strip() + "\n"


def _completed(text: str, blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks with what the parser left out, but for rules and the targets of links."""
    complete: list[Block] = []
    end = 0
    for block in (*blocks, Block(len(text), len(text))):
        if re.search(r"\w", re.sub(r"(?m)^\s*\[[^\]\n]+\]:.*$", "", text[end : block.start])):
            complete += _block(text, end, block.start)
        complete.append(block)
        end = block.end
    return complete[:-1]


def _block(text: str, start: int, end: int, level: int = 0, title: str = "") -> Sequence[Block]:
    """Return the block without blank ends, or nothing where it is blank."""
    piece = text[start:end]
    kept = piece.strip()
    if not kept:
        return ()
    # Leading spaces of the first line are structure in code and lists: only blank lines are cut.
    lead = len(piece) - len(piece.lstrip())
    start += piece.rfind("\n", 0, lead) + 1
    return (Block(start, start + len(text[start:end].rstrip()), level, title),)


class _Reader(HTMLParser):
    """Writes Markdown while the parser walks the page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._dropped = 0
        self._preformatted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in _DROPPED:
            self._dropped += 1
        elif tag in _HEADINGS:
            self.parts.append("\n\n" + "#" * _HEADINGS[tag] + " ")
        elif tag == "pre":
            self._preformatted += 1
            self.parts.append("\n\n```\n")
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag in ("br", "tr"):
            self.parts.append("\n")
        elif tag in ("td", "th"):
            self.parts.append("| ")
        elif tag in _BREAKING:
            self.parts.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _DROPPED:
            self._dropped = max(0, self._dropped - 1)
        elif tag == "pre" and self._preformatted:
            self._preformatted -= 1
            self.parts.append("\n```\n\n")
        elif tag in _HEADINGS or tag in _BREAKING:
            self.parts.append("\n\n")
        elif tag in ("td", "th"):
            self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        if self._dropped:
            return
        if not self._preformatted:
            data = re.sub(r"\s+", " ", data)
            if not self.parts or self.parts[-1].endswith(("\n", " ")):
                data = data.lstrip()
        self.parts.append(data)
