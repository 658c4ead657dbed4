"""What `Backend` promises, kept by every approach."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from backends.approaches.prompting import PromptingBackend
from backends.base import (
    Answer,
    AnswerEvent,
    Backend,
    Cancelled,
    Example,
    FinishReason,
    GenerationOptions,
    ModelError,
    QuestionError,
    References,
    Token,
)
from tests.backends.passages import published
from tests.doubles import FakeGenerator, WordEmbedder

QUESTION = "How much memory does the server use?"
OPTIONS = GenerationOptions(max_output_tokens=40)
APPROACHES = ("PROMPTING", "RAG", "FINE_TUNING", "HYBRID")


@pytest.fixture(params=APPROACHES)
def approach(request: pytest.FixtureRequest) -> str:
    """Return the name of each approach."""
    name: str = request.param
    return name


@pytest.fixture
def backend(approach: str, request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """Return each approach's backend on a generator that echoes."""
    return opened(approach, request, tmp_path)


def opened(approach: str, request: pytest.FixtureRequest, adapter: Path) -> Backend:
    """Open an approach on three passages or an example."""
    generator = FakeGenerator()
    if approach == "PROMPTING":
        return PromptingBackend(generator, instructions="Be brief.", examples=[Example("a", "b")])
    if approach == "FINE_TUNING":
        return PromptingBackend(generator, adapter=adapter)
    from backends.approaches.rag import RagBackend

    pool: ConnectionPool[Any] = request.getfixturevalue("pool")
    with pool.connection() as connection:
        published(connection, WordEmbedder())
    given = adapter if approach == "HYBRID" else None
    return RagBackend(pool, "docs", WordEmbedder(), generator, adapter=given)


def answered(backend: Backend, question: str = QUESTION) -> tuple[Answer, list[AnswerEvent]]:
    """Return the answer to a question with its events."""
    events: list[AnswerEvent] = []
    answer = backend.answer(question, options=OPTIONS, emit=events.append, cancelled=lambda: False)
    return answer, events


def test_tokens_concatenate_to_the_text(backend: Backend) -> None:
    """What is emitted is what is returned, by the generator's name, with what it took."""
    answer, events = answered(backend)
    assert "".join(event.text for event in events if isinstance(event, Token)) == answer.text != ""
    assert answer.model == "echo"
    assert answer.finish_reason in FinishReason
    assert min(answer.input_tokens, answer.output_tokens) > 0
    assert answer.notes == ()


def test_references_come_before_the_first_token(backend: Backend, approach: str) -> None:
    """Approaches that retrieve say once, and first, on what the answer may rest; marks are within the text."""
    answer, events = answered(backend)
    places = [index for index, event in enumerate(events) if isinstance(event, References)]
    assert places == ([0] if approach in {"RAG", "HYBRID"} else [])
    shown = len(events[0].hits) if isinstance(events[0], References) else 0
    for citation in answer.citations:
        assert 1 <= citation.number <= shown
        mark = answer.text.encode()[citation.start_byte : citation.end_byte]
        assert mark == f"[{citation.number}]".encode()


def test_same_question_same_answer(backend: Backend) -> None:
    """Also after another question."""
    first = answered(backend)
    answered(backend, "How many clients does max_connections let connect?")
    assert answered(backend) == first


def test_threads_get_their_own_answers(backend: Backend) -> None:
    """Questions asked at the same time are answered as if asked alone."""
    questions = [QUESTION, "How many clients connect?", "How often is a database backed up?"] * 2
    expected = [answered(backend, question) for question in questions]
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(lambda question: answered(backend, question), questions)) == expected


@pytest.mark.parametrize("after", [0, 1, 3])
def test_nothing_comes_after_cancelling(backend: Backend, after: int) -> None:
    """Cancelled comes out as itself, and no event after `cancelled` said so."""
    events: list[AnswerEvent] = []
    with pytest.raises(Cancelled):
        backend.answer(QUESTION, options=OPTIONS, emit=events.append, cancelled=lambda: len(events) >= after)
    assert len(events) == after


def test_a_question_that_is_too_long(backend: Backend) -> None:
    """A question that the model cannot read is refused as such."""
    with pytest.raises(QuestionError):
        answered(backend, f"{QUESTION} " * 1000)


@pytest.mark.parametrize("approach", ["FINE_TUNING", "HYBRID"])
def test_an_adapter_that_is_gone(approach: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """A trained approach never answers by the plain model."""
    with pytest.raises(ModelError):
        answered(opened(approach, request, tmp_path / "none"))
