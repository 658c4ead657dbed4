"""Whether a text holds a fact, whatever a converter made of its white space, marks and line ends."""

from __future__ import annotations

import html
import re
from pathlib import Path

__all__ = ["holds", "squash", "visible"]

_UNSEEN = re.compile(r"<(script|style|head)\b.*?</\1>|<!--.*?-->", re.DOTALL | re.IGNORECASE)


def squash(text: str) -> str:
    """Return the letters and digits of a text, in lower case: what every converter keeps."""
    return re.sub(r"[\W_]+", "", text).lower()


def visible(markup: str) -> str:
    """Return what a browser shows of HTML."""
    return html.unescape(re.sub(r"<[^>]*>", "", _UNSEEN.sub("", markup)))


def holds(passage: str, gold: str) -> bool:
    """Return whether a passage holds a squashed text."""
    return gold in squash(passage)


def source_text(path: Path) -> str:
    """Return a file's text; a page of a PDF ends with a form feed."""
    if path.suffix != ".pdf":
        return path.read_bytes().decode("utf-8", "replace")
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    try:
        pages = [document[number].get_textpage().get_text_range() for number in range(len(document))]
    finally:
        document.close()
    return "\n\f".join(pages).replace("\r\n", "\n")
