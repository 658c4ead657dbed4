"""Office files: DOCX, PPTX and XLSX to Markdown.

Each is walked by its own library rather than turned into HTML first (mammoth): styles, merged cells, notes and
the numbers of rows and slides are seen as they are. The libraries resolve no entities; `opened` refuses files
that declare any. For the sheets that openpyxl streams, defusedxml sees to that.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from backends.base import DocumentError
from backends.documents.markup import escaped, heading, marked, one_line, table, written
from backends.documents.package import opened
from backends.documents.text import DocumentText
from backends.documents.word import Writer

__all__ = ["read_docx", "read_pptx", "read_xlsx"]

_MOST_CELLS = 20_000_000  # of a workbook, empty ones among them
_MOST_FILLED = 2_000_000
_MOST_ROWS = 1_048_576  # of a sheet, in Excel
_DEEPEST_GROUP = 20
_UNTITLED = frozenset({"PowerPoint Presentation", "Word Document"})
_FURNITURE = frozenset({"DATE", "FOOTER", "HEADER", "SLIDE_NUMBER"})

_DIGITS = re.compile(r"[#0?][#0?,.]*")
_NO_NUMBER = re.compile(r"General|@|/|E[+-]", re.IGNORECASE)
# Of a number's format: colours and conditions, the width of a sign, and a sign repeated to fill the cell.
_FORMAT_ONLY = re.compile(r"\[(?!\$)[^\]]*\]|_.|\*.")
_CURRENCY = re.compile(r"\[\$([^\-\]]*)[^\]]*\]")


def read_docx(source: str, content: bytes) -> DocumentText:
    """Return a Word document: headings by their styles, lists, tables, code, notes where they are referred to.

    Raises:
        DocumentError: It is protected, broken, of another kind, or holds no text.
    """
    import docx

    package = opened(source, content, "word/")
    try:
        document = docx.Document(package)
        writer = Writer(document)
        blocks = list(writer.blocks())
        title = document.core_properties.title
    except MemoryError:
        raise
    except Exception as error:
        raise _broken(source, error) from error
    return _written(source, blocks, title if title and title not in _UNTITLED else writer.title)


def read_pptx(source: str, content: bytes) -> DocumentText:
    """Return a presentation: a section and a place a slide, with its bullets, tables and notes.

    Raises:
        DocumentError: As `read_docx` does.
    """
    import pptx

    package = opened(source, content, "ppt/")
    try:
        deck = pptx.Presentation(package)
        blocks = list(
            chain.from_iterable(_slide(slide, number) for number, slide in enumerate(deck.slides, 1))
        )
        title = deck.core_properties.title
    except MemoryError:
        raise
    except Exception as error:
        raise _broken(source, error) from error
    return _written(source, blocks, title if title not in _UNTITLED else "")


def read_xlsx(source: str, content: bytes) -> DocumentText:
    """Return a workbook: a section and a table a sheet that is shown, each row a place.

    A sheet's first row that is filled is its table's header; single cells above it are captions.

    Raises:
        DocumentError: As `read_docx` does, and where it holds too many cells.
    """
    import openpyxl

    package = opened(source, content, "xl/")
    try:
        book = openpyxl.load_workbook(package, read_only=True, data_only=True, keep_links=False)
        try:
            left = [_MOST_CELLS, _MOST_FILLED]
            shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
            blocks = list(chain.from_iterable(_sheet(source, sheet, left) for sheet in shown))
            title = book.properties.title
        finally:
            book.close()
    except (DocumentError, MemoryError):
        raise
    except Exception as error:
        raise _broken(source, error) from error
    return _written(source, blocks, title)


def _broken(source: str, error: Exception) -> DocumentError:
    """Return what to raise; the libraries raise whatever they stumble over."""
    what = one_line(f"{type(error).__name__}: {error}")[:200]
    return DocumentError(f"{source}: it is no office file that can be read ({what}); repair it")


def _written(source: str, blocks: Iterable[str], title: str | None) -> DocumentText:
    found = written(blocks, title or "")
    if not found.text.strip():
        raise DocumentError(f"{source}: it holds no text; leave it out")
    return found


def _slide(slide: Any, number: int) -> Iterator[str]:
    title = slide.shapes.title
    named = one_line(title.text_frame.text) if title is not None else ""
    blocks = list(_shapes(slide.shapes, title.shape_id if title is not None else None, 0))
    notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
    if notes is not None and notes.text.strip():
        blocks.append(escaped(f"Notes: {one_line(notes.text)}"))
    if named or blocks:
        yield marked(f"slide {number}") + heading(2, named or f"Slide {number}")
    yield from blocks


def _shapes(shapes: Iterable[Any], title: int | None, depth: int) -> Iterator[str]:
    for shape in shapes if depth < _DEEPEST_GROUP else ():
        if shape.shape_id == title or (
            shape.is_placeholder and shape.placeholder_format.type.name in _FURNITURE
        ):
            continue
        if hasattr(shape, "shapes"):
            yield from _shapes(shape.shapes, title, depth + 1)
        elif getattr(shape, "has_table", False):
            yield table([[cell.text for cell in row.cells] for row in shape.table.rows])
        elif shape.has_text_frame:
            yield _paragraphs(shape.text_frame, bullets=shape.is_placeholder)


def _paragraphs(frame: Any, *, bullets: bool) -> str:
    found = [(paragraph.level, one_line(paragraph.text)) for paragraph in frame.paragraphs]
    found = [(level, text) for level, text in found if text]
    if bullets and len(found) > 1:
        return "\n".join(f"{'  ' * level}- {text}" for level, text in found)
    return escaped("\n\n".join(text for _, text in found))


def _sheet(source: str, sheet: Any, left: list[int]) -> Iterator[str]:
    """Yield the heading, the captions and the table of a sheet, counting down the cells that are left."""
    rows = list(_rows(source, sheet, left))
    if not rows:
        return
    yield heading(2, sheet.title)
    captions = 0
    while captions < len(rows) - 1 and len(rows[captions][1]) == 1 < len(rows[captions + 1][1]):
        captions += 1
    for number, cells in rows[:captions]:
        yield marked(_row_name(number, sheet)) + escaped(one_line(next(iter(cells.values()))))
    columns = sorted({column for _, cells in rows[captions:] for column in cells})
    yield table(
        [[cells.get(column, "") for column in columns] for _, cells in rows[captions:]],
        [marked(_row_name(number, sheet)) for number, _ in rows[captions:]],
    )


def _row_name(number: int, sheet: Any) -> str:
    return f"row {number} of {one_line(sheet.title)}"


def _rows(source: str, sheet: Any, left: list[int]) -> Iterator[tuple[int, dict[int, str]]]:
    """Yield the number and the cells, by column, of each row that is not empty."""
    sheet.reset_dimensions()  # those that a file gives may be wrong
    for number, row in enumerate(sheet.iter_rows(), 1):
        cells = {column: text for column, cell in enumerate(row) if (text := _cell(cell))}
        left[0] -= len(row)
        left[1] -= len(cells)
        if min(left) < 0 or number > _MOST_ROWS:
            raise DocumentError(
                f"{source}: it holds more than {_MOST_FILLED:,} filled cells, or cells too far apart; split it"
            )
        if cells:
            yield number, cells


def _cell(cell: Any) -> str:
    """Return what a cell shows."""
    value = cell.value
    if value is None or isinstance(value, str):
        return (value or "").strip()
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime.datetime):
        return (
            value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ", "minutes")
        )
    if isinstance(value, (int, float)):
        return _number(value, cell.number_format or "General")
    return str(value)


def _number(value: float, form: str) -> str:
    """Return a number with the decimals, the unit and the currency of its format; thousands are not parted."""
    form = _CURRENCY.sub(r"\1", form.split(";")[0])
    form = _FORMAT_ONLY.sub("", form).replace('"', "").replace("\\", "")
    digits = _DIGITS.search(form)
    if digits is None or _NO_NUMBER.search(form):
        return f"{value:.15g}"
    before, after = form[: digits.start()].rstrip(), form[digits.end() :].rstrip()
    if after.startswith("%"):
        value *= 100
    whole, _, decimals = digits.group().rstrip(",").partition(".")
    if whole.endswith(",") or digits.group().endswith(","):
        return f"{value:.15g}"  # shown in thousands, which would hide its digits
    text = f"{value:.{min(len(decimals), 15)}f}"
    if decimals.endswith(("#", "?")) and "." in text:
        text = text.rstrip("0").rstrip(".")
    unit = f" {after}" if after[:1].isalpha() else after
    return f"{before} {text}{unit}".strip() if before[-1:].isalpha() else f"{before}{text}{unit}".strip()
