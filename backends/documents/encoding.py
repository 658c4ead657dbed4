"""The encoding of a document's bytes: told by a mark, declared, UTF-8, or guessed."""

from __future__ import annotations

import codecs
import re

from backends.base import DocumentError

__all__ = ["decode"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark begins in the same way
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What the web means by these names (https://encoding.spec.whatwg.org): supersets that hold what is written.
_MEANT = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "utf-8": "utf-8-sig",
}
# Python's own, which no document is written in; some take quadratic time.
_NO_DOCUMENT = frozenset({"punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined"})

_LATIN = ("cp1252", "cp1250", "iso8859_2", "cp1254", "cp1257")
_OTHERS = (
    "cp1251", "koi8_r", "koi8_u", "iso8859_5", "cp866", "cp1253", "iso8859_7", "cp1255", "cp1256", "tis_620",
    "cp932", "euc_jp", "gb18030", "big5", "cp949",
)  # fmt: skip
_SAMPLE_BYTES = 64 * 1024
_FEWEST_TO_GUESS = 6  # fewer bytes beyond ASCII tell no encoding from another

_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_LETTERS = bytes(range(0x41, 0x5B)) + bytes(range(0x61, 0x7B))
_HIGH = bytes(range(0x80, 0x100))
_C1 = set(range(0x80, 0xA0))
_GREEK_ACCENTS = set("άέήί".encode("cp1253"))  # every Greek text has them; in Cyrillic they are capitals
_DOUBLE_ACUTES = set("őűŐŰ".encode("cp1250"))  # õ and û to Western Europe
_HUNGARIAN = set("áéíóúöüőűÁÉÍÓÚÖÜŐŰ«»".encode("cp1250")) | _C1
# Controls that text files hold: line and page breaks, tabs, overstrikes, colours, and the separators of info.
_CONTROLS = re.compile("[\x01-\x06\x0e-\x1a\x7f-\x84\x86-\x9f]")
_MOST_CONTROLS = 0.01
_MOST_NULS = 0.0001  # Info has some, to mark its index
_SURROGATES = re.compile("[\ud800-\udfff]")


def decode(source: str, content: bytes, declared: str | None = None) -> str:
    """Return the text that bytes stand for, its lines ending in a newline alone.

    A byte order mark is believed first, then what the document declares, then
    UTF-8 where the bytes are that; else the encoding is guessed from the lines
    that hold more than ASCII. Western European is meant where too little tells.

    Args:
        source: Where the document comes from.
        content: Its bytes.
        declared: The encoding that the document says it is in, if it does.

    Raises:
        DocumentError: The content is binary, damaged, or in no encoding that can be told.
    """
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    if marked or (declared and _meant(declared) != "utf-8-sig"):
        text = _decoded(source, content, marked or _meant(declared or ""))
    elif content.startswith(b"\x1b$") or b"\n\x1b$" in content:
        text = _decoded(source, content, "iso2022_jp_2")
    else:
        text = _told_by_bytes(source, content)
    _check(source, text)
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", " ")


def _meant(declared: str) -> str:
    try:
        name = codecs.lookup(declared.strip()).name
    except (LookupError, ValueError):
        return declared.strip()  # and decoding says so
    return _MEANT.get(name, name)


def _decoded(source: str, content: bytes, encoding: str) -> str:
    if encoding in _NO_DOCUMENT:
        raise DocumentError(f"{source}: it is not {encoding} text; save it as UTF-8, or leave it out")
    try:
        return content.decode(encoding)
    except (LookupError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise _not_text(source, error) from error
        if isinstance(error, UnicodeError):  # of codecs that name no byte
            raise DocumentError(
                f"{source}: it is not {encoding} text; save it as UTF-8, or leave it out"
            ) from error
        raise DocumentError(f"{source}: the encoding {encoding!r} is unknown; save it as UTF-8") from error


def _not_text(source: str, error: UnicodeDecodeError) -> DocumentError:
    return DocumentError(
        f"{source}: byte {error.start:,} is not {error.encoding} text; save it as UTF-8, or leave it out"
    )


def _told_by_bytes(source: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if b"\0" in content:
            raise _binary(source) from error
        if not _is_damaged(content):
            for encoding in (_guessed(content), "cp1252"):
                try:
                    text = content.decode(encoding)
                except UnicodeDecodeError:
                    continue
                if not _is_binary(text):
                    return text
        raise _not_text(source, error) from error


def _is_damaged(content: bytes) -> bool:
    """Tell whether it is UTF-8 but for some bytes: another encoding would garble all the rest."""
    read = content.decode("utf-8", "replace")
    wrong = read.count("\ufffd")
    beyond = len(read) - len(read.encode("ascii", "ignore"))
    return wrong * 4 <= beyond


def _guessed(content: bytes) -> str:
    """Return the likeliest encoding of bytes that are not UTF-8."""
    from charset_normalizer import from_bytes

    sample = _sample(content)
    high = len(sample) - len(sample.translate(None, _HIGH))
    letters = len(sample) - len(sample.translate(None, _LETTERS))
    if high < _FEWEST_TO_GUESS:
        return "cp1252"
    # Among many Latin letters the few others are accents and typographic signs.
    candidates = _LATIN if high * 10 < letters else (*_LATIN, *_OTHERS)
    matches = list(from_bytes(sample, cp_isolation=list(candidates), enable_fallback=False))
    if not matches:
        return "cp1252"
    best = matches[0]
    equal = {m.encoding for m in matches if (m.chaos, -m.coherence) <= (best.chaos, -best.coherence)}
    return _settled(set(sample) & set(_HIGH), best.encoding, equal, {match.encoding for match in matches})


def _settled(beyond: set[int], best: str, equal: set[str], fitting: set[str]) -> str:
    """Return the best guess, or its twin where the bytes beyond ASCII tell against it."""
    if "cp1250" in equal and beyond & _DOUBLE_ACUTES and beyond <= _HUNGARIAN:
        return "cp1250"
    if "cp1252" in equal:
        return "cp1252"
    if best == "cp1250" and "iso8859_2" in fitting and len(beyond) > _FEWEST_TO_GUESS and not beyond & _C1:
        return "iso8859_2"  # of these two, only the other has letters and signs at 0x80 to 0x9F
    if best in ("cp1253", "iso8859_7") and "cp1251" in fitting and not beyond & _GREEK_ACCENTS:
        return "cp1251"
    return best


def _sample(content: bytes) -> bytes:
    """Return the lines that hold more than ASCII, up to a limit: they alone tell encodings apart."""
    lines: list[bytes] = []
    size = 0
    for line in content.splitlines(keepends=True):
        found = _BEYOND_ASCII.search(line)
        if found is None:
            continue
        piece = line[max(0, found.start() - 100) :]
        if len(piece) > _SAMPLE_BYTES - size:
            piece = piece[: _SAMPLE_BYTES - size]
            piece = piece[: piece.rfind(b" ") + 1] or piece  # not amid the bytes of one character
        lines.append(piece)
        size += len(piece)
        if size >= _SAMPLE_BYTES - 100:
            break
    return b"".join(lines)


def _check(source: str, text: str) -> None:
    if text.count("\0") > len(text) * _MOST_NULS or _is_binary(text):
        raise _binary(source)
    if half := _SURROGATES.search(text):
        raise DocumentError(
            f"{source}: character {half.start():,} is half a surrogate pair, which is not text; "
            "save it as UTF-8, or leave it out"
        )


def _is_binary(text: str) -> bool:
    return sum(1 for _ in _CONTROLS.finditer(text)) > len(text) * _MOST_CONTROLS


def _binary(source: str) -> DocumentError:
    return DocumentError(f"{source}: it is binary, not text; convert it to text, or leave it out")
