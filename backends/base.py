"""The values and protocols that every approach shares, and the errors of `backends.errors`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol

from backends.errors import (
    BackendError,
    Cancelled,
    DocumentError,
    ExamplesError,
    ModelError,
    QuestionError,
    SettingsError,
    TuningError,
)

__all__ = [
    "Answer",
    "AnswerEvent",
    "Backend",
    "BackendError",
    "Cancelled",
    "Citation",
    "DocumentError",
    "Example",
    "ExamplesError",
    "Exchange",
    "FinishReason",
    "Generation",
    "GenerationOptions",
    "Generator",
    "Hit",
    "Message",
    "ModelError",
    "Passage",
    "Progress",
    "QuestionError",
    "References",
    "Restriction",
    "Retriever",
    "SettingsError",
    "Token",
    "TuningError",
    "Unsupported",
    "UnsupportedSentence",
]


class FinishReason(StrEnum):
    """Why an answer ended."""

    STOP = "STOP"
    LENGTH = "LENGTH"
    NO_EVIDENCE = "NO_EVIDENCE"


class Unsupported(StrEnum):
    """What becomes of a sentence that the passages do not support."""

    FLAG = "FLAG"
    LEAVE_OUT = "LEAVE_OUT"


@dataclass(frozen=True, slots=True)
class Example:
    """An input with its right output.

    Attributes:
        question: The input.
        answer: The right output.
        context: The passage it rests on, where known.
        held_out: Whether it is kept to measure on: no model is shown it, or trained on it.
    """

    question: str
    answer: str
    context: str | None = None
    held_out: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document.

    Attributes:
        id: Stable: a hash of source, position and content.
        source: Where the document comes from.
        start_byte: First byte within the UTF-8 text taken from the document.
        end_byte: Byte after the last.
        text: The piece itself.
        heading: The document's title and the headings above it, outermost first, joined by " > ".
        place: Where in the document a person finds it, such as `#anchor`, `page 3` or `line 120`.
        names: The headings and terms that begin in it, by which it is looked for.
    """

    id: str
    source: str
    start_byte: int
    end_byte: int
    text: str
    heading: str = ""
    place: str = ""
    names: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found.

    Attributes:
        passage: The passage.
        score: How well it fits, 1 at best: by its words as a share of the best, and by its meaning.
        words: Its BM25 score by the weight of all words of the question: 1 where a passage of
            usual length holds each once, up to 1.7; 0 where it holds none.
        similarity: Cosine similarity of its meaning to that of the question.
    """

    passage: Passage
    score: float
    words: float = 0.0
    similarity: float = 0.0


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """An earlier question of a conversation with its answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Restriction:
    """Which passages may be found, as a condition on the rows of `passages`.

    Attributes:
        sql: The condition, with its values as `%(name)s`; `%(collection)s` is whose passages are searched.
        values: Their names, which no query of a search has for its own, and what they stand for.
    """

    sql: str
    values: tuple[tuple[str, bool | str], ...]


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """How to generate: temperature 0 takes the most probable token each time.

    Attributes:
        passages: Most passages that the answer may rest on; as many as pay for the model where None.
        labels: The answer is exactly one of these; any text where there are none. The model is not told them.
        output_schema: A JSON schema that the answer, a JSON value, follows; not together with labels.
        unsupported: What becomes of sentences of an answer from passages that these do not support.
        within: Which passages may be read; all where None.
        scope: What is remembered of a prompt speeds up those of the same scope alone: nobody else can tell.
    """

    max_output_tokens: int = 256
    temperature: float = 0.0
    seed: int = 0
    passages: int | None = None
    labels: tuple[str, ...] = ()
    output_schema: str | None = None
    unsupported: Unsupported = Unsupported.FLAG
    within: Restriction | None = None
    scope: str = ""

    @property
    def formed(self) -> bool:
        """Whether the answer must have a form: complete where it ends by itself, cut where the limit ends it."""
        return bool(self.labels) or self.output_schema is not None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far preparation is; `fraction` and `remaining_s` are None where unknown."""

    activity: str
    fraction: float | None = None
    remaining_s: float | None = None


@dataclass(frozen=True, slots=True)
class References:
    """Passages that the answer may rest on, best first, cited as [1], [2], ..."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """Text to append to the answer."""

    text: str


AnswerEvent = Progress | References | Token


@dataclass(frozen=True, slots=True)
class Citation:
    """A mark such as [2] in an answer, by its bytes in the answer's UTF-8 text."""

    number: int
    start_byte: int
    end_byte: int


