"""An answer from passages while it streams: its marks such as [2], and whether the passages hold what it says.

A model's own marks stay where they name a passage. A sentence without one gets the mark of
the passage that it rests on: of those that hold all its numbers and names, the one that
holds most of its words, in its order; or the only one that there is. A sentence that rests
on none stays bare. What a sentence says that does not stand in what it cites is noted, or
the sentence is left out. Nothing that was emitted is taken back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from backends.approaches.checking import Checked, Item
from backends.approaches.stopwords import STOP_WORDS
from backends.base import Citation, Passage, UnsupportedSentence

__all__ = ["CitingStream"]

SUPPORT = 0.6
"""Least share of a sentence's words that a passage must hold, in order, to be cited for them."""

_FEWEST_WORDS = 2  # a single word is in too many passages to show where it comes from
_MARK = re.compile(r"[ \t]*\[(\d{1,3})\]")
_CLOSING = "\"'”’»)*_`"
_ENDING = re.compile(rf"(?:[.!?…]+[{_CLOSING}]*|[。！？]+)?(?:[ \t]*\[\d{{1,3}}\])*\s*\Z")
# A line's end; or the end of a sentence with its marks, and the beginning of what is no further mark.
_END = re.compile(
    rf"\n|(?:[.!?…]+[{_CLOSING}]*(?:[ \t]*\[\d{{1,3}}\])*(?=[ \t]+(?:[^\s\[]|\[(?!\d{{0,3}}(?:\]|\Z))))"
    r"|[。！？]+(?:\[\d{1,3}\])*(?=[^\s\[]))"
)
# What the next piece may make a mark, or the end of a sentence.
_HELD = re.compile(rf"(?:[.!?…]+[{_CLOSING}]*|[。！？]+)?(?:[ \t]*\[\d{{1,3}}\])*[ \t]*(?:\[\d{{0,3}})?\Z")
_NO_END = re.compile(
    r"(?:(?:\A|\n)\s*\(?(?:\d{1,3}|[A-Za-z])|\b(?:e\.g|i\.e|cf|vs|approx|resp|Dr|Mr|Mrs|Ms|Prof|St|Fig|[A-Z]))\Z"
)
_FENCE = "```"


