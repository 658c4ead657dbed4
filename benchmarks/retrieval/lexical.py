"""BM25 by a library over this project's passages, in memory: what PostgreSQL's ranking is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.retrieval.ours import pieces_of
from benchmarks.retrieval.ways import Found

__all__ = ["library_search"]


def library_search(folder: Path, questions: Sequence[str], limit: int) -> list[list[Found]]:
    """Return what `bm25s` finds with English stop words and stemming."""
    import bm25s
    import Stemmer

    found = [Found(each.source, f"{each.heading}\n{each.text}") for each, _ in pieces_of(folder)]
    stemmer = Stemmer.Stemmer("english")

    def tokens(texts: Sequence[str]) -> object:
        return bm25s.tokenize(list(texts), stopwords="en", stemmer=stemmer, show_progress=False)

    index = bm25s.BM25()
    index.index(tokens([each.text for each in found]), show_progress=False)
    ranked, _ = index.retrieve(tokens(questions), k=limit, show_progress=False)
    return [[found[position] for position in row] for row in ranked.tolist()]
