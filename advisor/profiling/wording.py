"""What a text says, less how it is put: the words by which two texts are the same, or are not.

    "How do I reset my passwords?"  ->  how reset password
    "Please, how can I reset the password"  ->  how reset password
    "Is it not allowed?"  ->  not allow

Small words, case, signs and endings are left aside. Numbers, negations, names and the words that stand between two
others, such as `to` and `from`, are not: by them questions differ that are nearly alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from advisor.profiling.contrasts import ASKING, CONTRASTS, FRAMES, NEGATIONS, NUMBERS, SMALL, WRITTEN_OUT
from advisor.profiling.spelling import slips
from backends.retrieval.words import is_name

__all__ = ["Wording", "conflict", "plain", "turned", "wordings"]

_LONGEST_TURNED = 40
"""Words of a text in which a part may be moved to the other end."""
_LONGEST_FRAMED = 60
"""Words of a text whose first ones may say no more than that a question is asked."""
_NAMES_SHARE = 0.2
"""Of the words within sentences; where more are capital, as in German, a capital tells no name."""

_REMEMBERED = 1 << 16
"""Words of which it is remembered how they are cut: the same ones come again and again."""

_CONTINUOUS = "\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_TOKEN = re.compile(
    rf"[{_CONTINUOUS}]"
    r"|(?<![\w.])[-−]\d[\d.,]*\d|(?<![\w.])[-−]\d"
    r"|\d{1,3}(?:,\d{3}){1,6}(?![\d,])(?:\.\d+)?"
    r"|[^\W_]\+\+|\b[^\W\d_]#"
    rf"|[^\W_{_CONTINUOUS}]+(?:[_.\-/:@'][^\W_{_CONTINUOUS}]+)*"
    r"|[$€£¥%°<>=≤≥≠±×÷^]|(?<=\d)\s?[-+*/−]\s?(?=\d)"
)
_NUMBER_WITH_UNIT = re.compile(r"([-−]?\d[\d.,]*)([^\W\d_]+)")
_BEFORE_SENTENCE = '.!?:;\n("“„»-'
_ALIKE_SIGNS = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "−": "-", "–": "-", "—": "-"})


@dataclass(frozen=True, slots=True)
class Wording:
    """What a text says.

    Attributes:
        words: What tells it from others, in order: words cut to their stems, numbers, signs that matter.
        names: Those of them that name things, as far as can be told.
    """

    words: tuple[str, ...]
    names: frozenset[str] = frozenset()

    @property
    def numbers(self) -> tuple[str, ...]:
        """What holds a digit or stands beside numbers, in order."""
        return tuple(word for word in self.words if not word.isalpha())

    @property
    def negations(self) -> int:
        """How often it says no."""
        return sum(word in _NEGATIONS for word in self.words)


def plain(text: str) -> str:
    r"""Return a text less its case, its spaces and the signs around it: the same for exact duplicates.

    >>> plain(" How  do I\nreset it? ") == plain("how do I reset it")
    True
    """
    folded = unicodedata.normalize("NFKC", text).translate(_ALIKE_SIGNS).casefold()
    spaced = " ".join(folded.split())
    return spaced.strip(" .,;:!?'\"“”„«»¿¡…*") or spaced


def wordings(texts: Sequence[str]) -> list[Wording]:
    """Return what each text says; slips of spelling are told from other words by all texts together."""
    read = [list(_tokens(text)) for text in texts]
    within = [is_capital for tokens in read for _, is_capital, is_start in tokens if not is_start]
    capitals_tell = sum(within) <= _NAMES_SHARE * len(within)
    found = [
        _wording(tokens, capitals_tell=capitals_tell) if tokens else Wording((plain(text),))
        for text, tokens in zip(texts, read, strict=True)
    ]
    counts = Counter(word for each in found for word in set(each.words) - each.names)
    named = {word for each in found for word in each.names}
    meant = slips({word: number for word, number in counts.items() if word not in named}, _KNOWN)
    if not meant:
        return found
    return [replace(each, words=tuple(meant.get(word, word) for word in each.words)) for each in found]


def turned(words: Sequence[str]) -> tuple[str, ...]:
    """Return words as all texts have them in which a part was moved from one end to the other.

    >>> turned(["on", "phone", "how", "reset"]) == turned(["how", "reset", "on", "phone"])
    True
    >>> turned(["pdf", "to", "word"]) == turned(["word", "to", "pdf"])
    False
    """
    if len(words) > _LONGEST_TURNED:
        return tuple(words)
    return min(((*words[at:], *words[:at]) for at in range(len(words))), default=())


def conflict(one: Wording, other: Wording) -> str:
    """Return what tells two texts apart that are alike otherwise; empty where nothing does."""
    if one.numbers != other.numbers:
        return "number"
    if one.negations != other.negations:
        return "negation"
    ours, theirs = set(one.words) - set(other.words), set(other.words) - set(one.words)
    if (one.names & ours) or (other.names & theirs):
        return "name"
    if any(_contrast(ours, theirs, group) for group in _CONTRASTS):
        return "opposite"
    if _contrast(ours, theirs, ASKING - {"what", "how"}):
        return "question"
    return "" if _same_order(one.words, other.words) else "order"


def _contrast(ours: set[str], theirs: set[str], group: frozenset[str]) -> bool:
    return bool(ours & group) and bool(theirs & group)


def _same_order(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether the words that both have follow each other alike, but for a part moved to the other end."""
    ours, theirs = Counter(one), Counter(other)
    shared = {word for word, number in ours.items() if number == theirs[word] == 1}
    first = [word for word in one if word in shared]
    second = [word for word in other if word in shared]
    return turned(first) == turned(second)


