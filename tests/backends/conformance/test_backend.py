"""What `Backend` promises, kept by every approach."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
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
    Exchange,
    FinishReason,
    GenerationOptions,
    ModelError,
    QuestionError,
    References,
    Token,
)
from tests.backends.passages import published
from tests.doubles import FakeGenerator, WordEmbedder, last_turn

QUESTION = "How much memory does the server use?"
OPTIONS = GenerationOptions(max_output_tokens=40)
HISTORY = tuple(Exchange(f"Question {number}?", f"Answer {number}. " * 40) for number in range(4))
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


def opened(
    approach: str, request: pytest.FixtureRequest, adapter: Path, generator: FakeGenerator | None = None
) -> Backend:
    """Open an approach on three passages or an example."""
    generator = generator or FakeGenerator(lambda chat: f"You asked {last_turn(chat)}")
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


def answered(
    backend: Backend,
    question: str = QUESTION,
    history: Sequence[Exchange] = (),
    options: GenerationOptions = OPTIONS,
) -> tuple[Answer, list[AnswerEvent]]:
    """Return the answer to a question with its events."""
    events: list[AnswerEvent] = []
    answer = backend.answer(
        question, options=options, emit=events.append, cancelled=lambda: False, history=history
    )
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


def test_history_stands_before_the_question(
    approach: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """As turns of their own; the question stays last, and nothing is said of what fits."""
    generator = FakeGenerator()
    backend = opened(approach, request, tmp_path, generator)
    plain, _ = answered(backend)
    answer, _ = answered(backend, history=HISTORY[:2])
    (before, _), (chat, _) = generator.asked
    turns = [turn for each in HISTORY[:2] for turn in (each.question, each.answer.strip())]
    assert [message.content for message in chat[-5:-1]] == turns
    assert [message.role for message in chat[-5:-1]] == ["user", "assistant"] * 2
    assert (*chat[:-5], chat[-1]) == before
    assert (answer.text, answer.notes) == (plain.text, ())


@pytest.mark.parametrize(("room", "shown"), [(200, 2), (100, 1), (50, 0)])
def test_the_oldest_turns_are_left_out_first(
    approach: str, request: pytest.FixtureRequest, tmp_path: Path, room: int, shown: int
) -> None:
    """As many as do not fit, and the answer says how many are shown."""
    generator = FakeGenerator()
    backend = opened(approach, request, tmp_path, generator)
    plain, _ = answered(backend)
    generator.context_tokens = plain.input_tokens + OPTIONS.max_output_tokens + room
    answer, _ = answered(backend, history=HISTORY)
    chat, _ = generator.asked[-1]
    asked = [message.content for message in chat if message.content.startswith("Question ")]
    assert asked == [each.question for each in HISTORY[len(HISTORY) - shown :]]
    (note,) = answer.notes
    assert note.startswith(f"{shown} of 4 earlier exchanges shown, the newest: ")
    assert f"the model's {generator.context_tokens} tokens" in note


@pytest.mark.parametrize(
    "form", [{"labels": ("See [9].", "[1] or not.")}, {"output_schema": '{"enum": [["a"], [1]]}'}]
)
def test_a_form_is_kept_to(backend: Backend, form: dict[str, Any]) -> None:
    """Exactly, though it holds what looks like citations; none are added."""
    options = replace(OPTIONS, **form)
    answer, events = answered(backend, options=options)
    assert answer.text == "".join(event.text for event in events if isinstance(event, Token))
    assert answer.text in ("See [9].", '["a"]')
    assert answer.citations == ()


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
