"""PDFs become Markdown, and what cannot be read is refused."""

from __future__ import annotations

from functools import cache

import pytest
from fpdf import FPDF
from fpdf.encryption import AccessPermission
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.base import DocumentError
from backends.documents import pdf

PROSE = (
    "The settings are read once, when the service starts, and are then handed down to all who need them. " * 3
)


@cache
def manual() -> bytes:
    """Return a manual of three pages with an outline, headers and page numbers."""

    class Manual(FPDF):
        def header(self) -> None:
            self.set_font("Helvetica", size=8)
            self.cell(0, 10, f"The manual {self.page_no()}", new_x="LMARGIN", new_y="NEXT")

    made = Manual()
    made.set_title("The manual")
    for number in (1, 2, 3):
        made.add_page()
        made.start_section(f"Part {number}")
        made.set_font("Helvetica", size=10)
        made.cell(0, 10, f"{number} Part {number}", new_x="LMARGIN", new_y="NEXT")
        made.multi_cell(0, 5, PROSE + str(number))
        made.ln(5)
        made.set_font("Courier", size=10)
        made.multi_cell(0, 5, f"make part{number}")
    return bytes(made.output())


def blank(pages: int = 2) -> bytes:
    """Return pages with a drawing alone."""
    made = FPDF()
    for _ in range(pages):
        made.add_page()
        made.rect(10, 10, 50, 50)
    return bytes(made.output())


def encrypted() -> bytes:
    """Return a page that needs a password."""
    made = FPDF()
    made.set_encryption("owner", "user", permissions=AccessPermission.none())
    made.add_page()
    made.set_font("Helvetica")
    made.cell(text="secret")
    return bytes(made.output())


def test_pages_become_markdown_with_places() -> None:
    """Headings, paragraphs and code are found, headers are left out, and each page is a place."""
    found = pdf.read("a.pdf", manual())
    assert found.title == "The manual"
    assert f"# 2 Part 2\n\n{PROSE}2\n\n```\nmake part2\n```" in found.text
    assert "The manual" not in found.text
    assert [place.name for place in found.places] == ["page 1", "page 2", "page 3"]
    assert all(found.text[place.start :].startswith("# ") for place in found.places)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (blank(), "no text on any of its 2 pages"),
        (encrypted(), "it is encrypted"),
        (b"", "not a PDF"),
        (b"%PDF-1.7\n", "not a PDF"),
        (b"plain text", "not a PDF"),
        (b"PK\x03\x04", "not a PDF"),
    ],
    ids=["pictures", "encrypted", "empty", "header", "text", "zip"],
)
def test_what_cannot_be_read_is_refused(content: bytes, says: str) -> None:
    """Pictures, passwords and other files are refused in one line that says what to do."""
    with pytest.raises(DocumentError) as caught:
        pdf.read("a.pdf", content)
    assert str(caught.value).startswith("a.pdf: ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_too_many_pages_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit holds for pages."""
    monkeypatch.setattr(pdf, "MAX_PAGES", 2)
    with pytest.raises(DocumentError, match="3 pages are more than the 2 allowed"):
        pdf.read("a.pdf", manual())


@settings(deadline=None, max_examples=60)
@given(st.integers(0, len(manual())), st.integers(0, len(manual())), st.binary(max_size=12))
def test_damaged_files_are_read_or_refused(start: int, end: int, put: bytes) -> None:
    """Cut out or written over, a file gives text or a DocumentError."""
    content = manual()[: min(start, end)] + put + manual()[max(start, end) :]
    for damaged in (content, manual()[:start], manual()[:start] + put + manual()[start + len(put) :]):
        try:
            assert pdf.read("a.pdf", damaged).text.strip()
        except DocumentError as error:
            assert str(error).startswith("a.pdf: ")  # noqa: PT017
