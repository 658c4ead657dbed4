"""The next token from its logits: the most probable one, or one drawn."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from backends.generation.engine import Request

__all__ = ["Sampler", "choose"]


class Sampler:
    """Chooses the tokens of one request, in their order.

    Args:
        request: Says how random they are.
    """

    def __init__(self, request: Request) -> None:
        self._temperature = request.temperature
        self._generator = torch.Generator().manual_seed(request.seed) if self.draws else None

    @property
    def draws(self) -> bool:
        """Whether there is any randomness."""
        return self._temperature > 0

    def draw(self, logits: torch.Tensor) -> int:
        """Return a token drawn by its logits: shape (vocabulary,)."""
        # The best at 0, in double precision: a temperature near 0 is then its limit, the best alone, not NaN.
        above = (logits - logits.max()).double() / self._temperature
        return int(torch.multinomial(torch.softmax(above, dim=-1), 1, generator=self._generator))


def choose(logits: torch.Tensor, samplers: Sequence[Sampler]) -> list[int]:
    """Return the next token of each request.

    Args:
        logits: One row a request: shape (requests, vocabulary).
        samplers: Theirs.
    """
    tokens: list[int] = logits.argmax(-1).tolist()
    for row, sampler in enumerate(samplers):
        if sampler.draws:
            tokens[row] = sampler.draw(logits[row])
    return tokens
