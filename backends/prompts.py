"""Every chat that a model is asked or trained by: plain, few-shot, and over passages.

Pure functions: whoever trains a model asks in the words in which it will be
asked later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backends.base import Example, Exchange, Message, Passage

__all__ = ["grounded_messages", "prompt_messages"]

_DEFAULT_INSTRUCTIONS = "Answer the question."
_SYSTEM = "Answer the question briefly, using only the context."


def prompt_messages(
    question: str,
    *,
    instructions: str = "",
    examples: Sequence[Example] = (),
    passages: Sequence[Passage] = (),
    history: Sequence[Exchange] = (),
) -> tuple[Message, ...]:
    """Return the chat that asks a question.

    What stays the same from question to question comes first, so a generator
    that keeps the beginning of its last prompt reads it once.

    Args:
        question: The question.
        instructions: What is wanted of every answer.
        examples: Questions with their right answers, shown as earlier turns.
        passages: Documents to answer from.
        history: What was asked and answered before, oldest first; it stands just before the question.
    """
    parts = [instructions.strip() or _DEFAULT_INSTRUCTIONS]
    if passages:
        parts.append("Answer from these documents:")
        parts.extend(passage.text.strip() for passage in passages)
    system = Message("system", "\n\n".join(parts))
    return (system, *_turns(examples), *_turns(history), Message("user", question.strip()))


def grounded_messages(
    question: str,
    passages: Sequence[Passage],
    *,
    instructions: str = "",
    history: Sequence[Exchange] = (),
) -> tuple[Message, ...]:
    """Return the chat that asks a question over passages.

    Args:
        question: The question.
        passages: What the answer may rest on, best first, shown as [1], [2], ...
        instructions: What the use case wants of every answer; none where empty.
        history: What was asked and answered before, oldest first, without the passages of then.

    Returns:
        A system turn, those of the history, then the user's.
    """
    system = f"{_SYSTEM} {instructions.strip()}".strip()
    shown = "\n\n".join(f"[{number}] {passage.text.strip()}" for number, passage in enumerate(passages, 1))
    return (
        Message("system", system),
        *_turns(history),
        Message("user", f"Context:\n{shown}\n\nQuestion: {question.strip()}"),
    )


def _turns(exchanges: Sequence[Example | Exchange]) -> Iterator[Message]:
    for each in exchanges:
        yield Message("user", each.question.strip())
        yield Message("assistant", each.answer.strip())
