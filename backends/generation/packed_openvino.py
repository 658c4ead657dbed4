"""Packed tokens by OpenVINO: weights of 16 or 8 bits, arithmetic in float32 or bfloat16, keys and values in blocks.

An adapter is added to the weights of a copy of the graph, so that it costs
nothing more a token; in turn it takes the memory of a model, and a second or
two to make.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from backends.generation.adapters import AdapterKey, adapter_key, check_adapter, weight_changes
from backends.generation.openvino_graph import ROWS, Weights, paged, traced
from backends.generation.packed import Slot, Span
from backends.generation.prefixes import PIECE_TOKENS
from backends.generation.silent_openvino import openvino

__all__ = ["PackedOpenVINO"]

_ADAPTERS = 4  # kept at hand, the least recently used dropped first; each takes as much as the model
_CACHE_BYTES = 2 << 30


class PackedOpenVINO:
    """A model as a graph; implements `backends.generation.packed.PackedModel`.

    Args:
        model: The torch model, in float32; no longer of use to the caller.
        int8: Whether weights are 8-bit integers rather than float16.
        bfloat16: Whether to compute in bfloat16 rather than float32, and keep keys and values so.
        cache_bytes: Memory for keys and values of requests under way.

    Raises:
        RuntimeError: The model cannot be made such a graph; also other exceptions of the tracing.
    """

    def __init__(
        self, model: Any, *, int8: bool = False, bfloat16: bool = False, cache_bytes: int = _CACHE_BYTES
    ) -> None:
        version = openvino.__version__.partition("-")[0]
        precision = "int8 weights" if int8 else "float16 weights"
        self.name = f"openvino {version}, {precision}{', bfloat16' if bfloat16 else ''}"
        self._int8 = int8
        self._type = openvino.Type.bf16 if bfloat16 else openvino.Type.f32
        self._graph = traced(model, look_up_rotations=bfloat16)
        self._core = openvino.Core()
        plain = self._compiled(self._graph)
        self._blocks = _Blocks(plain, self._type, cache_bytes)
        self._blocks.give(plain)
        # In bfloat16 a token alone is computed otherwise than beside others, however many: it is never alone.
        self._beside = self._blocks.take(1) if bfloat16 else None
        self._building = threading.Lock()
        self._ready = threading.Lock()
        self._requests: OrderedDict[AdapterKey | None, Any] = OrderedDict({None: plain})

    def prepare(self, adapter: Path | None) -> None:
        """Add an adapter to a copy of the weights, where that was not done before."""
        if adapter is not None:
            self._have(adapter)

    def load(self, adapter: Path | None, used: Collection[AdapterKey | None] = ()) -> AdapterKey | None:
        """Have an adapter at hand, as `PackedModel.load` says."""
        if adapter is None:
            return None
        key = self._have(adapter)
        with self._ready:
            self._requests.move_to_end(key)
            idle = [each for each in self._requests if each not in {None, key, *used}]
            replaced = [each for each in idle if each is not None and each[0] == key[0]]
            excess = idle[: max(0, len(self._requests) - 1 - _ADAPTERS)]
            for each in {*replaced, *excess}:
                del self._requests[each]
        return key

    def drop_adapters(self, used: Collection[AdapterKey | None] = ()) -> None:
        """Forget all adapters but these."""
        with self._ready:
            for each in [each for each in self._requests if each is not None and each not in used]:
                del self._requests[each]

    def take(self, tokens: int) -> Slot | None:
        """Return a slot, as `PackedModel.take` says."""
        return self._blocks.take(tokens)

    def release(self, slot: Slot) -> None:
        """Give a slot back."""
        self._blocks.release(cast("_Slot", slot))

    def read(self, spans: Sequence[Span]) -> torch.Tensor:
        """Read spans, as `PackedModel.read` says: those of one adapter in one step."""
        found: dict[int, torch.Tensor] = {}
        for adapter in dict.fromkeys(span.adapter for span in spans):
            places = [place for place, span in enumerate(spans) if span.adapter == adapter]
            found |= self._read(adapter, {place: spans[place] for place in places})
        return torch.stack([found[place] for place in sorted(found)]) if found else torch.empty(0, 0)

    def _read(self, adapter: AdapterKey | None, spans: dict[int, Span]) -> dict[int, torch.Tensor]:
        """Read spans of one adapter; return the logits of those wanted, by their place."""
        with self._ready:
            request = self._requests[adapter]
        members = list(spans.values())
        if self._beside is not None and sum(len(span.tokens) for span in members) == 1:
            members.append(Span(self._beside, members[0].tokens, wanted=False))
        lengths = [span.slot.length for span in members]
        counts = [len(span.tokens) for span in members]
        ends = np.cumsum(counts)
        blocks = [
            cast("_Slot", span.slot).blocks_of(length + count)
            for span, length, count in zip(members, lengths, counts, strict=True)
        ]
        wanted = [place for place, span in spans.items() if span.wanted]
        rows = [int(end) - 1 for end, span in zip(ends, members, strict=True) if span.wanted]
        inputs = {
            "input_ids": np.array([token for span in members for token in span.tokens], dtype=np.int64),
            "position_ids": np.concatenate(
                [np.arange(length, length + count) for length, count in zip(lengths, counts, strict=True)]
            ),
            "past_lens": np.array(lengths, dtype=np.int32),
            "subsequence_begins": np.array([0, *ends], dtype=np.int32),
            "block_indices": np.array([block for each in blocks for block in each], dtype=np.int32),
            "block_indices_begins": np.cumsum([0, *map(len, blocks)]).astype(np.int32),
            "max_context_len": np.array(max(map(sum, zip(lengths, counts, strict=True))), dtype=np.int32),
            ROWS: np.array(rows or [0], dtype=np.int64),
        }
        for name, values in inputs.items():
            request.set_tensor(name, openvino.Tensor(values))
        request.infer()
        logits = torch.from_numpy(request.get_output_tensor(0).data.copy()).flatten(0, -2)
        return dict(zip(wanted, logits, strict=False))

    def _have(self, adapter: Path) -> AdapterKey:
        """Make a model with an adapter where there is none, and return what to call it."""
        key = adapter_key(adapter)
        with self._building:
            with self._ready:
                there = key in self._requests
            if not there:
                made = self._adapted(adapter)
                with self._ready:
                    self._requests[key] = made
        return key

    def _adapted(self, folder: Path) -> Any:
        """Return a request to the model with an adapter in its weights."""
        graph = self._graph.clone()
        weights = Weights(graph)
        scale = check_adapter(folder, weights.shape)
        for layer, change in weight_changes(folder, scale):
            weights.add(layer, change.numpy())
        made = self._compiled(graph)
        self._blocks.give(made)
        return made

    def _compiled(self, graph: openvino.Model) -> Any:
        if self._int8:
            graph = graph.clone()
            Weights(graph).quantize()
        precision = self._type.to_string()
        properties = {
            "INFERENCE_PRECISION_HINT": precision,
            "KV_CACHE_PRECISION": precision,
            "PERFORMANCE_HINT": "LATENCY",
        }
        return self._core.compile_model(paged(graph), "CPU", properties).create_infer_request()


class _Blocks:
    """Keys and values of all requests, in blocks of some tokens each.

    Args:
        request: To a compiled model; its inputs say how blocks look.
        kind: Type of the numbers.
        limit_bytes: Memory of all blocks.
    """

    def __init__(self, request: Any, kind: openvino.Type, limit_bytes: int) -> None:
        inputs = {port.get_any_name(): port for port in request.model_inputs}
        shapes = {
            name: [size.get_length() for size in list(port.get_partial_shape())[1:]]
            for name, port in inputs.items()
            if name.startswith(("key_cache.", "value_cache."))
        }
        sizes = set(map(tuple, shapes.values()))
        _, tokens, _ = next(iter(sizes))
        if len(sizes) != 1 or PIECE_TOKENS % tokens:
            raise RuntimeError(f"blocks of {sizes} cannot be kept piece by piece")
        self.tokens = tokens
        self._kind = kind
        stands_for = np.dtype(np.uint16) if kind == openvino.Type.bf16 else np.dtype(np.float32)
        number = limit_bytes // sum(stands_for.itemsize * int(np.prod(shape)) for shape in shapes.values())
        self.arrays = {name: np.zeros((number, *shape), stands_for) for name, shape in shapes.items()}
        self._free = list(range(number - 1, -1, -1))

    def give(self, request: Any) -> None:
        """Have a request to a model use these blocks."""
        for name, array in self.arrays.items():
            shape = openvino.Shape(list(array.shape))
            request.set_tensor(
                name, openvino.Tensor(array, shape, self._kind)
            )  # no copy: its memory is shared

    def take(self, tokens: int) -> _Slot | None:
        """Return a slot for so many tokens; None where too few blocks are free."""
        count = -(-tokens // self.tokens)
        if count > len(self._free):
            return None
        return _Slot(self, [self._free.pop() for _ in range(count)])

    def release(self, slot: _Slot) -> None:
        """Take the blocks of a slot back."""
        self._free.extend(reversed(slot.blocks))


class _Slot:
    """The blocks of one request; implements `backends.generation.packed.Slot`."""

    def __init__(self, owner: _Blocks, blocks: list[int]) -> None:
        self.length = 0
        self.blocks = blocks
        self._owner = owner

    def blocks_of(self, tokens: int) -> list[int]:
        """Return the blocks that hold so many tokens."""
        return self.blocks[: -(-tokens // self._owner.tokens)]

    def write(self, states: torch.Tensor) -> None:
        """Put the states of further tokens in, as `copy` returned them."""
        start = self.length // self._owner.tokens
        places = self.blocks[start : start + states.shape[1]]
        for array, values in zip(self._owner.arrays.values(), states.numpy(), strict=True):
            array[places] = values
        self.length += len(places) * self._owner.tokens

    def copy(self, start: int, end: int) -> torch.Tensor:
        """Return the states of whole blocks: shape (arrays, blocks, heads, tokens, size)."""
        places = self.blocks[start // self._owner.tokens : end // self._owner.tokens]
        return torch.from_numpy(np.stack([array[places] for array in self._owner.arrays.values()]))
