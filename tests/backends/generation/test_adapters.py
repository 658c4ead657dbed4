"""Adapters that can be used, and what is said of those that cannot."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from backends.base import ModelError
from backends.generation.adapters import AdapterScale, adapter_key, check_adapter

SHAPES = {
    f"model.layers.{layer}.{name}": shape
    for layer in (0, 1)
    for name, shape in {
        "self_attn.q_proj": (32, 32),
        "self_attn.k_proj": (16, 32),
        "self_attn.v_proj": (16, 32),
        "self_attn.o_proj": (32, 32),
        "mlp.gate_proj": (64, 32),
        "mlp.up_proj": (64, 32),
        "mlp.down_proj": (32, 64),
    }.items()
}


@pytest.fixture
def folder(tiny_adapters: tuple[Path, Path], tmp_path: Path) -> Path:
    """Return a copy of an adapter that fits."""
    return Path(shutil.copytree(tiny_adapters[0], tmp_path / "adapter"))


def configure(folder: Path, **values: Any) -> None:
    """Change the configuration of an adapter."""
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_plain_adapter(folder: Path) -> None:
    """It tells how strong it is."""
    assert check_adapter(folder, SHAPES.get) == AdapterScale(rank=4, alpha=8.0)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"peft_type": "LOHA"}, "of type LOHA; only LORA"),
        ({"use_dora": True}, "uses DoRA"),
        ({"use_rslora": True}, "uses rank-stabilised LoRA"),
        ({"rank_pattern": {"q_proj": 2}}, "uses a rank pattern"),
        ({"alpha_pattern": {"q_proj": 2}}, "uses an alpha pattern"),
        ({"bias": "all"}, "uses biases"),
        ({"modules_to_save": ["lm_head"]}, "uses whole modules"),
        ({"alora_invocation_tokens": [1]}, "uses alora_invocation_tokens"),
        ({"init_lora_weights": "pissa"}, "uses weights begun by pissa"),
        ({"r": 8}, "does not fit the model: .* at rank 8"),
        ({"r": None}, "holds no adapter"),
    ],
)
def test_another_kind_is_refused(folder: Path, values: dict[str, Any], said: str) -> None:
    """The message says what it is, and what to do."""
    configure(folder, **values)
    with pytest.raises(ModelError, match=said):
        check_adapter(folder, SHAPES.get)


def test_an_adapter_of_a_larger_model(folder: Path) -> None:
    """Layers of other sizes are told with both sizes."""
    larger = {name: tuple(2 * each for each in shape) for name, shape in SHAPES.items()}
    with pytest.raises(ModelError, match=r"does not fit the model: .* has \(\d+, \d+\), the adapter"):
        check_adapter(folder, larger.get)


def test_an_adapter_of_a_deeper_model(folder: Path) -> None:
    """A layer that the model does not have is named."""
    shallow = {name: shape for name, shape in SHAPES.items() if "layers.0" in name}
    with pytest.raises(ModelError, match=r"for other layers than the model has \(model.layers.1"):
        check_adapter(folder, shallow.get)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("adapter_config.json", b"{"),
        ("adapter_config.json", b"[]"),
        ("adapter_model.safetensors", b"pickled"),
        ("adapter_model.safetensors", b""),
    ],
)
def test_damaged_files(folder: Path, name: str, content: bytes) -> None:
    """They make no adapter."""
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match="holds no adapter"):
        check_adapter(folder, SHAPES.get)


def test_weights_of_another_method(folder: Path) -> None:
    """Nothing is passed over in silence."""
    import numpy as np
    from safetensors.numpy import load_file, save_file

    path = folder / "adapter_model.safetensors"
    more = {"base_model.model.lm_head.weight": np.zeros((2, 2), dtype=np.float32)}
    save_file(load_file(path) | more, path)
    with pytest.raises(ModelError, match="weights other than LoRA's"):
        check_adapter(folder, SHAPES.get)


def test_a_replaced_adapter_is_another(folder: Path) -> None:
    """Time and size of the files tell."""
    before = adapter_key(folder)
    assert adapter_key(folder) == before
    configure(folder, r=4, more="longer")
    assert adapter_key(folder) != before


def test_a_folder_without_files(tmp_path: Path) -> None:
    """It holds no adapter, and the message names both files."""
    with pytest.raises(ModelError, match=r"adapter_config.json and adapter_model.safetensors"):
        adapter_key(tmp_path)
