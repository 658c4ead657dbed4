"""Documents of every format to text, by one table of formats."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from backends.base import DocumentError
from backends.documents.encoding import decode
from backends.documents.text import DocumentText
from backends.documents.unseen import without_comments, without_unseen_signs

__all__ = ["MAX_DOCUMENT_BYTES", "MEDIA_TYPES", "SUFFIXES", "media_type_of", "read_document"]

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024

_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]{1,40})", re.IGNORECASE)
_FRONT_MATTER = re.compile(r"---\n(.*?\n)---\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Format:
    """A format: its suffixes, and what reads it."""

    suffixes: tuple[str, ...]
    read: Callable[[str, bytes], DocumentText]


def media_type_of(source: str) -> str:
    """Return the media type that a source's suffix stands for.

    Raises:
        DocumentError: The suffix is none of those known.
    """
    suffix = PurePosixPath(source).suffix.lower()
    for media_type, suffixes in MEDIA_TYPES.items():
        if suffix in suffixes:
            return media_type
    raise DocumentError(
        f"{source}: the suffix {suffix!r} stands for no media type; use one of {', '.join(SUFFIXES)}, "
        "or name the media type"
    )


def read_document(source: str, media_type: str, content: bytes) -> DocumentText:
    """Return the text of a document, with its structure.

    Raises:
        DocumentError: The content is too large, empty, or not of that media type.
    """
    if media_type not in MEDIA_TYPES:
        allowed = ", ".join(MEDIA_TYPES)
        raise DocumentError(f"{source}: the media type {media_type!r} cannot be read; use one of {allowed}")
    if len(content) > MAX_DOCUMENT_BYTES:
        raise DocumentError(
            f"{source}: {len(content):,} bytes are more than the {MAX_DOCUMENT_BYTES:,} allowed; split it"
        )
    document = without_unseen_signs(_FORMATS[media_type].read(source, content))
    if not document.text.strip():
        raise DocumentError(f"{source}: it holds no text; leave it out")
    return document


def _read_plain(source: str, content: bytes) -> DocumentText:
    return DocumentText(decode(source, content), plain=True)


def _read_markdown(source: str, content: bytes) -> DocumentText:
    """Read Markdown; the title of its front matter is the document's, and the rest of that, as comments, is no text."""
    text = decode(source, content)
    found = _FRONT_MATTER.match(text)
    title = re.search(r"(?m)^title:\s*[\"']?(.*?)[\"']?\s*$", found[1]) if found else None
    blank = re.sub(r"[^\n]", " ", found.group()) if found else ""
    return DocumentText(blank + without_comments(text[len(blank) :]), title[1] if title else "")


def _read_html(source: str, content: bytes) -> DocumentText:
    from backends.documents.html import read_html

    declared = _CHARSET.search(content[:4096])
    return read_html(decode(source, content, declared[1].decode() if declared else None))


def _read_pdf(source: str, content: bytes) -> DocumentText:
    from backends.documents.pdf import read

    return read(source, content)


def _read_table(source: str, content: bytes) -> DocumentText:
    from backends.documents.tables import read

    return read(source, content)


def _read_records(source: str, content: bytes) -> DocumentText:
    from backends.documents.tables import read_records

    return read_records(source, content)


def _read_rst(source: str, content: bytes) -> DocumentText:
    from backends.documents.rst import read

    return read(source, content)


def _read_docx(source: str, content: bytes) -> DocumentText:
    from backends.documents.office import read_docx

    return read_docx(source, content)


def _read_pptx(source: str, content: bytes) -> DocumentText:
    from backends.documents.office import read_pptx

    return read_pptx(source, content)


def _read_xlsx(source: str, content: bytes) -> DocumentText:
    from backends.documents.office import read_xlsx

    return read_xlsx(source, content)


def _read_mail(source: str, content: bytes) -> DocumentText:
    from backends.documents.mail import read

    return read(source, content, _html_as_text)


def _read_mbox(source: str, content: bytes) -> DocumentText:
    from backends.documents.mail import read_mbox

    return read_mbox(source, content, _html_as_text)


def _html_as_text(html: str) -> str:
    from backends.documents.html import read_html

    return read_html(html).text


_OFFICE = "application/vnd.openxmlformats-officedocument"
_FORMATS = {
    "text/plain": _Format((".txt", ".text", ".log", ".info"), _read_plain),
    "text/markdown": _Format((".md", ".markdown"), _read_markdown),
    "text/html": _Format((".html", ".htm", ".xhtml"), _read_html),
    "application/pdf": _Format((".pdf",), _read_pdf),
    "text/x-rst": _Format((".rst",), _read_rst),
    f"{_OFFICE}.wordprocessingml.document": _Format((".docx",), _read_docx),
    f"{_OFFICE}.presentationml.presentation": _Format((".pptx",), _read_pptx),
    f"{_OFFICE}.spreadsheetml.sheet": _Format((".xlsx",), _read_xlsx),
    "text/csv": _Format((".csv",), _read_table),
    "text/tab-separated-values": _Format((".tsv",), _read_table),
    "application/jsonl": _Format((".jsonl", ".ndjson"), _read_records),
    "message/rfc822": _Format((".eml",), _read_mail),
    "application/mbox": _Format((".mbox",), _read_mbox),
}

MEDIA_TYPES = {media_type: each.suffixes for media_type, each in _FORMATS.items()}
"""The media types that can be read, with the suffixes that stand for them."""
SUFFIXES = tuple(suffix for suffixes in MEDIA_TYPES.values() for suffix in suffixes)
"""The suffixes of what can be read."""
