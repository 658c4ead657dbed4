"""The engine that fits a model and this machine."""

from __future__ import annotations

from pathlib import Path

import torch

from backends.generation.attention import Reading, Writing
from backends.generation.batching import BatchingEngine, layout_of
from backends.generation.engine import TOGETHER, Engine
from backends.generation.model import LoadedModel
from backends.generation.slots import Slots
from backends.generation.turns import TurnsEngine

__all__ = ["open_engine", "reads_packed"]

_PIECE = 16
_TOLERANCE = 1e-3  # of logits; rounding stays below 1e-4, and what a model does otherwise is far above


def open_engine(folder: Path, *, together: int = TOGETHER) -> Engine:
    """Return a model's engine: many requests at once where the model can read packed tokens.

    Args:
        folder: The model.
        together: Most requests at once.

    Raises:
        ModelError: The folder holds no model that generates.
    """
    model = LoadedModel(folder)
    return BatchingEngine(model, together=together) if reads_packed(model) else TurnsEngine(model)


def reads_packed(model: LoadedModel) -> bool:
    """Return whether a model says the same of packed tokens as of one request's, and can pack them.

    Two requests are read in pieces side by side, and take a token together.
    """
    if not model.remembers_all():
        return False
    first, second = (
        [(start + 7 * place) % model.config.vocab_size for place in range(2 * _PIECE + 1)]
        for start in (5, 11)
    )
    expected = torch.cat([model.read(each, model.empty_cache(), None) for each in (first, second)])
    model.pack(packed=True)
    try:
        found = _packed_logits(model, first, second)
    except (NotImplementedError, TypeError, ValueError, RuntimeError, AttributeError, IndexError):
        return False
    finally:
        model.pack(packed=False)
    return found.shape == expected.shape and bool(((found - expected).abs() < _TOLERANCE).all())


def _packed_logits(model: LoadedModel, first: list[int], second: list[int]) -> torch.Tensor:
    slots = Slots(layout_of(model), 1 << 30)
    pair = [slot for slot in (slots.take(len(first)), slots.take(len(second))) if slot is not None]
    for start in range(0, 2 * _PIECE, _PIECE):
        places = range(start, start + _PIECE)
        tokens = first[start : start + _PIECE] + second[start : start + _PIECE]
        parts = [Reading(slot, _PIECE) for slot in pair]
        model.read_packed(tokens, [*places, *places], parts, [], [None] * len(tokens))
        for slot in pair:
            slot.length += _PIECE
    last = [first[-1], second[-1]]
    return model.read_packed(last, [2 * _PIECE] * 2, [Writing(pair[0].pool, pair)], [0, 1], [None] * 2)
