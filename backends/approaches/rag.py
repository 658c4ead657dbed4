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
from backends.approaches.evidence import Evidence, evidence_for
from backends.approaches.history import history_notes, newest_that_fit
from backends.approaches.pipelines import trace_pipelines
from backends.approaches.quoting import quoted, quotes
from backends.approaches.tidying import generate_tidy
from backends.base import (
    Answer,
    AnswerEvent,
    BackendError,
    Cancelled,
    Exchange,
    FinishReason,
    GenerationOptions,
    Generator,
    Hit,
    Message,
    References,
    Token,
    Unsupported,
    UnsupportedSentence,
)
from backends.counts import counted
from backends.prompts import GROUNDED, PROMPT_FORM, grounded_messages
from backends.retrieval.asking import Named, gone, no_other
from backends.retrieval.embedding import Embedder
from backends.retrieval.index import Connections
from backends.retrieval.reranking import Reranker
from backends.retrieval.search import add_retrieval, retrieval_inputs

__all__ = ["NO_EVIDENCE_TEXT", "PASSAGE_TOKENS", "RagBackend", "usual_passages"]

NO_EVIDENCE_TEXT = "The documents hold no answer to this question."
PASSAGE_TOKENS = 1000
"""Most tokens of passages in a prompt: reading them is most of the time to the first token."""

_SHOWN = ((1_000_000_000, 1), (10_000_000_000, 3))
_SHOWN_BEYOND = 5
"""Passages that a model writes from: with fewer parameters than these, and with more or nobody knows how many."""
_USUAL = 3
"""Passages that an adapter was trained on, that are found for a quote, and that tell whether there is evidence."""

_NAMED = 5  # things that a note names of those that are missing


class RagBackend:
    """Answers from the passages of one collection; implements `backends.base.Backend`.

    Args:
        pool: Connections to the database that holds the passages.
        collection: Which passages.
        embedder: The embedder that they were embedded by, when last looked at.
        generator: What writes the answer.
        instructions: What the use case wants of every answer.
        adapter: Folder of LoRA weights trained on `grounded_messages`, for HYBRID.
        passage_tokens: Most tokens of passages in a prompt; one passage is always shown.
        named: Returns the embedder of the passages by its name, where it is another by now.
        prompt_form: The form of the prompt that the adapter was trained on.
        reranker: Puts the passages found in another order; None without one.
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
        named: Named = no_other,
        prompt_form: int = PROMPT_FORM,
        reranker: Reranker | None = None,
    ) -> None:
        self._pool = pool
        self._collection = collection
        trace_pipelines()
        self._pipeline = Pipeline()
        add_retrieval(self._pipeline, pool, collection, embedder, named, reranker)
        self._pipeline.add_component("read", _Reader(embedder))
        chat = partial(grounded_messages, instructions=instructions, form=prompt_form)
        self._pipeline.add_component("prompt", _GroundedPrompt(generator, chat, passage_tokens))
        self._quotes, self._trained = quotes(generator, adapter), adapter is not None
        self._parameters = generator.parameters
        self._pipeline.add_component("generate", _CitingGenerator(generator, instructions, adapter))
        self._pipeline.connect("retrieve.hits", "read.hits")
        self._pipeline.connect("read.hits", "prompt.hits")
        self._pipeline.connect("read.evidence", "generate.evidence")
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
        """Answer from the passages, or say that they hold no answer, whatever form is asked for.

        Where a document that the answer was shown is deleted or replaced meanwhile, a note says so.
        """
        if cancelled():
            raise Cancelled("the answer was cancelled before it began")
        shown = options.passages or self._shown(options)
        inputs = retrieval_inputs(question, options.passages or max(shown, _USUAL), options.within)
        inputs["prompt"] = {
            "question": question,
            "history": list(history),
            "options": options,
            "shown": shown,
        }
        inputs["read"] = {"question": question}
        # The pipeline copies what it is given; a function is copied as itself, a bound method is not.
        inputs["generate"] = {
            "question": question,
            "options": options,
            "emit": lambda event: emit(event),
            "cancelled": lambda: cancelled(),
        }
        try:
            result = self._pipeline.run(inputs, include_outputs_from={"prompt"})
        except PipelineRuntimeError as error:
            raise error.__cause__ or error from None  # what the component itself says
        outcome: Answer | BackendError = result["generate"]["outcome"]
        if isinstance(outcome, BackendError):
            raise outcome
        missing = gone(self._pool, self._collection, (hit.passage for hit in result["prompt"]["hits"]))
        notes = (f"{source} was deleted or replaced while this was answered; ask again" for source in missing)
        return replace(outcome, notes=(*outcome.notes, *notes))

    def _shown(self, options: GenerationOptions) -> int:
        """Return how many passages are shown where nobody says."""
        quoted = self._quotes and not options.formed
        return _USUAL if quoted or self._trained else usual_passages(self._parameters)


def usual_passages(parameters: int | None) -> int:
    """Return how many passages a model writes from where nobody says, by its parameters; None where unknown."""
    if parameters is None:
        return _SHOWN_BEYOND
    return next((count for below, count in _SHOWN if parameters < below), _SHOWN_BEYOND)


@component
class _Reader:
    """Reads what was found, and passes on none of it where it holds no answer."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @component.output_types(hits=list[Hit], evidence=Evidence)
    def run(self, question: str, hits: list[Hit]) -> dict[str, Any]:
        """Return the passages, and what they say of the question."""
        evidence = evidence_for(question, hits, self._embedder)
        return {"hits": [] if evidence.lacks else hits, "evidence": evidence}


