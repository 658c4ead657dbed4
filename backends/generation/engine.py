"""What computes: tokens in, tokens out, for one asker or for many at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from backends.base import Cancelled

if TYPE_CHECKING:
    from backends.generation.guides import Guide

__all__ = ["TOGETHER", "WAIT_S", "Engine", "EngineName", "Request", "awaited", "stop_if"]

T = TypeVar("T")

EngineName = Literal["auto", "torch", "openvino", "openvino-bfloat16", "openvino-int8"]
"""Which engine computes: `auto` is OpenVINO with float16 weights where it is installed and agrees with torch, in
bfloat16 where the processor has units for it."""

TOGETHER = 16
"""Most answers that are written at once, unless said otherwise: each further one slows all the others down."""

WAIT_S = 0.05
"""Seconds after which a caller who waits is asked again whether it still wants an answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """What one asker wants written.

    Attributes:
        prompt: Tokens to go on from, at least one.
        limit: Most tokens to write, at least one; with the prompt no more than the model reads.
        stop: Tokens that end the answer.
        adapter: Folder of LoRA weights to apply for this request alone.
        temperature: Randomness; the most probable token each time at 0.
        seed: Seed of the randomness.
        guide: Makes what keeps one answer to its form; anything is written where None. A token that ends
            the answer is then written only where the form is complete, and told as soon as nothing can follow.
        scope: Beginnings of prompts that were read for it are not read again, for this scope alone.
    """

    prompt: Sequence[int]
    limit: int
    stop: frozenset[int]
    adapter: Path | None = None
    temperature: float = 0.0
    seed: int = 0
    guide: Callable[[], Guide] | None = None
    scope: str = ""


class Engine(Protocol):
    """A language model in this process; safe to call from several threads.

    The same request gets the same answer, alone and among others, but for the
    rounding of float32: a sum over more rows at once is taken in another order.

    Attributes:
        name: What computes and how precisely, as answers name it.
    """

    name: str

    def stream(self, request: Request, *, cancelled: Callable[[], bool]) -> Iterator[int]:
        """Yield the tokens of an answer as they are written, the one that ends it included.

        Closing the iterator ends the work after the token under way.

        Args:
            request: What to write.
            cancelled: Asked before every token, and while there is none yet.

        Raises:
            Cancelled: `cancelled` said so.
            QuestionError: The form cannot be followed.
            ModelError: The adapter cannot be applied, or the model failed.
        """
        ...

    def batch(
        self,
        requests: Sequence[Request],
        *,
        take: Callable[[int, int], bool],
        cancelled: Callable[[], bool],
    ) -> None:
        """Write the answers to many requests, as many at once as pays.

        Args:
            requests: What to write.
            take: Receives the place of a request and its next token, in the caller's thread, and
                returns whether that answer is to go on.
            cancelled: Asked before every token, and while there is none yet.

        Raises:
            Cancelled: `cancelled` said so; nothing more is written for any of them.
            QuestionError: A form cannot be followed; nothing more is written for any of them.
            ModelError: An adapter cannot be applied, or the model failed; nor is it then.
        """
        ...

    def forget(self) -> None:
        """Drop what is kept of earlier prompts, keep nothing of those under way, and drop adapters."""
        ...


def stop_if(cancelled: Callable[[], bool]) -> None:
    """Raise Cancelled where a caller no longer wants its answer."""
    if cancelled():
        raise Cancelled("the answer was cancelled")


def awaited(queue: SimpleQueue[T], cancelled: Callable[[], bool]) -> T:
    """Return the next item of a queue; raises Cancelled where the caller no longer wants one."""
    while True:
        stop_if(cancelled)
        try:
            return queue.get(timeout=WAIT_S)
        except Empty:
            continue
