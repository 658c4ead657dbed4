"""Documents become text, and text becomes passages whose bytes are known exactly."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.base import DocumentError
from backends.documents.reading import MAX_DOCUMENT_BYTES, PASSAGE_WORDS, media_type_of, read_document, split

SENTENCES = " ".join(f"Sentence number {number} tells something of its own." for number in range(60))


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
        ("a.txt", "text/plain", b"caf\xe9", "byte 3 is not utf-8"),
        ("a.txt", "text/plain", b" \n\t\n", "holds no text"),
        ("a.txt", "text/plain", b"", "holds no text"),
        ("a.txt", "text/plain", b"x" * (MAX_DOCUMENT_BYTES + 1), "16,777,216 allowed"),
        ("a.pdf", "application/pdf", b"%PDF", "text/markdown"),
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
        media_type_of("report.docx")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("\ufeffcafé\r\nnext\r".encode(), "café\nnext\n"),
        ("café".encode("utf-16"), "café"),
    ],
)
def test_marks_of_encoding_and_line_ends_are_dropped(content: bytes, text: str) -> None:
    """Byte order marks and carriage returns are no part of the text."""
    assert read_document("a.txt", "text/plain", content) == text


def test_html_keeps_its_structure() -> None:
    """Headings, lists, tables and code of a page become Markdown; scripts and the head are left out."""
    page = (
        b"<html><head><title>T</title><style>p{}</style></head><body><h2>Set up</h2><p>Run &amp;\n wait.</p>"
        b"<ul><li>one</li><li>two</li></ul><pre>a\n  b</pre><table><tr><th>k</th><td>v</td></tr></table>"
        b"<script>x()</script></body></html>"
    )
    text = read_document("a.html", "text/html", page)
    for kept in ("## Set up\n", "Run & wait.", "\n- one\n- two\n", "```\na\n  b\n```", "| k | v"):
        assert kept in text
    assert "x()" not in text
    assert "p{}" not in text


def test_html_is_read_in_the_encoding_that_it_declares() -> None:
    """A page's own charset is believed."""
    assert "café" in read_document("a.html", "text/html", '<meta charset="latin-1"><p>café'.encode("latin-1"))


def test_jsonl_gives_a_section_a_line() -> None:
    """Each line becomes a section under its title or source; a plain string stands alone."""
    content = b'{"text": "First.", "title": "One"}\n{"text": "Second.", "source": "b.md"}\n"Third."\n'
    text = read_document("a.jsonl", "application/jsonl", content)
    assert text == "# One\n\nFirst.\n\n# b.md\n\nSecond.\n\nThird."


@settings(deadline=None, max_examples=150)
@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=400)
    | st.lists(
        st.sampled_from(
            [
                "# a\n",
                "## é b\n",
                "\n",
                "```\n",
                "x y z. ",
                "- i\n",
                "| a | b |\n",
                "|---|---|\n",
                "t\n===\n",
                "  ",
            ]
        ),
        max_size=60,
    ).map("".join),
    st.sampled_from(["text/plain", "text/markdown"]),
)
def test_bytes_are_exact(text: str, media_type: str) -> None:
    """Each passage is the text between its bytes, and passages follow one another."""
    content, last = text.encode(), 0
    for passage in split("a", text, media_type=media_type):
        assert content[passage.start_byte : passage.end_byte].decode() == passage.text
        assert passage.text.strip()
        assert passage.start_byte >= last
        last = passage.end_byte


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["# a\n", "word ", "\n\n", "1. ", "> ", "```\n", "    ", "&", "—"]), max_size=80)
)
def test_no_word_is_lost(parts: list[str]) -> None:
    """Every letter of a Markdown text is in some passage."""
    text = "".join(parts)
    kept = "".join(passage.text for passage in split("a.md", text))
    assert kept.count("word") == text.count("word")


def test_ids_are_stable_and_distinct() -> None:
    """The same input gives the same ids; another source, position or content gives others."""
    text = "Same.\n\n" + SENTENCES + "\n\nSame.\n"
    ids = [passage.id for passage in split("a.md", text)]
    assert ids == [passage.id for passage in split("a.md", text)]
    assert len(set(ids)) == len(ids)
    assert not set(ids) & {passage.id for passage in split("b.md", text)}


def test_long_prose_is_cut_between_sentences() -> None:
    """Passages of a long paragraph hold whole sentences and stay within the limit."""
    passages = split("a.txt", SENTENCES)
    assert len(passages) > 3
    for passage in passages:
        assert passage.text.startswith("Sentence number")
        assert passage.text.endswith("own.")
        assert len(passage.text.split()) <= PASSAGE_WORDS


def test_text_without_spaces_is_cut() -> None:
    """A word without end does not make a passage without end."""
    passages = split("a.txt", "字" * 5000)
    assert "".join(passage.text for passage in passages) == "字" * 5000
    assert max(len(passage.text.encode()) for passage in passages) <= 1200


def test_headings_stay_with_what_follows_and_are_known() -> None:
    """A heading opens its passage, and a later passage of the section knows the headings above it."""
    passages = split("a.md", f"# Guide\n\nIntro.\n\n## Use\n\n{SENTENCES}\n")
    assert passages[0].text.startswith("# Guide")
    assert passages[-1].heading == "Guide > Use"
    assert not any(passage.text.rstrip().endswith("Use") for passage in passages)


def test_code_and_tables_stay_whole() -> None:
    """A code block with blank lines and signs like headings is one block, and so is a table."""
    code = "```python\n# no heading\n\nprint(1)\n```"
    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    passages = split("a.md", f"{SENTENCES}\n\n{code}\n\n{table}\n\n{SENTENCES}\n")
    assert sum(code in passage.text for passage in passages) == 1
    assert sum(table in passage.text for passage in passages) == 1
    assert {passage.heading for passage in passages} == {""}


def test_underlined_titles_of_plain_text_are_headings() -> None:
    """Plain text knows the underlined titles of reStructuredText, by their signs' order."""
    passages = split("a.rst", f"Guide\n=====\n\nUse\n---\n\n{SENTENCES}\n")
    assert passages[-1].heading == "Guide > Use"
