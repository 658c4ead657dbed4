"""This project's own retrieval, by the functions that the server calls."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg_pool import ConnectionPool

from advisor.storage.embedded import open_embedded
from backends.base import DocumentError, Passage
from backends.documents.passages import split
from backends.documents.reading import media_type_of, read_document
from backends.retrieval.embedding import Embedder, embed_passages
from backends.retrieval.index import Publication, create_passage_table
from backends.retrieval.search import PassageRetriever
from backends.retrieval.words import language_of
from benchmarks.retrieval.corpora import files_of
from benchmarks.retrieval.ways import Found

__all__ = ["index", "opened", "pieces_of", "search"]


@contextmanager
def opened(embedder: Embedder) -> Iterator[ConnectionPool]:
    """Yield connections to an empty database of this run's own."""
    with tempfile.TemporaryDirectory() as folder, open_embedded(Path(folder)) as url:
        with psycopg.connect(url) as connection:
            create_passage_table(connection, embedder.dimensions, embedder=embedder.name)
        with ConnectionPool(url, min_size=1, max_size=2) as pool:
            yield pool


def pieces_of(folder: Path) -> Iterator[tuple[Passage, str]]:
    """Yield the passages of a corpus, each with the configuration of its language; tell what cannot be read."""
    for path in files_of(folder):
        source = path.relative_to(folder).as_posix()
        try:
            text = read_document(source, media_type_of(source), path.read_bytes())
        except DocumentError as error:
            print(error)
            continue
        language = language_of(text.text)
        yield from ((passage, language) for passage in split(source, text))


def index(pool: ConnectionPool, corpus: str, folder: Path, embedder: Embedder) -> int:
    """Import a corpus, and return how many passages it has."""
    pieces = list(pieces_of(folder))
    passages = [passage for passage, _ in pieces]
    vectors = embed_passages(embedder, passages, report=lambda _count, _share: None, cancelled=lambda: False)
    with pool.connection() as connection, Publication(connection, corpus) as publication:
        publication.add(pieces, vectors)
    return len(passages)


def search(
    pool: ConnectionPool, corpus: str, questions: Sequence[str], limit: int, embedder: Embedder
) -> list[list[Found]]:
    """Return what each question finds."""
    retriever = PassageRetriever(pool, corpus, embedder)
    return [
        [
            Found(hit.passage.source, f"{hit.passage.heading}\n{hit.passage.text}")
            for hit in retriever.search(each, limit)
        ]
        for each in questions
    ]
