"""Text from a chat by a model in this process: tokens go in and out of an engine, texts are made of them here."""

from __future__ import annotations

import json
import math
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.base import (
    FinishReason,
    Generation,
    GenerationOptions,
    Generator,
    Message,
    ModelError,
    Progress,
    QuestionError,
)
from backends.generation.chat import TextStream, chat_tokens
from backends.generation.engine import TOGETHER, EngineName, Request
from backends.generation.repetition import LoopBreaker
from backends.generation.words import WordStream
from backends.models.names import RemoteSource, parse_model
from backends.models.resolve import identity, resolve

if TYPE_CHECKING:
    from backends.generation.engine import Engine
    from backends.generation.guides import Guide, Guides

__all__ = ["LocalGenerator", "open_generator"]

_LONGEST_HEADER = 100_000_000  # bytes, as the format allows


def open_generator(
    name: str,
    *,
    cache: Path,
    report: Callable[[Progress], None],
    engine: EngineName = "torch",
    together: int = TOGETHER,
) -> Generator:
    """Return the generator that a model's name stands for, fetching the model where needed.

    The key for a server is taken from `OPENAI_API_KEY`.

    Args:
        name: The model, as `resolve` names models.
        cache: Folder of downloaded models.
        report: Receives how far the download is.
        engine: What computes a model in this process.
        together: Most chats that a model in this process answers at once; further ones wait.

    Raises:
        ModelError: The model cannot be fetched, or is none that generates.
    """
    source = parse_model(name)
    if isinstance(source, RemoteSource):
        from backends.generation.openai import OpenAIGenerator

        return OpenAIGenerator(source.base_url, source.model, os.environ.get("OPENAI_API_KEY"))
    folder = resolve(name, cache=cache, report=report)
    return LocalGenerator(folder, identity(folder), engine=engine, together=together)


class LocalGenerator:
    """A model in a folder, loaded when it is first needed.

    Args:
        folder: The model with its tokenizer, as `resolve` returns it.
        name: What to call it; its identity, where answers name what wrote them.
        engine: What computes.
        together: Most chats answered at once; further ones wait.

    Raises:
        ModelError: The folder holds no model that generates.
    """

    def __init__(
        self, folder: Path, name: str, *, engine: EngineName = "torch", together: int = TOGETHER
    ) -> None:
        self.name = name
        config = _read_json(folder / "config.json")
        self.context_tokens = _context_tokens(folder, config)
        self.parameters = _parameters(folder)
        self._ends = _end_tokens(_read_json(folder / "generation_config.json") or config)
        self._folder = folder
        self._engine_name = engine
        self._together = together
        self._loading = threading.Lock()
        self._tokenizer: Any = None
        self._guides: Guides | None = None
        self._engine: Engine | None = None

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return how many input tokens the chat takes, template included."""
        return len(chat_tokens(self._load_tokenizer(), messages))

    def generate(
        self,
        messages: Sequence[Message],
        *,
        options: GenerationOptions,
        emit: Callable[[str], bool | None],
        cancelled: Callable[[], bool],
        adapter: Path | None = None,
    ) -> Generation:
        """Write the assistant's turn, as `Generator.generate` says."""
        request = self._request(messages, options, adapter)
        text, engine = _Text(self._load_tokenizer(), request, emit), self._load_engine()
        with closing(engine.stream(request, cancelled=cancelled)) as tokens:  # type: ignore[type-var]
            for token in tokens:
                if not text.take(token):
                    break
        return text.finish(engine.name)

    def generate_all(
        self,
        chats: Sequence[Sequence[Message]],
        *,
        options: GenerationOptions,
        cancelled: Callable[[], bool],
        adapter: Path | None = None,
    ) -> list[Generation]:
        """Write the turns of many chats, as `Generator.generate_all` says."""
        requests = [self._request(messages, options, adapter) for messages in chats]
        texts = [_Text(self._load_tokenizer(), request, lambda _: None) for request in requests]
        engine = self._load_engine()
        engine.batch(requests, take=lambda place, token: texts[place].take(token), cancelled=cancelled)
        return [text.finish(engine.name) for text in texts]

    def forget(self) -> None:
        """Drop kept beginnings and adapters, as `Generator.forget` says."""
        if self._engine is not None:
            self._engine.forget()

    def _request(
        self, messages: Sequence[Message], options: GenerationOptions, adapter: Path | None
    ) -> Request:
        tokenizer = self._load_tokenizer()
        prompt = chat_tokens(tokenizer, messages)
        room = self.context_tokens - len(prompt)
        if room < 1:
            raise QuestionError(
                f"the chat takes {len(prompt)} tokens, and the model reads at most {self.context_tokens}, "
                "its answer included; shorten the question, or give fewer passages or examples"
            )
        stop = self._ends | {tokenizer.eos_token_id}
        guide = self._guide(options, stop)
        limit = min(room, options.max_output_tokens)
        return Request(prompt, limit, stop, adapter, options.temperature, options.seed, guide, options.scope)

    def _load_engine(self) -> Engine:
        with self._loading:
            if self._engine is None:
                from backends.generation.opening import open_engine

                self._engine = open_engine(self._folder, name=self._engine_name, together=self._together)
            return self._engine

    def _guide(self, options: GenerationOptions, stop: frozenset[int]) -> Callable[[], Guide] | None:
        """Return what makes the guide of one answer; None where any answer will do."""
        if not options.formed:
            return None
        from backends.generation.grammars import Form
        from backends.generation.guides import Guides

        tokenizer = self._load_tokenizer()
        with self._loading:
            if self._guides is None:
                self._guides = Guides(tokenizer)
            return partial(self._guides.guide, Form(options.labels, options.output_schema), stop)

    def _load_tokenizer(self) -> Any:
        with self._loading:
            if self._tokenizer is None:
                from transformers import AutoTokenizer

                try:
                    self._tokenizer = AutoTokenizer.from_pretrained(self._folder, local_files_only=True)
                except (OSError, ValueError) as error:
                    raise ModelError(
                        f"the tokenizer in {self._folder} cannot be loaded: {error}; fetch the model again"
                    ) from error
            if not self._tokenizer.chat_template:
                raise ModelError(f"the model in {self._folder} has no chat template; take one made for chat")
            return self._tokenizer


