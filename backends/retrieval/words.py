"""The words that a text is found by: names as they are written, and words by the rules of their language."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator

__all__ = ["LANGUAGES", "OTHER", "identifiers", "is_name", "language_of", "name_in", "owner", "spaced"]

LANGUAGES = {
    "ar": "arabic",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nb": "norwegian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}
"""PostgreSQL's text search configurations, by ISO 639-1."""
OTHER = "simple"
"""The configuration for other languages: words are as they are written."""

_FEWEST_WORDS = 8  # fewer do not tell the language
_SAMPLE = 4_000  # characters
_COMPOUND = re.compile(r"(?<![^\W_])-{0,2}[^\W_]+(?:[_.\-/:+@][^\W_]+)*")
_NAME = re.compile(r"[_\d]|\w[-./:@]\w|^-{1,2}\w|[a-z][A-Z]|^[A-Z]{3,}")
_ENDING = re.compile(r"^[\"'`‘“(\[*]*(\.[^\W\d_]\w*)[^\w.]*\.?$")
_CONTINUOUS = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_AROUND = ".,;:?!()\"'`‘’“”[]"
_LONGEST = 80  # characters of a name that is looked for as a whole


def language_of(text: str, *, fallback: str = "english") -> str:
    """Return the text search configuration for a text, by the language it is detected to be in.

    Args:
        text: The text; its beginning and its middle are read.
        fallback: The configuration where too little text tells.
    """
    middle = max(0, len(text) // 2 - _SAMPLE // 2)
    sample = text[: _SAMPLE // 2] + " " + text[middle : middle + _SAMPLE // 2]
    words = re.findall(r"[^\W\d_]{2,}", sample)
    if len(words) < _FEWEST_WORDS:
        return fallback
    from py3langid import classify

    return LANGUAGES.get(str(classify(" ".join(words))[0]), OTHER)


def spaced(text: str) -> str:
    """Return a text as runs of letters and digits, which is what a configuration is given.

    Of scripts that set no spaces, every two neighbouring characters are a word.
    """
    return " ".join(_runs(text))


def identifiers(text: str) -> Iterator[str]:
    """Yield the names in a text that are more than a word, such as `max_connections`, `--quiet` or `libpq.so.5`."""
    for found in _COMPOUND.finditer(text):
        name = found.group()
        if not name.isalnum() and len(name) <= _LONGEST:
            yield name.lower()


def name_in(word: str) -> str:
    """Return the name that a word of a question is, without the marks around it; empty for one of the language.

    The ending of files, such as `.toml`, keeps its point.
    """
    ending = _ENDING.match(word)
    if ending:
        return ending[1]
    bare = word.strip(_AROUND)
    return bare if _NAME.search(bare) else ""


def is_name(word: str) -> bool:
    """Return whether a word of a question names a thing, rather than being one of the language."""
    return bool(name_in(word))


def owner(collection: str) -> str:
    """Return the lexeme that stands for a collection; no word of a text holds a slash at its start."""
    return "/" + hashlib.sha256(collection.encode()).hexdigest()[:32]


def _runs(text: str) -> Iterable[str]:
    for run in re.findall(r"[^\W_]+", text):
        if _CONTINUOUS.fullmatch(run) and len(run) > 1:
            yield from (run[start : start + 2] for start in range(len(run) - 1))
        else:
            yield run
