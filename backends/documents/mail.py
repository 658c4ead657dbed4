"""Letters: .eml and .mbox to a section a message."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from backends.base import DocumentError
from backends.documents.encoding import decode
from backends.documents.markup import escaped, heading, marked, one_line, written
from backends.documents.text import DocumentText

__all__ = ["read", "read_mbox"]

_HEADERS = ("From", "To", "Cc", "Date")
_MOST_HEADER_BYTES = 64 * 1024  # the parser of structured headers takes quadratic time
_LONG_HEADER = re.compile(rb"[^\r\n]{8192,}")
_FROM = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From [^\n]*\d\d:\d\d[^\n]*\n")
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)
# What the parser raises on headers and bodies that are not what they say.
_BROKEN = (LookupError, ValueError, TypeError, AttributeError, RecursionError, AssertionError)


def read(source: str, content: bytes, html: Callable[[str], str]) -> DocumentText:
    """Return a message: its subject as a heading, who wrote it to whom and when, and what it says.

    Args:
        source: Where it comes from.
        content: Its bytes.
        html: Makes Markdown of HTML; for messages that say it in no other way.

    Raises:
        DocumentError: It is no message.
    """
    if not re.match(rb"\s*[!-9;-~]+:", content):
        raise DocumentError(f"{source}: it does not begin with the headers of a message; save it as .txt")
    title, blocks = _message(source, content, html)
    return written(blocks, title)


def read_mbox(source: str, content: bytes, html: Callable[[str], str]) -> DocumentText:
    """Return the messages of a mailbox, each a section and a place; as `read` does a single one.

    Raises:
        DocumentError: It holds no message.
    """
    content = content.replace(b"\r\n", b"\n")
    starts = list(_FROM.finditer(content))
    if not starts:
        raise DocumentError(f"{source}: no line begins a message with 'From '; save a single one as .eml")
    ends = [*(start.start() for start in starts[1:]), len(content)]
    return written(
        block
        for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1)
        for block in _numbered(source, number, content[start.end() : end], html)
    )


def _numbered(source: str, number: int, content: bytes, html: Callable[[str], str]) -> Iterator[str]:
    content = _QUOTED_FROM.sub(rb"\1", content)
    try:
        _, (first, *others) = _message(source, content, html)
    except DocumentError:  # one message out of many: what it says is better than nothing
        first, *others = heading(1, f"Message {number}"), escaped(_decoded(source, content, None))
    yield marked(f"message {number}") + first
    yield from others


def _message(source: str, content: bytes, html: Callable[[str], str]) -> tuple[str, list[str]]:
    """Return the subject of a message, and its blocks: the heading, who and when, and the text."""
    head = re.split(rb"\r?\n\r?\n", content, maxsplit=1)[0]
    if len(head) > _MOST_HEADER_BYTES or _LONG_HEADER.search(head):
        raise DocumentError(f"{source}: its headers are too long to be those of a message; leave it out")
    try:
        message = message_from_bytes(content, policy=default)
        title = _header(message, "Subject") or "(no subject)"
        lines = [f"{name}: {value}" for name in _HEADERS if (value := _header(message, name))]
        names = [one_line(part.get_filename() or "without a name") for part in message.iter_attachments()]
        body = _body(source, message, html)
    except _BROKEN as error:
        raise DocumentError(f"{source}: it is not a message that can be read ({error}); repair it") from error
    lines += [f"Attachment: {name}" for name in names]
    return title, [heading(1, title), escaped("\n".join(lines)), body]


def _header(message: EmailMessage, name: str) -> str:
    return one_line(str(message.get(name, "")))


def _body(source: str, message: EmailMessage, html: Callable[[str], str]) -> str:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    payload = part.get_payload(decode=True)
    text = _decoded(source, payload if isinstance(payload, bytes) else b"", part.get_content_charset())
    return html(text) if part.get_content_subtype() == "html" else escaped(text)


def _decoded(source: str, payload: bytes, charset: str | None) -> str:
    """Return the text of a part, whatever its charset is called; what cannot be read shows as that."""
    for declared in (charset, None):
        try:
            return decode(source, payload, declared)
        except DocumentError:
            continue
    text = payload.decode("utf-8", "replace").replace("\0", "\ufffd")
    return text.replace("\r\n", "\n").replace("\r", "\n")
