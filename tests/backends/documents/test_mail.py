"""Messages become sections."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.base import DocumentError
from backends.documents.mail import read, read_mbox


def html(page: str) -> str:
    """Return what stands for a page's Markdown."""
    return f"[{page.strip()}]"


def message(subject: str = "Größe prüfen", text: str = "# Hello,\n\nall is well.\n") -> EmailMessage:
    """Return a message with headers that need encoding."""
    made = EmailMessage()
    made["Subject"] = subject
    made["From"] = "Jörg <joerg@example.org>"
    made["To"] = "all@example.org"
    made["Date"] = "Mon, 02 Mar 2026 10:00:00 +0000"
    made.set_content(text, charset="utf-8")
    return made


def test_message_is_a_section() -> None:
    """The subject is title and heading, then who and when, then what it says, without meaning as Markdown."""
    found = read("a.eml", message().as_bytes(), html)
    assert found.title == "Größe prüfen"
    assert found.text == (
        "# Größe prüfen\n\nFrom: Jörg <joerg@example.org>\nTo: all@example.org\n"
        "Date: Mon, 02 Mar 2026 10:00:00 +0000\n\n\\# Hello,\n\nall is well.\n"
    )


def test_plain_text_is_preferred_and_attachments_are_named() -> None:
    """Of two forms of a text the plain one is read; files with it are named, not read."""
    made = message()
    made.add_alternative("<p>HTML</p>", subtype="html")
    made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="Preisliste für März.pdf")
    text = read("a.eml", made.as_bytes(), html).text
    assert "Attachment: Preisliste für März.pdf\n" in text
    assert "all is well." in text
    assert "HTML" not in text


def test_html_is_read_where_there_is_nothing_else() -> None:
    """A message in HTML alone goes through the function given."""
    made = message()
    made.set_content("<p>Hi</p>", subtype="html")
    assert read("a.eml", made.as_bytes(), html).text.endswith("\n\n[<p>Hi</p>]\n")


@pytest.mark.parametrize(
    ("charset", "body"),
    [
        ("klingon", b"caf\xc3\xa9"),
        ("windows-1252", b"caf\xe9"),
        ("utf-8", b"caf\xe9"),
        ("us-ascii", b"caf\xc3\xa9"),
    ],
)
def test_odd_charsets_survive(charset: str, body: bytes) -> None:
    """A text is read whatever its charset is called."""
    content = b"Subject: x\r\nContent-Type: text/plain; charset=" + charset.encode() + b"\r\n\r\n" + body
    assert "caf" in read("a.eml", content, html).text
    assert ("café" in read("a.eml", content, html).text) == (charset != "us-ascii")


def test_mailbox_gives_a_section_a_message() -> None:
    """Each message is a place; a quoted line that begins with From belongs to its text."""
    box = b"".join(
        b"From a@example.org Mon Mar  2 10:00:00 2026\n"
        + message(f"No {n}", "a\n\n>From here\n").as_bytes()
        + b"\n"
        for n in (1, 2)
    )
    found = read_mbox("a.mbox", box, html)
    assert [(place.name, found.text[place.start :][:6]) for place in found.places] == [
        ("message 1", "# No 1"),
        ("message 2", "# No 2"),
    ]
    assert found.text.count("\nFrom here") == 2


def test_broken_message_does_not_hide_the_others() -> None:
    """A message of a mailbox that cannot be parsed is kept as it is."""
    start = b"From a@example.org Mon Mar  2 10:00:00 2026\n"
    box = start + b"Subject: " + b"x" * 70_000 + b"\n\nfirst\n\n" + start + b"Subject: fine\n\nsecond\n"
    text = read_mbox("a.mbox", box, html).text
    assert "# Message 1\n" in text
    assert "first" in text
    assert "# fine\n\nsecond" in text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "does not begin with the headers"),
        (b"Dear all, hello", "does not begin with the headers"),
        (b"\x00\x01: x", "does not begin with the headers"),
        (b"Subject: " + b"x" * 100_000, "headers are too long"),
        (b"From: " + b"(" * 3900 + b")" * 3900 + b"\n\nx", "not a message that can be read"),
    ],
)
def test_what_is_no_message_is_refused(content: bytes, says: str) -> None:
    """Other files, and headers made to be slow, are refused."""
    with pytest.raises(DocumentError, match=f"a.eml: .*{says}"):
        read("a.eml", content, html)


def test_file_without_messages_is_no_mailbox() -> None:
    """A mailbox without the line that begins a message is refused."""
    with pytest.raises(DocumentError, match="save a single one as .eml"):
        read_mbox("a.mbox", b"Subject: x\n\ny", html)


@settings(deadline=None)
@given(st.data())
def test_any_message_is_read_or_refused(data: st.DataObject) -> None:
    """Cut, written over or made of odd headers, a message gives text or a DocumentError."""
    made = message()
    made.add_alternative("<p>HTML</p>", subtype="html")
    made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="ü.pdf")
    content = made.as_bytes()
    start, put = data.draw(st.integers(0, len(content))), data.draw(st.binary(max_size=20))
    value = data.draw(st.text('a";=?*<>@,:()[]\\/ \t0q', max_size=40))
    name = data.draw(st.sampled_from(["Content-Type", "Subject", "From", "Date", "Content-Disposition"]))
    for damaged in (
        content[:start],
        content[:start] + put + content[start + len(put) :],
        put,
        b"",
        f"{name}: {value}\n".encode() + content,
    ):
        for reader, before in ((read, b""), (read_mbox, b"From a Mon Mar  2 10:00:00 2026\n")):
            try:
                reader("a", before + damaged, html)
            except DocumentError as error:
                assert str(error).startswith("a: ")  # noqa: PT017
