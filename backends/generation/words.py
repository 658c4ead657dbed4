"""Text passed on by whole words: a message for each piece of a word costs more than it tells."""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["LONGEST_WORD", "UNSPACED", "WordStream"]

LONGEST_WORD = 40
"""Characters without white space after which they are passed on unfinished: an address, or a line of code."""
UNSPACED = 12
"""The same where they are of scripts that write no spaces, such as Thai, Japanese and Chinese."""

# Thai, Lao, Tibetan and Burmese; Khmer; kana and Chinese characters.
_UNSPACED = re.compile("[\u0e00-\u109f\u1780-\u17ff\u3000-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_WORDS = re.compile(r".*\S\s+", re.DOTALL)
_OPEN_MARK = re.compile(r"\[\d{0,3}\Z")


class WordStream:
    """Passes text on as soon as a word of it is over, with the white space that shows it.

    Args:
        emit: Receives text; the pieces concatenate to what was written. It returns False where it wants no more.

    Attributes:
        wanted: Whether more is wanted.
    """

    def __init__(self, emit: Callable[[str], bool | None]) -> None:
        self.wanted = True
        self._emit = emit
        self._held = ""

    def write(self, piece: str) -> None:
        """Take the next piece, of whatever length."""
        self._held += piece
        self._pass_on(_ready(self._held))

    def finish(self) -> None:
        """Pass on what is held; the text is complete."""
        self._pass_on(len(self._held))

    def _pass_on(self, end: int) -> None:
        ready, self._held = self._held[:end], self._held[end:]
        if ready:
            self.wanted = self._emit(ready) is not False and self.wanted


def _ready(text: str) -> int:
    """Return how much of a text can be passed on: whole words, or all but a mark such as [2] that has begun."""
    words = _WORDS.match(text)
    end = words.end() if words else 0
    longest = UNSPACED if _UNSPACED.search(text, end) else LONGEST_WORD
    if len(text) - end < longest:
        return end
    mark = _OPEN_MARK.search(text)
    return mark.start() if mark else len(text)
