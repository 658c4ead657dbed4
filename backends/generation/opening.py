"""The engine that fits a model and this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import structlog

from backends.base import ModelError
from backends.generation.batching import BatchingEngine
from backends.generation.engine import TOGETHER, Engine, EngineName
from backends.generation.model import LoadedModel
from backends.generation.packed import PackedModel, agrees, sample_prompts
from backends.generation.packed_torch import PackedTorch, reads_packed
from backends.generation.turns import TurnsEngine
from backends.processor import multiplies_bfloat16

__all__ = ["open_engine"]

# Most that a logit of the engine may differ from torch's: 0.04, 0.4 and 0.8 were seen; above 2 of wrong graphs.
_TOLERANCES: Mapping[EngineName, float] = {
    "openvino": 0.25,
    "openvino-bfloat16": 1.25,
    "openvino-int8": 2.5,
}
_FAR_TOKENS = 400
"""Tokens after which it would show that a model counts positions in bfloat16, which holds no odd number above 256."""
_INSTALL = "install it with pip install 'rag-or-tune[openvino]', or set ADVISOR_ENGINE to torch"

_log = structlog.get_logger(__name__)


def open_engine(folder: Path, *, name: EngineName = "torch", together: int = TOGETHER) -> Engine:
    """Return a model's engine: many requests at once where the model can read packed tokens.

    Args:
        folder: The model.
        name: Which engine; `auto` falls back to torch, and says why in the log.
        together: Most requests at once.

    Raises:
        ModelError: The folder holds no model that generates, or the engine asked for cannot run it.
    """
    if name != "torch":
        try:
            packed = _fastest(folder) if name == "auto" else _by_openvino(folder, name)
            return BatchingEngine(packed, together=together)
        except ModelError as error:
            if name != "auto":
                raise
            _log.info("answers by torch", reason=str(error))
    model = LoadedModel(folder)
    if reads_packed(model):
        return BatchingEngine(PackedTorch(model), together=together)
    return TurnsEngine(model)


def _fastest(folder: Path) -> PackedModel:
    """Return a model by the fastest kind of OpenVINO that changes answers as little as rounding does.

    Raises:
        ModelError: As `_by_openvino` raises it, of float32.
    """
    if multiplies_bfloat16():
        try:
            return _by_openvino(folder, "openvino-bfloat16")
        except ModelError as error:
            _log.info("answers not in bfloat16", reason=str(error))
    return _by_openvino(folder, "openvino")


def _by_openvino(folder: Path, kind: EngineName) -> PackedModel:
    """Return a model by OpenVINO, which agrees with what the same model says by torch.

    Raises:
        ModelError: OpenVINO is not installed, cannot run the model, or does not agree.
    """
    try:
        from backends.generation.packed_openvino import PackedOpenVINO
    except ImportError as error:
        raise ModelError(f"the engine OpenVINO is not installed ({error}); {_INSTALL}") from error
    model = LoadedModel(folder)
    if not model.can_pack():
        raise ModelError(
            f"OpenVINO cannot run the model in {folder}: it has layers that do not remember all tokens, or "
            "positions that depend on the longest text; set ADVISOR_ENGINE to torch"
        )
    bfloat16 = kind == "openvino-bfloat16"
    positions = model.config.get_text_config().max_position_embeddings
    longest = (min(_FAR_TOKENS, positions - 1),) if bfloat16 else ()
    prompts = sample_prompts(model.config.vocab_size, *longest)
    expected = model.read_alone(prompts)
    advice = f"set ADVISOR_ENGINE to {'torch' if kind == 'openvino' else 'openvino or torch'}"
    try:
        packed = PackedOpenVINO(model.release(), int8=kind == "openvino-int8", bfloat16=bfloat16)
        agree = agrees(packed, prompts, expected, _TOLERANCES[kind])
    except Exception as error:  # the tracer and the compiler raise whatever their libraries do
        reason = str(error).partition("\n")[0]
        raise ModelError(
            f"OpenVINO cannot run the model in {folder} ({type(error).__name__}: {reason}); {advice}"
        ) from error
    if not agree:
        raise ModelError(f"OpenVINO says otherwise than torch with the model in {folder}; {advice}")
    return packed
