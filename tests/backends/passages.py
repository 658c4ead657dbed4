"""Passages in a database, for what searches them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from backends.base import Hit, Passage
from backends.documents.passages import split
from backends.documents.text import DocumentText
from backends.retrieval.embedding import Embedder, embed_passages
from backends.retrieval.index import Publication, create_passage_table
from backends.retrieval.ranking import search
from tests.doubles import WordEmbedder

TEXTS = {
    "limits.md": "The setting max_connections limits how many clients connect. Its default is 100.",
    "memory.md": "The setting shared_buffers says how much memory the server uses. Its default is 128 MB.",
    "backup.md": "Run pg_dump every night to back up a database, and store the file on another machine.",
}


def published(
    connection: psycopg.Connection[Any],
    embedder: Embedder,
    *,
    collection: str = "docs",
    texts: Mapping[str, str] = TEXTS,
) -> list[Passage]:
    """Publish texts by their sources, creating the table where needed, and return their passages."""
    passages = [passage for source, text in texts.items() for passage in split(source, DocumentText(text))]
    rows = embed_passages(embedder, passages, report=lambda done, share: None, cancelled=lambda: False)
    create_passage_table(connection, embedder.dimensions, embedder=embedder.name)
    with Publication(connection, collection) as publication:
        publication.delete(list(texts))
        publication.add([(passage, "english") for passage in passages], rows)
    return passages


def by_words(
    connection: psycopg.Connection[Any], collection: str, question: str, limit: int
) -> tuple[Hit, ...]:
    """Return what holds words of a question, best first by them alone."""
    found = search(connection, collection, question, WordEmbedder().embed([question])[0], 99)
    return tuple(sorted((hit for hit in found if hit.words), key=lambda hit: -hit.words))[:limit]


def by_meaning(
    connection: psycopg.Connection[Any], collection: str, vector: NDArray[np.float32], limit: int
) -> tuple[Hit, ...]:
    """Return what is nearest to a vector."""
    return search(connection, collection, "", vector, limit)
