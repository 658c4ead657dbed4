"""Texts as they are compared: what is the same but for typing, and the words that a text is made of.

`normalised` takes away what a reader would not call a difference; it is what an exact match compares. `spoken` cuts a
text into words: names are whole (`wal_sender_timeout`, `--quiet`, `5.5`, `-5` and `a/b` are a word each), a number is
apart from its unit (`10MB`, `10-minute`), and of scripts that set no spaces every character is a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from backends.approaches.checking import UNIT_OF

__all__ = ["LIGHT", "Word", "count_words", "normalised", "spoken", "words"]

_UNSEEN = re.compile("[\u00ad\u200b\u2060\ufe0e\ufe0f\ufeff\u200e\u200f\u202a-\u202e\u2066-\u2069™®©℠]")
_RAISED = re.compile(r"(?<=[^\W_])([⁰¹²³⁴-⁹⁻]+)")  # else 10² were 102
_FRACTION = re.compile(r"(?<=\d)(?=[¼-¾⅐-⅞])")
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:([,'’\u00a0\u2009\u202f])\d{3})(?:\1\d{3})*(?!,?\d)")
_QUOTES = str.maketrans({**dict.fromkeys("‘’‚‛′´", "'"), **dict.fromkeys("“”„‟″«»「」『』", '"')})
_HYPHENS = re.compile("[‐‑−]|(?<=\\d)[–](?=\\d)|(?<![^\\s(\\[=:])[–](?=\\d)")
_DASHES = re.compile("[‒–—―]")
_ARTICLE = re.compile(r"\b(?:a|an|the)\s+(?=\w)")
_QUOTING = re.compile(r"[\"`]|\*\*|(?<!\w)'|'(?!\w)")
_CLOSING = " .,;:!?。！？…"

_CONTINUOUS = (
    "\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"  # scripts that set no spaces
)
# Python's \w leaves out the vowels that Hebrew, Arabic and the scripts of India write as marks.
_SIGNS = "\u0300-\u036f\u0591-\u05bd\u05bf\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u200c\u200d"
_LETTER = rf"(?:[^\W{_CONTINUOUS}]|[{_SIGNS}])"
_JOINT = r"(?:[._/@&\\^'-]|\+{1,2}|::|(?<=\d)[:,](?=\d))"
_LEAD = r"(?:(?<![\w)\].-])(?:--?|[@$](?=[^\W\d])|\.{1,2}/|~?/|\.))?"
_WORD = re.compile(
    rf"[{_CONTINUOUS}]|{_LEAD}{_LETTER}+(?:{_JOINT}{_LETTER}+)*(?:\+\+(?!\w)|(?<=\b[cf])#)?|[%‰$€£¥°]"
)
_SCHEME = re.compile(r"\b[a-z][a-z0-9+.-]{0,15}://")
_QUANTITY = re.compile(r"(-?\d+(?:[.,]\d+)*)-?([^\W\d_]+(?:/\w+)?)")
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)*")
_COUNTS = "two three four five six seven eight nine ten eleven twelve"
# `one` is left out: it mostly means no number, as in "one of them".
_DIGITS = {"zero": "0", **{word: str(number) for number, word in enumerate(_COUNTS.split(), 2)}}
_ARTICLES = frozenset({"a", "an", "the"})
LIGHT = _ARTICLES | {"and"}
"""Words that a value may have between others or not: "read, write" is "read and write"."""
# What stands between a word and the next: the end of a line or any mark, but not one that begins the next.
_OPENS = re.compile(r"[^\s\w]|\n")
_CLOSES = re.compile(r"[^\S\n]*(?:\n|\Z|[^\s\w%‰$€£¥°<@./~-]|\.(?!\w)|-{1,2}(?![\w-]))")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text.

    Attributes:
        text: As it stands, in lower case.
        meaning: The same for all words that mean the same: `s` for the seconds of a number, `3` for three.
        closes: Whether a mark, or the end of the text, follows it.
        opens: Whether it begins the text, or follows a mark.
    """

    text: str
    meaning: str
    opens: bool = field(default=False, compare=False)
    closes: bool = field(default=False, compare=False)

    @property
    def is_number(self) -> bool:
        """Whether it is a number, written in digits."""
        return self.text[-1:].isdigit() and _NUMBER.fullmatch(self.meaning) is not None

    def says(self, other: Word) -> bool:
        """Return whether both say the same."""
        return self.text == other.text or self.meaning == other.meaning