@component
class _GroundedPrompt:
    """Writes the chat from the best passages."""

    def __init__(
        self, generator: Generator, chat: Callable[..., tuple[Message, ...]], passage_tokens: int
    ) -> None:
        self._generator = generator
        self._chat = chat
        self._passage_tokens = passage_tokens

    @component.output_types(messages=list[Message], hits=list[Hit], notes=list[str])
    def run(
        self,
        question: str,
        history: list[Exchange],
        options: GenerationOptions,
        shown: int,
        hits: list[Hit],
    ) -> dict[str, Any]:
        """Return the chat, the passages that it shows, no more than `shown`, and what it leaves out."""
        if not hits:
            return {"messages": [], "hits": [], "notes": []}
        hits = hits[:shown]
        fitting = self._fitting(question, hits)
        context = self._generator.context_tokens
        chat = partial(self._messages, question, fitting)
        room = context - options.max_output_tokens
        kept = (newest_that_fit(history, chat, self._generator, room) or ()) if history else ()
        return {
            "messages": list(chat(kept)),
            "hits": list(fitting),
            "notes": [*self._left_out(len(hits), len(fitting)), *history_notes(history, kept, context)],
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
        return self._chat(question, [hit.passage for hit in hits], history=history)


@component
class _CitingGenerator:
    """Streams references, then the answer with its citations, or in its form; without passages, says so."""

    def __init__(self, generator: Generator, instructions: str, adapter: Path | None) -> None:
        self._generator = generator
        self._instructions = instructions
        self._adapter = adapter
        self._quotes = quotes(generator, adapter)

    @component.output_types(outcome=Answer | BackendError)
    def run(
        self,
        question: str,
        messages: list[Message],
        hits: list[Hit],
        notes: list[str],
        evidence: Evidence,
        options: GenerationOptions,
        emit: Callable[[AnswerEvent], None],
        cancelled: Callable[[], bool],
    ) -> dict[str, Any]:
        """Return the whole answer, or why there is none: raised, the pipeline would log all that led to it."""
        if not hits:
            emit(Token(NO_EVIDENCE_TEXT))
            none = Answer(NO_EVIDENCE_TEXT, FinishReason.NO_EVIDENCE, 0, 0, self._generator.name)
            return {"outcome": replace(none, notes=(f"What was found lacks {evidence.lacks}",))}
        emit(References(tuple(hits)))
        if self._quotes and not options.formed:
            quote = quoted(question, hits, evidence.near, options, self._generator.name)
            emit(Token(quote.text))
            return {"outcome": replace(quote, notes=(*quote.notes, *notes))}
        leave_out = options.unsupported is Unsupported.LEAVE_OUT
        stream = CitingStream(
            [hit.passage for hit in hits], lambda text: emit(Token(text)), leave_out=leave_out
        )
        # In a form marks have no place, and what looks like one is none.
        write = (lambda text: emit(Token(text))) if options.formed else stream.write
        try:
            written, more = generate_tidy(
                self._generator,
                messages,
                options=options,
                emit=write,
                cancelled=cancelled,
                adapter=self._adapter,
                echoes=(question, GROUNDED, self._instructions),
                labels=True,
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
            (*notes, *more, *(_left_out(stream.unsupported) if leave_out else ())),
            stream.unsupported,
        )
        if leave_out and answer.unsupported and not answer.text.strip():
            emit(Token(NO_EVIDENCE_TEXT))
            text = f"{answer.text}{NO_EVIDENCE_TEXT}"
            answer = replace(answer, text=text, finish_reason=FinishReason.NO_EVIDENCE)
        return {"outcome": answer}


def _left_out(sentences: Sequence[UnsupportedSentence]) -> list[str]:
    """Return the note on sentences that were left out; none where there are none."""
    missing = list(dict.fromkeys(item for each in sentences for item in each.missing))
    if not missing:
        return []
    named = ", ".join(missing[:_NAMED]) + (", …" if len(missing) > _NAMED else "")
    return [f"{counted(len(sentences), 'sentence')} left out: not in the passages: {named}"]
