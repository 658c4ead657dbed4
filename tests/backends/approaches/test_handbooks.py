"""The default embedder on small handbooks: answers are quoted in their language, and what is not told is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from backends.approaches.evidence import evidence_for
from backends.approaches.quoting import quoted
from backends.base import GenerationOptions
from backends.documents.passages import split
from backends.documents.text import DocumentText
from backends.retrieval.embedding import LocalEmbedder, embed_passages
from backends.retrieval.index import Publication, create_passage_table
from backends.retrieval.ranking import search
from backends.retrieval.words import language_of
from tests.backends.handbooks import HANDBOOKS, Handbook

Answering = Callable[[str], str]


@pytest.fixture(scope="module")
def embedder(default_embedder_folder: Path) -> LocalEmbedder:
    """Return the default embedder."""
    return LocalEmbedder(default_embedder_folder, name="default")


@pytest.fixture
def answering(pool: ConnectionPool[Any], embedder: LocalEmbedder) -> Callable[[Handbook], Answering]:
    """Return what imports a handbook and answers from it; the answer is empty where there is none."""

    def open_handbook(handbook: Handbook) -> Answering:
        passages = split("handbook.md", DocumentText(handbook.text))
        rows = embed_passages(embedder, passages, report=lambda *_: None, cancelled=lambda: False)
        language = language_of(handbook.text)
        assert language == handbook.language
        with pool.connection() as connection:
            create_passage_table(connection, embedder.dimensions, embedder=embedder.name)
            with Publication(connection, "handbook") as publication:
                publication.add([(passage, language) for passage in passages], rows)
        return answer

    def answer(question: str) -> str:
        with pool.connection() as connection:
            hits = search(connection, "handbook", question, embedder.embed([question])[0], 5)
        evidence = evidence_for(question, hits, embedder)
        return "" if evidence.lacks else quoted(question, hits, evidence.near, GenerationOptions(), "m").text

    return open_handbook


@pytest.mark.models
@pytest.mark.parametrize("handbook", HANDBOOKS, ids=lambda handbook: handbook.language)
def test_questions_are_answered_in_the_language_of_the_handbook(
    handbook: Handbook, answering: Callable[[Handbook], Answering]
) -> None:
    """One in eight may go wrong; of other matters nothing is answered."""
    answer = answering(handbook)
    wrong = [question for question, words in handbook.answers if words not in answer(question)]
    assert len(wrong) <= max(1, len(handbook.answers) // 8), wrong
    assert [question for question in handbook.elsewhere if answer(question)] == []


@pytest.mark.models
@pytest.mark.parametrize(
    "handbook", [each for each in HANDBOOKS if each.untold], ids=lambda each: each.language
)
def test_details_that_are_not_told_are_refused(
    handbook: Handbook, answering: Callable[[Handbook], Answering]
) -> None:
    """Most of them: what a kind of detail is not known of may be answered by what is near."""
    answer = answering(handbook)
    answered = [question for question in handbook.untold if answer(question)]
    assert len(answered) <= len(handbook.untold) // 3, answered
