"""The chat by which a model answers from passages, the same in use and in training."""

from __future__ import annotations

from collections.abc import Sequence

from backends.base import Message, Passage

__all__ = ["grounded_messages", "has_evidence"]

_SIMILAR = 0.5
_RELATED = 0.3
_COVERED = 0.5

_SYSTEM = "You answer questions from the passages given. Copy names, numbers and commands exactly."


def grounded_messages(
    question: str, passages: Sequence[Passage], *, instructions: str = ""
) -> tuple[Message, ...]:
    """Return the chat that asks a question over passages.

    A pure function: whoever trains a model on passages asks in the words in
    which it will be asked later.

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
        Message("user", f"{shown}\n\nQuestion: {question.strip()}\nAnswer in one or two sentences."),
    )


def has_evidence(similarity: float, coverage: float) -> bool:
    """Tell whether the documents can hold the answer to a question.

    Args:
        similarity: Cosine similarity of the question to the nearest passage.
        coverage: Share of the question's words that one passage holds, rare words weighing more.
    """
    return similarity >= _SIMILAR or (coverage >= _COVERED and similarity >= _RELATED)
