"""Text from a chat, by a model in this process or on a server.

The loop is written out here, since that makes three things simple which the
library's `generate` makes hard: a caller that cancels waits for one step at
most, text is passed on as soon as it is final, and the beginning of a prompt
that was read for the last call is not read again.

A prompt is read in steps of a fixed number of tokens, and only whole steps are
kept for the next call. So the arithmetic of a prompt is the same whether its
beginning was kept or not, and the same question gives the same answer.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.base import (
    Cancelled,
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
from backends.generation.repetition import LoopBreaker
from backends.generation.words import WordStream
from backends.models.names import RemoteSource, parse_model
from backends.models.resolve import identity, resolve

if TYPE_CHECKING:
    import torch

    from backends.generation.model import AdapterKey, LoadedModel

__all__ = ["LocalGenerator", "open_generator"]

_STEP_TOKENS = 128
_KEPT_TOKENS = 2048  # of the last prompt; 46 kB each for the default model
_WAIT_S = 0.05


def open_generator(
    name: str, *, cache: Path, report: Callable[[Progress], None], threads: int | None = None
) -> Generator:
    """Return the generator that a model's name stands for, fetching the model where needed.

    The key for a server is taken from `OPENAI_API_KEY`.

    Raises:
        ModelError: The model cannot be fetched, or is none that generates.
    """
    source = parse_model(name)
    if isinstance(source, RemoteSource):
        from backends.generation.openai import OpenAIGenerator

        return OpenAIGenerator(source.base_url, source.model, os.environ.get("OPENAI_API_KEY"))
    folder = resolve(name, cache=cache, report=report)
    return LocalGenerator(folder, identity(folder), threads=threads)


class LocalGenerator:
    """A model in a folder, loaded in float32 when it is first needed.

    Args:
        folder: The model with its tokenizer, as `resolve` returns it.
        name: What to call it; its identity, where answers name what wrote them.
        threads: How many threads this process computes with; torch's choice where None.

    Raises:
        ModelError: The folder holds no model that generates.
    """

    def __init__(self, folder: Path, name: str, *, threads: int | None = None):
        self.name = name
        self.context_tokens = _context_tokens(folder)
        self._folder = folder
        self._threads = threads
        self._turn = threading.Lock()
        self._loading = threading.Lock()
        self._tokenizer: Any = None
        self._model: LoadedModel | None = None
        self._kept: _Prefix | None = None

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return how many input tokens the chat takes, template included."""
        return len(chat_tokens(self._load_tokenizer(), messages))

    def generate(
        self,
        messages: Sequence[Message],
        *,
        options: GenerationOptions,
        emit: Callable[[str], None],
        cancelled: Callable[[], bool],
        adapter: Path | None = None,
    ) -> Generation:
        """Write the assistant's turn, as `Generator.generate` says."""
        tokenizer = self._load_tokenizer()
        prompt = chat_tokens(tokenizer, messages)
        room = self.context_tokens - len(prompt)
        if room < 1:
            raise QuestionError(
                f"the chat takes {len(prompt)} tokens, and the model reads at most {self.context_tokens}, "
                "its answer included; shorten the question, or give fewer passages or examples"
            )
        words, loops = WordStream(emit), LoopBreaker()
        text = TextStream(tokenizer, words.write)
        limit = min(room, options.max_output_tokens)
        reason, written = FinishReason.LENGTH, 0
        with self._taking_turns(cancelled):
            model = self._load_model()
            ends = model.end_tokens | {tokenizer.eos_token_id}
            pending, cache = self._read_prompt(model, model.use(adapter), prompt, cancelled)
            choose = _chooser(options)
            while written < limit and reason is FinishReason.LENGTH:
                _stop_if(cancelled)
                token = choose(model.read(pending, cache))
                written += 1
                for new in () if token in ends else loops.add(token):
                    text.add(new)
                if token in ends or loops.looping:
                    reason = FinishReason.STOP
                pending = [token]
        for held in loops.finish():
            text.add(held)
        whole = text.finish()
        words.finish()
        return Generation(whole, reason, len(prompt), written)

    def forget(self) -> None:
        """Drop the kept beginning and all loaded adapters; waits for the call under way."""
        with self._turn:
            self._kept = None
            if self._model is not None:
                self._model.drop_adapters()

    def _read_prompt(
        self,
        model: LoadedModel,
        adapter: AdapterKey | None,
        prompt: list[int],
        cancelled: Callable[[], bool],
    ) -> tuple[list[int], Any]:
        """Read a prompt but for its last step, and return that with the cache of the rest."""
        cache, done = model.empty_cache(), 0
        if self._kept and self._kept.adapter == adapter:
            done = self._kept.fill(cache, prompt)
        while len(prompt) - done > _STEP_TOKENS:
            _stop_if(cancelled)
            model.read(prompt[done : done + _STEP_TOKENS], cache)
            done += _STEP_TOKENS
            if done <= _KEPT_TOKENS:
                self._kept = _Prefix.of(adapter, prompt[:done], cache)
        return prompt[done:], cache

    @contextmanager
    def _taking_turns(self, cancelled: Callable[[], bool]) -> Iterator[None]:
        """Wait for the model, but no longer than the caller wants to."""
        while not self._turn.acquire(timeout=_WAIT_S):
            _stop_if(cancelled)
        try:
            yield
        finally:
            self._turn.release()

    def _load_model(self) -> LoadedModel:
        if self._model is None:
            import torch

            from backends.generation.model import LoadedModel

            if self._threads is not None:
                torch.set_num_threads(self._threads)
            self._model = LoadedModel(self._folder)
        return self._model

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


