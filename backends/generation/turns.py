"""One request after another, for models that remember in a way of their own, or stretch their positions."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from backends.base import QuestionError
from backends.generation.engine import WAIT_S, Request, stop_if
from backends.generation.model import LoadedModel
from backends.generation.prefixes import PIECE_TOKENS
from backends.generation.sampling import Sampler, choose

__all__ = ["TurnsEngine"]


class TurnsEngine:
    """A model with the library's own attention and cache; implements `backends.generation.engine.Engine`.

    Args:
        model: The model, no longer the caller's.
    """

    name = "torch float32, one at a time"

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        # Where positions depend on the length, a prompt is read as a whole.
        self._piece = sys.maxsize if model.stretches() else PIECE_TOKENS
        self._turn = threading.Lock()

    def stream(self, request: Request, *, cancelled: Callable[[], bool]) -> Iterator[int]:
        """Yield the tokens of an answer, as `Engine.stream` says."""
        sampler, prompt = Sampler(request), list(request.prompt)
        with self._taking_turns(cancelled):
            adapter, cache = self._model.load(request.adapter), self._model.empty_cache()
            while len(prompt) > self._piece:
                stop_if(cancelled)
                self._model.read(prompt[: self._piece], cache, adapter)
                del prompt[: self._piece]
            for _ in range(request.limit):
                stop_if(cancelled)
                (token,) = choose(self._model.read(prompt, cache, adapter), [sampler])
                if isinstance(token, QuestionError):
                    raise token
                yield from (told := sampler.told(token))
                if told[-1] in request.stop:
                    return
                prompt = [token]

    def batch(
        self,
        requests: Sequence[Request],
        *,
        take: Callable[[int, int], bool],
        cancelled: Callable[[], bool],
    ) -> None:
        """Write the answers one after another, as `Engine.batch` says."""
        for place, request in enumerate(requests):
            for token in self.stream(request, cancelled=cancelled):
                if not take(place, token):
                    break

    def forget(self) -> None:
        """Drop adapters, the only thing kept; waits for the answer under way."""
        with self._turn:
            self._model.drop_adapters()

    @contextmanager
    def _taking_turns(self, cancelled: Callable[[], bool]) -> Iterator[None]:
        """Wait for the model, but no longer than the caller wants to."""
        while not self._turn.acquire(timeout=WAIT_S):
            stop_if(cancelled)
        try:
            yield
        finally:
            self._turn.release()
