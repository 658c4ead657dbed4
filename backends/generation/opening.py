"""The engine that fits a model and this machine."""

from __future__ import annotations

from pathlib import Path

from backends.generation.batching import BatchingEngine
from backends.generation.engine import TOGETHER, Engine
from backends.generation.model import LoadedModel
from backends.generation.packed_torch import PackedTorch, reads_packed
from backends.generation.turns import TurnsEngine

__all__ = ["open_engine"]


def open_engine(folder: Path, *, together: int = TOGETHER) -> Engine:
    """Return a model's engine: many requests at once where the model can read packed tokens.

    Args:
        folder: The model.
        together: Most requests at once.

    Raises:
        ModelError: The folder holds no model that generates.
    """
    model = LoadedModel(folder)
    if reads_packed(model):
        return BatchingEngine(PackedTorch(model), together=together)
    return TurnsEngine(model)
