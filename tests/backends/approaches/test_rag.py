"""Answers rest on passages, cite them, stream, stop when told, and say when there is nothing to rest on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from psycopg_pool import ConnectionPool

from backends.base import (
    Answer,
    AnswerEvent,
    Backend,
    Cancelled,
    FinishReason,
    Generation,
    GenerationOptions,
    Message,
    Passage,
    References,
    Token,
)
from backends.documents.reading import split
from backends.prompts import grounded_messages
from backends.retrieval.embedding import Embedder, LocalEmbedder, embed_passages
from backends.retrieval.index import create_passage_table, publish

TEXTS = {
    "limits.md": "The setting max_connections limits how many clients connect. Its default is 100.",
    "memory.md": "The setting shared_buffers says how much memory the server uses. Its default is 128 MB.",
    "backup.md": "Run pg_dump every night to back up a database, and store the file on another machine.",
}


class Copying:
    """A fake generator that answers with the last sentence of the first passage, in pieces."""

    name = "copying"
    context_tokens = 2048

    def __init__(self) -> None:
        self.adapters: list[Path | None] = []

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Count words."""
        return sum(len(message.content.split()) for message in messages)

    def generate(
        self,
        messages: Sequence[Message],
        *,
        options: GenerationOptions,
        emit: Callable[[str], None],
        cancelled: Callable[[], bool],
        adapter: Path | None = None,
    ) -> Generation:
        """Write the sentence sign by sign."""
        self.adapters.append(adapter)
        first = next(text for text in TEXTS.values() if text in messages[-1].content)
        text = first.split(". ")[-1]
        for sign in text:
            if cancelled():
                raise Cancelled("stopped")
            emit(sign)
        return Generation(text, FinishReason.STOP, self.count_tokens(messages), len(text))


class WordEmbedder:
    """A fake that embeds a text by its words: texts that share words are near."""

    name = "words"
    dimensions = 64

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row of length 1 for each text."""
        rows = np.full((len(texts), self.dimensions), 1e-3, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                row[hashlib.sha256(word.encode()).digest()[0] % self.dimensions] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def pool(empty_database_url: str) -> Iterator[ConnectionPool[Any]]:
    """Yield connections to a database of this test's own."""
    with ConnectionPool(empty_database_url, min_size=1, max_size=2) as pool:
        yield pool


def _published(pool: ConnectionPool[Any], embedder: Embedder, texts: dict[str, str]) -> None:
    passages = [passage for source, text in texts.items() for passage in split(source, text)]
    rows = embed_passages(embedder, passages, report=lambda progress: None, cancelled=lambda: False)
    with pool.connection() as connection:
        create_passage_table(connection, embedder.dimensions, embedder=embedder.name)
        publish(connection, "docs", list(texts), passages, rows)


def _answered(backend: Backend, question: str, **options: Any) -> tuple[Answer, list[AnswerEvent]]:
    events: list[AnswerEvent] = []
    settings = GenerationOptions(max_output_tokens=40, **options)
    answer = backend.answer(question, options=settings, emit=events.append, cancelled=lambda: False)
    return answer, events


def _backend(pool: ConnectionPool[Any], **options: Any) -> Backend:
    from backends.approaches.rag import RagBackend

    _published(pool, WordEmbedder(), TEXTS)
    return RagBackend(pool, "docs", WordEmbedder(), Copying(), **options)


def test_answer_rests_on_passages_and_cites_them(pool: ConnectionPool[Any]) -> None:
    """References come first, then the tokens of the answer, which cites its passage by exact bytes."""
    answer, events = _answered(_backend(pool), "How many clients does max_connections let connect?")
    assert isinstance(events[0], References)
    assert events[0].hits[0].passage.source == "limits.md"
    assert answer.text == "Its default is 100 [1]." == "".join(e.text for e in events if isinstance(e, Token))
    assert [answer.text.encode()[c.start_byte : c.end_byte] for c in answer.citations] == [b"[1]"]
    assert (answer.finish_reason, answer.model) == (FinishReason.STOP, "copying")


def test_same_question_same_answer(pool: ConnectionPool[Any]) -> None:
    """Asked twice, the events and the answer are the same."""
    backend = _backend(pool)
    assert _answered(backend, "How much memory?") == _answered(backend, "How much memory?")


def test_no_evidence_is_said(pool: ConnectionPool[Any]) -> None:
    """A question that no passage comes near gets the fixed sentence, without references."""
    from backends.approaches.rag import NO_EVIDENCE_TEXT

    answer, events = _answered(_backend(pool), "Zebra?")
    assert events == [Token(NO_EVIDENCE_TEXT)]
    assert (answer.text, answer.finish_reason) == (NO_EVIDENCE_TEXT, FinishReason.NO_EVIDENCE)


def test_empty_collection_has_no_evidence(pool: ConnectionPool[Any]) -> None:
    """Without documents the answer says so instead of failing."""
    from backends.approaches.rag import RagBackend

    _published(pool, WordEmbedder(), TEXTS)
    backend = RagBackend(pool, "other", WordEmbedder(), Copying())
    assert _answered(backend, "How much memory?")[0].finish_reason is FinishReason.NO_EVIDENCE


@pytest.mark.parametrize(("limit", "shown"), [(1, 1), (32, 2), (1000, 3)])
def test_passages_are_limited_by_tokens(pool: ConnectionPool[Any], limit: int, shown: int) -> None:
    """As many of the best passages are shown as fit the budget, at least one; references are those shown."""
    _, events = _answered(_backend(pool, passage_tokens=limit), "How much memory does the server use?")
    assert isinstance(events[0], References)
    assert len(events[0].hits) == shown


def test_caller_chooses_how_many_passages(pool: ConnectionPool[Any]) -> None:
    """The number of passages asked for is kept."""
    _, events = _answered(_backend(pool), "How much memory does the server use?", passages=1)
    assert isinstance(events[0], References)
    assert len(events[0].hits) == 1


def test_cancelling_stops_the_answer(pool: ConnectionPool[Any]) -> None:
    """When the caller cancels, Cancelled comes out as itself and no further token is emitted."""
    events: list[AnswerEvent] = []
    with pytest.raises(Cancelled):
        _backend(pool).answer(
            "How much memory?",
            options=GenerationOptions(),
            emit=events.append,
            cancelled=lambda: len(events) == 4,
        )
    assert len(events) == 4


def test_adapter_is_passed_on(pool: ConnectionPool[Any], tmp_path: Path) -> None:
    """What HYBRID was trained with is used for generation."""
    from backends.approaches.rag import RagBackend

    _published(pool, WordEmbedder(), TEXTS)
    generator = Copying()
    _answered(RagBackend(pool, "docs", WordEmbedder(), generator, adapter=tmp_path), "How much memory?")
    assert generator.adapters == [tmp_path]


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
    _published(pool, embedder, TEXTS)
    backend = RagBackend(pool, "docs", embedder, LocalGenerator(default_generator_folder, "default"))
    answer, events = _answered(backend, "What is the default of max_connections?")
    assert isinstance(events[0], References)
    assert events[0].hits[0].passage.source == "limits.md"
    assert "100" in answer.text
    assert answer.citations[0].number == 1
    assert _answered(backend, "What is the default of max_connections?") == (answer, events)
    assert _answered(backend, "How do I bake bread?")[0].finish_reason is FinishReason.NO_EVIDENCE
