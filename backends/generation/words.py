"""Text passed on by whole words: a message for each piece of a word costs more than it tells."""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["LONGEST_WAIT", "WordStream"]

LONGEST_WAIT = 12
"""Characters of one word after which it is passed on unfinished: some scripts write no spaces."""

_WORDS = re.compile(r".*\S\s+", re.DOTALL)
_OPEN_MARK = re.compile(r"\[\d{0,3}\Z")


class WordStream:
    """Passes text on as soon as a word of it is over, with the white space that shows it.

    Args:
        emit: Receives text; the pieces concatenate to what was written.
    """

    def __init__(self, emit: Callable[[str], None]) -> None:
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
            self._emit(ready)


def _ready(text: str) -> int:
    """Return how much of a text can be passed on: whole words, or all but a mark such as [2] that has begun."""
    words = _WORDS.match(text)
    end = words.end() if words else 0
    if len(text) - end < LONGEST_WAIT:
        return end
    mark = _OPEN_MARK.search(text)
    return mark.start() if mark else len(text)
