"""Documents made to take memory, time or the outline for themselves: read within bounds, or refused in a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.message import EmailMessage

import pytest

from backends.base import DocumentError
from backends.documents.reader import DocumentReader, ReaderLimits
from backends.documents.reading import media_type_of

MIB = 1024 * 1024
LIMITS = ReaderLimits(memory_bytes=512 * MIB)
OUTLINE_CHARACTERS = 3_000


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    with DocumentReader(1, LIMITS) as reader:
        yield reader


def nested_messages(depth: int) -> bytes:
    """Return a message within a message, so many times."""
    head = b"".join(
        b"Subject: s\nContent-Type: multipart/mixed; boundary=b%d\n\n--b%d\nContent-Type: message/rfc822\n\n"
        % (number, number)
        for number in range(depth)
    )
    ends = b"".join(b"\n--b%d--\n" % number for number in reversed(range(depth)))
    return head + b"Subject: inner\n\nThe text.\n" + ends


def many_attachments() -> bytes:
    """Return a message with a thousand files."""
    message = EmailMessage()
    message["Subject"] = "Files"
    message.set_content("See there.")
    for number in range(1_000):
        message.add_attachment(b"x", maintype="image", subtype="png", filename=f"{number}.png")
    return message.as_bytes()


@pytest.mark.parametrize(
    ("name", "make", "holds"),
    [
        ("a.html", lambda: b"<dl><dt>%0120d<dd>" * 1_000 % tuple(range(1_000)) + b"deep", "deep"),
        ("a.html", lambda: b"<title>" + b"word " * 200_000 + b"</title><p>text" * 2, "text"),
        ("a.html", lambda: b"<p id='" + b"x" * MIB + b"'>text", "text"),
        ("a.html", lambda: b"<script>" + b"alert(1);" * 100_000 + b"</script><p onclick='x()'>text", "text"),
        ("a.html", lambda: b"<div>" * 10_000 + b"deep", "deep"),
        ("a.md", lambda: b">" * MIB + b" text", "text"),
        ("a.md", lambda: b"[" * MIB + b" text", "text"),
        ("a.md", lambda: b"".join(b"  " * depth + b"- text\n" for depth in range(1_000)), "text"),
        ("a.md", lambda: b"|a" * 10_000 + b"|\n" + b"|-" * 10_000 + b"|\n" + b"|1|2|\n" * 1_000, "1"),
        ("a.txt", lambda: b"a" * 4 * MIB, "a"),
        ("a.txt", lambda: b"1." * MIB, "1"),
        ("a.txt", lambda: b"".join(b" " * (2 * depth) + b"x\n" for depth in range(1_000)), "x"),
        ("a.jsonl", lambda: b'{"text": "' + b"x" * 15 * MIB + b'"}', "x"),
        ("a.eml", many_attachments, "Attachment: 999.png"),
        ("a.eml", lambda: nested_messages(50), "Subject|Attachment|# s"),
    ],
    ids=[
        "terms", "title", "anchor", "script", "tags", "quotes", "brackets", "lists", "columns", "word", "numbers",
        "indents", "line", "attachments", "messages",
    ],
)  # fmt: skip
def test_what_is_read_has_passages_of_bounded_size(
    reader: DocumentReader, name: str, make: Callable[[], bytes], holds: str
) -> None:
    """Text, outline, place and names are as short as those of other documents, whatever repeats in them."""
    passages = reader.read(name, media_type_of(name), make()).passages
    assert any(part in each.text for each in passages for part in holds.split("|"))
    assert "alert" not in "".join(each.text for each in passages)
    assert max(len(each.text) for each in passages) < 12_000
    assert max(len(each.heading) for each in passages) < OUTLINE_CHARACTERS
    assert max(len(each.names) for each in passages) < OUTLINE_CHARACTERS
    assert max(len(each.place) for each in passages) < 300


@pytest.mark.parametrize(
    ("media_type", "make", "says"),
    [
        ("text/csv", lambda: b'k,v\n1,"' + b"x" * 15 * MIB + b'"\n', "field larger than field limit"),
        ("message/rfc822", lambda: nested_messages(1_000), "not a message that can be read"),
        ("application/jsonl", lambda: b"[" * 15 * MIB, "it is not JSON"),
        ("text/markdown", lambda: b"a\n\n" * 5 * MIB, "memory"),
        ("text/html", lambda: b"<p>a" * 4 * MIB, "memory"),
    ],
    ids=["cell", "messages", "json", "paragraphs", "elements"],
)
def test_what_takes_too_much_is_refused(
    reader: DocumentReader, media_type: str, make: Callable[[], bytes], says: str
) -> None:
    """The document is named with what is wrong, in one line."""
    with pytest.raises(DocumentError, match=says) as caught:
        reader.read("bad", media_type, make()[: 16 * MIB])
    assert str(caught.value).startswith("bad: ") or str(caught.value).startswith("bad, line 1: ")
    assert "\n" not in str(caught.value)
