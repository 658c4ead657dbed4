"""Packed tokens by torch: one row of them through the model, attention part by part."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby
from pathlib import Path
from typing import cast

import torch

from backends.generation.adapters import AdapterKey
from backends.generation.attention import Part, Reading, Writing
from backends.generation.model import LoadedModel
from backends.generation.packed import Slot, Span, agrees, sample_prompts
from backends.generation.slots import Layout, Slots
from backends.generation.slots import Slot as PoolSlot

__all__ = ["PackedTorch", "reads_packed"]

_SLOT_BYTES = 2 << 30
_TOLERANCE = 1e-3  # of logits; rounding stays below 1e-4, and what a model does otherwise is far above


class PackedTorch:
    """A model in memory; implements `backends.generation.packed.PackedModel`.

    Args:
        model: The model, no longer the caller's.
        slot_bytes: Memory for what it remembers of requests under way.
    """

    name = "torch float32"

    def __init__(self, model: LoadedModel, *, slot_bytes: int = _SLOT_BYTES) -> None:
        self._model = model
        self._slots = Slots(Layout.of(model.config), slot_bytes)
        model.pack(packed=True)

    def prepare(self, adapter: Path | None) -> None:
        """Do nothing: adapters load in no time."""

    def load(self, adapter: Path | None, used: Collection[AdapterKey | None] = ()) -> AdapterKey | None:
        """Have an adapter at hand, as `PackedModel.load` says."""
        return self._model.load(adapter, used)

    def drop_adapters(self, used: Collection[AdapterKey | None] = ()) -> None:
        """Forget all adapters but these."""
        self._model.drop_adapters(used)

    def take(self, tokens: int) -> Slot | None:
        """Return a slot, as `PackedModel.take` says."""
        return self._slots.take(tokens)

    def release(self, slot: Slot) -> None:
        """Give a slot back."""
        self._slots.release(cast("PoolSlot", slot))

    def read(self, spans: Sequence[Span]) -> torch.Tensor:
        """Read spans, as `PackedModel.read` says: first those who write, pool by pool."""
        order = sorted(range(len(spans)), key=lambda place: _key(spans[place]))
        packed = [spans[place] for place in order]
        parts: list[Part] = []
        for (reading, *_), members in groupby(packed, key=lambda span: _key(span)[:2]):
            placed = [(_slot(span), len(span.tokens)) for span in members]
            if reading:
                parts.extend(Reading(slot, count) for slot, count in placed)
            else:
                parts.append(Writing(placed[0][0].pool, [slot for slot, _ in placed]))
        tokens = [token for span in packed for token in span.tokens]
        positions = [span.slot.length + at for span in packed for at in range(len(span.tokens))]
        adapters = [span.adapter for span in packed for _ in span.tokens]
        rows, ends, end = [], [], 0
        for place, span in zip(order, packed, strict=True):
            end += len(span.tokens)
            if span.wanted:
                rows.append(place)
                ends.append(end - 1)
        logits = self._model.read_packed(tokens, positions, parts, ends, adapters)
        return logits[torch.tensor(rows, dtype=torch.long).argsort()]


def reads_packed(model: LoadedModel) -> bool:
    """Return whether a model says the same of packed tokens as of one request's, and can pack them."""
    if not model.can_pack():
        return False
    prompts = sample_prompts(model.config.vocab_size)
    expected = model.read_alone(prompts)
    try:
        return agrees(PackedTorch(model), prompts, expected, _TOLERANCE)
    except (NotImplementedError, TypeError, ValueError, RuntimeError, AttributeError, IndexError):
        return False
    finally:
        model.pack(packed=False)


def _key(span: Span) -> tuple[bool, int, int]:
    """Return what spans are put in order by: those who write first, by pool and slot."""
    slot = _slot(span)
    reading = len(span.tokens) > 1 or slot.length == 0
    return (True, 0, 0) if reading else (False, slot.pool.capacity, slot.index)


def _slot(span: Span) -> PoolSlot:
    return cast("PoolSlot", span.slot)  # what `take` returned
