"""What is done here, told as spans to whoever asks for them: by default to nobody."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

__all__ = ["OpenSpan", "Value", "span", "tell_spans", "told"]

Value = str | int | float | bool
"""What may be told of a span: names and numbers, never a text that a user sent."""


class OpenSpan(Protocol):
    """Opens a span, which ends with the block."""

    def __call__(self, name: str, attributes: Mapping[str, Value]) -> AbstractContextManager[object]:
        """Return the span's context."""
        ...


_open: OpenSpan | None = None
_NONE = nullcontext()


def tell_spans(open_span: OpenSpan | None) -> None:
    """Have every span that begins from now on opened by a function; by none where None."""
    global _open
    _open = open_span


def told() -> bool:
    """Return whether anybody asks for spans."""
    return _open is not None


def span(name: str, attributes: Mapping[str, Value] | None = None) -> AbstractContextManager[object]:
    """Return the context of a part of the work."""
    return _NONE if _open is None else _open(name, attributes or {})
