"""Documents of every format become text, or are refused with a reason."""

from __future__ import annotations

import pytest

from backends.base import DocumentError
from backends.documents.reading import MAX_DOCUMENT_BYTES, media_type_of, read_document


@pytest.mark.parametrize(
    ("source", "media_type"),
    [
        ("a/notes.txt", "text/plain"),
        ("README.MD", "text/markdown"),
        ("page.htm", "text/html"),
        ("faq.jsonl", "application/jsonl"),
    ],
)
def test_suffix_tells_the_media_type(source: str, media_type: str) -> None:
    """A known suffix stands for one media type, in either case."""
    assert media_type_of(source) == media_type


@pytest.mark.parametrize(
    ("source", "media_type", "content", "says"),
    [
        ("a.bin", "text/plain", b"\x00\x01\x02", "binary"),
        ("a.txt", "text/plain", ("é" * 30).encode() + b"\xff", "is not utf-8"),
        ("a.txt", "text/plain", b" \n\t\n", "holds no text"),
        ("a.txt", "text/plain", b"", "holds no text"),
        ("a.txt", "text/plain", b"x" * (MAX_DOCUMENT_BYTES + 1), "16,777,216 allowed"),
        ("a.exe", "application/x-msdos-program", b"MZ", "text/markdown"),
        ("a.html", "text/html", b'<meta charset="klingon">x', "'klingon' is unknown"),
        ("a.html", "text/html", b'<meta charset="punycode">x', "is not punycode text"),
        ("a.html", "text/html", b'<meta charset="utf-7">+2AA-', "character 22 is half a surrogate pair"),
        ("a.html", "text/html", b"<script>x()</script>", "holds no text"),
        ("a.jsonl", "application/jsonl", b'{"text": "a"}\n{"txt": "b"}', "a.jsonl, line 2"),
        ("a.jsonl", "application/jsonl", b'"a"\n\n{', "a.jsonl, line 3"),
        ("a.jsonl", "application/jsonl", b'{"text": "a", "title": 3}', "line 1"),
        ("a.jsonl", "application/jsonl", b'"\\ud800"', "line 1"),
        ("a.jsonl", "application/jsonl", b'"a\\u0000"', "line 1"),
    ],
)
def test_unreadable_content_is_refused(source: str, media_type: str, content: bytes, says: str) -> None:
    """What cannot be read is refused in one sentence that names the source and the fault."""
    with pytest.raises(DocumentError) as caught:
        read_document(source, media_type, content)
    assert source in str(caught.value)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_suffix_names_those_known() -> None:
    """A suffix that stands for nothing is refused with those that do."""
    with pytest.raises(DocumentError, match=r"\.md"):
        media_type_of("report.exe")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("\ufeffcafé\r\nnext\r".encode(), "café\nnext\n"),
        ("café".encode("utf-16"), "café"),
        (
            "Das Café schließt früh, die Gäste gehen.".encode("cp1252"),
            "Das Café schließt früh, die Gäste gehen.",
        ),
    ],
)
def test_text_is_read_in_its_encoding(content: bytes, text: str) -> None:
    """Byte order marks and carriage returns are no part of the text; a legacy encoding is guessed."""
    assert read_document("a.txt", "text/plain", content).text == text


def test_html_is_read_in_the_encoding_that_it_declares() -> None:
    """A page's own charset is believed."""
    page = '<meta charset="latin-1"><p>café'.encode("latin-1")
    assert "café" in read_document("a.html", "text/html", page).text


def test_front_matter_names_the_document() -> None:
    """The title of Markdown's front matter is the document's, and nothing of it is text."""
    document = read_document("a.md", "text/markdown", b"---\ntitle: Guide\ndraft: yes\n---\n\n# Use\n")
    assert document.title == "Guide"
    assert document.text.strip() == "# Use"
