"""A torch model as an OpenVINO graph that reads packed tokens: traced, made stateful, its attention made paged."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import AttentionInterface

from backends.generation.attention import refuse_other_kinds
from backends.generation.silent_openvino import (
    TorchScriptPythonDecoder,
    apply_make_stateful_transformation,
    compress_model_transformation,
    openvino,
    ops,
    paged_attention_transformation,
)
from backends.generation.slots import Layout

__all__ = ["ROWS", "Weights", "paged", "traced"]

ROWS = "rows"
"""Name of the input that says after which tokens logits are wanted."""

_EXPORT = "explicit_states"
_FIXED = ("input_ids", "attention_mask", "position_ids", ROWS)
_WEIGHT = ".weight"
_INT8_MOST = 127


class Weights:
    """The weights of a graph's linear layers, by the layers' names in the torch model.

    Args:
        graph: The graph, as `traced` makes it.
    """

    def __init__(self, graph: openvino.Model) -> None:
        self._nodes: dict[str, Any] = {}
        for node in graph.get_ops():
            name = node.get_friendly_name().removesuffix("_compressed")
            if (
                node.get_type_name() == "Constant"
                and name.startswith("self.model.")
                and name.endswith(_WEIGHT)
            ):
                self._nodes[name.removeprefix("self.model.").removesuffix(_WEIGHT)] = node

    def shape(self, name: str) -> tuple[int, ...] | None:
        """Return the shape of a layer's weights; None where there is no such linear layer."""
        node = self._nodes.get(name)
        shape = () if node is None else tuple(node.get_output_shape(0))
        return shape if len(shape) == 2 else None

    def add(self, name: str, change: np.ndarray[Any, Any]) -> None:
        """Add to a layer's weights: shape (out, in)."""
        node = self._nodes[name]
        changed = node.data.astype(np.float32) + change
        self._replace(name, ops.constant(changed.astype(node.data.dtype)))

    def quantize(self) -> None:
        """Turn all weights of two dimensions into 8-bit integers, with a scale for each row."""
        for name in [name for name in self._nodes if self.shape(name) is not None]:
            values = self._nodes[name].data.astype(np.float32)
            scale = np.maximum(np.abs(values).max(axis=1, keepdims=True), 1e-12) / _INT8_MOST
            steps = ops.constant(np.rint(values / scale).astype(np.int8))
            wide = ops.multiply(ops.convert(steps, "f16"), ops.constant(scale.astype(np.float16)))
            self._replace(name, wide)

    def _replace(self, name: str, other: Any) -> None:
        node = self._nodes[name]
        other.set_friendly_name(node.get_friendly_name())
        for consumer in node.output(0).get_target_inputs():
            consumer.replace_source_output(other.output(0))
        self._nodes[name] = other


def traced(model: Any, *, look_up_rotations: bool = False) -> openvino.Model:
    """Return the graph of a causal language model, with float16 weights and states for keys and values.

    Args:
        model: The torch model, in float32; its attention is replaced.
        look_up_rotations: Whether rotations are looked up by the position rather than computed from it: bfloat16
            holds no integers above 256, so that neighbours there would be taken for one another.
    """
    model.set_attn_implementation(_EXPORT)
    if look_up_rotations:
        _look_rotations_up(model)
    layout = Layout.of(model.config.get_text_config())
    heads, size = layout.heads, layout.size
    # Sizes that differ from each other, or the trace would take one for another.
    past = [torch.zeros(2, heads, 3, size) for _ in range(2 * layout.layers)]
    example = {
        "input_ids": torch.ones(2, 4, dtype=torch.long),
        "attention_mask": torch.ones(2, 7, dtype=torch.long),
        "position_ids": torch.arange(3, 7).expand(2, 4),
        "rows": torch.arange(1),
        "past": past,
    }
    with torch.no_grad(), warnings.catch_warnings(action="ignore"):  # of each size that the tracer looks at
        # Whether the trace computes as the model does is seen at load, by the logits of the whole.
        trace = TorchScriptPythonDecoder(
            _Explicit(model), example_input=example, trace_kwargs={"check_trace": False}
        )
        graph = openvino.convert_model(trace, example_input=example)
    states = [f"past.{index // 2}.{'key' if index % 2 == 0 else 'value'}" for index in range(len(past))]
    _name(graph, states, [-1, heads, -1, size])
    _make_stateful(graph, states, layout)
    compress_model_transformation(graph)
    return graph


def paged(graph: openvino.Model) -> openvino.Model:
    """Return a copy of a graph, its states replaced by inputs for blocks of keys and values."""
    copy = graph.clone()
    paged_attention_transformation(copy)
    return copy


