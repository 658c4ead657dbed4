"""Marks such as [2] in an answer, while it streams: the model's own where they name a passage, ours where not.

A small model hardly ever cites. So each sentence that ends without a mark gets
the marks of the passages that it rests on: those that hold most of its words,
in its order. A sentence that rests on none stays bare. Nothing that was
emitted is taken back: characters are held only until it is known what they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from backends.base import Citation, Passage

__all__ = ["STOP_WORDS", "CitingStream", "supporting"]

SUPPORT = 0.6
"""Least share of a sentence's words that a passage must hold, in order, to be cited."""

_FEWEST_WORDS = 2  # a single word is in too many passages to show where it comes from
_MARK = re.compile(r"\[\d{0,3}\]?\Z")
_ENDS = ".!?"
STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be by can do does for from has have how if in into is it its of on or that the "
        "their there these this to was were what when where which who will with you your",
    )
)
"""Words that say nothing of what a text is about."""


class CitingStream:
    """Passes an answer on as it is written, with citation marks.

    Args:
        passages: What can be cited, as [1], [2], ...
        emit: Receives text; the pieces concatenate to `text`.
    """

    def __init__(self, passages: Sequence[Passage], emit: Callable[[str], None]) -> None:
        self._words = [_words(f"{passage.heading} {passage.text}") for passage in passages]
        self._emit = emit
        self._held = ""  # what may become a mark or the end of a sentence
        self._ready = ""  # what the next piece cannot change any more
        self._sentence = ""
        self._marked = False
        self._size = 0
        self._parts: list[str] = []
        self._citations: list[Citation] = []

    @property
    def text(self) -> str:
        """All that was emitted."""
        return "".join(self._parts)

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The marks emitted so far, in order."""
        return tuple(self._citations)

    def write(self, piece: str) -> None:
        """Take the next piece of the answer."""
        for character in piece:
            self._take(character)
        self._pass_on()

    def finish(self) -> None:
        """Pass on what is held; the answer is complete."""
        if self._held.startswith("["):
            self._release()
        self._end_sentence()
        self._release()
        self._pass_on()

    def _take(self, character: str) -> None:
        if self._held.startswith("["):
            self._take_in_mark(character)
        elif character == "[":
            self._release()
            self._held = character
        elif character == "\n" or (character.isspace() and self._held):
            self._end_sentence()
            self._release()
            self._put(character)
        elif character in _ENDS:
            self._held += character
        else:
            self._release()
            self._put(character)

    def _take_in_mark(self, character: str) -> None:
        if not _MARK.fullmatch(self._held + character):
            self._release()
            self._take(character)
        elif character != "]":
            self._held += character
        else:
            number, self._held = self._held[1:], ""
            if not number:
                self._put("[]")
            elif 1 <= int(number) <= len(self._words):
                self._cite(int(number))

    def _end_sentence(self) -> None:
        """Cite what the sentence rests on, before the punctuation that ends it."""
        held, self._held = self._held, ""
        if not self._marked:
            for number in supporting(_words(self._sentence), self._words):
                self._cite(number, space=True)
        self._held = held
        self._sentence, self._marked = "", False

    def _cite(self, number: int, *, space: bool = False) -> None:
        if space:
            self._put(" ")
        mark = f"[{number}]"
        self._citations.append(Citation(number, self._size, self._size + len(mark)))
        self._put(mark)
        self._marked = True

    def _release(self) -> None:
        held, self._held = self._held, ""
        self._put(held)

    def _pass_on(self) -> None:
        """Emit what is ready: once for each piece, however many characters it has."""
        text, self._ready = self._ready, ""
        if text:
            self._parts.append(text)
            self._emit(text)

    def _put(self, text: str) -> None:
        if text:
            self._sentence += text
            self._size += len(text.encode())
            self._ready += text


def supporting(sentence: Sequence[str], passages: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """Return the number of the passage that a sentence rests on, from 1; none where no passage holds enough of it.

    Where several hold as much, it is the first of them.
    """
    if len(sentence) < _FEWEST_WORDS:
        return ()
    shares = [_in_order(sentence, words) / len(sentence) for words in passages]
    best = max(shares, default=0.0)
    return (shares.index(best) + 1,) if best >= SUPPORT else ()


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
