"""What a model writes beside its answer, cut off while it streams.

Small models, and base models behind an API, begin with the question or the words of the
prompt, go on with a question of their own, repeat a line until the limit stops them, or
end on the number of an item that they had no room for. None of this is part of an answer.
What could be is kept: a list may repeat a line, and an answer that is nothing but the
question stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from backends.base import FinishReason, Generation, GenerationOptions, Generator, Message
from backends.spans import span

__all__ = ["REPEATS_NOTE", "TidyStream", "generate_tidy"]

REPEATS_NOTE = "The answer was ended where the model began to repeat itself"

_LOOP_LINES, _LOOP_WORDS, _LONGEST_LOOP = 3, 12, 8
_FEWEST_WORDS = 4  # of what an answer may begin with by way of an echo
_ENDING = ("question", "context", "passages")
_LEADING = (
    "the answer is",
    "the final answer is",
    "the answer to the question is",
    "answer",
    "final answer",
    "passage 0",
)
_LABEL = re.compile(
    rf"[#*\s]*(?:(?P<ending>{'|'.join(_ENDING)})\**:"
    rf"|(?:{'|'.join(_LEADING)})\**:[* \t]*(?=[^\s*]|\n))".replace("0", r"\d+"),
    re.IGNORECASE,
)
_UNIT_END = re.compile(r"(?=\n)|[.!?…。！？]+[\"'”’»)*_`]*(?:[ \t]*\[\d{1,3}\])*(?=\s)")
_ITEM = re.compile(r"\s*(?:[-*•]+|\(?\d{1,3}[.)]|\(?[A-Za-z][.)])\s+(?=\S)")
_MARKER = re.compile(r"\s*(?:[-*•#]+|\(?(?P<number>\d{1,3})(?P<closed>[.)]?)|\(?[A-Za-z][.)])?\s*")
_AFTER_ECHO = re.compile(r"[\"'”’)*_]*(?:[.?!:]+[\"'”’)*_]*|\s*\n)\s*")


class TidyStream:
    """Passes an answer on without what does not belong to it, holding back no more than may not.

    An answer goes round in circles where sentences or lines that stood in it before follow one
    another: three with twelve words, or eight. Of those nothing is shown.

    Args:
        emit: Receives text; the pieces concatenate to `text`.
        echoes: What the model was told and asked; those of four words or more are not repeated to the reader.
        labels: Whether `Question:`, `Context:` and the like are those of the prompt, not of the answer.

    Attributes:
        ended: Whether what follows no longer belongs to the answer.
        looping: Whether that is since it repeats itself.
    """

    def __init__(
        self, emit: Callable[[str], None], *, echoes: Sequence[str] = (), labels: bool = False
    ) -> None:
        self.ended = False
        self.looping = False
        self._emit = emit
        self._echoes = [words for echo in echoes if len(words := _words(echo)) >= _FEWEST_WORDS]
        self._labels = labels
        self._leading = bool(self._echoes) or labels
        self._dropped = ""  # what was repeated, which is the answer where nothing follows
        self._pending = ""  # the sentence or line under way
        self._passed = 0  # how much of that was passed on
        self._repeats: list[str] = []
        self._seen: set[str] = set()
        self._parts: list[str] = []

    @property
    def text(self) -> str:
        """All that was emitted."""
        return "".join(self._parts)

    def write(self, piece: str) -> bool:
        """Take the next piece of the answer, and return whether more is wanted."""
        if not self.ended:
            self._pending += piece
            self._leading = self._leading and self._may_lead()
            if not self._leading:
                self._take_whole()
                self._take_part()
        return not self.ended

    def finish(self) -> None:
        """Pass on what is held, but nothing that leads to what does not follow; the answer is complete."""
        if self._leading:
            self._may_lead()
        if not self.ended:
            self._take_whole()
        if not self.ended:
            rest = "" if self._dangles() else self._pending[self._passed :]
            self._pass_on("".join(self._repeats) + rest)
        if not self.text.strip():
            self._pass_on(self._dropped)

    def _may_lead(self) -> bool:
        """Drop what is repeated at the beginning; return whether more of it may follow."""
        while end := self._lead_end():
            end = len(self._pending) - len(self._pending[end:].lstrip())
            self._dropped, self._pending = self._dropped + self._pending[:end], self._pending[end:]
        begun = self._pending.lstrip()
        may = self._labels and (_may_be_label(begun) or self._in_question(begun))
        return not begun or may or any(_may_be_echo(begun, echo) for echo in self._echoes)

    def _lead_end(self) -> int:
        """Return where what is repeated ends, white space after another included; 0 where there is none."""
        if self._dropped and self._pending[:1].isspace():
            return 1
        for echo in self._echoes:
            if end := _echo_end(self._pending, echo):
                return end
        label = _LABEL.match(self._pending) if self._labels else None
        if label is None:
            return 0
        if not self._in_question(self._pending):
            return label.end()
        question = re.compile(r".*?(?:\n\s*|(?=\banswer:))", re.IGNORECASE).match(self._pending, label.end())
        return question.end() if question else 0

    def _in_question(self, text: str) -> bool:
        label = _LABEL.match(text)
        return label is not None and (label["ending"] or "").lower() == "question"

    def _take_whole(self) -> None:
        """Take the sentences and lines that are complete."""
        while not self.ended:
            label = _LABEL.match(self._pending) if self._labels and self._pending.startswith("\n") else None
            if label and label["ending"]:
                self.ended = True
                self._pass_on("".join(self._repeats))
            elif label:
                line = self._pending[: len(self._pending) - len(self._pending.lstrip())]
                self._pending = line + self._pending[label.end() :]
            elif end := self._unit_end():
                self._take(self._pending[:end])
                self._pending, self._passed = self._pending[end:], 0
            else:
                return

    def _unit_end(self) -> int:
        """Return where the first sentence or line that is pending ends; 0 while it goes on."""
        for found in _UNIT_END.finditer(self._pending):
            if not _MARKER.fullmatch(self._pending[: found.end()]):
                return found.end()
        return 0

    def _take(self, unit: str) -> None:
        key = _key(unit)
        if self._passed or not key or key not in self._seen:
            self._release(unit)
            self._seen.add(key)
            return
        self._repeats.append(unit)
        words = sum(len(_key(each).split()) for each in self._repeats)
        count = len(self._repeats)
        self.looping = (count >= _LOOP_LINES and words >= _LOOP_WORDS) or count >= _LONGEST_LOOP
        self.ended = self.looping

    def _take_part(self) -> None:
        """Pass on what there is of the next sentence or line, unless it may be none of the answer's."""
        if self.ended or not self._pending:
            return
        key = _key(self._pending)
        label = self._labels and self._pending.startswith("\n") and _may_be_label(self._pending)
        held = label or _MARKER.fullmatch(self._pending) or any(each.startswith(key) for each in self._seen)
        if self._passed or not held:
            self._release(self._pending)
            self._passed = len(self._pending)

    def _dangles(self) -> bool:
        """Return whether the mark of an item or a label stands at the end, and nothing of what it leads to."""
        if self._labels and self._pending.startswith("\n") and self.text.strip():
            label = _LABEL.match(f"{self._pending}\n")
            if label and not self._pending[label.end() :].strip():
                return True
        marker = _MARKER.fullmatch(self._pending)
        if marker is None or not self._pending.strip() or not self.text.strip():
            return False
        if marker["number"] is None:
            return True
        before = int(marker["number"]) - 1
        listed = re.search(
            rf"(?:^|[.!?]\s)\s*\(?{before}[.)]\s", self.text + "".join(self._repeats), re.MULTILINE
        )
        return listed is not None or (before == 0 and bool(marker["closed"]) and "\n" in self._pending)

    def _release(self, unit: str) -> None:
        """Pass on repeats, which were none of a loop, and a sentence or line as far as it was not."""
        repeats, self._repeats = "".join(self._repeats), []
        self._pass_on(repeats + unit[self._passed :])

    def _pass_on(self, text: str) -> None:
        if text:
            self._parts.append(text)
            self._emit(text)


