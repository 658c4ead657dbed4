"""Stand-ins for the models: small, quick, and held to the same conformance suites as the real ones."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backends.base import (
    Cancelled,
    FinishReason,
    Generation,
    GenerationOptions,
    Message,
    ModelError,
    QuestionError,
)
from backends.training.adapters import Manifest, TuningMetrics, TuningSettings, write_adapter


def last_turn(messages: Sequence[Message]) -> str:
    """Return the words of the last turn, a space after each."""
    return "".join(f"{word} " for word in messages[-1].content.split())


class FakeGenerator:
    """Writes a reply word by word, and keeps what it was asked; a word is a token.

    Of labels it writes the first, by a schema its first enumerated value, or else the reply as a string.

    The word `forever` in the last turn makes it write until it is cancelled,
    `explode` makes it fail in a way that nobody foresaw.

    Args:
        reply: Makes the reply from the chat.
        context_tokens: Words that it reads.
        name: What it is called.

    Attributes:
        asked: Chat and adapter of each call.
        stopped: Set when a call was cancelled.
    """

    def __init__(
        self,
        reply: Callable[[Sequence[Message]], str] = last_turn,
        *,
        context_tokens: int = 4096,
        name: str = "echo",
    ) -> None:
        self.name = name
        self.context_tokens = context_tokens
        self.parameters: int | None = None
        self.asked: list[tuple[tuple[Message, ...], Path | None]] = []
        self.stopped = threading.Event()
        self._reply = reply

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Count words."""
        return sum(len(message.content.split()) for message in messages)

    def generate(
        self,
        messages: Sequence[Message],
        *,
        options: GenerationOptions,
        emit: Callable[[str], bool | None],
        cancelled: Callable[[], bool],
        adapter: Path | None = None,
    ) -> Generation:
        """Write the reply, as `Generator.generate` says."""
        self.asked.append((tuple(messages), adapter))
        self._check(messages, adapter)
        pieces = re.findall(r"\S+\s*", _formed(self._reply(messages), options))
        endless = "forever" in messages[-1].content.split()
        written: list[str] = []
        while endless or len(written) < min(len(pieces), options.max_output_tokens):
            if cancelled():
                self.stopped.set()
                raise Cancelled("the answer was cancelled")
            written.append(pieces[len(written) % len(pieces)])
            if emit(written[-1]) is False:
                del pieces[len(written) :]  # no more is wanted
                break
            if endless:
                threading.Event().wait(0.001)  # as slow as a fast model, so that the stream does not flood
        reason = FinishReason.STOP if len(written) == len(pieces) else FinishReason.LENGTH
        return Generation("".join(written), reason, self.count_tokens(messages), len(written))

    def generate_all(
        self,
        chats: Sequence[Sequence[Message]],
        *,
        options: GenerationOptions,
        cancelled: Callable[[], bool],
        adapter: Path | None = None,
    ) -> list[Generation]:
        """Write the replies one by one, as `Generator.generate_all` says."""
        return [
            self.generate(chat, options=options, emit=lambda _: None, cancelled=cancelled, adapter=adapter)
            for chat in chats
        ]

    def forget(self) -> None:
        """Forget what it was asked."""
        self.asked.clear()

    def _check(self, messages: Sequence[Message], adapter: Path | None) -> None:
        if "explode" in messages[-1].content:
            raise RuntimeError(f"secret: {messages[-1].content}")
        if adapter is not None and not adapter.is_dir():
            raise ModelError(f"{adapter} holds no adapter")
        if self.count_tokens(messages) >= self.context_tokens:
            raise QuestionError(f"the chat does not fit {self.context_tokens} words")


def _formed(reply: str, options: GenerationOptions) -> str:
    if options.labels:
        return options.labels[0]
    if options.output_schema is None:
        return reply
    return json.dumps(json.loads(options.output_schema).get("enum", [reply])[0])


def saved_adapter(folder: Path, *, base_model: str = "echo", weights: bytes = b"weights") -> Path:
    """Write an adapter that is whole, though nobody trained it, and return its folder."""
    config = b"{}"
    manifest = Manifest(
        base_model=base_model,
        approach="FINE_TUNING",
        data_sha256="0" * 64,
        settings=TuningSettings(),
        metrics=TuningMetrics(64, 0, 0.5, None, 10, 2, stopped_early=False),
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        config_sha256=hashlib.sha256(config).hexdigest(),
        versions={},
        precision="float32",
        created=datetime(2026, 1, 1, tzinfo=UTC),
    )
    write_adapter(folder, manifest, config=config, weights=weights)
    return folder


class WordEmbedder:
    """Embeds a text by its words: texts that share words are near.

    Args:
        name: What it is called.
        dimensions: Length of its vectors.

    Attributes:
        embedded: Every text so far.
    """

    def __init__(self, name: str = "words", dimensions: int = 64) -> None:
        self.name = name
        self.dimensions = dimensions
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row of length 1 for each text."""
        self.embedded.extend(texts)
        rows = np.full((len(texts), self.dimensions), 1e-3, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                row[hashlib.sha256(word.encode()).digest()[0] % self.dimensions] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)