def normalised(text: str) -> str:
    """Return a text without what is no difference in an answer.

    That is: case, white space, quotes, the marks at its end, articles, the forms of Unicode, and what groups the digits
    of a number. A text of nothing else is returned as it stands, without white space.

    >>> normalised(" The “Default”  is 1,000. "), normalised("1000")
    ('default is 1000', '1000')
    """
    plain = _QUOTING.sub("", _DASHES.sub(" - ", _plain(text)))
    bare = _ARTICLE.sub("", " ".join(plain.split())).strip(" ").rstrip(_CLOSING)
    return bare or "".join(unicodedata.normalize("NFKC", text).split())


def spoken(text: str) -> list[Word]:
    """Return the words of a text; where it has none, such as "->", its pieces between white space."""
    plain = _SCHEME.sub("", _DASHES.sub(" — ", _plain(text)))
    found: list[Word] = []
    end = 0
    for match in _WORD.finditer(plain):
        opens = not found or _OPENS.search(plain, end, match.start()) is not None
        end = match.end()
        closes = _CLOSES.match(plain, end) is not None
        found += _parts(match.group(), found, opens=opens, closes=closes)
    return found or [Word(piece, piece, opens=True, closes=True) for piece in plain.split()]


def words(text: str) -> list[str]:
    """Return what the words of a text mean, without articles, in order.

    >>> words("The `wal_sender_timeout` is 10-second, not 5.5s.")
    ['wal_sender_timeout', 'is', '10', 's', 'not', '5.5', 's']
    """
    found = spoken(text)
    return [each.meaning for each in found if each.text not in _ARTICLES] or [each.meaning for each in found]


def count_words(text: str) -> int:
    """Return how many words a text has, two characters counting as one where a script sets no spaces."""
    continuous = len(re.findall(rf"[{_CONTINUOUS}]", text))
    return len(re.sub(rf"[{_CONTINUOUS}]+", " ", text).split()) + (continuous + 1) // 2


def _plain(text: str) -> str:
    """Return a text in one form of Unicode, lower case, with plain quotes and hyphens and ungrouped digits."""
    seen = _FRACTION.sub(" ", _RAISED.sub(r"^\1", _UNSEEN.sub("", text)))
    ungrouped = _GROUPED.sub(lambda match: re.sub(r"\D", "", match.group()), seen)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", ungrouped).casefold())
    return _HYPHENS.sub("-", folded.translate(_QUOTES).replace("\u2044", "/"))


def _parts(text: str, before: Sequence[Word], *, opens: bool, closes: bool) -> list[Word]:
    """Return the word that a piece of a text is, or the number and the unit."""
    quantity = _QUANTITY.fullmatch(text)
    if quantity and (unit := _unit(quantity[2])):
        number = Word(quantity[1], _number(quantity[1]), opens=opens)
        return [number, Word(quantity[2], unit, closes=closes)]
    name = text.removesuffix("'s")
    meaning = _number(_DIGITS.get(name, name))
    if before and not opens and before[-1].meaning.lstrip("-")[:1].isdigit():
        meaning = _unit(name) or meaning
    return [Word(name, meaning, opens=opens, closes=closes)]


def _unit(text: str) -> str:
    """Return the usual sign of a unit, such as `MB/s` for `megabytes/s`; nothing for other words."""
    unit = re.sub(r"/.*", "", text)
    return f"{UNIT_OF[unit]}{text[len(unit) :]}" if unit in UNIT_OF else ""


def _number(text: str) -> str:
    """Return a number with a digit before its point, and a version without its "v"; other words as they are."""
    return re.sub(r"\Av(?=\d)", "", re.sub(r"\A(-?)\.(?=\d)", r"\g<1>0.", text))
