"""Files of records: CSV and TSV to a table, JSON Lines to sections."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from backends.base import DocumentError
from backends.documents.encoding import decode
from backends.documents.markup import heading, marked, table, written
from backends.documents.text import DocumentText

__all__ = ["is_header", "read", "read_records"]

_DELIMITERS = ",;\t|"
_SNIFFED_ROWS = 50
_NUMBER = re.compile(r"[-+]?[\d.,\s%€$£]*\d[\d.,\s%€$£]*(?:e[-+]?\d+)?", re.IGNORECASE)
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


def read(source: str, content: bytes) -> DocumentText:
    """Return a CSV or TSV file as one table, each row a place; the delimiter is found out.

    The first row is the header where it looks like one; else the columns are numbered.

    Raises:
        DocumentError: It is not text, or has quotes that are not closed.
    """
    text = decode(source, content)
    delimiter = "\t" if source.lower().endswith((".tsv", ".tab")) else _delimiter(text)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise DocumentError(
            f"{source}: it is not a table ({error}); look for a quote that is not closed"
        ) from error
    numbered = [(number, row) for number, row in enumerate(rows, 1) if any(cell.strip() for cell in row)]
    if not numbered:
        raise DocumentError(f"{source}: it holds no text; leave it out")
    marks = [marked(f"row {number}") for number, _ in numbered]
    kept = [row for _, row in numbered]
    if not is_header(kept[0]):
        kept.insert(0, [f"column {number}" for number in range(1, max(map(len, kept)) + 1)])
        marks.insert(0, "")
    return written([table(kept, marks)])


def is_header(row: Sequence[str]) -> bool:
    """Tell whether a first row names columns: no cell is empty or there twice, and not all are numbers."""
    cells = [cell.strip() for cell in row]
    if not all(cells) or len(set(cells)) < len(cells):
        return False
    return not all(_NUMBER.fullmatch(cell) for cell in cells)


def _delimiter(text: str) -> str:
    """Return the delimiter that gives the most rows of one width, and of those the widest rows."""

    def fit(delimiter: str) -> tuple[float, int]:
        try:
            rows = list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), _SNIFFED_ROWS))
        except csv.Error:
            return 0.0, 0
        widths = Counter(len(row) for row in rows if row)
        width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(0, 0))
        return (count / sum(widths.values()) if width > 1 else 0.0), width

    return max(_DELIMITERS, key=fit)


def read_records(source: str, content: bytes) -> DocumentText:
    """Return JSON Lines as a section a line, each a place: a string, or an object with "text".

    An object's "title", or else its "source", is the heading of its section.

    Raises:
        DocumentError: A line is something else.
    """
    return written(_records(source, decode(source, content)))


def _records(source: str, text: str) -> Iterator[str]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield marked(f"line {number}") + _record(f"{source}, line {number:,}", line)


def _record(where: str, line: str) -> str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DocumentError(
            f"{where}: it is not JSON ({error}); write one string or object a line"
        ) from error
    record = {"text": value} if isinstance(value, str) else value
    if not isinstance(record, dict) or not isinstance(record.get("text"), str) or not record["text"].strip():
        raise DocumentError(f'{where}: write a string or an object with "text", a string that is not empty')
    title = record.get("title") or record.get("source") or ""
    if not isinstance(title, str):
        raise DocumentError(f'{where}: "title" or "source" is not a string; make it one, or leave it out')
    found = record["text"].strip().replace("\r\n", "\n").replace("\r", "\n")
    if _NO_TEXT.search(found + title):
        raise DocumentError(f"{where}: it holds NUL or half a surrogate pair, which are not text; remove it")
    return f"{heading(1, title)}\n\n{found}" if title.strip() else found
