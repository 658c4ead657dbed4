"""Documents to text, and text to passages whose bytes are known exactly."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from backends.base import DocumentError, Passage
from backends.documents.html import Block, html_text, markdown_blocks, plain_blocks

__all__ = [
    "MAX_DOCUMENT_BYTES",
    "MEDIA_TYPES",
    "PASSAGE_WORDS",
    "SUFFIXES",
    "media_type_of",
    "read_document",
    "split",
]

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
PASSAGE_WORDS = 90
"""Most words in a passage, and so 60 to 70 on average: what three of them take of a prompt stays small."""

_SECTION_WORDS = 60  # a shorter section is joined with the next: measured, alone it is harder to find
_HEADING_CHARACTERS = 120
_BYTES_PER_WORD = 10  # text without spaces (code, Chinese) counts by its bytes

MEDIA_TYPES = {
    "text/plain": (".txt", ".text", ".rst"),
    "text/markdown": (".md", ".markdown"),
    "text/html": (".html", ".htm"),
    "application/jsonl": (".jsonl", ".ndjson"),
}
"""The media types that can be read, with the suffixes that stand for them."""
SUFFIXES = tuple(suffix for suffixes in MEDIA_TYPES.values() for suffix in suffixes)
"""The suffixes of what can be read."""

_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]{1,40})", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?][\"')\]]{0,2}\s+")
_LINE_END = re.compile(r"\n\s*")
_WORD_END = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class _Span:
    """Characters that stay together, with the headings above them."""

    start: int
    end: int
    weight: int
    heading: str
    opens_section: bool


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


def read_document(source: str, media_type: str, content: bytes) -> str:
    """Return the text of a document, its lines ending in a newline alone.

    HTML becomes Markdown; a line of JSONL becomes a section under its title or source.

    Raises:
        DocumentError: The content is too large, empty, or not text of that media type.
    """
    if media_type not in MEDIA_TYPES:
        allowed = ", ".join(MEDIA_TYPES)
        raise DocumentError(f"{source}: the media type {media_type!r} cannot be read; use one of {allowed}")
    if len(content) > MAX_DOCUMENT_BYTES:
        raise DocumentError(
            f"{source}: {len(content):,} bytes are more than the {MAX_DOCUMENT_BYTES:,} allowed; split it"
        )
    text = _decode(source, media_type, content).replace("\r\n", "\n").replace("\r", "\n")
    if media_type == "text/html":
        text = html_text(text)
    elif media_type == "application/jsonl":
        text = "\n\n".join(_records(source, text))
    if not text.strip():
        raise DocumentError(f"{source}: it holds no text; leave it out")
    return text


def split(source: str, text: str, *, media_type: str | None = None) -> tuple[Passage, ...]:
    """Cut a document's text into passages of up to about `PASSAGE_WORDS` words.

    Paragraphs, list items, tables and code blocks stay whole where they fit;
    what is longer is cut between sentences or lines. A heading stays with what
    follows it. The same input gives the same passages and ids.

    Args:
        source: Where the document comes from.
        text: Its text, as `read_document` returns it.
        media_type: Its media type; by the source's suffix where None.
    """
    plain = (media_type or media_type_of(source)) == "text/plain"
    blocks = plain_blocks(text) if plain else markdown_blocks(text)
    passages = []
    bytes_before = characters_before = 0
    for span in _packed(_spans(text, blocks)):
        piece = text[span.start : span.end]
        start_byte = bytes_before + len(text[characters_before : span.start].encode())
        end_byte = start_byte + len(piece.encode())
        passages.append(
            Passage(_identity(source, start_byte, piece), source, start_byte, end_byte, piece, span.heading)
        )
        bytes_before, characters_before = end_byte, span.end
    return tuple(passages)


def _decode(source: str, media_type: str, content: bytes) -> str:
    encoding = "utf-8-sig"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif media_type == "text/html" and (declared := _CHARSET.search(content[:4096])):
        encoding = declared.group(1).decode()
    try:
        text = content.decode(encoding)
    except LookupError as error:
        raise DocumentError(f"{source}: the encoding {encoding!r} is unknown; save it as UTF-8") from error
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"{source}: byte {error.start:,} is not {error.encoding} text; save it as UTF-8, or leave it out"
        ) from error
    except UnicodeError as error:  # of encodings such as punycode, which name no byte
        raise DocumentError(
            f"{source}: it is not {encoding} text; save it as UTF-8, or leave it out"
        ) from error
    if "\0" in text:
        raise DocumentError(f"{source}: it is binary, not text; convert it to text, or leave it out")
    if half := re.search("[\ud800-\udfff]", text):
        raise DocumentError(
            f"{source}: character {half.start():,} is half a surrogate pair, which is not text; "
            "save it as UTF-8, or leave it out"
        )
    return text


def _records(source: str, text: str) -> Iterator[str]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield _record(f"{source}, line {number:,}", line)


def _record(where: str, line: str) -> str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DocumentError(
            f"{where}: it is not JSON ({error}); write one string or object a line"
        ) from error
    record = {"text": value} if isinstance(value, str) else value
    if not isinstance(record, dict) or not isinstance(record.get("text"), str) or not record["text"].strip():
        raise DocumentError(f'{where}: write a string or an object with "text", a string that is not empty')
    title = record.get("title") or record.get("source") or ""
    if not isinstance(title, str):
        raise DocumentError(f'{where}: "title" or "source" is not a string; make it one, or leave it out')
    heading = f"# {' '.join(title.split())}\n\n" if title.strip() else ""
    found = f"{heading}{record['text'].strip()}".replace("\r\n", "\n").replace("\r", "\n")
    if re.search("[\0\ud800-\udfff]", found):
        raise DocumentError(f"{where}: it holds NUL or half a surrogate pair, which are not text; remove it")
    return found


def _spans(text: str, blocks: list[Block]) -> Iterator[_Span]:
    """Join headings with what follows, cut what is too long, and note the headings above each piece."""
    path: list[tuple[int, str]] = []
    opening: tuple[int, str] | None = None  # start and outer headings of a run of headings not yet joined
    last_end = 0
    for block in blocks:
        if block.level:
            while path and path[-1][0] >= block.level:
                path.pop()
            if opening and _weight(text[opening[0] : last_end]) > PASSAGE_WORDS // 2:
                yield _Span(opening[0], last_end, PASSAGE_WORDS // 2, opening[1], opens_section=True)
                opening = None
            opening = opening or (block.start, _outline(path))
            path.append((block.level, block.title[:_HEADING_CHARACTERS]))
            last_end = block.end
            continue
        start, heading = opening or (block.start, _outline(path))
        for first, (begin, end) in _cut(text, start, block.end):
            above = heading if first else _outline(path)
            yield _Span(begin, end, _weight(text[begin:end]), above, bool(opening) and first)
        opening = None
    if opening:
        yield _Span(opening[0], last_end, PASSAGE_WORDS // 2, opening[1], opens_section=True)


def _outline(path: list[tuple[int, str]]) -> str:
    return " > ".join(title for _, title in path)


def _cut(text: str, start: int, end: int) -> Iterator[tuple[bool, tuple[int, int]]]:
    """Cut a block into parts of about the same weight, none much over the limit; the first is marked."""
    weight = _weight(text[start:end])
    parts = math.ceil(weight / PASSAGE_WORDS)
    limit = math.ceil(weight / parts) if parts else 0
    begin, stop, filled = start, start, 0
    for piece_start, piece_end in _pieces(text, start, end, limit) if parts > 1 else [(start, end)]:
        piece = _weight(text[piece_start:piece_end])
        if filled and filled + piece > min(limit * 1.2, PASSAGE_WORDS):
            yield begin == start, (begin, stop)
            begin, filled = piece_start, 0
        stop = piece_end
        filled += piece
    yield begin == start, (begin, stop)


def _pieces(text: str, start: int, end: int, limit: int) -> Iterator[tuple[int, int]]:
    """Yield sentences; lines of a sentence that is over the limit, and words of such a line."""
    for sentence in _between(text, start, end, _SENTENCE_END):
        if _weight(text[slice(*sentence)]) <= limit:
            yield sentence
            continue
        for line in _between(text, *sentence, _LINE_END):
            if _weight(text[slice(*line)]) <= limit:
                yield line
            else:
                yield from _runs(text, *line, limit)


def _between(text: str, start: int, end: int, separator: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Yield what lies between separators, with the separator's punctuation and without its white space."""
    begin = start
    for match in separator.finditer(text, start, end):
        stop = match.start() + len(match.group().rstrip())
        if stop > begin:
            yield begin, stop
        begin = match.end()
    if begin < end:
        yield begin, end


def _runs(text: str, start: int, end: int, limit: int) -> Iterator[tuple[int, int]]:
    """Yield words, and pieces of a word without end."""
    longest = limit * _BYTES_PER_WORD // 4  # a character is at most four bytes
    for begin, stop in _between(text, start, end, _WORD_END):
        for offset in range(begin, stop, longest):
            yield offset, min(offset + longest, stop)


def _packed(spans: Iterator[_Span]) -> Iterator[_Span]:
    """Join neighbours while they fit; a new section starts a new passage unless the one before is short."""
    held: _Span | None = None
    for span in spans:
        if held is None:
            held = span
        elif held.weight + span.weight > PASSAGE_WORDS or (
            span.opens_section and held.weight >= _SECTION_WORDS
        ):
            yield held
            held = span
        else:
            held = _Span(held.start, span.end, held.weight + span.weight, held.heading, held.opens_section)
    if held:
        yield held


def _weight(piece: str) -> int:
    return max(len(piece.split()), len(piece.encode()) // _BYTES_PER_WORD)


def _identity(source: str, start_byte: int, piece: str) -> str:
    return hashlib.sha256(f"{source}\0{start_byte}\0{piece}".encode()).hexdigest()[:32]
