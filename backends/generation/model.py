"""A model in memory, with LoRA adapters switched and never merged: the base stays what it is, bit for bit."""

from __future__ import annotations

import inspect
import json
from collections import OrderedDict
from pathlib import Path
from typing import Any

import peft
import safetensors
import torch
import transformers

from backends.base import ModelError
from backends.models.hashes import file_states

__all__ = ["AdapterKey", "LoadedModel"]

_ADAPTERS = 8  # kept loaded, the least recently used dropped first; about 20 MB each at rank 16
_FILES = ("adapter_config.json", "adapter_model.safetensors")

AdapterKey = tuple[str, tuple[tuple[int, int], ...]]
"""An adapter's folder, with time and size of its files: a folder that was replaced is another adapter."""


class LoadedModel:
    """A causal language model in float32, used plain or with one adapter at a time.

    Not safe to share between threads without a lock.

    Raises:
        ModelError: The folder does not hold such a model.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._used: AdapterKey | None = None
        self._load()

    @property
    def end_tokens(self) -> frozenset[int]:
        """The tokens that end a turn, as far as the model's own configuration says."""
        ends = self._base.generation_config.eos_token_id
        return frozenset([ends] if isinstance(ends, int) else ends or ())

    def use(self, adapter: Path | None) -> AdapterKey | None:
        """Read with this adapter from now on, loading it where needed.

        Returns:
            What no other state of an adapter has in common with this one.

        Raises:
            ModelError: The adapter cannot be read or does not fit.
        """
        key = None if adapter is None else _key(adapter)
        if key == self._used:
            return key
        if adapter is None or key is None:
            self._switching.base_model.disable_adapter_layers()
        else:
            if key not in self._names:
                self._names[key] = self._add(adapter)
            self._names.move_to_end(key)
            self._switching.base_model.enable_adapter_layers()
            self._switching.set_adapter(self._names[key], inference_mode=True)
            self._drop_old(key)
        self._used = key
        return key

    def drop_adapters(self) -> None:
        """Forget the weights of all adapters."""
        self.use(None)
        while self._names:
            self._switching.delete_adapter(self._names.popitem()[1])

    @torch.inference_mode()
    def read(self, tokens: list[int], cache: Any) -> torch.Tensor:
        """Read tokens after those in the cache, and return the logits of the next: shape (vocabulary,)."""
        output = self._base(
            torch.tensor([tokens]), **{self._cache_name: cache}, use_cache=True, logits_to_keep=1
        )
        logits: torch.Tensor = output.logits[0, -1]
        return logits

    def empty_cache(self) -> transformers.DynamicCache:
        """Return a cache with nothing read."""
        return transformers.DynamicCache(config=self._base.config)

    def _load(self) -> None:
        transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            self._base: Any = transformers.AutoModelForCausalLM.from_pretrained(
                self._folder, dtype=torch.float32, local_files_only=True, use_safetensors=True
            )
            self._base.train(False)
            # Renamed by transformers 5.24, one family of models after the other.
            named = inspect.signature(self._base.forward).parameters
            self._cache_name = "cache" if "cache" in named else "past_key_values"
        except (OSError, ValueError, RuntimeError, safetensors.SafetensorError) as error:
            raise ModelError(
                f"the model in {self._folder} cannot be loaded: {error}; fetch it again, or name another"
            ) from error
        self._switching: Any = None
        self._names: OrderedDict[AdapterKey, str] = OrderedDict()
        self._loaded = 0
        self._used = None

    def _add(self, folder: Path) -> str:
        self._loaded += 1
        name = f"adapter-{self._loaded}"
        try:
            config = peft.PeftConfig.from_pretrained(str(folder))
            config.inference_mode = True
            if self._switching is None:
                self._switching = peft.PeftModel(
                    self._base, config, adapter_name=name, low_cpu_mem_usage=True
                )
            result = self._switching.load_adapter(
                str(folder), name, torch_device="cpu", low_cpu_mem_usage=True
            )
            self._switching.eval()
        except (OSError, ValueError, RuntimeError, KeyError, TypeError, safetensors.SafetensorError) as error:
            self._load()  # layers of the failed adapter may already be in the model
            raise ModelError(
                f"the adapter in {folder} does not fit the model in {self._folder}: {error}; train it again"
            ) from error
        if result.missing_keys or result.unexpected_keys:
            self._load()
            raise ModelError(
                f"the adapter in {folder} has weights for other layers than the model in {self._folder} has; "
                "use it with the model it was trained on"
            )
        return name

    def _drop_old(self, used: AdapterKey) -> None:
        replaced = [key for key in self._names if key[0] == used[0] and key != used]
        excess = list(self._names)[: max(0, len(self._names) - len(replaced) - _ADAPTERS)]
        for key in {*replaced, *excess} - {used}:
            self._switching.delete_adapter(self._names.pop(key))


def _key(folder: Path) -> AdapterKey:
    try:
        state = file_states(folder, _FILES)
        kind = json.loads((folder / _FILES[0]).read_text(encoding="utf-8")).get("peft_type")
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(
            f"{folder} holds no adapter ({' and '.join(_FILES)}): {error}; name the folder of a tuned adapter"
        ) from error
    if kind != "LORA":
        raise ModelError(f"the adapter in {folder} is of type {kind}; only LORA can be used")
    return str(folder.resolve()), state
