"""What the ways of retrieval share: what they find, and vectors that are made once."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backends.retrieval.embedding import Embedder

__all__ = ["CachedEmbedder", "Found"]

_BATCH = 512


@dataclass(frozen=True, slots=True)
class Found:
    """A passage as a model would read it, and its file within the corpus."""

    file: str
    text: str


class CachedEmbedder:
    """An embedder that keeps every vector in a file: trying a way again costs no embedding."""

    def __init__(self, embedder: Embedder, path: Path) -> None:
        self.name = embedder.name
        self._embedder = embedder
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.execute("CREATE TABLE IF NOT EXISTS vectors (id BLOB PRIMARY KEY, vector BLOB)")

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._embedder.dimensions

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row for each text, in order."""
        ids = [hashlib.sha256(f"{self.name}\0{text}".encode()).digest() for text in texts]
        new = {id_: text for id_, text in zip(ids, texts, strict=True) if self._kept(id_) is None}
        pending = sorted(new, key=lambda id_: -len(new[id_]))
        for start in range(0, len(pending), _BATCH):
            batch = pending[start : start + _BATCH]
            rows = self._embedder.embed([new[id_] for id_ in batch])
            self._database.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?)",
                [(id_, row.astype("<f4").tobytes()) for id_, row in zip(batch, rows, strict=True)],
            )
            self._database.commit()
        kept = [self._kept(id_) for id_ in ids]
        return np.stack([np.frombuffer(row, dtype="<f4") for row in kept if row is not None]).astype(
            np.float32
        )

    def _kept(self, id_: bytes) -> bytes | None:
        row = self._database.execute("SELECT vector FROM vectors WHERE id = ?", [id_]).fetchone()
        return None if row is None else row[0]
