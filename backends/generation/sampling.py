"""The next token from its logits: the most probable one, or one drawn, of those that a form allows."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from backends.base import QuestionError
from backends.generation.engine import Request

__all__ = ["Sampler", "choose"]


class Sampler:
    """Chooses the tokens of one request, in their order.

    Args:
        request: Says how random they are, what keeps them to a form, and when the answer ends.

    Raises:
        QuestionError: The form cannot be followed.
    """

    def __init__(self, request: Request) -> None:
        self._stop = request.stop
        self._temperature = request.temperature
        self._generator = torch.Generator().manual_seed(request.seed) if request.temperature > 0 else None
        self._guide = request.guide() if request.guide else None

    @property
    def plain(self) -> bool:
        """Whether it always takes the most probable token."""
        return self._generator is None and self._guide is None

    def take(self, logits: torch.Tensor) -> int:
        """Return the next token by its logits: shape (vocabulary,).

        Raises:
            QuestionError: The answer cannot go on by its form.
        """
        if self._guide is None:
            return self._choose(logits)
        token = self._choose(self._guide.allow(logits))
        self._guide.take(token)
        return token

    def told(self, token: int) -> list[int]:
        """Return what to tell of a token: itself, and a token that ends the answer where its form is complete."""
        if self._guide is not None and self._guide.complete and self._stop and token not in self._stop:
            return [token, min(self._stop)]
        return [token]

    def _choose(self, logits: torch.Tensor) -> int:
        if self._generator is None:
            return int(logits.numpy().argmax())
        # The best at 0, in double precision: a temperature near 0 is then its limit, the best alone, not NaN.
        above = (logits - logits.max()).double() / self._temperature
        return int(torch.multinomial(torch.softmax(above, dim=-1), 1, generator=self._generator))


def choose(logits: torch.Tensor, samplers: Sequence[Sampler]) -> list[int | QuestionError]:
    """Return the next token of each request, or why there is none.

    Args:
        logits: One row a request: shape (requests, vocabulary).
        samplers: Theirs.
    """
    tokens: list[int | QuestionError] = logits.argmax(-1).tolist()
    for row, sampler in enumerate(samplers):
        if not sampler.plain:
            try:
                tokens[row] = sampler.take(logits[row])
            except QuestionError as error:
                tokens[row] = error
    return tokens
