"""The structure of Markdown: CommonMark with tables and definition lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from backends.documents.text import DEEPEST_HEADING, Block

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["markdown_blocks"]

_DEEPER = frozenset({"list_item_open", "dd_open", "tbody_open"})
_LESS_DEEP = frozenset({"list_item_close", "dd_close", "tbody_close"})
_LEAVES = frozenset(
    {"heading_open", "paragraph_open", "fence", "code_block", "html_block", "tr_open", "dt_open"}
)

_DELIMITER = re.compile(r"\|(?: ?:?-+:? ?\|)+")
_MANY_ROWS = 1_000  # of a table that is read without a parser


def markdown_blocks(text: str) -> list[Block]:
    """Return the headings, paragraphs, list items, rows, terms and code blocks of a Markdown text, in order."""
    lines = text.split("\n")
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    blocks: list[Block] = []
    covered = depth = 0  # first line that no block holds yet
    tokens, rows = _tokens_and_rows(lines)
    for index, token in enumerate(tokens):
        depth += (token.type in _DEEPER) - (token.type in _LESS_DEEP)
        if token.type not in _LEAVES or token.map is None:
            continue
        first, after = token.map
        after += token.type == "dt_open"  # whose map is empty
        if after <= covered:
            continue
        first, covered = max(first, covered), after
        start, end = starts[first], min(starts[covered], len(text))
        level = _level(tokens, index, depth, text[start:end])
        blocks += _block(text, start, end, level, depth)
        if token.type == "tr_open" and first in rows:
            for line in rows[first]:
                blocks += _block(text, starts[line], starts[line] + len(lines[line]), 0, depth + 1)
            covered = rows[first].stop
    return _completed(text, blocks)


def _tokens_and_rows(lines: Sequence[str]) -> tuple[Sequence[Token], dict[int, range]]:
    """Return the tokens of a text without the rows of its long tables, and these, by the line of their header."""
    rows = dict(_long_tables(lines))
    parsed = list(lines)
    for found in rows.values():
        parsed[found.start : found.stop] = [""] * len(found)
    tokens = _tokens("\n".join(parsed))
    headers = {each.map[0] for before, each in pairwise(tokens) if before.type == "thead_open" and each.map}
    if rows.keys() <= headers:
        return tokens, rows
    return _tokens("\n".join(lines)), {}  # what looks like a header is in code, or none


def _long_tables(lines: Sequence[str]) -> Iterator[tuple[int, range]]:
    """Yield what looks like a table of many rows, by its lines: a parser would take kilobytes a row."""
    line = 0
    while line + 1 < len(lines):
        alone = line == 0 or not lines[line - 1].strip()
        if not (alone and lines[line].startswith("|") and _DELIMITER.fullmatch(lines[line + 1])):
            line += 1
            continue
        rows = range(line + 2, len(lines))
        after = next((number for number in rows if not lines[number].startswith("|")), rows.stop)
        if after - line > _MANY_ROWS and (after == len(lines) or not lines[after].strip()):
            yield line, range(rows.start, after)
        line = after


def _tokens(text: str) -> Sequence[Token]:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.deflist import deflist_plugin

    return MarkdownIt("commonmark").enable("table").disable(["inline"]).use(deflist_plugin).parse(text)


def _level(tokens: Sequence[Token], index: int, depth: int, piece: str) -> int:
    token = tokens[index]
    if token.type == "heading_open":
        return int(token.tag[1])
    header = token.type == "tr_open" and tokens[index - 1].type == "thead_open"
    if token.type == "dt_open" or header or _leads_in(tokens, index, piece):
        return DEEPEST_HEADING + depth + 1
    return 0


def _leads_in(tokens: Sequence[Token], index: int, piece: str) -> bool:
    """Return whether a paragraph ends with a colon before a list, a table or code."""
    if tokens[index].type != "paragraph_open" or not piece.rstrip().endswith(":"):
        return False
    after = tokens[index + 3 : index + 4]
    return bool(after) and after[0].type in (
        "bullet_list_open",
        "ordered_list_open",
        "table_open",
        "fence",
        "code_block",
    )


def _block(text: str, start: int, end: int, level: int, depth: int) -> Iterator[Block]:
    if bounds := trimmed(text, start, end):
        title = _title(text[slice(*bounds)]) if level else ""
        yield Block(*bounds, level, title, depth)


def _title(piece: str) -> str:
    """Return what a heading, a term, the header of a table or a lead-in says, without its marks."""
    line = " ".join(piece.split("\n| ")[0].split()) if piece.startswith("|") else " ".join(piece.split())
    return re.sub(r"^#+\s*|\s*#+$|^\|\s*|\s*\|$|\s*:$|\s*[=-]{3,}$|[`*]", "", line).strip()


def _completed(text: str, blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks with what the parser left out, but for rules and the targets of links."""
    complete: list[Block] = []
    end = 0
    for block in (*blocks, Block(len(text), len(text))):
        between = text[end : block.start]
        if re.search(r"\w", re.sub(r"(?m)^\s*\[[^\]\n]+\]:.*$", "", between)):
            complete += _block(text, end, block.start, 0, block.depth)
        complete.append(block)
        end = max(end, block.end)
    return complete[:-1]


def trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return the bounds of a piece without blank ends, or nothing where it is blank."""
    piece = text[start:end]
    if not piece.strip():
        return None
    # Leading spaces of the first line are structure in code and lists: only blank lines are cut.
    lead = len(piece) - len(piece.lstrip())
    start += piece.rfind("\n", 0, lead) + 1
    return start, start + len(text[start:end].rstrip())