class _Explicit(torch.nn.Module):
    """A model whose keys and values go in and out.

    Args:
        model: The causal language model.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model.train(False)

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        position_ids: torch.Tensor,
        rows: torch.Tensor,
        past: list[torch.Tensor],
    ) -> tuple[torch.Tensor, ...]:
        """Return the logits of some rows, and all keys and values.

        Once attention is paged, there is a row for each token, so rows are tokens then.
        """
        total, count = attention_mask.shape[1], input_ids.shape[1]
        seen = torch.arange(total)[None] <= (total - count + torch.arange(count))[:, None]
        allowed = seen[None, None] & (attention_mask != 0)[:, None, None]
        mask = torch.zeros(allowed.shape).masked_fill(~allowed, torch.finfo(torch.float32).min)
        states = _States(past, mask)
        hidden = self.model.get_decoder()(
            input_ids=input_ids, position_ids=position_ids, use_cache=False, parts=states
        ).last_hidden_state
        return self.model.get_output_embeddings()(hidden.index_select(0, rows)), *states.present


class _Rotations(torch.nn.Module):
    """A model's rotary embedding as a table.

    Args:
        computed: The embedding, which depends on nothing but the position.
        positions: How many there are.
    """

    def __init__(self, computed: torch.nn.Module, positions: int) -> None:
        super().__init__()
        with torch.no_grad():
            self._cosines, self._sines = (
                each[0] for each in computed(torch.zeros(1), torch.arange(positions)[None])
            )

    def forward(self, _x: torch.Tensor, position_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self._cosines[position_ids], self._sines[position_ids]


class _States:
    """Keys and values before and after a step, by layer in turns."""

    def __init__(self, past: Sequence[torch.Tensor], mask: torch.Tensor) -> None:
        self.past = past
        self.mask = mask
        self.present: list[torch.Tensor] = []


def _attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    _attention_mask: torch.Tensor | None,
    *,
    parts: _States,
    scaling: float | None = None,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    """Attend by the operations that OpenVINO makes paged attention of."""
    refuse_other_kinds(more)
    key = torch.cat([parts.past[2 * module.layer_idx], key], dim=2)
    value = torch.cat([parts.past[2 * module.layer_idx + 1], value], dim=2)
    parts.present += [key, value]
    groups = module.num_key_value_groups
    if groups > 1:
        key, value = _repeated(key, groups), _repeated(value, groups)
    attended = torch.nn.functional.scaled_dot_product_attention(
        query, key, value, attn_mask=parts.mask, scale=scaling
    )
    return attended.transpose(1, 2), None


def _repeated(states: torch.Tensor, groups: int) -> torch.Tensor:
    """Return a copy of each head for each query's head that shares it."""
    batch, heads, tokens, size = states.shape
    return (
        states[:, :, None]
        .expand(batch, heads, groups, tokens, size)
        .reshape(batch, heads * groups, tokens, size)
    )


def _look_rotations_up(model: Any) -> None:
    decoder = model.get_decoder()
    if getattr(decoder, "rotary_emb", None) is not None:
        positions = model.config.get_text_config().max_position_embeddings
        decoder.rotary_emb = _Rotations(decoder.rotary_emb, positions)


def _name(graph: openvino.Model, states: Sequence[str], shape: Sequence[int]) -> None:
    for port, name in zip(graph.inputs, (*_FIXED, *states), strict=True):
        port.get_tensor().set_names({name})
        node = port.get_node()
        node.set_friendly_name(name)
        open_shape = shape if name in states else [-1] if name == ROWS else [-1, -1]
        node.set_partial_shape(openvino.PartialShape(list(open_shape)))
    for port, name in zip(graph.outputs, ("logits", *(_present(name) for name in states)), strict=True):
        port.get_tensor().set_names({name})
    graph.validate_nodes_and_infer_types()


def _make_stateful(graph: openvino.Model, states: Sequence[str], layout: Layout) -> None:
    """Turn keys and values into states, as the transformation to paged attention looks for them."""
    order = ops.parameter([-1], openvino.Type.i32, name="beam_idx")
    order.output(0).get_tensor().add_names({"beam_idx"})
    graph.add_parameters([order])
    for name in states:
        port = graph.input(name)
        consumers = port.get_target_inputs()
        gathered = ops.gather(port, order, ops.constant(np.int64(0)))
        for consumer in consumers:
            consumer.replace_source_output(gathered.output(0))
    graph.validate_nodes_and_infer_types()
    apply_make_stateful_transformation(graph, {name: _present(name) for name in states})
    rows = ops.shape_of(graph.input("input_ids"), output_type="i64")
    batch = ops.gather(rows, ops.constant(np.array([0])), ops.constant(np.int64(0)))
    for node in graph.get_ops():
        if node.get_type_name() == "ReadValue":
            empty = ops.constant(np.array([layout.heads, 0, layout.size], dtype=np.int64))
            shape = ops.concat([batch, empty], axis=0)
            node.set_arguments([ops.broadcast(ops.constant(np.float32(0)), shape)])
    graph.validate_nodes_and_infer_types()


def _present(name: str) -> str:
    return name.replace("past", "present")


AttentionInterface.register(_EXPORT, _attend)