def generate_tidy(
    generator: Generator,
    messages: Sequence[Message],
    *,
    options: GenerationOptions,
    emit: Callable[[str], None],
    cancelled: Callable[[], bool],
    adapter: Path | None = None,
    echoes: Sequence[str] = (),
    labels: bool = False,
) -> tuple[Generation, tuple[str, ...]]:
    """Write the assistant's turn as `Generator.generate` does, through a `TidyStream`.

    What an adapter was trained to repeat is its answer: of it only circles are cut off. An
    answer in a form stays as it is.

    Args:
        generator: What writes.
        messages: The chat.
        options: How to generate.
        emit: Receives the text.
        cancelled: Asked before every token.
        adapter: Folder of LoRA weights.
        echoes: As `TidyStream` takes them.
        labels: As `TidyStream` takes it.

    Returns:
        What was written, and what to mind of it, one sentence each.

    Raises:
        Cancelled, QuestionError, ModelError: As `Generator.generate` does.
    """

    def write(take: Callable[[str], bool | None]) -> Generation:
        with span("generate", {"model": generator.name}):
            return generator.generate(
                messages, options=options, emit=take, cancelled=cancelled, adapter=adapter
            )

    if options.formed:
        return write(emit), ()
    stream = TidyStream(emit, echoes=() if adapter else echoes, labels=labels and adapter is None)
    written = write(stream.write)
    stream.finish()
    reason = FinishReason.STOP if stream.ended else written.finish_reason
    notes = (REPEATS_NOTE,) if stream.looping else ()
    return replace(written, text=stream.text, finish_reason=reason), notes


def _key(unit: str) -> str:
    """Return the words of a sentence or line, without the mark of its item."""
    return " ".join(_words(_ITEM.sub("", unit, count=1)))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def _echo_end(text: str, echo: Sequence[str]) -> int:
    """Return where an echo at the beginning of a text ends, with what ends it; 0 where there is none."""
    found = [match for match, _ in zip(re.finditer(r"[^\W_]+", text), echo, strict=False)]
    if [match.group().lower() for match in found] != echo:
        return 0
    end = _AFTER_ECHO.match(text, found[-1].end())
    return end.end() if end else 0


def _may_be_echo(text: str, echo: Sequence[str]) -> bool:
    words = _words(text)
    if not words or len(words) > len(echo):
        return not words
    *whole, last = words
    return whole == list(echo[: len(whole)]) and echo[len(whole)].startswith(last)


def _may_be_label(text: str) -> bool:
    begun = re.sub(r"\d+", "0", text.strip("#* \t\n").lower())
    return any(f"{label}:".startswith(begun) for label in (*_ENDING, *_LEADING))
