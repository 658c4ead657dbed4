"""Every chat that a model is asked or trained by: plain, few-shot, and over passages.

Pure functions: whoever trains a model asks in the words in which it will be
asked later.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from backends.base import Example, Message, Passage

__all__ = ["grounded_messages", "prompt_messages"]

_DEFAULT_INSTRUCTIONS = "Answer the question."
_SYSTEM = "Answer the question briefly, using only the context."


def prompt_messages(
    question: str,
    *,
    instructions: str = "",
    examples: Sequence[Example] = (),
    passages: Sequence[Passage] = (),
) -> tuple[Message, ...]:
    """Return the chat that asks a question.

    What stays the same from question to question comes first, so a generator
    that keeps the beginning of its last prompt reads it once.

    Args:
        question: The question.
        instructions: What is wanted of every answer.
        examples: Questions with their right answers, shown as earlier turns.
        passages: Documents to answer from.
    """
    parts = [instructions.strip() or _DEFAULT_INSTRUCTIONS]
    if passages:
        parts.append("Answer from these documents:")
        parts.extend(passage.text.strip() for passage in passages)
    shots = chain.from_iterable(
        (Message("user", example.question.strip()), Message("assistant", example.answer.strip()))
        for example in examples
    )
    return (Message("system", "\n\n".join(parts)), *shots, Message("user", question.strip()))


def grounded_messages(
    question: str, passages: Sequence[Passage], *, instructions: str = ""
) -> tuple[Message, ...]:
    """Return the chat that asks a question over passages.

    Args:
        question: The question.
        passages: What the answer may rest on, best first, shown as [1], [2], ...
        instructions: What the use case wants of every answer; none where empty.

    Returns:
        A system turn, then the user's.
    """
    system = f"{_SYSTEM} {instructions.strip()}".strip()
    shown = "\n\n".join(f"[{number}] {passage.text.strip()}" for number, passage in enumerate(passages, 1))
    return (
        Message("system", system),
        Message("user", f"Context:\n{shown}\n\nQuestion: {question.strip()}"),
    )
