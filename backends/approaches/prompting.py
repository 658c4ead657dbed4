"""Answer by prompting alone: zero-shot, few-shot, and with all documents in the prompt where they fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, zip_longest

from backends.base import Answer, AnswerEvent, Example, GenerationOptions, Generator, Message, Passage, Token
from backends.prompts import prompt_messages

__all__ = ["PromptingBackend", "choose_examples"]

_SHOTS = 8
# More characters than this for each token of the context, and no tokenizer makes it fit.
_CHARACTERS_PER_TOKEN = 16


def choose_examples(examples: Sequence[Example], limit: int) -> tuple[Example, ...]:
    """Return at most so many examples, of as many different answers as there are.

    A small model repeats the answers that it is shown: each is shown once
    before any is shown twice. The order is that of the examples.
    """
    by_answer: dict[str, list[int]] = {}
    for index, example in enumerate(examples):
        by_answer.setdefault(example.answer.strip(), []).append(index)
    rounds = chain.from_iterable(zip_longest(*by_answer.values()))
    chosen = [index for index in rounds if index is not None][:limit]
    return tuple(examples[index] for index in sorted(chosen))


class PromptingBackend:
    """A language model as it is, told what to do.

    Args:
        generator: What writes the answer.
        instructions: What the use case wants of every answer; its description.
        examples: Some are shown, as many as fit and at most eight.
        documents: All are shown where they fit the model's context; otherwise none.
    """

    def __init__(
        self,
        generator: Generator,
        *,
        instructions: str,
        examples: Sequence[Example] = (),
        documents: Sequence[Passage] = (),
    ):
        self._generator = generator
        self._instructions = instructions
        self._examples = choose_examples(examples, _SHOTS)
        self._documents = tuple(documents)

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
            self.messages(question, options),
            options=options,
            emit=lambda text: emit(Token(text)),
            cancelled=cancelled,
        )
        return Answer(
            text=generation.text,
            finish_reason=generation.finish_reason,
            input_tokens=generation.input_tokens,
            output_tokens=generation.output_tokens,
            model=self._generator.name,
        )

    def messages(self, question: str, options: GenerationOptions) -> tuple[Message, ...]:
        """Return the chat for a question: with documents and examples, or as much of that as fits."""
        room = self._generator.context_tokens - options.max_output_tokens
        for passages, shots in self._offers():
            chat = prompt_messages(
                question,
                instructions=self._instructions,
                examples=self._examples[:shots],
                passages=passages,
            )
            if self._generator.count_tokens(chat) <= room:
                return chat
        return prompt_messages(question, instructions=self._instructions)

    def _offers(self) -> list[tuple[tuple[Passage, ...], int]]:
        """Return what to try to fit, the most first."""
        count = len(self._examples)
        size = sum(len(passage.text) for passage in self._documents)
        may_fit = 0 < size <= self._generator.context_tokens * _CHARACTERS_PER_TOKEN
        with_documents = (
            [(self._documents, shots) for shots in sorted({count, 0}, reverse=True)] if may_fit else []
        )
        return [*with_documents, *(((), shots) for shots in range(count, 0, -1))]
