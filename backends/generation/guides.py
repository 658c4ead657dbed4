"""An answer kept to its form: which tokens may come next, and when it is complete."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import llguidance.hf
import numpy as np
import torch
from llguidance import LLMatcher

from backends.base import ModelError, QuestionError
from backends.generation.grammars import LIMITS, Form, grammar_of

__all__ = ["Guide", "Guides"]


class Guide:
    """Says of one answer, as it is written, which tokens its form allows.

    Not safe to share between threads. Its work for a token takes a tenth of a
    millisecond with 50,000 tokens, and is bounded by the library to tens of milliseconds.

    Args:
        matcher: The form over the tokens of a model.
        stop: Tokens that end the answer.

    Attributes:
        complete: Whether the form is complete, and nothing can follow.
    """

    def __init__(self, matcher: LLMatcher, stop: Collection[int]) -> None:
        self._matcher = matcher
        self._stop = sorted(stop)
        self.complete = False

    def allow(self, logits: torch.Tensor) -> torch.Tensor:
        """Return logits with those of tokens that are not allowed at minus infinity: shape (vocabulary,).

        Raises:
            QuestionError: The form lets nothing follow, or is too complex to go on with.
        """
        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        allowed = np.zeros(len(logits), dtype=bool)
        known = np.unpackbits(bits, bitorder="little")[: len(logits)]
        allowed[: len(known)] = known
        allowed[self._stop] = self._matcher.is_accepting()
        if self._matcher.is_error() or not allowed.any():
            raise QuestionError(
                "the answer cannot go on by its output schema "
                f"({_first_line(self._matcher.get_error()) or 'no value follows it here'}); simplify the schema"
            )
        # By numpy: for a single row, torch's threads take longer to wake than to fill it.
        return torch.from_numpy(np.where(allowed, logits.numpy(), np.float32(-np.inf)))

    def take(self, token: int) -> None:
        """Take the token that was chosen."""
        if token not in self._stop:
            self._matcher.consume_token(token)
            self.complete = self._matcher.is_stopped() and not self._matcher.is_error()


class Guides:
    """Makes guides for one model; safe to call from several threads.

    Args:
        tokenizer: The model's, as transformers loads it.

    Raises:
        ModelError: The tokenizer is of an old kind.
    """

    def __init__(self, tokenizer: Any) -> None:
        try:
            self._tokens = llguidance.hf.from_tokenizer(tokenizer)
        except ValueError as error:
            raise ModelError(
                f"the tokenizer of this model cannot keep an answer to a form: {error}; "
                "ask without labels and output schema, or name another model"
            ) from error

    def guide(self, form: Form, stop: Collection[int]) -> Guide:
        """Return what keeps an answer to a form.

        Args:
            form: The form.
            stop: Tokens that end the answer; allowed where the form is complete.

        Raises:
            QuestionError: The form cannot be followed.
        """
        matcher = LLMatcher(self._tokens, grammar_of(form), limits=LIMITS, log_level=0)
        if matcher.is_error():
            raise QuestionError(
                f"the form of the answer cannot be followed: {_first_line(matcher.get_error())}; change it"
            )
        return Guide(matcher, stop)


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
