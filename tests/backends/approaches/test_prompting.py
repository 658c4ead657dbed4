"""Prompts, and what is left out of them where it does not fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from backends.approaches.prompting import PromptingBackend, choose_examples
from backends.base import (
    AnswerEvent,
    Example,
    FinishReason,
    Generation,
    GenerationOptions,
    Message,
    Passage,
    Token,
)
from backends.prompts import prompt_messages

EXAMPLES = tuple(Example(f"Is {n} even?", "no" if n % 2 else "yes") for n in range(6))
DOCUMENT = Passage("p1", "a.txt", 0, 20, "Ann is the founder.")
OPTIONS = GenerationOptions(max_output_tokens=10)


class Echo:
    """A generator that counts words as tokens and repeats the last turn."""

    name = "echo"

    def __init__(self, context_tokens: int):
        self.context_tokens = context_tokens

    def count_tokens(self, messages: Sequence[Message]) -> int:
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
        pieces = messages[-1].content.partition(" ")
        for piece in pieces:
            emit(piece)
        return Generation("".join(pieces), FinishReason.STOP, self.count_tokens(messages), len(pieces))


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
    ("context_tokens", "documents", "shots"), [(1000, 1, 6), (22, 1, 0), (21, 0, 1), (13, 0, 0)]
)
def test_prompt_shrinks_to_the_context(context_tokens: int, documents: int, shots: int) -> None:
    """Documents are shown whole or not at all, and examples as many as fit."""
    backend = PromptingBackend(
        Echo(context_tokens), instructions="Answer.", examples=EXAMPLES, documents=[DOCUMENT]
    )
    chat = backend.messages("Who is Ann?", OPTIONS)
    assert chat[0].content.count("founder") == documents
    assert len(chat) == 2 + 2 * shots


def test_answer_is_the_concatenation_of_its_tokens() -> None:
    """What is emitted is what is returned."""
    events: list[AnswerEvent] = []
    answer = PromptingBackend(Echo(100), instructions="").answer(
        "Who is Ann?", options=OPTIONS, emit=events.append, cancelled=lambda: False
    )
    assert answer.text == "".join(event.text for event in events if isinstance(event, Token)) == "Who is Ann?"
    assert (answer.model, answer.finish_reason, answer.citations) == ("echo", FinishReason.STOP, ())
