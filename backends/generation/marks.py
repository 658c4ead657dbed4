"""Control marks, such as `<|im_end|>`, that stand in a text and must not control."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["KNOWN_MARKS", "without_marks"]

KNOWN_MARKS = re.compile(
    r"<\|[^|<>\s]{1,40}\|>|<｜[^｜<>\s]{1,40}｜>|</?s>|<[be]os>|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS)\]"
    r"|<</?SYS>>|<(?:start|end)_of_turn>|</?(?:tool_call|tool_response|think)>",
    re.IGNORECASE,
)
"""The marks of usual models, for those whose tokenizer is not at hand."""


def without_marks(text: str, marks: Iterable[str] | re.Pattern[str]) -> str:
    """Return a text whose control marks are broken up by a space: they read as before, and are no tokens of control.

    Args:
        text: What a person or a document says.
        marks: The marks, or what they look like.
    """
    if isinstance(marks, re.Pattern):
        return marks.sub(lambda mark: _broken(mark.group()), text)
    for mark in marks:
        text = text.replace(mark, _broken(mark))
    return text


def _broken(mark: str) -> str:
    return f"{mark[:1]} {mark[1:]}"
