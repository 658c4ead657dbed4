"""Text to vectors, by a sentence-transformers model in a local folder."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from backends.base import Cancelled, ModelError, Passage, Progress
from backends.models.resolve import resolve
from backends.processor import multiplies_bfloat16

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Embedder", "LocalEmbedder", "embed_passages", "embedded_text", "open_embedder"]

_BATCH = 32


class Embedder(Protocol):
    """Turns texts into vectors of length 1, whose products are cosine similarities."""

    name: str

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row for each text, in order. Safe to call from several threads."""
        ...


def open_embedder(name: str, *, cache: Path, report: Callable[[Progress], None]) -> LocalEmbedder:
    """Return the embedder that a model's name stands for, fetching the model where needed.

    Raises:
        ModelError: The model cannot be fetched.
    """
    return LocalEmbedder(resolve(name, cache=cache, report=report), name=name)


class LocalEmbedder:
    """A sentence-transformers model, loaded once from its folder when first needed.

    Attributes:
        name: What the model is called in messages and beside the vectors that it made.
    """

    def __init__(self, folder: Path, *, name: str) -> None:
        self.name = name
        self._folder = folder
        self._lock = threading.Lock()
        self._model: Any = None

    @property
    def dimensions(self) -> int:
        """Length of a vector; loads the model."""
        with self._lock:
            return int(self._loaded().get_embedding_dimension())

    def warm(self) -> None:
        """Load the model and use it once, so that the first search is as fast as the next."""
        self.embed(["warm"])

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row of length 1 for each text, in order.

        Raises:
            ModelError: The folder holds no such model.
        """
        import numpy as np

        if not texts:  # the library returns a row without columns
            return np.empty((0, self.dimensions), dtype=np.float32)
        with self._lock:  # the tokenizer is not safe to share between threads
            rows: NDArray[np.float32] = self._loaded().encode(
                list(texts), batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False
            )
        return rows

    def _loaded(self) -> Any:
        if self._model is None:
            if not self._folder.is_dir():
                raise ModelError(f"{self._folder}: no such folder; name the folder of the embedder")
            from sentence_transformers import SentenceTransformer
            from transformers.utils.logging import disable_progress_bar

            disable_progress_bar()  # type: ignore[no-untyped-call]
            try:
                self._model = SentenceTransformer(
                    str(self._folder), device="cpu", local_files_only=True, trust_remote_code=False
                )
                _make_fast(self._model)
            except (OSError, ValueError) as error:
                raise ModelError(
                    f"{self._folder}: not a sentence-transformers model ({error}); name another embedder"
                ) from error
        return self._model


def _make_fast(model: Any) -> None:
    """Compute in bfloat16 where the processor multiplies its matrices: twice as fast, cosines equal to 0.0001.

    Pooling and length stay in float32.
    """
    import torch

    if multiplies_bfloat16():
        model[0].to(torch.bfloat16)
        model[0].register_forward_hook(_widen)


def _widen(_module: Any, _inputs: Any, features: dict[str, Any]) -> dict[str, Any]:
    return {**features, "token_embeddings": features["token_embeddings"].float()}


def embedded_text(passage: Passage) -> str:
    """Return what stands for a passage in the index: its source and headings say what its text leaves out."""
    return "\n".join(part for part in (passage.source, passage.heading, passage.text) if part)


def embed_passages(
    embedder: Embedder,
    passages: Sequence[Passage],
    *,
    report: Callable[[int, float], None],
    cancelled: Callable[[], bool],
) -> NDArray[np.float32]:
    """Embed passages in batches of like length, and return the rows in the order given.

    Args:
        embedder: Makes the vectors.
        passages: What to embed.
        report: Takes how many passages are done, and their share of all text, which is that of the time.
        cancelled: Says whether to stop.

    Raises:
        Cancelled: `cancelled` said so between two batches.
        ModelError: The embedder cannot be loaded.
    """
    import numpy as np

    texts = [embedded_text(passage) for passage in passages]
    # A batch costs as much as its longest text: neighbours of like length waste nothing. Longest
    # first, so that the time left is never promised too short.
    order = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
    total, done = sum(map(len, texts)), 0
    rows = np.empty((len(texts), embedder.dimensions), dtype=np.float32)
    for start in range(0, len(order), _BATCH):
        if cancelled():
            raise Cancelled("embedding was stopped; nothing was kept")
        batch = order[start : start + _BATCH]
        rows[batch] = embedder.embed([texts[index] for index in batch])
        done += sum(len(texts[index]) for index in batch)
        report(start + len(batch), done / total)
    return rows
