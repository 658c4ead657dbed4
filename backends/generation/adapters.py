"""LoRA weights in a folder, checked before any model is touched."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.base import ModelError
from backends.models.hashes import file_states

if TYPE_CHECKING:
    import torch

__all__ = ["CONFIG", "WEIGHTS", "AdapterKey", "adapter_key", "check_adapter", "weight_changes"]

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
"""The files of an adapter, as PEFT names them."""

_PREFIX = "base_model.model."  # what PEFT puts before the names of the model's own modules
# Settings that say nothing of how the weights are applied; all others must be as in plain LoRA, alpha / r * B A, or
# the engines would not agree on it.
_PLAIN = frozenset(
    [
        "peft_type",
        "task_type",
        "auto_mapping",
        "peft_version",
        "base_model_name_or_path",
        "revision",
        "inference_mode",
        "r",
        "lora_alpha",
        "lora_dropout",
        "target_modules",
        "exclude_modules",
        "layers_to_transform",
        "layers_pattern",
        "fan_in_fan_out",
        "init_lora_weights",
        "runtime_config",
    ]
)
_INITS = (True, False, "gaussian", "eva", "orthogonal")  # others change the base model too
_KINDS = {
    "use_dora": "DoRA",
    "use_rslora": "rank-stabilised LoRA",
    "rank_pattern": "a rank pattern",
    "alpha_pattern": "an alpha pattern",
    "bias": "biases",
    "lora_bias": "biases",
    "modules_to_save": "whole modules",
}

AdapterKey = tuple[str, tuple[tuple[int, int], ...]]
"""An adapter's folder, with time and size of its files: a folder that was replaced is another adapter."""


def adapter_key(folder: Path) -> AdapterKey:
    """Return what no other state of an adapter has in common with this one.

    Raises:
        ModelError: The folder holds no adapter.
    """
    try:
        return str(folder.resolve()), file_states(folder, (CONFIG, WEIGHTS))
    except OSError as error:
        raise _no_adapter(folder, error) from error


@dataclass(frozen=True, slots=True)
class AdapterScale:
    """How strong an adapter is: its rank r and the alpha in alpha / r * B A."""

    rank: int
    alpha: float


def check_adapter(folder: Path, shape: Callable[[str], tuple[int, ...] | None]) -> AdapterScale:
    """Return the scale of an adapter that is plain LoRA and fits a model.

    Args:
        folder: The adapter's folder.
        shape: Tells the shape of a linear layer's weights by its name; None where there is none.

    Raises:
        ModelError: It is of another kind, or does not fit.
    """
    config = _config(folder)
    if (kind := config.get("peft_type")) != "LORA":
        raise ModelError(f"the adapter in {folder} is of type {kind}; only LORA can be used")
    if extras := _beyond_plain(config):
        raise ModelError(
            f"the adapter in {folder} uses {', '.join(extras)}; only plain LoRA can be used: train it again without"
        )
    try:
        scale = AdapterScale(int(config["r"]), float(config["lora_alpha"]))
    except (KeyError, TypeError, ValueError) as error:
        raise _no_adapter(folder, error) from error
    _check_weights(folder, scale.rank, shape)
    return scale


def weight_changes(folder: Path, scale: AdapterScale) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield what an adapter that was checked adds to each layer's weights, in float32: shape (out, in).

    Args:
        folder: The adapter's folder.
        scale: Its scale, as `check_adapter` returns it.
    """
    from safetensors.torch import load_file

    parts = {_layer_and_part(name): weights.float() for name, weights in load_file(folder / WEIGHTS).items()}
    for (layer, part), down in parts.items():
        if part == "A.weight":
            yield layer, parts[layer, "B.weight"] @ down * (scale.alpha / scale.rank)


def _beyond_plain(config: Mapping[str, Any]) -> list[str]:
    """Return what makes an adapter more than plain LoRA, in words."""
    from peft import LoraConfig

    plain = LoraConfig().to_dict()  # type: ignore[no-untyped-call]
    found = [
        _KINDS.get(name, name) for name in config if name not in _PLAIN and config[name] != plain.get(name)
    ]
    if config.get("init_lora_weights", True) not in _INITS:
        found.append(f"weights begun by {config['init_lora_weights']}")
    return found


def _check_weights(folder: Path, rank: int, shape: Callable[[str], tuple[int, ...] | None]) -> None:
    """Refuse weights that are not those of the model's own layers at this rank."""
    layers: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, size in _weights(folder).items():
        layer, part = _layer_and_part(name)
        if part not in ("A.weight", "B.weight") or not layer:
            raise ModelError(
                f"the adapter in {folder} has weights other than LoRA's ({name}); train it again"
            )
        layers.setdefault(layer, {})[part[0]] = size
    if not layers:
        raise ModelError(f"the adapter in {folder} has no weights; train it again")
    for layer, parts in layers.items():
        base = shape(layer)
        if base is None:
            raise ModelError(
                f"the adapter in {folder} has weights for other layers than the model has ({layer}); "
                "use it with the model it was trained on"
            )
        down, up = parts.get("A", ()), parts.get("B", ())
        if down[:1] != (rank,) or up[1:] != (rank,) or sorted((*up[:1], *down[1:])) != sorted(base):
            raise ModelError(
                f"the adapter in {folder} does not fit the model: {layer} has {base}, "
                f"the adapter {down} and {up} at rank {rank}; use it with the model it was trained on"
            )


def _layer_and_part(name: str) -> tuple[str, str]:
    """Return the layer that weights belong to by their name, and which of its matrices they are."""
    layer, _, part = name.removeprefix(_PREFIX).rpartition(".lora_")
    return layer, part


def _config(folder: Path) -> Mapping[str, Any]:
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _no_adapter(folder, error) from error
    if not isinstance(config, Mapping):
        raise _no_adapter(folder, f"{CONFIG} holds no object")
    return config


def _weights(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the weights, by their names."""
    import safetensors

    try:
        with safetensors.safe_open(folder / WEIGHTS, framework="numpy") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (OSError, safetensors.SafetensorError) as error:
        raise _no_adapter(folder, error) from error


def _no_adapter(folder: Path, why: object) -> ModelError:
    return ModelError(
        f"{folder} holds no adapter ({CONFIG} and {WEIGHTS}): {why}; name the folder of a tuned adapter"
    )
