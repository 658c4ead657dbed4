"""PDF to Markdown: the text that its pages hold, its outline as headings.

pypdfium2 is used rather than pypdf: it reads the same words in the same order about twenty times as fast,
tells where each letter stands, and marks words broken at the end of a line. PDFium is the reader of Chromium,
fuzzed without pause and made for hostile files: it bounds recursion and streams by itself.
"""

from __future__ import annotations

import ctypes
import re
import threading
from collections.abc import Iterator
from typing import Any

from backends.base import DocumentError
from backends.documents.layout import markdown
from backends.documents.markup import written
from backends.documents.pages import Bookmark, Line
from backends.documents.text import DocumentText

__all__ = ["MAX_PAGES", "read"]

MAX_PAGES = 5_000
_MOST_CHARACTERS = 1_000_000  # on a page
_MOST_BOOKMARKS = 20_000
_PASSWORD_NEEDED = 4  # FPDF_ERR_PASSWORD
_FIXED_PITCH = 1  # a flag of font descriptors
_FORCE_BOLD = 1 << 18
_BOLD_FONT = re.compile(r"bold|black|heavy|cmbx", re.IGNORECASE)
_FIXED_FONT = re.compile(r"mono|cour|typewriter|consol|tt\d|fixed|code|menlo", re.IGNORECASE)
_LINE = re.compile("([^\r\n\ufffe\x02]*)(\r\n|[\r\n\ufffe\x02]|$)")
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "\xad": None}
)
_PDFIUM = threading.Lock()
"""PDFium may be called from one thread at a time."""


def read(source: str, content: bytes) -> DocumentText:
    """Return the text of a PDF, each page a place.

    Raises:
        DocumentError: It is broken, encrypted, too long, or holds pictures alone.
    """
    import pypdfium2

    with _PDFIUM:
        try:
            document = pypdfium2.PdfDocument(content)
        except pypdfium2.PdfiumError as error:
            if error.err_code == _PASSWORD_NEEDED:
                raise DocumentError(f"{source}: it is encrypted; save it without a password") from error
            raise DocumentError(f"{source}: it is not a PDF that can be read ({error}); repair it") from error
        try:
            title = str(document.get_metadata_value("Title") or "")
            bookmarks = list(_bookmarks(document))
            pages = list(_pages(source, document))
        finally:
            document.close()
    if not any(pages):
        raise DocumentError(
            f"{source}: there is no text on any of its {len(pages):,} pages, only pictures; "
            "recognise their text first (OCR)"
        )
    return written(markdown(pages, bookmarks), title)


def _bookmarks(document: Any) -> Iterator[Bookmark]:
    for number, entry in enumerate(document.get_toc()):
        if number == _MOST_BOOKMARKS:
            return
        destination = entry.get_dest()
        page = destination.get_index() if destination else None
        if page is None:
            continue
        _, view = destination.get_view()
        y = view[1] if len(view) == 3 else None
        yield Bookmark(page, entry.get_title(), entry.level + 1, y)


def _pages(source: str, document: Any) -> Iterator[list[Line]]:
    import pypdfium2

    if len(document) > MAX_PAGES:
        raise DocumentError(
            f"{source}: {len(document):,} pages are more than the {MAX_PAGES:,} allowed; split it"
        )
    for index in range(len(document)):
        try:
            page = document[index]
            text = page.get_textpage()
        except pypdfium2.PdfiumError as error:
            raise DocumentError(
                f"{source}: page {index + 1:,} cannot be read ({error}); repair it"
            ) from error
        if text.count_chars() > _MOST_CHARACTERS:
            raise DocumentError(
                f"{source}: page {index + 1:,} holds more than {_MOST_CHARACTERS:,} characters; split it"
            )
        yield list(_lines(text))
        text.close()
        page.close()


def _lines(page: Any) -> Iterator[Line]:
    """Yield the lines of a page, in the order in which they are drawn."""
    from pypdfium2 import raw

    text = page.get_text_range()
    start = 0  # in units of UTF-16, as PDFium counts
    for match in _LINE.finditer(text):
        words, end = match.groups()
        shown = words.strip()
        first = start + _units(words[: len(words) - len(words.lstrip())])
        start += _units(match.group())
        if not shown:
            continue
        here = [
            raw.FPDFText_GetCharIndexFromTextIndex(page, first + _units(shown[:offset]))
            for offset in sorted({0, len(shown) // 3, 2 * len(shown) // 3, len(shown) - 1})
        ]
        box, last = _box(page, here[0]), _box(page, here[-1])
        broken = end in ("\ufffe", "\x02") or shown[-1] == "\xad"
        fonts = [_font(page, index) for index in here]
        fixed, bold = all(font[0] for font in fonts), all(font[1] for font in fonts)
        size = max(box[3] - box[1], last[3] - last[1], 1.0)
        right, y = max(last[2], box[0]), _baseline(page, here[0])
        yield Line(shown.translate(_LIGATURES), box[0], right, y, size, fixed, bold, broken)


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _box(page: Any, index: int) -> tuple[float, float, float, float]:
    from pypdfium2 import raw

    box = raw.FS_RECTF()
    raw.FPDFText_GetLooseCharBox(page, index, box)
    return box.left, box.bottom, box.right, box.top


def _baseline(page: Any, index: int) -> float:
    from pypdfium2 import raw

    x, y = ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(page, index, x, y)
    return y.value


def _font(page: Any, index: int) -> tuple[bool, bool]:
    """Tell whether a letter's font is one for code, and whether it is bold."""
    from pypdfium2 import raw

    flags = ctypes.c_int()
    buffer = ctypes.create_string_buffer(128)
    raw.FPDFText_GetFontInfo(page, index, buffer, len(buffer), flags)
    name = buffer.value.decode("utf-8", "replace")
    fixed = bool(flags.value & _FIXED_PITCH) or bool(_FIXED_FONT.search(name))
    return fixed, bool(flags.value & _FORCE_BOLD) or bool(_BOLD_FONT.search(name))
