"""Office files become Markdown, and what is no such file is refused."""

from __future__ import annotations

import datetime
import io
import struct
import zipfile
from collections.abc import Callable
from functools import cache
from typing import Any

import docx
import openpyxl
import pptx
import pytest
from docx.oxml.parser import parse_xml
from hypothesis import given, settings
from hypothesis import strategies as st
from pptx.util import Inches

from backends.base import DocumentError
from backends.documents.office import read_docx, read_pptx, read_xlsx
from backends.documents.text import DocumentText

NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
READERS: dict[str, Callable[[str, bytes], DocumentText]] = {
    "a.docx": read_docx,
    "a.pptx": read_pptx,
    "a.xlsx": read_xlsx,
}


def saved(made: Any) -> bytes:
    """Return the bytes of what a library made."""
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


@cache
def document() -> bytes:
    """Return a Word document with a bit of everything."""
    made = docx.Document()
    made.core_properties.title = "The guide"
    made.add_heading("Set up", 1)
    made.add_paragraph("Run it.\nThen wait.")
    made.add_paragraph("one", "List Bullet")
    made.add_paragraph("deep", "List Bullet 2")
    made.add_paragraph("first", "List Number")
    made.add_paragraph("second", "List Number")
    made.add_heading("Options", 2)
    table = made.add_table(3, 2)
    for row, values in zip(
        table.rows, [("name", "means"), ("a|b", "both\nlines"), ("", "more")], strict=True
    ):
        for cell, value in zip(row.cells, values, strict=True):
            cell.text = value
    table.cell(1, 0).merge(table.cell(2, 0))
    made.add_paragraph("# not a heading")
    return saved(made)


@cache
def deck() -> bytes:
    """Return a presentation of two slides."""
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[1])
    slide.shapes.title.text = "Set up"
    frame = slide.placeholders[1].text_frame
    frame.text = "Run it"
    frame.add_paragraph().text = "and wait"
    frame.paragraphs[1].level = 1
    slide.notes_slide.notes_text_frame.text = "Say hello."
    slide = made.slides.add_slide(made.slide_layouts[6])
    table = slide.shapes.add_table(2, 2, Inches(1), Inches(1), Inches(4), Inches(1)).table
    for row, values in zip(table.rows, [("name", "means"), ("a", "1")], strict=True):
        for cell, value in zip(row.cells, values, strict=True):
            cell.text = value
    return saved(made)


@cache
def workbook() -> bytes:
    """Return a workbook of a sheet of prices, an empty one and a hidden one."""
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = "Prices"
    sheet["A1"] = "Prices of 2026"
    for row in [("name", "price", "since", "tax"), ("Bolt", 1.5, datetime.date(2026, 3, 2), 0.19)]:
        sheet.append(row)
    sheet["B3"].number_format = '0.00 "€"'
    sheet["D3"].number_format = "0%"
    sheet["A5"] = "Nut"
    sheet["B5"] = 1234567.125
    sheet["D5"] = True
    made.create_sheet("Empty")
    hidden = made.create_sheet("Hidden")
    hidden["A1"] = "secret"
    hidden.sheet_state = "hidden"
    return saved(made)


FILES: dict[str, Callable[[], bytes]] = {"a.docx": document, "a.pptx": deck, "a.xlsx": workbook}


def test_word_document_keeps_its_structure() -> None:
    """Headings, lists, tables with merged cells and paragraphs come in order."""
    found = read_docx("a.docx", document())
    assert found.title == "The guide"
    assert found.text == (
        "# Set up\n\nRun it.\nThen wait.\n\n- one\n   - deep\n1. first\n2. second\n\n## Options\n\n"
        "| name | means |\n| --- | --- |\n| a\\|b | both lines |\n| a\\|b | more |\n\n\\# not a heading\n"
    )


def test_title_stands_above_the_headings() -> None:
    """A document's title is its first heading, and the others lie below it."""
    made = docx.Document()
    made.add_heading("Guide", 0)
    made.add_heading("Use", 1)
    found = read_docx("a.docx", saved(made))
    assert (found.title, found.text) == ("Guide", "# Guide\n\n## Use\n")


