"""Passages found put in another order by a model that reads each beside the question: a cross-encoder."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from backends.base import Hit, ModelError, Progress
from backends.models.resolve import resolve
from backends.retrieval.embedding import embedded_text

__all__ = ["CANDIDATES", "LocalReranker", "Reranker", "candidates", "open_reranker", "reranked"]

CANDIDATES = 20
"""Passages that are read beside the question, where no more are asked for."""
_BATCH = 16


class Reranker(Protocol):
    """Says how well passages fit a question, having read both together."""

    name: str

    def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """Return a number for each text, higher where it fits better. Safe to call from several threads."""
        ...


def open_reranker(name: str, *, cache: Path, report: Callable[[Progress], None]) -> LocalReranker | None:
    """Return the reranker that a model's name stands for, fetching the model where needed; None of an empty name.

    Raises:
        ModelError: The model cannot be fetched.
    """
    if not name:
        return None
    return LocalReranker(resolve(name, cache=cache, report=report), name=name)


def candidates(reranker: Reranker | None, limit: int) -> int:
    """Return how many passages to find where so many are wanted."""
    return limit if reranker is None else max(limit, CANDIDATES)


def reranked(reranker: Reranker | None, question: str, hits: Sequence[Hit], limit: int) -> tuple[Hit, ...]:
    """Return the best of the passages found, in the order of a reranker; in their own without one.

    Their scores stay what search gave them: a cross-encoder's have no scale of their own.
    """
    if reranker is None or len(hits) < 2:
        return tuple(hits[:limit])
    scores = reranker.scores(question, [embedded_text(hit.passage) for hit in hits])
    order = sorted(range(len(hits)), key=lambda place: -scores[place])
    return tuple(hits[place] for place in order[:limit])


class LocalReranker:
    """A cross-encoder of sentence-transformers, loaded once from its folder when first needed.

    Attributes:
        name: What the model is called in messages.
    """

    def __init__(self, folder: Path, *, name: str) -> None:
        self.name = name
        self._folder = folder
        self._lock = threading.Lock()
        self._model: Any = None

    def warm(self) -> None:
        """Load the model and use it once, so that the first search is as fast as the next."""
        self.scores("warm", ["warm"])

    def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """Return a number for each text, higher where it fits better.

        Raises:
            ModelError: The folder holds no such model.
        """
        with self._lock:  # the tokenizer is not safe to share between threads
            found = self._loaded().predict(
                [(question, text) for text in texts], batch_size=_BATCH, show_progress_bar=False
            )
        return [float(each) for each in found]

    def _loaded(self) -> Any:
        if self._model is None:
            if not self._folder.is_dir():
                raise ModelError(f"{self._folder}: no such folder; name the folder of the reranker")
            from sentence_transformers import CrossEncoder
            from transformers.utils.logging import disable_progress_bar

            disable_progress_bar()  # type: ignore[no-untyped-call]
            try:
                model = CrossEncoder(
                    str(self._folder),
                    device="cpu",
                    local_files_only=True,
                    trust_remote_code=False,
                    model_kwargs={"use_safetensors": True},
                )
                labels = int(model.num_labels)
            except (OSError, ValueError) as error:
                raise ModelError(
                    f"{self._folder}: not a cross-encoder of sentence-transformers ({error}); name another reranker"
                ) from error
            if labels != 1:
                raise ModelError(
                    f"{self._folder}: gives {labels} numbers for a question and a passage, and a reranker gives one; "
                    "name another"
                )
            self._model = model
        return self._model
