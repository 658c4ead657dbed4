"""Keys and values of many requests, laid out so that one call attends for all that write.

A request has a slot in the pool of its capacity, a power of two that holds its
prompt and all that it may write. A pool keeps its slots without gaps: whoever
leaves is replaced by the last one.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from transformers import PreTrainedConfig

__all__ = ["Layout", "Pool", "Slot", "Slots"]

_LEAST_CAPACITY = 128


@dataclass(frozen=True, slots=True)
class Layout:
    """What a model remembers of a token: keys and values of `heads` heads of `size` numbers in each layer."""

    layers: int
    heads: int
    size: int

    @classmethod
    def of(cls, config: PreTrainedConfig) -> Layout:
        """Return what the model of a configuration remembers."""
        size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        return cls(config.num_hidden_layers, heads, size)

    @property
    def token_bytes(self) -> int:
        """Bytes of a token in float32."""
        return 2 * 4 * self.layers * self.heads * self.size


class Slot:
    """One request's place.

    Attributes:
        pool: Where it is.
        index: Which slot of the pool; changes when others leave.
        length: Tokens that are in it.
    """

    __slots__ = ("index", "length", "pool")

    def __init__(self, pool: Pool, index: int) -> None:
        self.pool = pool
        self.index = index
        self.length = 0

    def write(self, states: torch.Tensor) -> None:
        """Put the states of further tokens in: shape (layers, 2, heads, tokens, size)."""
        end = self.length + states.shape[3]
        self.pool.data[:, :, self.index, :, self.length : end] = states
        self.length = end

    def copy(self, start: int, end: int) -> torch.Tensor:
        """Return the states of some tokens, as `write` takes them."""
        return self.pool.data[:, :, self.index, :, start:end].clone()


class Pool:
    """Slots of one capacity.

    Attributes:
        capacity: Tokens a slot.
        data: Shape (layers, 2, slots, heads, capacity, size). Zero where nothing was
            written: a masked product with what was there before could be no number.
        taken: The slots in use, by their index.
    """

    def __init__(self, layout: Layout, capacity: int) -> None:
        self.capacity = capacity
        self.taken: list[Slot] = []
        self.data = torch.zeros(layout.layers, 2, 1, layout.heads, capacity, layout.size)

    @property
    def places(self) -> int:
        """Slots there are, in use or not."""
        return self.data.shape[2]

    def take(self) -> Slot:
        """Return a slot that is free, making as many more as there are where none is."""
        if len(self.taken) == self.places:
            self.data = torch.cat([self.data, torch.zeros_like(self.data)], dim=2)
        slot = Slot(self, len(self.taken))
        self.taken.append(slot)
        return slot

    def release(self, slot: Slot) -> None:
        """Give a slot back."""
        last = self.taken.pop()
        if last is not slot:
            self.data[:, :, slot.index, :, : last.length] = self.data[:, :, last.index, :, : last.length]
            self.taken[slot.index], last.index = last, slot.index


class Slots:
    """All pools, within a bound of memory.

    Args:
        layout: What the model remembers of a token.
        limit_bytes: Memory of the pools; one request alone may take more.
    """

    def __init__(self, layout: Layout, limit_bytes: int) -> None:
        self._layout = layout
        self._limit_bytes = limit_bytes
        self._pools: dict[int, Pool] = {}

    def take(self, tokens: int) -> Slot | None:
        """Return a slot for so many tokens; None where there is no room while others hold theirs."""
        capacity = max(_LEAST_CAPACITY, 1 << (tokens - 1).bit_length())
        pool = self._pools.get(capacity)
        if self._pools and self._bytes_with(capacity, pool) > self._limit_bytes:
            return None
        if pool is None:
            pool = self._pools[capacity] = Pool(self._layout, capacity)
        return pool.take()

    def release(self, slot: Slot) -> None:
        """Give a slot back, and the pool's memory with its last one."""
        slot.pool.release(slot)
        if not slot.pool.taken:
            del self._pools[slot.pool.capacity]

    def _bytes_with(self, capacity: int, pool: Pool | None) -> int:
        """Return the memory of all pools after one more slot is taken in a pool."""
        more = 1 if pool is None else pool.places if len(pool.taken) == pool.places else 0
        tokens = sum(each.places * each.capacity for each in self._pools.values()) + more * capacity
        return tokens * self._layout.token_bytes
