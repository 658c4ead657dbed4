"""How much of a conversation a prompt has room for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

from backends.base import Exchange, Generator, Message
from backends.counts import counted

__all__ = ["history_notes", "newest_that_fit"]


def newest_that_fit(
    history: Sequence[Exchange],
    chat: Callable[[Sequence[Exchange]], Sequence[Message]],
    generator: Generator,
    room: int,
) -> Sequence[Exchange] | None:
    """Return as many exchanges as fit, the oldest left out first; None where the chat does not fit without any.

    Args:
        history: The exchanges, oldest first.
        chat: Makes the chat with so much of the history.
        generator: Counts its tokens.
        room: Most tokens of it.
    """

    def fits(some: Sequence[Exchange]) -> bool:
        return generator.count_tokens(chat(some)) <= room

    if fits(history):
        return history
    if not history or not fits(()):
        return None
    most = bisect_left(range(1, len(history)), True, key=lambda size: not fits(history[-size:]))
    return history[len(history) - most :]


def history_notes(history: Sequence[Exchange], shown: Sequence[Exchange], context_tokens: int) -> list[str]:
    """Return the note on what was left out of a conversation; none where it was shown whole.

    Args:
        history: The whole of it.
        shown: What the model was shown.
        context_tokens: How much the model reads.
    """
    if len(shown) == len(history):
        return []
    of_them = f"{len(shown)} of {counted(len(history), 'earlier exchange')}"
    return [f"{of_them} shown, the newest: more do not fit into the model's {context_tokens:,} tokens"]
