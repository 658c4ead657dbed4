"""Passages in a database, for what searches them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from backends.base import Passage
from backends.documents.reading import split
from backends.retrieval.embedding import Embedder, embed_passages
from backends.retrieval.index import create_passage_table, publish

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
    passages = [passage for source, text in texts.items() for passage in split(source, text)]
    rows = embed_passages(embedder, passages, report=lambda done, share: None, cancelled=lambda: False)
    create_passage_table(connection, embedder.dimensions, embedder=embedder.name)
    publish(connection, collection, list(texts), passages, rows)
    return passages
