"""Answers from passages: a Haystack pipeline that embeds, retrieves, joins, prompts and generates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from haystack import Pipeline, component
from haystack.core.errors import PipelineRuntimeError

from backends.approaches.citations import CitingStream
from backends.approaches.evidence import has_evidence
from backends.approaches.history import history_notes, newest_that_fit
from backends.approaches.quoting import Quoting, quotes
from backends.base import (
    Answer,
    AnswerEvent,
    BackendError,
    Cancelled,
    Exchange,
    FinishReason,
    Generation,
    GenerationOptions,
    Generator,
    Hit,
    Message,
    References,
    Token,
)
from backends.counts import counted
from backends.prompts import grounded_messages
from backends.retrieval.embedding import Embedder
from backends.retrieval.index import Connections
from backends.retrieval.search import add_retrieval, retrieval_inputs

__all__ = ["NO_EVIDENCE_TEXT", "PASSAGE_TOKENS", "RagBackend"]

NO_EVIDENCE_TEXT = "The documents hold no answer to this question."
PASSAGE_TOKENS = 500
"""Most tokens of passages in a prompt: reading them is most of the time to the first token."""


class RagBackend:
    """Answers from the passages of one collection; implements `backends.base.Backend`.

    Args:
        pool: Connections to the database that holds the passages.
        collection: Which passages.
        embedder: The embedder that they were embedded by.
        generator: What writes the answer.
        instructions: What the use case wants of every answer.
        adapter: Folder of LoRA weights trained on `grounded_messages`, for HYBRID.
        passage_tokens: Most tokens of passages in a prompt; one passage is always shown.
    """

    def __init__(
        self,
        pool: Connections,
        collection: str,
        embedder: Embedder,
        generator: Generator,
        *,
        instructions: str = "",
        adapter: Path | None = None,
        passage_tokens: int = PASSAGE_TOKENS,
    ) -> None:
        self._generator = generator
        self._pipeline = Pipeline()
        add_retrieval(self._pipeline, pool, collection, embedder)
        self._pipeline.add_component("prompt", _GroundedPrompt(generator, instructions, passage_tokens))
        quoting = Quoting(embedder) if quotes(generator, adapter) else None
        self._pipeline.add_component("generate", _CitingGenerator(generator, adapter, quoting))
        self._pipeline.connect("retrieve.hits", "prompt.hits")
        for name in ("messages", "hits", "notes"):
            self._pipeline.connect(f"prompt.{name}", f"generate.{name}")

    def answer(
        self,
        question: str,
        *,
        options: GenerationOptions,
        emit: Callable[[AnswerEvent], None],
        cancelled: Callable[[], bool],
        history: Sequence[Exchange] = (),
    ) -> Answer:
        """Answer from the passages, or say that they hold no answer, whatever form is asked for."""
        if cancelled():
            raise Cancelled("the answer was cancelled before it began")
        inputs = retrieval_inputs(question, options.passages)
        inputs["prompt"] = {"question": question, "history": list(history), "options": options}
        # The pipeline copies what it is given; a function is copied as itself, a bound method is not.
        inputs["generate"] = {
            "question": question,
            "options": options,
            "emit": lambda event: emit(event),
            "cancelled": lambda: cancelled(),
        }
        try:
            result = self._pipeline.run(inputs)
        except PipelineRuntimeError as error:
            raise error.__cause__ or error from None  # what the component itself says
        outcome: Answer | BackendError = result["generate"]["outcome"]
        if isinstance(outcome, BackendError):
            raise outcome
        return outcome


@component
class _GroundedPrompt:
    """Writes the chat from the best passages, from none where they hold no answer."""

    def __init__(self, generator: Generator, instructions: str, passage_tokens: int) -> None:
        self._generator = generator
        self._instructions = instructions
        self._passage_tokens = passage_tokens

    @component.output_types(messages=list[Message], hits=list[Hit], notes=list[str])
    def run(
        self,
        question: str,
        history: list[Exchange],
        options: GenerationOptions,
        hits: list[Hit],
    ) -> dict[str, Any]:
        """Return the chat, the passages that it shows, and what it leaves out."""
        if not has_evidence(question, hits):
            return {"messages": [], "hits": [], "notes": []}
        shown = self._fitting(question, hits)
        context = self._generator.context_tokens
        chat = partial(self._messages, question, shown)
        room = context - options.max_output_tokens
        kept = (newest_that_fit(history, chat, self._generator, room) or ()) if history else ()
        return {
            "messages": list(chat(kept)),
            "hits": list(shown),
            "notes": [*self._left_out(len(hits), len(shown)), *history_notes(history, kept, context)],
        }

    def _fitting(self, question: str, hits: Sequence[Hit]) -> Sequence[Hit]:
        empty = self._generator.count_tokens(self._messages(question, ()))
        for count in range(len(hits), 1, -1):
            taken = self._generator.count_tokens(self._messages(question, hits[:count])) - empty
            if taken <= self._passage_tokens:
                return hits[:count]
        return hits[:1]

    def _left_out(self, found: int, shown: int) -> list[str]:
        if shown == found:
            return []
        limit = f"{self._passage_tokens:,} tokens of passages"
        return [f"{shown} of {counted(found, 'passage')} found shown: a prompt holds at most {limit}"]

    def _messages(
        self, question: str, hits: Sequence[Hit], history: Sequence[Exchange] = ()
    ) -> tuple[Message, ...]:
        passages = [hit.passage for hit in hits]
        return grounded_messages(question, passages, instructions=self._instructions, history=history)


@component
class _CitingGenerator:
    """Streams references, then the answer with its citations, or in its form; without passages, says so."""

    def __init__(self, generator: Generator, adapter: Path | None, quoting: Quoting | None) -> None:
        self._generator = generator
        self._adapter = adapter
        self._quoting = quoting

    @component.output_types(outcome=Answer | BackendError)
    def run(
        self,
        question: str,
        messages: list[Message],
        hits: list[Hit],
        notes: list[str],
        options: GenerationOptions,
        emit: Callable[[AnswerEvent], None],
        cancelled: Callable[[], bool],
    ) -> dict[str, Any]:
        """Return the whole answer, or why there is none: raised, the pipeline would log all that led to it."""
        if not hits:
            emit(Token(NO_EVIDENCE_TEXT))
            return {"outcome": Answer(NO_EVIDENCE_TEXT, FinishReason.NO_EVIDENCE, 0, 0, self._generator.name)}
        emit(References(tuple(hits)))
        if self._quoting and not options.formed:
            quote = self._quoting.answer(question, hits, options, self._generator.name)
            emit(Token(quote.text))
            return {"outcome": replace(quote, notes=(*quote.notes, *notes))}
        stream = CitingStream([hit.passage for hit in hits], lambda text: emit(Token(text)))
        # In a form marks have no place, and what looks like one is none.
        write = (lambda text: emit(Token(text))) if options.formed else stream.write
        try:
            written: Generation = self._generator.generate(
                messages, options=options, emit=write, cancelled=cancelled, adapter=self._adapter
            )
        except BackendError as error:
            return {"outcome": error}
        stream.finish()
        answer = Answer(
            written.text if options.formed else stream.text,
            written.finish_reason,
            written.input_tokens,
            written.output_tokens,
            self._generator.name,
            written.engine,
            stream.citations,
            tuple(notes),
        )
        return {"outcome": answer}
