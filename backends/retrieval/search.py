"""Search by meaning and by words, fused: Haystack components over the passages in PostgreSQL."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("HAYSTACK_TELEMETRY_ENABLED", "False")  # read when haystack is imported

import numpy as np
from haystack import Pipeline, component
from haystack.core.errors import PipelineRuntimeError

from backends.base import Hit
from backends.retrieval.embedding import Embedder
from backends.retrieval.fusion import fuse
from backends.retrieval.index import Connections, search_dense, search_words

__all__ = [
    "DenseRetriever",
    "PassageRetriever",
    "QuestionEmbedder",
    "RankFusion",
    "WordRetriever",
    "add_retrieval",
    "retrieval_inputs",
]

_CANDIDATES = 20
"""Passages that each way of search offers to the fusion, or as many as are wanted."""

_WEIGHTS = (1, 2)
"""Of meaning and of words: in technical texts the words asked for say more, by measurement."""


@component
class QuestionEmbedder:
    """Turns a question into a vector."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @component.output_types(embedding=list[float])
    def run(self, question: str) -> dict[str, Any]:
        """Return the question's vector."""
        return {"embedding": self._embedder.embed([question])[0].tolist()}


@component
class DenseRetriever:
    """Finds the passages nearest in meaning."""

    def __init__(self, pool: Connections, collection: str) -> None:
        self._pool = pool
        self._collection = collection

    @component.output_types(hits=list[Hit])
    def run(self, embedding: list[float], limit: int) -> dict[str, Any]:
        """Return at least `limit` candidates where there are as many, best first."""
        with self._pool.connection() as connection:
            vector = np.asarray(embedding, dtype=np.float32)
            hits = search_dense(connection, self._collection, vector, max(limit, _CANDIDATES))
        return {"hits": list(hits)}


@component
class WordRetriever:
    """Finds the passages that hold most of the question's words."""

    def __init__(self, pool: Connections, collection: str) -> None:
        self._pool = pool
        self._collection = collection

    @component.output_types(hits=list[Hit])
    def run(self, question: str, limit: int) -> dict[str, Any]:
        """Return at least `limit` candidates where there are as many, best first."""
        with self._pool.connection() as connection:
            hits = search_words(connection, self._collection, question, max(limit, _CANDIDATES))
        return {"hits": list(hits)}


@component
class RankFusion:
    """Joins what both ways found; each has its place, and so its weight."""

    @component.output_types(hits=list[Hit])
    def run(self, dense: list[Hit], words: list[Hit], limit: int) -> dict[str, Any]:
        """Return at most `limit` hits, best first; 1 is the score of what both rank first."""
        return {"hits": list(fuse([dense, words], _WEIGHTS, limit))}


class PassageRetriever:
    """Finds the passages of one collection; implements `backends.base.Retriever`."""

    def __init__(self, pool: Connections, collection: str, embedder: Embedder) -> None:
        self._pipeline = Pipeline()
        add_retrieval(self._pipeline, pool, collection, embedder)

    def search(self, question: str, limit: int) -> tuple[Hit, ...]:
        """Return at most `limit` passages, best first; empty where the collection is."""
        try:
            result = self._pipeline.run(retrieval_inputs(question, limit))
        except PipelineRuntimeError as error:
            raise error.__cause__ or error from None  # what the component itself says
        return tuple(result["join"]["hits"])


def add_retrieval(pipeline: Pipeline, pool: Connections, collection: str, embedder: Embedder) -> None:
    """Add the components `embed`, `dense`, `words` and `join` to a pipeline, connected."""
    pipeline.add_component("embed", QuestionEmbedder(embedder))
    pipeline.add_component("dense", DenseRetriever(pool, collection))
    pipeline.add_component("words", WordRetriever(pool, collection))
    pipeline.add_component("join", RankFusion())
    pipeline.connect("embed.embedding", "dense.embedding")
    pipeline.connect("dense.hits", "join.dense")
    pipeline.connect("words.hits", "join.words")


def retrieval_inputs(question: str, limit: int) -> dict[str, dict[str, Any]]:
    """Return what the components of `add_retrieval` take for one question."""
    return {
        "embed": {"question": question},
        "dense": {"limit": limit},
        "words": {"question": question, "limit": limit},
        "join": {"limit": limit},
    }
