"""Models that read tokens of many requests in one step, each request's own after what it read before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from backends.generation.adapters import AdapterKey

if TYPE_CHECKING:
    import torch

__all__ = ["PackedModel", "Slot", "Span", "agrees", "sample_prompts"]

_PIECE = 16
_SAMPLE = (5, 11)  # where the tokens of the two prompts that are compared begin


class Slot(Protocol):
    """Where a model remembers the tokens of one request.

    Attributes:
        length: Tokens that it holds.
    """

    length: int

    def write(self, states: torch.Tensor) -> None:
        """Put the states of further tokens in, as `copy` returned them."""
        ...

    def copy(self, start: int, end: int) -> torch.Tensor:
        """Return the states of some tokens, in a shape of the model's own."""
        ...


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbouring tokens of one request.

    Attributes:
        slot: Where what stands before them is remembered.
        tokens: The tokens.
        adapter: What they are read with.
        wanted: Whether the token after them is.
    """

    slot: Slot
    tokens: Sequence[int]
    adapter: AdapterKey | None = None
    wanted: bool = True


class PackedModel(Protocol):
    """A model that reads spans; not safe to share between threads, but for `prepare`.

    Attributes:
        name: What computes and how precisely.
    """

    name: str

    def prepare(self, adapter: Path | None) -> None:
        """Do what takes long before an adapter can be loaded, in the thread of who asks for it.

        Raises:
            ModelError: It cannot be read or does not fit.
        """
        ...

    def load(self, adapter: Path | None, used: Collection[AdapterKey | None] = ()) -> AdapterKey | None:
        """Have an adapter at hand, and return what to call it; `used` must stay.

        Raises:
            ModelError: It cannot be read or does not fit; the others are as before.
        """
        ...

    def drop_adapters(self, used: Collection[AdapterKey | None] = ()) -> None:
        """Forget all adapters but these."""
        ...

    def take(self, tokens: int) -> Slot | None:
        """Return a slot for so many tokens; None where there is no room while others hold theirs."""
        ...

    def release(self, slot: Slot) -> None:
        """Give a slot back."""
        ...

    def read(self, spans: Sequence[Span]) -> torch.Tensor:
        """Read spans of different requests, and remember them; their slots' lengths are the caller's to change.

        Returns:
            The logits after the spans that are wanted, in their order: shape (wanted, vocabulary).
        """
        ...


def sample_prompts(vocabulary: int, least: int = 2 * _PIECE) -> list[list[int]]:
    """Return two prompts by which `agrees` tells models apart.

    Args:
        vocabulary: How many different tokens there are.
        least: Tokens that a prompt has at least.
    """
    return [[(start + 7 * place) % vocabulary for place in range(least + 1)] for start in _SAMPLE]


def agrees(
    model: PackedModel, prompts: Sequence[Sequence[int]], expected: torch.Tensor, tolerance: float
) -> bool:
    """Return whether a model says of packed tokens what is expected after `sample_prompts`.

    Two requests are read in pieces side by side, and take a token together.

    Args:
        model: The model.
        prompts: The prompts, of one length.
        expected: The logits after each: shape (2, vocabulary).
        tolerance: Most that a logit may differ.
    """
    slots = [slot for prompt in prompts if (slot := model.take(len(prompt))) is not None]
    try:
        found = None
        length = len(prompts[0])
        piece = max(_PIECE, length // 4)
        for start in range(0, length, piece):
            spans = [
                Span(slot, prompt[start : start + piece], wanted=start + piece >= length)
                for slot, prompt in zip(slots, prompts, strict=True)
            ]
            found = model.read(spans)
            for span in spans:
                span.slot.length += len(span.tokens)
    finally:
        for slot in slots:
            model.release(slot)
    return (
        found is not None
        and found.shape == expected.shape
        and bool(((found - expected).abs() < tolerance).all())
    )