def _tokens(text: str) -> Iterator[tuple[str, bool, bool]]:
    """Yield what stands in a text: as written, whether it begins with a capital, whether it begins a sentence."""
    text = unicodedata.normalize("NFKC", text).translate(_ALIKE_SIGNS)
    shouted = text.upper() == text
    for found in _TOKEN.finditer(text):
        written, start = found.group().strip(), found.start()
        before = text[max(0, start - 3) : start].rstrip(" ")[-1:]
        is_capital = written[:1].isupper() and written != "I" and not shouted
        yield written, is_capital, start == 0 or (before != "" and before in _BEFORE_SENTENCE)


def _wording(tokens: Sequence[tuple[str, bool, bool]], *, capitals_tell: bool) -> Wording:
    capital = {written for written, is_capital, is_start in tokens if is_capital and not is_start}
    names = {
        _stem(_folded(written))
        for written, is_capital, _ in tokens
        if (capitals_tell and is_capital and written in capital) or _is_identifier(written)
    }
    text = " ".join(_folded(written) for written, _, _ in tokens)
    if len(tokens) <= _LONGEST_FRAMED:
        for pattern, instead in FRAMES:
            text = pattern.sub(instead, text)
    words = tuple(word for token in text.split() if token not in SMALL for word in _split(token))
    return Wording(words or tuple(text.split()), frozenset(names) & frozenset(words))


@lru_cache(maxsize=_REMEMBERED)
def _is_identifier(token: str) -> bool:
    return is_name(token) and "'" not in token and re.search(r"[_\d.:/@]|[a-z][A-Z]", token) is not None


@lru_cache(maxsize=_REMEMBERED)
def _folded(token: str) -> str:
    """Return a token in lower case: words with hyphens in one, contractions in two, numbers without signs within."""
    token = token.casefold()
    if re.fullmatch(r"[^\W\d_]+(?:-[^\W\d_]+)+", token):
        return token.replace("-", "")
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", token):
        return token.replace(",", "")
    for pattern, instead in WRITTEN_OUT:
        token = pattern.sub(instead, token)
    return token.rstrip(".,")


@lru_cache(maxsize=_REMEMBERED)
def _split(token: str) -> tuple[str, ...]:
    """Return what a token stands for: a number apart from its unit, a word without its ending."""
    found = _NUMBER_WITH_UNIT.fullmatch(token)
    return found.groups() if found else (_stem(NUMBERS.get(token, token)),)


def _stem(word: str) -> str:
    """Return a word without endings of plural, time and person; the same for what is one word in two forms."""
    if len(word) < 4 or not word.isalpha() or not word.isascii() or word in NEGATIONS | ASKING:
        return word
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word.removesuffix(ending) + instead
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            word = word.removesuffix(ending)
            if word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            return word.removesuffix("e")
    return word.removesuffix("e") if len(word) >= 5 else word


_NEGATIONS = frozenset(map(_stem, NEGATIONS))
_CONTRASTS = tuple(frozenset(map(_stem, group)) for group in CONTRASTS)
_KNOWN = frozenset().union(_NEGATIONS, ASKING, *_CONTRASTS)
