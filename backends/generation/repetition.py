"""An end to going round in circles: small models repeat themselves until the limit stops them."""

from __future__ import annotations

__all__ = ["LOOP_TOKENS", "LoopBreaker"]

LOOP_TOKENS = 12
"""Tokens that say again what was said, from which an answer counts as going round in circles."""


class LoopBreaker:
    """Holds back tokens while they repeat earlier ones, and says when that has gone on for too long.

    What is held back is passed on as soon as it turns out to be new, so nothing
    is lost, and of a repetition nothing is shown.

    Attributes:
        looping: Whether the last `LOOP_TOKENS` tokens stood in the answer before; they are dropped.
    """

    def __init__(self) -> None:
        self.looping = False
        self._tokens: list[int] = []
        self._held: list[int] = []
        self._matches: list[int] = []  # where in the answer the tokens held stood before, by their last

    def add(self, token: int) -> list[int]:
        """Take the next token, and return those that can be shown."""
        continued = [place + 1 for place in self._matches if self._tokens[place + 1] == token]
        if self._held and not continued:
            released, self._held = self._held, []
        else:
            released = []
        if not continued:
            continued = [place for place, other in enumerate(self._tokens) if other == token]
        self._tokens.append(token)
        self._matches = continued
        if not continued:
            return [*released, token]
        self._held.append(token)
        self.looping = len(self._held) >= LOOP_TOKENS
        return released

    def finish(self) -> list[int]:
        """Return what is still held back, where it is no loop."""
        return [] if self.looping else self._held