@dataclass(frozen=True, slots=True)
class UnsupportedSentence:
    """A sentence that says what does not stand in the passages that it cites, or in any one where it cites none.

    Attributes:
        start_byte: Its first byte in the answer's UTF-8 text.
        end_byte: The byte after its last; the first where it was left out.
        missing: The numbers and names that do not stand there, as the sentence has them.
    """

    start_byte: int
    end_byte: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Generation:
    """What a model wrote, what it took, and what computed it."""

    text: str
    finish_reason: FinishReason
    input_tokens: int
    output_tokens: int
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer.

    Attributes:
        text: The concatenation of the tokens emitted.
        finish_reason: Why it ended.
        input_tokens: Tokens read.
        output_tokens: Tokens written.
        model: The generator's name.
        engine: What computed it, and how precisely; empty where nothing was generated.
        citations: The marks in the text, in order.
        notes: What to mind of it, one sentence each, such as what the model was not shown.
        unsupported: Sentences that the passages do not support, or the places where such were left out.
    """

    text: str
    finish_reason: FinishReason
    input_tokens: int
    output_tokens: int
    model: str
    engine: str = ""
    citations: tuple[Citation, ...] = ()
    notes: tuple[str, ...] = ()
    unsupported: tuple[UnsupportedSentence, ...] = ()


class Generator(Protocol):
    """Turns a chat into text.

    Safe to call from several threads; their chats are answered at the same time.
    """

    name: str
    context_tokens: int
    parameters: int | None  # weights of the model; None where unknown

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return how many input tokens the chat takes, template included."""
        ...

    def generate(
        self,
        messages: Sequence[Message],
        *,
        options: GenerationOptions,
        emit: Callable[[str], bool | None],
        cancelled: Callable[[], bool],
        adapter: Path | None = None,
    ) -> Generation:
        """Write the assistant's turn, passing it to `emit` word by word as it comes.

        Args:
            messages: The chat so far, ending with a user's turn.
            options: How to generate.
            emit: Receives text, a word or more at a time, and long ones in parts; the pieces concatenate to the
                generation's text. Where it returns False no more is wanted, and the turn ends soon.
            cancelled: Asked before every token; True ends the work at once.
            adapter: Folder of LoRA weights to apply for this call alone.

        Raises:
            Cancelled: `cancelled` said so.
            QuestionError: The chat does not fit the model's context, or the form cannot be followed.
            ModelError: The adapter does not fit the model, or the server failed, or ignored the form.
        """
        ...

    def generate_all(
        self,
        chats: Sequence[Sequence[Message]],
        *,
        options: GenerationOptions,
        cancelled: Callable[[], bool],
        adapter: Path | None = None,
    ) -> list[Generation]:
        """Write the assistant's turn of many chats, many at a time, each as `generate` would.

        Args:
            chats: The chats, each as `generate` takes one.
            options: How to generate, for all of them.
            cancelled: Asked often; True ends the work at once.
            adapter: Folder of LoRA weights to apply to all of them.

        Returns:
            What was written, in the order of the chats.

        Raises:
            Cancelled, QuestionError, ModelError: As `generate` does, for the first chat at fault.
        """
        ...

    def forget(self) -> None:
        """Drop what is kept of earlier calls, beginnings of chats and adapters, and keep nothing of those under way."""
        ...


class Retriever(Protocol):
    """Finds passages."""

    def search(self, question: str, limit: int) -> tuple[Hit, ...]:
        """Return at most `limit` passages, best first; empty where nothing matches."""
        ...


class Backend(Protocol):
    """One approach, ready to answer; safe to call from several threads.

    An implementation emits Progress while it prepares, References before the
    first Token where it retrieved, and Tokens whose texts concatenate to the
    answer's text. The same question with the same options gives the same answer.
    """

    def answer(
        self,
        question: str,
        *,
        options: GenerationOptions,
        emit: Callable[[AnswerEvent], None],
        cancelled: Callable[[], bool],
        history: Sequence[Exchange] = (),
    ) -> Answer:
        """Answer a question.

        Args:
            question: The question.
            options: How to generate.
            emit: Receives what happens.
            cancelled: Asked often; True ends the work at once.
            history: What was asked and answered before, oldest first. The oldest are left out
                where they do not fit, and a note says so. Passages are sought by the question alone.

        Raises:
            Cancelled: `cancelled` said so; nothing was emitted after it did.
            QuestionError: The question does not fit the model's context, or the form cannot be followed.
            ModelError: The adapter does not fit the model, or the model failed.
        """
        ...
