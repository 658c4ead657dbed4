"""Prompts, and what is left out of them where it does not fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from backends.approaches.prompting import PromptingBackend, may_fit, not_shown
from backends.approaches.shots import NearestExamples, choose_examples
from backends.base import Answer, Example, GenerationOptions, Message, Passage
from backends.prompts import prompt_messages
from tests.doubles import FakeGenerator, WordEmbedder

EXAMPLES = tuple(Example(f"Is {n} even?", "no" if n % 2 else "yes") for n in range(6))
DOCUMENT = Passage("p1", "a.txt", 0, 20, "Ann is the founder.")
OPTIONS = GenerationOptions(max_output_tokens=10)


def asked(
    backend_of: Callable[[FakeGenerator], PromptingBackend], context_tokens: int = 1000
) -> tuple[Answer, FakeGenerator]:
    """Return the answer to a question, with the generator that wrote it."""
    generator = FakeGenerator(context_tokens=context_tokens)
    answer = backend_of(generator).answer(
        "Who is Ann?", options=OPTIONS, emit=lambda event: None, cancelled=lambda: False
    )
    return answer, generator


def test_prompt_puts_what_stays_first() -> None:
    """Instructions and documents come first, then examples, then the question."""
    chat = prompt_messages("Who?", instructions="Say who.", examples=EXAMPLES[:1], passages=[DOCUMENT])
    assert [message.role for message in chat] == ["system", "user", "assistant", "user"]
    assert chat[0].content == "Say who.\n\nAnswer from these documents:\n\nAnn is the founder."
    assert (chat[1].content, chat[2].content, chat[3].content) == ("Is 0 even?", "yes", "Who?")


def test_prompt_without_instructions_has_a_system_turn() -> None:
    """No model falls back on a system turn of its own."""
    assert prompt_messages("Who?")[0] == Message("system", "Answer the question.")


@pytest.mark.parametrize(("limit", "questions"), [(1, "0"), (2, "01"), (4, "0123"), (9, "012345"), (0, "")])
def test_examples_are_chosen_over_all_answers(limit: int, questions: str) -> None:
    """Every answer is shown once before any is shown twice."""
    chosen = choose_examples(EXAMPLES, limit)
    assert [example.question for example in chosen] == [f"Is {n} even?" for n in questions]


@pytest.mark.parametrize(
    ("context_tokens", "documents", "shots", "notes"),
    [
        (1000, 1, 6, []),
        (22, 1, 0, ["0 of 6 chosen examples"]),
        (21, 0, 1, ["documents (1 with 9 tokens) do not fit the model's 21", "1 of 6 chosen examples"]),
        (14, 0, 0, ["documents (1 with 9 tokens) do not fit the model's 14", "0 of 6 chosen examples"]),
    ],
)
def test_prompt_shrinks_to_the_context(
    context_tokens: int, documents: int, shots: int, notes: list[str]
) -> None:
    """Documents are shown whole or not at all, examples as many as fit, and the answer says what is missing."""
    answer, generator = asked(
        lambda generator: PromptingBackend(
            generator, instructions="Answer.", examples=EXAMPLES, documents=[DOCUMENT]
        ),
        context_tokens,
    )
    chat, _ = generator.asked[-1]
    assert chat[0].content.count("founder") == documents
    assert len(chat) == 2 + 2 * shots
    assert len(answer.notes) == len(notes)
    assert all(part in note for part, note in zip(notes, answer.notes, strict=True))


def test_what_was_left_out_before_is_said() -> None:
    """Notes of whoever opened the backend come with every answer."""
    note = not_shown(40, "90,000 bytes", 1000)
    answer, _ = asked(lambda generator: PromptingBackend(generator, notes=[note]))
    assert answer.notes == (note,)


@pytest.mark.parametrize(("size", "fits"), [(0, True), (16_000, True), (16_001, False)])
def test_what_cannot_fit_need_not_be_read(size: int, fits: bool) -> None:
    """Sixteen bytes a token are more than any tokenizer takes together."""
    assert may_fit(size, 1000) is fits


def test_the_tuned_model_is_asked_as_it_was_trained(tmp_path: Path) -> None:
    """The chat is the training's, and the adapter is passed on."""
    _, generator = asked(
        lambda generator: PromptingBackend(generator, instructions="Name it.", adapter=tmp_path)
    )
    assert generator.asked == [(prompt_messages("Who is Ann?", instructions="Name it."), tmp_path)]


def test_the_nearest_examples_stand_last() -> None:
    """With examples chosen for each question, those that share its words are shown, the nearest just before it."""
    shown = [Example(f"about {word} and more", word) for word in ("ports", "disks", "fans")]
    nearest = NearestExamples(shown, WordEmbedder())
    assert [each.answer for each in nearest("about disks", 2)][-1] == "disks"
    generator = FakeGenerator()
    backend = PromptingBackend(generator, nearest=nearest)
    backend.answer("about fans", options=GenerationOptions(), emit=lambda _: None, cancelled=lambda: False)
    chat, _ = generator.asked[-1]
    assert [message.content for message in chat[-3:]] == ["about fans and more", "fans", "about fans"]


def test_of_chosen_examples_the_nearest_stay_where_not_all_fit() -> None:
    """What does not fit is left out from the front, and a note says how many are shown."""
    shown = [Example(f"{word} " * 20, word) for word in ("ports", "disks", "fans")]
    generator = FakeGenerator(context_tokens=40)
    backend = PromptingBackend(generator, nearest=NearestExamples(shown, WordEmbedder()))
    options = GenerationOptions(max_output_tokens=5)
    answer = backend.answer("fans", options=options, emit=lambda _: None, cancelled=lambda: False)
    assert [message.content for message in generator.asked[-1][0]][2] == "fans"
    assert "1 of 3 chosen examples shown" in answer.notes[0]
