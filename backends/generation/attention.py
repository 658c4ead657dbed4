"""Attention for packed tokens: one row holds tokens of many requests, and each attends to its own request alone.

The layers around attention see one long row without padding. Attention goes
part by part: the requests of a pool that write take one token each in one
call, and a piece of a prompt is a part of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from backends.generation.slots import Pool, Slot

__all__ = ["PACKED", "Part", "Reading", "Writing", "refuse_other_kinds"]

PACKED = "packed_slots"
"""Name of this attention, as transformers knows it."""

_OTHER_KINDS = ("sliding_window", "softcap", "s_aux")


class Part(Protocol):
    """Neighbouring tokens of a row that attend together."""

    count: int

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float | None
    ) -> torch.Tensor:
        """Remember keys and values, and return what the tokens attend to.

        Args:
            layer: Which layer's attention.
            query: Shape (tokens, heads, size).
            key: Shape (tokens, heads of keys, size).
            value: As `key`.
            scaling: Factor of the products; that of the head's size where None.

        Returns:
            Shape (tokens, heads, size).
        """
        ...


class Writing:
    """One token each of requests in one pool: what they wrote last.

    Args:
        pool: The pool.
        slots: Theirs, by their index.
    """

    def __init__(self, pool: Pool, slots: Sequence[Slot]) -> None:
        self.count = len(slots)
        self._pool = pool
        self._indices = torch.tensor([slot.index for slot in slots])
        self._lengths = torch.tensor([slot.length for slot in slots])
        self._top = slots[-1].index + 1
        self._width = max(slot.length for slot in slots) + 1
        self._gaps = self._top != self.count  # of requests that still read
        lengths = torch.zeros(self._top, dtype=torch.long)
        lengths[self._indices] = self._lengths
        mask = torch.arange(self._width) <= lengths[:, None]
        self._mask = None if bool(mask.all()) else mask[:, None, None]

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float | None
    ) -> torch.Tensor:
        """Attend for all requests in one call, as `Part.attend` says."""
        keys, values = self._pool.data[layer]
        keys[self._indices, :, self._lengths] = key
        values[self._indices, :, self._lengths] = value
        # The heads that share keys stand for tokens that attend to the same: without copies of the keys.
        grouped = query.reshape(self.count, key.shape[1], -1, query.shape[2])
        if self._gaps:
            spread = grouped.new_zeros(self._top, *grouped.shape[1:])
            spread[self._indices] = grouped
            grouped = spread
        attended = scaled_dot_product_attention(
            grouped,
            keys[: self._top, :, : self._width],
            values[: self._top, :, : self._width],
            attn_mask=self._mask,
            scale=scaling,
        )
        return (attended[self._indices] if self._gaps else attended).reshape(query.shape)


class Reading:
    """A piece of one request's prompt.

    Args:
        slot: The request's.
        count: Tokens in the piece.
    """

    def __init__(self, slot: Slot, count: int) -> None:
        self.count = count
        self._slot = slot
        self._start, self._end = slot.length, slot.length + count
        self._mask = (
            torch.ones(count, self._end, dtype=torch.bool).tril(self._start)
            if self._start and count > 1
            else None
        )

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float | None
    ) -> torch.Tensor:
        """Attend to what was read before and to the piece up to each token, as `Part.attend` says."""
        keys, values = self._slot.pool.data[layer, :, self._slot.index, :, : self._end]
        keys[:, self._start :] = key.transpose(0, 1)
        values[:, self._start :] = value.transpose(0, 1)
        attended = scaled_dot_product_attention(
            query.transpose(0, 1)[None],
            keys[None],
            values[None],
            attn_mask=self._mask,
            is_causal=self._mask is None and self.count > 1,
            scale=scaling,
            enable_gqa=True,
        )
        return attended[0].transpose(0, 1)


def refuse_other_kinds(told: Mapping[str, Any]) -> None:
    """Raise NotImplementedError where attention is not to all tokens before, or not by the usual weights.

    Args:
        told: What transformers tells an attention by name.
    """
    if kinds := [name for name in _OTHER_KINDS if told.get(name) is not None]:
        raise NotImplementedError(f"attention with {', '.join(kinds)} cannot read packed tokens")


def _attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    parts: Sequence[Part],
    scaling: float | None = None,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    """Attend part by part, as transformers calls an attention.

    Args:
        module: The layer's attention.
        query: Shape (1, heads, tokens, size) for one row of all tokens, or (tokens, heads, 1, size)
            for a row a token, as PEFT needs them to tell adapters apart.
        key: The same of the heads of keys.
        value: As `key`.
        attention_mask: None, since parts know what their tokens may see.
        parts: What the tokens are, in their order.
        scaling: Factor of the products.
        more: What else transformers tells.

    Returns:
        Shape (rows, tokens a row, heads, size), and None.
    """
    if attention_mask is not None:
        raise NotImplementedError("packed attention has no masks")
    refuse_other_kinds(more)
    a_row_each = query.shape[2] == 1
    queries, keys, values = (
        each[:, :, 0] if a_row_each else each[0].transpose(0, 1) for each in (query, key, value)
    )
    found, start = [], 0
    for part in parts:
        rows = slice(start, start + part.count)
        found.append(part.attend(module.layer_idx, queries[rows], keys[rows], values[rows], scaling))
        start = rows.stop
    attended = torch.cat(found)
    return attended[:, None] if a_row_each else attended[None], None


AttentionInterface.register(PACKED, _attend)
