"""Answers rest on passages, cite them, and say when there is nothing to rest on or something was left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from backends.approaches.rag import usual_passages
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
    Unsupported,
)
from backends.prompts import GROUNDED, PROMPT_FORM, form_of, grounded_messages
from backends.retrieval.embedding import LocalEmbedder
from backends.retrieval.index import delete_sources
from tests.backends.passages import TEXTS, published
from tests.doubles import FakeGenerator, WordEmbedder
from tests.processes import run_at_home


def last_sentence(messages: Sequence[Message]) -> str:
    """Return the last sentence of the first passage shown, which a fake generator answers with."""
    first = next(text for text in TEXTS.values() if text in messages[-1].content)
    return first.split(". ")[-1]


def test_the_makers_of_haystack_are_not_told(tmp_path: Path) -> None:
    """Unless the environment says so: it would send them each pipeline that runs, under an id kept in the home."""
    script = (
        "import backends.approaches.rag\n"
        "from haystack.telemetry import _telemetry\n"
        "assert _telemetry.telemetry is None"
    )
    run_at_home(script, tmp_path)


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


def _saying(pool: ConnectionPool[Any], reply: str) -> Backend:
    from backends.approaches.rag import RagBackend

    with pool.connection() as connection:
        published(connection, WordEmbedder())
    return RagBackend(pool, "docs", WordEmbedder(), FakeGenerator(lambda _: reply))


def test_unsupported_sentences_are_flagged_or_left_out(pool: ConnectionPool[Any]) -> None:
    """A number that stands in no passage is told; with the option, its sentence is gone, and a note says so."""
    backend = _saying(pool, "Its default is 100. At most 9999 may be set.")
    question = "How many clients does max_connections let connect?"
    flagged, _ = _answered(backend, question)
    (sentence,) = flagged.unsupported
    assert flagged.text.encode()[sentence.start_byte : sentence.end_byte] == b"At most 9999 may be set."
    assert sentence.missing == ("9999",)
    kept, events = _answered(backend, question, unsupported=Unsupported.LEAVE_OUT)
    assert kept.text == "Its default is 100 [1]." == "".join(e.text for e in events if isinstance(e, Token))
    assert kept.notes == ("1 sentence left out: not in the passages: 9999",)


def test_where_nothing_is_supported_the_documents_hold_no_answer(pool: ConnectionPool[Any]) -> None:
    """And the answer says so, in the usual words."""
    from backends.approaches.rag import NO_EVIDENCE_TEXT

    backend = _saying(pool, "At most 9999 may be set, says Oracle.")
    answer, events = _answered(
        backend, "How much memory does max_connections take?", unsupported=Unsupported.LEAVE_OUT
    )
    assert (answer.text, answer.finish_reason) == (NO_EVIDENCE_TEXT, FinishReason.NO_EVIDENCE)
    assert [each.text for each in events if isinstance(each, Token)] == [NO_EVIDENCE_TEXT]
    assert answer.citations == ()


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


@pytest.mark.parametrize(("limit", "shown"), [(1, 1), (36, 2), (1000, 3)])
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


@pytest.mark.parametrize(
    ("parameters", "expected"), [(135_000_000, 1), (3_000_000_000, 3), (70_000_000_000, 5), (None, 5)]
)
def test_passages_go_by_the_size_of_the_model(parameters: int | None, expected: int) -> None:
    """A small one is misled by more; of a model on a server nobody says how large it is."""
    assert usual_passages(parameters) == expected


def test_a_small_model_writes_in_a_form_from_one_passage(pool: ConnectionPool[Any]) -> None:
    """A quote has three to choose from; whoever asks for a number gets it."""
    from backends.approaches.rag import RagBackend

    with pool.connection() as connection:
        published(connection, WordEmbedder())
    small = FakeGenerator()
    small.parameters = 135_000_000
    backend = RagBackend(pool, "docs", WordEmbedder(), small)
    counts = []
    for options in ({}, {"labels": ("yes", "no")}, {"labels": ("yes", "no"), "passages": 2}):
        _, events = _answered(backend, "How much memory does the server use?", **options)
        assert isinstance(events[0], References)
        counts.append(len(events[0].hits))
    assert counts == [3, 1, 2]


def test_prompt_shows_question_passages_and_instructions() -> None:
    """The chat holds what it is made of, passages numbered under what they are of, and ends with the user's turn."""
    passages = [
        Passage("1", "a.md", 0, 1, "It is 100.", heading="Limits > Clients", place="page 3"),
        Passage("2", "b.md", 0, 1, "It is 128 MB.", place="#memory"),
        Passage("3", "c.md", 0, 1, "Run it."),
    ]
    messages = grounded_messages("Why?", passages, instructions="Be brief.")
    assert messages[0] == Message("system", f"{GROUNDED} Be brief.")
    assert messages[-1] == Message(
        "user",
        "Passages:\n[1] Limits > Clients (page 3)\nIt is 100.\n\n[2] (#memory)\nIt is 128 MB.\n\n"
        "[3] Run it.\n\nQuestion: Why?",
    )


def test_an_adapter_is_asked_in_the_form_of_its_training() -> None:
    """The form before showed the texts alone."""
    passage = Passage("1", "a.md", 0, 1, "It is 100.", heading="Limits", place="page 3")
    before = grounded_messages("Why?", [passage], form=1)
    assert before[0].content == "Answer the question briefly, using only the context."
    assert before[-1].content == "Context:\n[1] It is 100.\n\nQuestion: Why?"
    assert (form_of(before), form_of(grounded_messages("Why?", [passage]))) == (1, PROMPT_FORM)


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


@pytest.mark.parametrize(("texts", "gone"), [({}, True), ({"limits.md": "Other."}, True), (TEXTS, False)])
def test_a_document_deleted_while_it_is_cited(
    pool: ConnectionPool[Any], texts: dict[str, str], gone: bool
) -> None:
    """The answer ends as it was begun, and a note says that what it rests on is gone; the next does not find it."""
    from backends.approaches.rag import RagBackend

    def meanwhile(messages: Sequence[Message]) -> str:
        with pool.connection() as connection:
            delete_sources(connection, "docs", ["limits.md"])
            published(connection, WordEmbedder(), texts=texts)
        return last_sentence(messages)

    _backend(pool)
    backend = RagBackend(pool, "docs", WordEmbedder(), FakeGenerator(meanwhile))
    answer, _ = _answered(backend, "How many clients does max_connections let connect?", passages=1)
    assert answer.text == "Its default is 100 [1]."
    said = "limits.md was deleted or replaced while this was answered; ask again"
    assert answer.notes == ((said,) if gone else ())
