"""Questions put to a backend, as clients would put them: many at once, and some one by one for the time they take."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from backends.base import (
    AnswerEvent,
    Backend,
    Cancelled,
    FinishReason,
    GenerationOptions,
    Hit,
    References,
    Token,
)

__all__ = ["Reply", "ask", "ask_all"]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with what it rests on.

    Attributes:
        text: The answer.
        refused: Whether it says that the documents hold no answer.
        complete: Whether it ended by itself; False where the limit of tokens ended it.
        found: Texts of the passages that it was given.
        sources: Documents that these are from.
        cited: Texts of the passages that it cites.
        input_tokens: Tokens read.
        output_tokens: Tokens written.
        first_token_s: Seconds to the first token.
        total_s: Seconds to the end.
        engine: What computed it; empty where nothing was generated.
    """

    text: str
    refused: bool = False
    complete: bool = True
    found: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    cited: tuple[str, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    first_token_s: float = 0.0
    total_s: float = 0.0
    engine: str = ""


@dataclass(slots=True)
class _Listener:
    """Takes note of an answer's events."""

    began: float = field(default_factory=time.monotonic)
    first_token: float | None = None
    hits: tuple[Hit, ...] = ()

    def __call__(self, event: AnswerEvent) -> None:
        if isinstance(event, References):
            self.hits = event.hits
        elif isinstance(event, Token) and self.first_token is None:
            self.first_token = time.monotonic()


def ask(backend: Backend, question: str, options: GenerationOptions, cancelled: Callable[[], bool]) -> Reply:
    """Ask one question.

    Raises:
        Cancelled: `cancelled` said so.
        BackendError: What `Backend.answer` raises.
    """
    listener = _Listener()
    answer = backend.answer(question, options=options, emit=listener, cancelled=cancelled)
    ended = time.monotonic()
    passages = [hit.passage for hit in listener.hits]
    numbers = {citation.number for citation in answer.citations}
    return Reply(
        text=answer.text,
        refused=answer.finish_reason is FinishReason.NO_EVIDENCE,
        complete=answer.finish_reason is not FinishReason.LENGTH,
        found=tuple(passage.text for passage in passages),
        sources=tuple(dict.fromkeys(passage.source for passage in passages)),
        cited=tuple(each.text for number, each in enumerate(passages, 1) if number in numbers),
        input_tokens=answer.input_tokens,
        output_tokens=answer.output_tokens,
        first_token_s=(listener.first_token or ended) - listener.began,
        total_s=ended - listener.began,
        engine=answer.engine,
    )


def ask_all(
    backend: Backend,
    questions: Sequence[str],
    options: GenerationOptions,
    cancelled: Callable[[], bool],
    *,
    together: int,
) -> list[Reply]:
    """Ask questions, so many at once; the replies come in the order of the questions.

    The times of a reply are those of a busy server: `ask` tells those of an idle one.

    Raises:
        Cancelled: `cancelled` said so, before a question or within an answer.
        BackendError: What `Backend.answer` raises, for the first question at fault.
    """
    failed = False

    def stopped() -> bool:
        return failed or cancelled()

    def one(question: str) -> Reply:
        nonlocal failed
        if stopped():
            raise Cancelled("the trial was stopped between two questions")
        try:
            return ask(backend, question, options, stopped)
        except Exception:
            failed = True
            raise

    with ThreadPoolExecutor(together, thread_name_prefix="trial") as threads:
        futures = [threads.submit(one, question) for question in questions]
    errors = [error for future in futures if (error := future.exception())]
    if errors:
        raise next((each for each in errors if not isinstance(each, Cancelled)), errors[0])
    return [future.result() for future in futures]
