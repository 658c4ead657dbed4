"""Answers rest on passages, cite them, and say when there is nothing to rest on or something was left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from backends.base import (
    Answer,
    AnswerEvent,
    Backend,
    FinishReason,
    GenerationOptions,
    Message,
    Passage,
    References,
    Token,
)
from backends.prompts import grounded_messages
from backends.retrieval.embedding import LocalEmbedder
from tests.backends.passages import TEXTS, published
from tests.doubles import FakeGenerator, WordEmbedder


def last_sentence(messages: Sequence[Message]) -> str:
    """Return the last sentence of the first passage shown, which a fake generator answers with."""
    first = next(text for text in TEXTS.values() if text in messages[-1].content)
    return first.split(". ")[-1]


def _answered(backend: Backend, question: str, **options: Any) -> tuple[Answer, list[AnswerEvent]]:
    events: list[AnswerEvent] = []
    settings = GenerationOptions(max_output_tokens=40, **options)
    answer = backend.answer(question, options=settings, emit=events.append, cancelled=lambda: False)
    return answer, events


def _backend(pool: ConnectionPool[Any], **options: Any) -> Backend:
    from backends.approaches.rag import RagBackend

    with pool.connection() as connection:
        published(connection, WordEmbedder())
    return RagBackend(pool, "docs", WordEmbedder(), FakeGenerator(last_sentence), **options)


def test_answer_rests_on_passages_and_cites_them(pool: ConnectionPool[Any]) -> None:
    """References come first, then the tokens of the answer, which cites its passage by exact bytes."""
    answer, events = _answered(_backend(pool), "How many clients does max_connections let connect?")
    assert isinstance(events[0], References)
    assert events[0].hits[0].passage.source == "limits.md"
    assert answer.text == "Its default is 100 [1]." == "".join(e.text for e in events if isinstance(e, Token))
    assert [answer.text.encode()[c.start_byte : c.end_byte] for c in answer.citations] == [b"[1]"]
    assert (answer.finish_reason, answer.model) == (FinishReason.STOP, "echo")


def test_no_evidence_is_said(pool: ConnectionPool[Any]) -> None:
    """A question that no passage comes near gets the fixed sentence, without references."""
    from backends.approaches.rag import NO_EVIDENCE_TEXT

    answer, events = _answered(_backend(pool), "Zebra?")
    assert events == [Token(NO_EVIDENCE_TEXT)]
    assert (answer.text, answer.finish_reason) == (NO_EVIDENCE_TEXT, FinishReason.NO_EVIDENCE)


def test_empty_collection_has_no_evidence(pool: ConnectionPool[Any]) -> None:
    """Without documents the answer says so instead of failing."""
    from backends.approaches.rag import RagBackend

    with pool.connection() as connection:
        published(connection, WordEmbedder())
    backend = RagBackend(pool, "other", WordEmbedder(), FakeGenerator())
    assert _answered(backend, "How much memory?")[0].finish_reason is FinishReason.NO_EVIDENCE


@pytest.mark.parametrize(("limit", "shown"), [(1, 1), (32, 2), (1000, 3)])
def test_passages_are_limited_by_tokens(pool: ConnectionPool[Any], limit: int, shown: int) -> None:
    """As many of the best passages are shown as fit, at least one; the answer says where some are missing."""
    answer, events = _answered(_backend(pool, passage_tokens=limit), "How much memory does the server use?")
    assert isinstance(events[0], References)
    assert len(events[0].hits) == shown
    said = f"{shown} of 3 passages found shown: a prompt holds at most {limit:,} tokens of passages"
    assert answer.notes == (() if shown == 3 else (said,))


def test_caller_chooses_how_many_passages(pool: ConnectionPool[Any]) -> None:
    """The number of passages asked for is kept."""
    _, events = _answered(_backend(pool), "How much memory does the server use?", passages=1)
    assert isinstance(events[0], References)
    assert len(events[0].hits) == 1


def test_adapter_is_passed_on(pool: ConnectionPool[Any], tmp_path: Path) -> None:
    """What HYBRID was trained with is used for generation."""
    from backends.approaches.rag import RagBackend

    with pool.connection() as connection:
        published(connection, WordEmbedder())
    generator = FakeGenerator()
    _answered(RagBackend(pool, "docs", WordEmbedder(), generator, adapter=tmp_path), "How much memory?")
    assert [adapter for _, adapter in generator.asked] == [tmp_path]


def test_prompt_shows_question_passages_and_instructions() -> None:
    """The chat holds what it is made of, passages numbered, and ends with the user's turn."""
    passages = [Passage(str(index), "a.md", 0, 1, text) for index, text in enumerate(TEXTS.values())]
    messages = grounded_messages("Why?", passages, instructions="Be brief.")
    assert messages[-1].role == "user"
    assert "Be brief." in messages[0].content
    assert all(f"[{index}] {text}" in messages[-1].content for index, text in enumerate(TEXTS.values(), 1))
    assert "Why?" in messages[-1].content


@pytest.mark.models
def test_real_models_answer_from_the_documents(
    pool: ConnectionPool[Any], default_embedder_folder: Path, default_generator_folder: Path
) -> None:
    """The default models find the passage, copy the fact, cite it, and admit what is not there."""
    from backends.approaches.rag import RagBackend
    from backends.generation.local import LocalGenerator

    embedder = LocalEmbedder(default_embedder_folder, name="default")
    with pool.connection() as connection:
        published(connection, embedder)
    backend = RagBackend(pool, "docs", embedder, LocalGenerator(default_generator_folder, "default"))
    answer, events = _answered(backend, "What is the default of max_connections?")
    assert isinstance(events[0], References)
    assert events[0].hits[0].passage.source == "limits.md"
    assert "100" in answer.text
    assert answer.citations[0].number == 1
    assert _answered(backend, "What is the default of max_connections?") == (answer, events)
    assert _answered(backend, "How do I bake bread?")[0].finish_reason is FinishReason.NO_EVIDENCE