class _Text:
    """An answer on its way from tokens to words.

    Args:
        tokenizer: Makes text of tokens.
        request: What the tokens answer.
        emit: Receives text, a word or more at a time.
    """

    def __init__(self, tokenizer: Any, request: Request, emit: Callable[[str], bool | None]) -> None:
        self._request = request
        self._words = WordStream(emit)
        self._text = TextStream(tokenizer, self._words.write)
        self._loops = LoopBreaker() if request.guide is None else None
        self._reason = FinishReason.LENGTH
        self._written = 0

    def take(self, token: int) -> bool:
        """Take the next token, and return whether the answer goes on."""
        # What is told of a form that is complete was not written, and may come after the limit.
        self._written = min(self._written + 1, self._request.limit)
        if token in self._request.stop:
            self._reason = FinishReason.STOP
        elif self._loops is None:
            self._text.add(token)
        else:
            for new in self._loops.add(token):
                self._text.add(new)
            if self._loops.looping:
                self._reason = FinishReason.STOP
        if not self._words.wanted:
            self._reason = FinishReason.STOP
        return self._reason is FinishReason.LENGTH

    def finish(self, engine: str) -> Generation:
        """Pass on what is held, and return the whole, as what an engine wrote."""
        for held in self._loops.finish() if self._loops else ():
            self._text.add(held)
        whole = self._text.finish()
        self._words.finish()
        return Generation(whole, self._reason, len(self._request.prompt), self._written, engine)


def _read_json(path: Path) -> Any:
    """Return what a file of the model says; an empty object where it is not there or cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _context_tokens(folder: Path, config: Any) -> int:
    try:
        return int(config.get("text_config", config)["max_position_embeddings"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{folder} holds no config.json with max_position_embeddings: {error}; name another model"
        ) from error


def _parameters(folder: Path) -> int | None:
    """Return how many weights the model's files say they hold; None where there are none that say so."""
    counts = [_weights(path) for path in folder.glob("*.safetensors")]
    return sum(counts) or None


def _weights(path: Path) -> int:
    """Return how many numbers a safetensors file holds, by its header: a length of 8 bytes, then JSON."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.read(min(int.from_bytes(file.read(8), "little"), _LONGEST_HEADER)))
        return sum(math.prod(each["shape"]) for name, each in header.items() if name != "__metadata__")
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return 0  # loading it says what is wrong


def _end_tokens(config: Any) -> frozenset[int]:
    """Return the tokens that end a turn, as far as the model's configuration says."""
    ends = config.get("eos_token_id")
    return frozenset([ends] if isinstance(ends, int) else ends or ())
