"""Answer without retrieval: zero-shot, few-shot, with all documents in the prompt, or by a tuned model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path

from backends.approaches.history import history_notes, newest_that_fit
from backends.approaches.shots import NearestExamples, choose_examples
from backends.approaches.tidying import generate_tidy
from backends.base import (
    Answer,
    AnswerEvent,
    Example,
    Exchange,
    GenerationOptions,
    Generator,
    Message,
    Passage,
    Token,
)
from backends.counts import counted
from backends.prompts import prompt_messages

__all__ = ["PromptingBackend", "may_fit", "not_shown"]

_SHOTS = 8
_SIZE_PER_TOKEN = 16


def may_fit(size: int, context_tokens: int) -> bool:
    """Return whether documents of so many characters or bytes can fit a context at all.

    With more of them for each token than this, no tokenizer makes them fit, and
    nobody needs to read them to know.
    """
    return size <= context_tokens * _SIZE_PER_TOKEN


def not_shown(documents: int, size: str, context_tokens: int) -> str:
    """Return the note on documents that an answer does without.

    Args:
        documents: How many there are.
        size: What they take together, with its unit.
        context_tokens: How much the model reads.
    """
    return (
        f"the documents ({documents:,} with {size}) do not fit the model's {context_tokens:,} tokens: "
        "answered without them; RAG searches them"
    )


class PromptingBackend:
    """A language model asked without retrieval; implements `backends.base.Backend`.

    Args:
        generator: What writes the answer.
        instructions: What the use case wants of every answer; its description.
        examples: Some are shown, as many as fit and at most eight.
        documents: All are shown where they fit the model's context; otherwise none.
        adapter: Folder of LoRA weights, for FINE_TUNING. They were trained on the
            question alone: give the instructions of their training, and neither
            examples nor documents. Whoever opens it verifies it first.
        notes: What was left out before, said with every answer.
        nearest: Chooses the examples for each question, in place of `examples`.
    """

    def __init__(
        self,
        generator: Generator,
        *,
        instructions: str = "",
        examples: Sequence[Example] = (),
        documents: Sequence[Passage] = (),
        adapter: Path | None = None,
        notes: Sequence[str] = (),
        nearest: NearestExamples | None = None,
    ):
        self._generator = generator
        self._instructions = instructions
        self._examples = choose_examples(examples, _SHOTS)
        self._documents = tuple(documents)
        self._adapter = adapter
        self._notes = tuple(notes)
        self._nearest = nearest

    def answer(
        self,
        question: str,
        *,
        options: GenerationOptions,
        emit: Callable[[AnswerEvent], None],
        cancelled: Callable[[], bool],
        history: Sequence[Exchange] = (),
    ) -> Answer:
        """Answer a question, as `Backend.answer` says."""
        chat, notes = self._fitting(question, options, history)
        generation, more = generate_tidy(
            self._generator,
            chat,
            options=options,
            emit=lambda text: emit(Token(text)),
            cancelled=cancelled,
            adapter=self._adapter,
            echoes=(question, self._instructions),
        )
        return Answer(
            text=generation.text,
            finish_reason=generation.finish_reason,
            input_tokens=generation.input_tokens,
            output_tokens=generation.output_tokens,
            model=self._generator.name,
            engine=generation.engine,
            notes=(*self._notes, *notes, *more),
        )

    def _fitting(
        self, question: str, options: GenerationOptions, history: Sequence[Exchange]
    ) -> tuple[tuple[Message, ...], tuple[str, ...]]:
        """Return the chat for a question, with as much as fits, and what was left out: the oldest turns first."""
        room = self._generator.context_tokens - options.max_output_tokens
        examples = self._nearest(question, _SHOTS) if self._nearest else self._examples
        for passages, shots in self._offers(room, len(examples)):
            chat = partial(self._chat, question, passages, examples[len(examples) - shots :])
            shown = newest_that_fit(history, chat, self._generator, room)
            if shown is not None:
                return chat(shown), self._left_out(passages, shots, len(examples), history, shown)
        return self._chat(question, (), ()), self._left_out((), 0, len(examples), history, ())

    def _offers(self, room: int, count: int) -> list[tuple[tuple[Passage, ...], int]]:
        """Return what to try to fit, the most first, with `count` examples or fewer."""
        with_documents = (
            [(self._documents, shots) for shots in sorted({count, 0}, reverse=True)]
            if self._documents and self._document_tokens <= room
            else []
        )
        return [*with_documents, *(((), shots) for shots in range(count, -1, -1))]

    def _chat(
        self,
        question: str,
        passages: Sequence[Passage],
        examples: Sequence[Example],
        history: Sequence[Exchange] = (),
    ) -> tuple[Message, ...]:
        return prompt_messages(
            question,
            instructions=self._instructions,
            examples=examples,
            passages=passages,
            history=history,
        )

    def _left_out(
        self,
        passages: Sequence[Passage],
        shots: int,
        chosen: int,
        history: Sequence[Exchange],
        shown: Sequence[Exchange],
    ) -> tuple[str, ...]:
        context, notes = self._generator.context_tokens, []
        if self._documents and not passages:
            notes.append(not_shown(len(self._documents), counted(self._document_tokens, "token"), context))
        if shots < chosen:
            beside = "beside the documents" if passages else f"into the model's {context:,} tokens"
            notes.append(f"{shots} of {counted(chosen, 'chosen example')} shown: more do not fit {beside}")
        return (*notes, *history_notes(history, shown, context))

    @cached_property
    def _document_tokens(self) -> int:
        """Tokens of the documents; counted once, since reading them takes longer than the question."""
        return self._generator.count_tokens(self._chat("", self._documents, ()))
