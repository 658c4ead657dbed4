"""A chat to tokens by the model's own template, and tokens back to text as they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from backends.base import Message, QuestionError
from backends.generation.marks import without_marks

__all__ = ["TextStream", "chat_tokens"]

_INCOMPLETE = "\ufffd"  # what a tokenizer makes of the first bytes of a character


def chat_tokens(tokenizer: Any, messages: Sequence[Message]) -> list[int]:
    """Return the tokens of a chat up to where the assistant's turn begins.

    Control marks within a message, such as `<|im_end|>`, are broken up: text
    from a user or a document cannot end its turn and begin another.

    Args:
        tokenizer: A transformers tokenizer with a chat template.
        messages: The chat, ending with a user's turn.

    Raises:
        QuestionError: The chat does not end with a user's turn, or the template refuses it.
    """
    from jinja2 import TemplateError

    if not messages or messages[-1].role != "user":
        raise QuestionError("a chat must end with a user's turn; put the question last")
    marks = _control_marks(tokenizer)
    turns = [{"role": message.role, "content": without_marks(message.content, marks)} for message in messages]
    try:
        text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    except TemplateError as error:
        raise QuestionError(f"the model's chat template refuses this chat: {error}") from error
    return list(tokenizer.encode(text, add_special_tokens=False, verbose=False))


class TextStream:
    """Emits the text of tokens, holding back what the next token may still change.

    A character may span tokens, and a tokenizer may drop a space at the start
    of what it decodes. So each piece is decoded after the one before it, and
    kept until it ends on a whole character.
    """

    def __init__(self, tokenizer: Any, emit: Callable[[str], None]):
        self._tokenizer = tokenizer
        self._emit = emit
        self._pieces: list[str] = []
        self._before: list[int] = []
        self._pending: list[int] = []

    def add(self, token: int) -> None:
        """Take the next token."""
        self._pending.append(token)
        piece = self._piece()
        if piece and not piece.endswith(_INCOMPLETE):
            self._pass_on(piece)

    def finish(self) -> str:
        """Emit what is left, and return the whole text."""
        if piece := self._piece():
            self._pass_on(piece)
        return "".join(self._pieces)

    def _piece(self) -> str:
        return self._decode(self._before + self._pending)[len(self._decode(self._before)) :]

    def _pass_on(self, piece: str) -> None:
        self._pieces.append(piece)
        self._before, self._pending = self._pending, []
        self._emit(piece)

    def _decode(self, tokens: list[int]) -> str:
        return str(
            self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )


def _control_marks(tokenizer: Any) -> list[str]:
    """Return the marks that a tokenizer reads as one token of control, or that its template is written with."""
    added = tokenizer.added_tokens_decoder.values()
    in_template = str(tokenizer.chat_template)
    return [
        each.content
        for each in added
        if each.content.strip() and (each.special or (len(each.content) > 2 and each.content in in_template))
    ]
