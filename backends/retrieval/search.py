"""Retrieval as Haystack components: a question becomes a vector, and both find passages in PostgreSQL."""

from __future__ import annotations

from typing import Any

import numpy as np
from haystack import Pipeline, component
from haystack.core.errors import PipelineRuntimeError
from numpy.typing import NDArray

from backends.base import Hit, Restriction
from backends.retrieval.asking import Named, no_other, search_embedded
from backends.retrieval.embedding import Embedder
from backends.retrieval.index import Connections
from backends.retrieval.reranking import Reranker, candidates, reranked

__all__ = ["HybridRetriever", "PassageRetriever", "QuestionEmbedder", "add_retrieval", "retrieval_inputs"]


@component
class QuestionEmbedder:
    """Turns a question into a vector."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    # An array, because a pipeline copies what components hand over, and lists number by number.
    @component.output_types(embedding=NDArray[np.float32])
    def run(self, question: str) -> dict[str, Any]:
        """Return the question's vector."""
        return {"embedding": self._embedder.embed([question])[0]}


@component
class HybridRetriever:
    """Finds passages by words and by meaning, and has a reranker order them where there is one."""

    def __init__(
        self,
        pool: Connections,
        collection: str,
        embedder: str,
        named: Named = no_other,
        reranker: Reranker | None = None,
    ) -> None:
        self._reranker = reranker
        self._pool = pool
        self._collection = collection
        self._embedder = embedder
        self._named = named

    @component.output_types(hits=list[Hit])
    def run(
        self,
        question: str,
        embedding: NDArray[np.float32],
        limit: int,
        within: Restriction | None = None,
    ) -> dict[str, Any]:
        """Return at most `limit` passages, best first."""
        most = candidates(self._reranker, limit)
        with self._pool.connection() as connection:
            embedded = (self._embedder, embedding)
            found = search_embedded(
                connection, self._collection, question, embedded, most, self._named, within
            )
        return {"hits": list(reranked(self._reranker, question, found, limit))}


class PassageRetriever:
    """Finds the passages of one collection; implements `backends.base.Retriever`."""

    def __init__(
        self,
        pool: Connections,
        collection: str,
        embedder: Embedder,
        named: Named = no_other,
        reranker: Reranker | None = None,
    ) -> None:
        self._pipeline = Pipeline()
        add_retrieval(self._pipeline, pool, collection, embedder, named, reranker)

    def search(self, question: str, limit: int) -> tuple[Hit, ...]:
        """Return at most `limit` passages, best first; empty where the collection is."""
        try:
            result = self._pipeline.run(retrieval_inputs(question, limit))
        except PipelineRuntimeError as error:
            raise error.__cause__ or error from None  # what the component itself says
        return tuple(result["retrieve"]["hits"])


def add_retrieval(
    pipeline: Pipeline,
    pool: Connections,
    collection: str,
    embedder: Embedder,
    named: Named = no_other,
    reranker: Reranker | None = None,
) -> None:
    """Add the components `embed` and `retrieve` to a pipeline, connected; the rest is as `asking.ask` takes it."""
    pipeline.add_component("embed", QuestionEmbedder(embedder))
    pipeline.add_component("retrieve", HybridRetriever(pool, collection, embedder.name, named, reranker))
    pipeline.connect("embed.embedding", "retrieve.embedding")


def retrieval_inputs(
    question: str, limit: int, within: Restriction | None = None
) -> dict[str, dict[str, Any]]:
    """Return what the components of `add_retrieval` take for one question."""
    return {
        "embed": {"question": question},
        "retrieve": {"question": question, "limit": limit, "within": within},
    }
