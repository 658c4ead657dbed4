"""Answers by a tuned model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from backends.approaches.tuned import TunedBackend
from backends.base import AnswerEvent, FinishReason, Generation, GenerationOptions, Message, Token
from backends.prompts import prompt_messages


class FakeGenerator:
    """Writes two pieces, and remembers what it was asked."""

    name = "fake"
    context_tokens = 100

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return len(messages)

    def generate(
        self,
        messages: Sequence[Message],
        *,
        options: GenerationOptions,
        emit: Callable[[str], None],
        cancelled: Callable[[], bool],
        adapter: Path | None = None,
    ) -> Generation:
        self.asked = (tuple(messages), adapter)
        emit("Pa")
        emit("ris")
        return Generation("Paris", FinishReason.STOP, 7, 2)


def test_the_tuned_model_is_asked_as_it_was_trained() -> None:
    """The chat is the training's, the adapter is passed on, and the tokens add up to the answer."""
    generator, events = FakeGenerator(), list[AnswerEvent]()
    answer = TunedBackend(generator, Path("adapter"), instructions="Name it.").answer(
        "Capital?", options=GenerationOptions(), emit=events.append, cancelled=lambda: False
    )
    assert generator.asked == (prompt_messages("Capital?", instructions="Name it."), Path("adapter"))
    assert events == [Token("Pa"), Token("ris")]
    assert (answer.text, answer.model, answer.input_tokens, answer.output_tokens) == ("Paris", "fake", 7, 2)
