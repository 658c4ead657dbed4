"""Answer by a model tuned on examples, without documents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from backends.base import Answer, AnswerEvent, GenerationOptions, Generator, Token
from backends.prompts import prompt_messages

__all__ = ["TunedBackend"]


class TunedBackend:
    """A language model with LoRA weights, asked as it was trained.

    Args:
        generator: What writes the answer.
        adapter: Folder of the LoRA weights; whoever opens it verifies it first.
        instructions: Those that `plain_examples` was given for training.
    """

    def __init__(self, generator: Generator, adapter: Path, *, instructions: str = ""):
        self._generator = generator
        self._adapter = adapter
        self._instructions = instructions

    def answer(
        self,
        question: str,
        *,
        options: GenerationOptions,
        emit: Callable[[AnswerEvent], None],
        cancelled: Callable[[], bool],
    ) -> Answer:
        """Answer a question, as `Backend.answer` says."""
        generation = self._generator.generate(
            prompt_messages(question, instructions=self._instructions),
            options=options,
            emit=lambda text: emit(Token(text)),
            cancelled=cancelled,
            adapter=self._adapter,
        )
        return Answer(
            text=generation.text,
            finish_reason=generation.finish_reason,
            input_tokens=generation.input_tokens,
            output_tokens=generation.output_tokens,
            model=self._generator.name,
        )