class CitingStream:
    """Passes an answer on as it is written, with citation marks.

    Args:
        passages: What can be cited, as [1], [2], ...
        emit: Receives text; the pieces concatenate to `text`.
        leave_out: Whether sentences that the passages do not support are left out. Each is then
            held back until it was checked; else only what may become a mark or a sentence's end is.
    """

    def __init__(
        self, passages: Sequence[Passage], emit: Callable[[str], None], *, leave_out: bool = False
    ) -> None:
        self._checked = Checked(passages)
        self._words = [_words(f"{passage.heading} {passage.text}") for passage in passages]
        self._emit = emit
        self._leave_out = leave_out
        self._pending = ""  # of the sentence under way, as the model writes it
        self._passed = 0  # how much of that is in `_sentence`
        self._sentence = ""
        self._in_code = False
        self._size = 0
        self._parts: list[str] = []
        self._citations: list[Citation] = []
        self._unsupported: list[UnsupportedSentence] = []

    @property
    def text(self) -> str:
        """All that was emitted."""
        return "".join(self._parts)

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The marks emitted so far, in order."""
        return tuple(self._citations)

    @property
    def unsupported(self) -> tuple[UnsupportedSentence, ...]:
        """The sentences so far that the passages do not support, or where such were left out."""
        return tuple(self._unsupported)

    def write(self, piece: str) -> None:
        """Take the next piece of the answer."""
        self._pending += piece
        while (end := self._end()) is not None:
            self._finish_sentence(end)
        held = _HELD.search(self._pending, self._passed)
        self._take(held.start() if held else len(self._pending))

    def finish(self) -> None:
        """Pass on what is held; the answer is complete."""
        self._finish_sentence(len(self._pending))

    def _end(self) -> int | None:
        """Return where the first sentence that is pending ends; None while it goes on."""
        for found in _END.finditer(self._pending, self._passed):
            if found.group() == "\n":
                if self._pending[: found.start()].strip():
                    return found.start()
                continue
            following = self._pending[found.end() :].lstrip()[:1]
            if not following.islower() and not _NO_END.search(self._pending[: found.start()]):
                return found.end()
        return None

    def _finish_sentence(self, end: int) -> None:
        """Cite what the sentence rests on, before the punctuation that ends it, and check it."""
        ending = _ENDING.search(self._pending, self._passed, end)
        self._take(ending.start() if ending else end)
        last = _valid(self._pending[self._passed : end], len(self._words))
        said = self._sentence + last
        fence = said.strip().startswith(_FENCE)
        cited = sorted({int(number) for number in _MARK.findall(said)})
        items = self._checked.items(said)
        if not cited and not (fence or self._in_code) and (added := self._resting_on(said, items)):
            last = f" [{added}]{last}"
            cited = [added]
        self._in_code ^= fence
        missing = self._checked.missing(items, cited)
        self._put(last)
        if not (missing and self._leave_out):
            self._keep(missing)
        else:
            self._unsupported.append(UnsupportedSentence(self._size, self._size, missing))
        self._pending, self._passed, self._sentence = self._pending[end:], 0, ""

    def _resting_on(self, said: str, items: Sequence[Item]) -> int | None:
        holding = self._checked.holding(items)
        words = _words(said)
        if len(words) < _FEWEST_WORDS or not holding:
            return None
        shares = [_in_order(words, self._words[number - 1]) / len(words) for number in holding]
        if max(shares) >= SUPPORT:
            return holding[shares.index(max(shares))]
        return holding[0] if items and len(holding) == 1 else None

    def _keep(self, missing: tuple[str, ...]) -> None:
        """Note the marks of the sentence that was put, and what it lacks; pass on what was held of it."""
        if self._leave_out and not self._parts:
            self._sentence = self._sentence.lstrip()
        for mark in _MARK.finditer(self._sentence):
            number = mark.group(1)
            start = self._size + len(self._sentence[: mark.end() - len(number) - 2].encode())
            self._citations.append(Citation(int(number), start, start + len(number) + 2))
        bare = self._sentence.strip()
        if missing:
            start = self._size + len(self._sentence[: self._sentence.index(bare)].encode())
            self._unsupported.append(UnsupportedSentence(start, start + len(bare.encode()), missing))
        self._size += len(self._sentence.encode())
        if self._leave_out and self._sentence:
            self._pass_on(self._sentence)

    def _take(self, end: int) -> None:
        """Take what is pending up to where it is sure that no mark is cut in two."""
        if end > self._passed:
            self._put(_valid(self._pending[self._passed : end], len(self._words)))
            self._passed = end

    def _put(self, text: str) -> None:
        self._sentence += text
        if text and not self._leave_out:
            self._pass_on(text)

    def _pass_on(self, text: str) -> None:
        self._parts.append(text)
        self._emit(text)


def _valid(text: str, passages: int) -> str:
    """Return a text without the marks that name no passage."""
    return _MARK.sub(lambda mark: mark.group() if 1 <= int(mark.group(1)) <= passages else "", text)


def _words(text: str) -> list[str]:
    """Return the words that carry meaning, in lower case, without marks."""
    found = re.findall(r"[^\W_]+", re.sub(r"\[\d{1,3}\]", " ", text).lower())
    return [word for word in found if word not in STOP_WORDS]


def _in_order(sentence: Sequence[str], passage: Sequence[str]) -> int:
    """Return how many words of a sentence a passage holds in the same order: their longest common subsequence."""
    row = [0] * (len(passage) + 1)
    for word in sentence:
        before = 0
        for index, other in enumerate(passage, 1):
            above = row[index]
            row[index] = before + 1 if word == other else max(above, row[index - 1])
            before = above
    return row[-1]