def word(body: str) -> str:
    """Return what the XML of a body reads as."""
    made = docx.Document()
    for node in parse_xml(f"<w:body {NAMESPACE}>{body}</w:body>"):
        made.element.body.append(node)
    return read_docx("a.docx", saved(made)).text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<w:p><w:ins><w:r><w:t>new</w:t></w:r></w:ins><w:del><w:r><w:t>old</w:t></w:r></w:del></w:p>", "new"),
        ("<w:sdt><w:sdtContent><w:p><w:r><w:t>held</w:t></w:r></w:p></w:sdtContent></w:sdt>", "held"),
        ("<w:p><w:hyperlink><w:r><w:t>a link</w:t></w:r></w:hyperlink></w:p>", "a link"),
        ("<w:p><w:r><w:instrText>PAGE</w:instrText><w:t>7</w:t></w:r></w:p>", "7"),
        ("<w:p><w:pPr><w:outlineLvl w:val='1'/></w:pPr><w:r><w:t>Own</w:t></w:r></w:p>", "## Own"),
        ("<w:tbl><w:tr><w:tc><w:p><w:r><w:t>framed</w:t></w:r></w:p></w:tc></w:tr></w:tbl>", "framed"),
        ("<w:p><w:r><w:txbxContent><w:p><w:r><w:t>b</w:t></w:r></w:p></w:txbxContent><w:t>a</w:t></w:r></w:p>", "a\n\nb"),  # noqa: E501
        ("<w:p><w:r><w:t>a</w:t></w:r><w:r><w:footnoteReference w:id='9'/></w:r></w:p>", "a[9]"),
    ],
    ids=["tracked", "held", "link", "field", "outline", "frame", "box", "note"],
)  # fmt: skip
def test_text_is_found_wherever_word_puts_it(body: str, text: str) -> None:
    """What was inserted, is held, linked, framed or boxed is read, and what was deleted is not."""
    assert word(body) == text + "\n"


def test_frames_within_frames_are_read_once() -> None:
    """Tables of one cell, each in another, do not take time without end."""
    inner = "<w:p><w:r><w:t>x</w:t></w:r></w:p>"
    for _ in range(40):
        inner = f"<w:tbl><w:tr><w:tc>{inner}</w:tc></w:tr></w:tbl>"
    assert word(inner) == "x\n"


def test_slides_are_sections_and_places() -> None:
    """Each slide has a heading, bullets by their levels, tables and notes."""
    found = read_pptx("a.pptx", deck())
    assert found.text == (
        "## Set up\n\n- Run it\n  - and wait\n\nNotes: Say hello.\n\n"
        "## Slide 2\n\n| name | means |\n| --- | --- |\n| a | 1 |\n"
    )
    assert [(place.name, found.text[place.start :][:4]) for place in found.places] == [
        ("slide 1", "## S"),
        ("slide 2", "## S"),
    ]


