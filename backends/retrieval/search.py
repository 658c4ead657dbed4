"""Search by meaning and by words, fused: Haystack components over the passages in PostgreSQL."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

os.environ.setdefault("HAYSTACK_TELEMETRY_ENABLED", "False")  # read when haystack is imported

import numpy as np
from haystack import Document, Pipeline, component
from haystack.components.joiners import DocumentJoiner

from backends.base import Hit, Passage
from backends.retrieval.embedding import Embedder
from backends.retrieval.index import Found, search_dense, search_words

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

__all__ = [
    "DenseRetriever",
    "PassageRetriever",
    "QuestionEmbedder",
    "RankFusion",
    "WordRetriever",
    "add_retrieval",
    "hits_from",
    "retrieval_inputs",
]

_CANDIDATES = 20
"""Passages that each way of search offers to the fusion, or as many as are wanted."""

_WEIGHTS = (1.0, 2.0)
"""Of meaning and of words: in technical texts the words asked for tell more, by measurement."""


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

    def __init__(self, pool: ConnectionPool[Any], collection: str) -> None:
        self._pool = pool
        self._collection = collection

    @component.output_types(documents=list[Document])
    def run(self, embedding: list[float], limit: int) -> dict[str, Any]:
        """Return at least `limit` candidates where there are as many, best first."""
        with self._pool.connection() as connection:
            vector = np.asarray(embedding, dtype=np.float32)
            found = search_dense(connection, self._collection, vector, max(limit, _CANDIDATES))
        return {"documents": [_document(each) for each in found]}


@component
class WordRetriever:
    """Finds the passages that hold most of the question's words."""

    def __init__(self, pool: ConnectionPool[Any], collection: str) -> None:
        self._pool = pool
        self._collection = collection

    @component.output_types(documents=list[Document])
    def run(self, question: str, limit: int) -> dict[str, Any]:
        """Return at least `limit` candidates where there are as many, best first."""
        with self._pool.connection() as connection:
            found = search_words(connection, self._collection, question, max(limit, _CANDIDATES))
        return {"documents": [_document(each) for each in found]}


@component
class RankFusion:
    """Joins what both ways found by reciprocal rank fusion.

    A joiner by itself takes its lists in the order in which they happen to be
    ready; here each has its place, and so its weight.
    """

    def __init__(self) -> None:
        self._joiner = DocumentJoiner("reciprocal_rank_fusion", weights=list(_WEIGHTS))

    @component.output_types(documents=list[Document])
    def run(self, dense: list[Document], words: list[Document], limit: int) -> dict[str, Any]:
        """Return at most `limit` documents, best first; 1 is the score of what both rank first."""
        return {"documents": self._joiner.run([dense, words], top_k=limit)["documents"]}


class PassageRetriever:
    """Finds the passages of one collection; implements `backends.base.Retriever`."""

    def __init__(self, pool: ConnectionPool[Any], collection: str, embedder: Embedder) -> None:
        self._pipeline = Pipeline()
        add_retrieval(self._pipeline, pool, collection, embedder)

    def search(self, question: str, limit: int) -> tuple[Hit, ...]:
        """Return at most `limit` passages, best first; empty where the collection is."""
        result = self._pipeline.run(retrieval_inputs(question, limit))
        return hits_from(result["join"]["documents"])


def add_retrieval(pipeline: Pipeline, pool: ConnectionPool[Any], collection: str, embedder: Embedder) -> None:
    """Add the components `embed`, `dense`, `words` and `join` to a pipeline, connected."""
    pipeline.add_component("embed", QuestionEmbedder(embedder))
    pipeline.add_component("dense", DenseRetriever(pool, collection))
    pipeline.add_component("words", WordRetriever(pool, collection))
    pipeline.add_component("join", RankFusion())
    pipeline.connect("embed.embedding", "dense.embedding")
    pipeline.connect("dense.documents", "join.dense")
    pipeline.connect("words.documents", "join.words")


def retrieval_inputs(question: str, limit: int) -> dict[str, dict[str, Any]]:
    """Return what the components of `add_retrieval` take for one question."""
    return {
        "embed": {"question": question},
        "dense": {"limit": limit},
        "words": {"question": question, "limit": limit},
        "join": {"limit": limit},
    }


def hits_from(documents: list[Document]) -> tuple[Hit, ...]:
    """Return the passages that documents stand for, with their scores."""
    return tuple(Hit(Passage(**document.meta), document.score or 0.0) for document in documents)


def _document(found: Found) -> Document:
    return Document(
        id=found.passage.id, content=found.passage.text, meta=asdict(found.passage), score=found.fit
    )
