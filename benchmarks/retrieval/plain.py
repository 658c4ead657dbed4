"""What a user would write with Haystack in an afternoon: converters, 120-word chunks, BM25 or vectors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("HAYSTACK_TELEMETRY_ENABLED", "False")

from haystack import Document
from haystack.components.converters import (
    HTMLToDocument,
    MarkdownToDocument,
    PyPDFToDocument,
    TextFileToDocument,
)
from haystack.components.preprocessors import DocumentCleaner, DocumentSplitter
from haystack.components.retrievers import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.document_stores.in_memory import InMemoryDocumentStore

from backends.retrieval.embedding import Embedder
from benchmarks.retrieval.corpora import files_of
from benchmarks.retrieval.ways import Found

__all__ = ["plain_documents", "plain_search"]

_CONVERTERS = {".html": HTMLToDocument, ".md": MarkdownToDocument, ".pdf": PyPDFToDocument}


def plain_documents(folder: Path) -> list[Document]:
    """Return a corpus as chunks of 120 words."""
    documents: list[Document] = []
    for path in files_of(folder):
        converter: Any = _CONVERTERS.get(path.suffix, TextFileToDocument)()
        meta = {"file": path.relative_to(folder).as_posix()}
        documents += converter.run(sources=[path], meta=meta)["documents"]
    documents = [each for each in documents if each.content]
    documents = DocumentCleaner().run(documents=documents)["documents"]
    splitter = DocumentSplitter(split_by="word", split_length=120, split_overlap=0)
    return splitter.run(documents=documents)["documents"]  # type: ignore[no-any-return]


def plain_search(
    documents: Sequence[Document], questions: Sequence[str], limit: int, embedder: Embedder | None = None
) -> list[list[Found]]:
    """Return what each question finds: by BM25, or by vectors where an embedder is given."""
    store = InMemoryDocumentStore(embedding_similarity_function="cosine")
    if embedder is None:
        store.write_documents(list(documents))
        retriever = InMemoryBM25Retriever(store)
        found = [retriever.run(query=each, top_k=limit)["documents"] for each in questions]
    else:
        vectors = embedder.embed([each.content or "" for each in documents])
        for document, vector in zip(documents, vectors, strict=True):
            document.embedding = vector.tolist()
        store.write_documents(list(documents))
        by_vector = InMemoryEmbeddingRetriever(store)
        asked = embedder.embed(questions)
        found = [by_vector.run(query_embedding=vector.tolist(), top_k=limit)["documents"] for vector in asked]
    return [[Found(each.meta["file"], each.content) for each in hits] for hits in found]