def test_sheets_are_tables_and_rows_places() -> None:
    """Numbers and dates are as shown, blank rows count, and hidden sheets are left out."""
    found = read_xlsx("a.xlsx", workbook())
    assert found.text == (
        "## Prices\n\nPrices of 2026\n\n| name | price | since | tax |\n| --- | --- | --- | --- |\n"
        "| Bolt | 1.50 € | 2026-03-02 | 19% |\n| Nut | 1234567.125 |  | TRUE |\n"
    )
    assert [place.name for place in found.places] == [f"row {number} of Prices" for number in (1, 2, 3, 5)]


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (0.1 + 0.2, "General", "0.3"),
        (12, '0.0" kg"', "12.0 kg"),
        (1234.5, "#,##0.00", "1234.50"),
        (1234.5, "[$EUR] #,##0.0", "EUR 1234.5"),
        (-3, "0;[Red]-0", "-3"),
        (2.5, "0.##", "2.5"),
        (1500, '0,"k"', "1500"),
        (5, "@", "5"),
        (0.5, "# ?/?", "0.5"),
        (datetime.datetime(2026, 3, 2, 10, 30), "yyyy-mm-dd hh:mm", "2026-03-02 10:30"),
        (datetime.time(10, 30), "hh:mm", "10:30:00"),
    ],
)
def test_numbers_are_as_shown(value: object, form: str, text: str) -> None:
    """A number has the decimals, unit and currency of its cell."""
    made = openpyxl.Workbook()
    made.active["A1"] = "k"
    made.active["A2"] = value
    made.active["A2"].number_format = form
    assert read_xlsx("a.xlsx", saved(made)).text.endswith(f"\n| {text} |\n")


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    """Return an office file with one of its parts replaced."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            new.writestr(entry, part if entry == name else old.read(entry))
    return made.getvalue()


def lying(content: bytes) -> bytes:
    """Return an office file whose parts say that they are ten bytes large."""
    changed = bytearray(content)
    start = 0
    while (start := content.find(b"PK\1\2", start) + 1) > 0:
        changed[start + 23 : start + 27] = struct.pack("<I", 10)
    return bytes(changed)


MAIN = {"a.docx": "word/document.xml", "a.pptx": "ppt/presentation.xml", "a.xlsx": "xl/workbook.xml"}
ENTITIES = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
EXTERNAL = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda content, main: b"", "no office file"),
        (lambda content, main: b"plain text", "no office file"),
        (lambda content, main: content[: len(content) // 2], "no office file"),
        (lambda content, main: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + content, "protected by a password"),
        (lambda content, main: with_part(content, main, b"<broken"), "no office file"),
        (lambda content, main: with_part(content, main, b""), "no office file"),
        (lambda content, main: with_part(content, main, ENTITIES), "declares entities"),
        (
            lambda content, main: with_part(content, main, ENTITIES.decode().encode("utf-16")),
            "declares entities",
        ),
        (lambda content, main: with_part(content, main, EXTERNAL), "declares entities"),
        (
            lambda content, main: with_part(content, main, b"<!--" + b" " * 9_000 + b"-->" + ENTITIES),
            "entities",
        ),
        (lambda content, main: with_part(content, main, b" " * 10_000_000), "times its size"),
        (lambda content, main: lying(content), "no office file|not of the size"),
    ],
    ids=[
        "empty",
        "text",
        "cut",
        "ole",
        "xml",
        "blank",
        "entities",
        "utf-16",
        "external",
        "late",
        "bomb",
        "lying",
    ],
)
def test_broken_and_hostile_files_are_refused(
    name: str, damage: Callable[[bytes, str], bytes], says: str
) -> None:
    """What is protected, broken or made to explode is refused in one line."""
    with pytest.raises(DocumentError, match=says) as caught:
        READERS[name](name, damage(FILES[name](), MAIN[name]))
    assert str(caught.value).startswith(f"{name}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("other", READERS)
def test_files_of_another_kind_are_refused(name: str, other: str) -> None:
    """A file is read as what it is alone."""
    if name != other:
        with pytest.raises(DocumentError, match="of another kind"):
            READERS[name](name, FILES[other]())


@pytest.mark.parametrize(
    ("name", "made"),
    [("a.docx", docx.Document), ("a.pptx", pptx.Presentation), ("a.xlsx", openpyxl.Workbook)],
)
def test_files_without_text_are_refused(name: str, made: Callable[[], Any]) -> None:
    """An empty file holds no text."""
    with pytest.raises(DocumentError, match="holds no text"):
        READERS[name](name, saved(made()))


@pytest.mark.parametrize(
    "rows",
    [
        "".join(f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(1, 1300)),
        '<row r="99999999999"><c r="A99999999999"><v>1</v></c></row>',
    ],
    ids=["wide", "long"],
)
def test_cells_far_apart_are_refused(rows: str) -> None:
    """A few cells cannot make a sheet of millions."""
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'
    with pytest.raises(DocumentError, match="too far apart"):
        read_xlsx("a.xlsx", with_part(workbook(), "xl/worksheets/sheet1.xml", sheet.encode()))


def test_rows_without_cells_are_passed_over() -> None:
    """However many a sheet has, they take no memory, and those that hold something keep their numbers."""
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    empty = "".join(f'<row r="{number}" ht="{number % 97}"/>' for number in range(2, 100_000))
    rows = '<row r="1"><c r="A1"><v>1</v></c></row>{}<row r="100000"><c r="A100000"><v>2</v></c></row>'
    sheet = f'<worksheet xmlns="{space}"><sheetData>{rows.format(empty)}</sheetData></worksheet>'
    found = read_xlsx("a.xlsx", with_part(workbook(), "xl/worksheets/sheet1.xml", sheet.encode()))
    assert [place.name for place in found.places][:2] == ["row 1 of Prices", "row 100000 of Prices"]


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(sorted(FILES)), st.integers(0, 40_000), st.binary(min_size=1, max_size=8), st.booleans()
)
def test_damaged_files_are_read_or_refused(name: str, start: int, put: bytes, cut: bool) -> None:
    """Cut or written over, a file gives text or a DocumentError."""
    content = FILES[name]()
    start %= len(content)
    damaged = content[:start] if cut else content[:start] + put + content[start + len(put) :]
    try:
        READERS[name](name, damaged)
    except DocumentError as error:
        assert str(error).startswith(f"{name}: ")  # noqa: PT017


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_damaged_parts_are_read_or_refused(name: str, data: st.DataObject) -> None:
    """XML that lacks some of what it says gives text or a DocumentError."""
    with zipfile.ZipFile(io.BytesIO(FILES[name]())) as package:
        part = data.draw(
            st.sampled_from(sorted(n for n in package.namelist() if n.endswith((".xml", ".rels"))))
        )
        xml = package.read(part)
    start = data.draw(st.integers(0, len(xml)))
    end = data.draw(st.integers(start, min(len(xml), start + 200)))
    put = data.draw(st.sampled_from([b"", b"0", b"-1", b'"', b"<w:p/>", b"x" * 9]))
    try:
        READERS[name](name, with_part(FILES[name](), part, xml[:start] + put + xml[end:]))
    except DocumentError as error:
        assert str(error).startswith(f"{name}: ")  # noqa: PT017
