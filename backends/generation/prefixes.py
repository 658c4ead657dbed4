"""Beginnings of prompts that were read before, kept so that they need not be read again.

A prompt is read in pieces of a fixed number of tokens, and whole pieces alone
are kept, each named by all that stands before it. So the arithmetic of a prompt
is the same whether its beginning was kept or not.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import OrderedDict
from collections.abc import Sequence

import torch

__all__ = ["PIECE_TOKENS", "Prefixes", "piece_names"]

PIECE_TOKENS = 128
"""Tokens in a piece: fewer cost as much to read, and more hold up those who write."""


def piece_names(reader: object, prompt: Sequence[int]) -> list[bytes]:
    """Return a name for each whole piece of a prompt, but for what holds its last token.

    That is always read, since it tells the next.

    Args:
        reader: For whom and with what the prompt is read, told apart by its `repr`.
        prompt: The prompt.
    """
    name, names = repr(reader).encode(), []
    for start in range(0, len(prompt) - PIECE_TOKENS, PIECE_TOKENS):
        piece = array("q", prompt[start : start + PIECE_TOKENS])
        name = hashlib.sha256(name + piece.tobytes()).digest()
        names.append(name)
    return names


class Prefixes:
    """Pieces of prompts with what the model remembers of them, within a bound of memory.

    Args:
        limit_bytes: Memory to keep; the piece used least recently goes first.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._bytes = 0
        self._kept: OrderedDict[bytes, torch.Tensor] = OrderedDict()

    def find(self, names: Sequence[bytes]) -> torch.Tensor | None:
        """Return the states of the last of these pieces, as `Slot.write` takes them; None where it is not kept.

        Args:
            names: The pieces of a prompt up to the one looked for.
        """
        found = self._kept.get(names[-1])
        if found is not None:
            for name in reversed(names):  # whatever leads to a piece goes after it
                if name in self._kept:
                    self._kept.move_to_end(name)
        return found

    def keep(self, name: bytes, states: torch.Tensor) -> None:
        """Keep the states of a piece, which are no longer the caller's."""
        if name in self._kept or states.nbytes > self._limit_bytes:
            return
        self._kept[name] = states
        self._bytes += states.nbytes
        while self._bytes > self._limit_bytes:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes

    def clear(self) -> None:
        """Keep nothing."""
        self._kept.clear()
        self._bytes = 0