@dataclass(frozen=True, slots=True)
class _Prefix:
    """The whole steps of a prompt that were read, with what each layer remembers of them."""

    adapter: AdapterKey | None
    tokens: list[int]
    layers: tuple[tuple[torch.Tensor, torch.Tensor], ...]

    @classmethod
    def of(cls, adapter: AdapterKey | None, tokens: list[int], cache: Any) -> _Prefix | None:
        """Return what a cache holds; None for layers that forget, which cannot be taken up again."""
        from transformers.cache_utils import DynamicLayer

        if any(type(layer) is not DynamicLayer for layer in cache.layers):
            return None
        # A layer grows by making new tensors, so these stay as they are.
        return cls(adapter, tokens, tuple((layer.keys, layer.values) for layer in cache.layers))

    def fill(self, cache: Any, prompt: list[int]) -> int:
        """Put the steps that a prompt begins with into an empty cache, and return their number of tokens."""
        same = 0
        while (
            same + _STEP_TOKENS < len(prompt)
            and same < len(self.tokens)
            and self.tokens[same : same + _STEP_TOKENS] == prompt[same : same + _STEP_TOKENS]
        ):
            same += _STEP_TOKENS
        if same:
            for index, (keys, values) in enumerate(self.layers):
                cache.update(keys[..., :same, :], values[..., :same, :], index)
        return same


def _chooser(options: GenerationOptions) -> Callable[[torch.Tensor], int]:
    """Return how the next token is chosen from its logits."""
    import torch

    if options.temperature <= 0:
        return lambda logits: int(logits.argmax())
    generator = torch.Generator().manual_seed(options.seed)

    def draw(logits: torch.Tensor) -> int:
        # The best at 0, in double precision: a temperature near 0 is then its limit, the best alone, not NaN.
        above = (logits - logits.max()).double() / options.temperature
        probabilities = torch.softmax(above, dim=-1)
        return int(torch.multinomial(probabilities, 1, generator=generator))

    return draw


def _stop_if(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise Cancelled("the answer was cancelled")


def _context_tokens(folder: Path) -> int:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return int(config.get("text_config", config)["max_position_embeddings"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{folder} holds no config.json with max_position_embeddings: {error}; name another model"
        ) from error
