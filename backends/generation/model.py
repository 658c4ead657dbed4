"""A model in memory, with LoRA adapters switched and never merged: the base stays what it is, bit for bit."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Collection, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import peft
import safetensors
import torch
import transformers
from transformers.cache_utils import DynamicLayer

from backends.base import ModelError
from backends.generation.adapters import AdapterKey, adapter_key, check_adapter
from backends.generation.attention import PACKED, Part

__all__ = ["LoadedModel"]

_ADAPTERS = 8  # kept loaded, the least recently used dropped first; about 20 MB each at rank 16
_BASE = "__base__"  # PEFT's name for no adapter
_UNREAD: AdapterKey = ("", ())  # an adapter that PEFT uses already, though its weights are still to be read


class LoadedModel:
    """A causal language model in float32, used plain or with adapters.

    Not safe to share between threads without a lock.

    Attributes:
        config: The configuration of what reads text.

    Raises:
        ModelError: The folder does not hold such a model.
    """

    _base: Any

    def __init__(self, folder: Path):
        self._folder = folder
        self._attention: str | None = None
        self._load()

    def load(self, adapter: Path | None, used: Collection[AdapterKey | None] = ()) -> AdapterKey | None:
        """Have an adapter at hand, and return what to call it when reading.

        Args:
            adapter: The adapter's folder; None for the plain model.
            used: Adapters that must stay at hand.

        Raises:
            ModelError: It cannot be read or does not fit; the others are as before.
        """
        if adapter is None:
            return None
        key = adapter_key(adapter)
        if key not in self._names:
            self._names[key] = self._add(adapter)
        self._names.move_to_end(key)
        self._drop_old({key, *used})
        return key

    def drop_adapters(self, used: Collection[AdapterKey | None] = ()) -> None:
        """Forget the weights of all adapters but these."""
        for key in [key for key in self._names if key not in used]:
            self._delete(key)

    @torch.inference_mode()
    def read(self, tokens: Sequence[int], cache: Any, adapter: AdapterKey | None) -> torch.Tensor:
        """Read tokens after those in the cache, and return the logits of the next: shape (1, vocabulary)."""
        self._use({adapter})
        output = self._base(
            torch.tensor([tokens]), **{self._cache_name: cache}, use_cache=True, logits_to_keep=1
        )
        logits: torch.Tensor = output.logits[:, -1]
        return logits

    def read_alone(self, prompts: Sequence[Sequence[int]]) -> torch.Tensor:
        """Return the logits after prompts, each read as a whole by the plain model: shape (prompts, vocabulary)."""
        return torch.cat([self.read(prompt, self.empty_cache(), None) for prompt in prompts])

    @torch.inference_mode()
    def read_packed(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        parts: Sequence[Part],
        wanted: Sequence[int],
        adapters: Sequence[AdapterKey | None],
    ) -> torch.Tensor:
        """Read tokens of many requests at once, after `pack`.

        Args:
            tokens: Those of each part, one part after the other.
            positions: The place of each token in its own request.
            parts: What the tokens are.
            wanted: After which tokens the next is wanted, by their place here, ascending.
            adapters: What each token is read with.

        Returns:
            Logits: shape (wanted, vocabulary).
        """
        # A row for all tokens; a row each where PEFT has to tell adapters apart.
        mixed = len(set(adapters)) > 1
        shape = (len(tokens), 1) if mixed else (1, len(tokens))
        kept = torch.zeros(len(tokens), dtype=torch.bool)
        kept[list(wanted)] = True
        inputs: dict[str, Any] = {
            "input_ids": torch.tensor(tokens).view(shape),
            "position_ids": torch.tensor(positions).view(shape),
            "logits_to_keep": kept.view(shape),
            "use_cache": False,
            "parts": parts,
        }
        self._use(set(adapters))
        if mixed:
            names = [_BASE if key is None else self._names[key] for key in adapters]
            logits: torch.Tensor = self._switching(**inputs, adapter_names=names).logits
        else:
            logits = self._base(**inputs).logits
        return logits

    def release(self) -> Any:
        """Return the torch model, for whoever makes something else of it; nothing can be read here any more."""
        model, self._base = self._base, None
        return model

    def pack(self, *, packed: bool) -> None:
        """Have attention read tokens of many requests at once, or one request's as the library does."""
        self._attention = PACKED if packed else None
        self._set_attention()

    def empty_cache(self) -> transformers.DynamicCache:
        """Return a cache with nothing read."""
        return transformers.DynamicCache(config=self._base.config)

    def can_pack(self) -> bool:
        """Return whether requests can be read together.

        Each layer must remember keys and values of all tokens and nothing else,
        and no position may depend on how long another request is.
        """
        remembers_all = all(type(layer) is DynamicLayer for layer in self.empty_cache().layers)
        return remembers_all and not self.stretches()

    def stretches(self) -> bool:
        """Return whether the frequencies of its positions depend on the longest text that is read."""
        kinds = [getattr(module, "rope_type", "") for module in self._base.modules()]
        named = chain.from_iterable(kind.values() if isinstance(kind, dict) else [kind] for kind in kinds)
        return any("dynamic" in kind or kind == "longrope" for kind in named)

    @property
    def config(self) -> transformers.PreTrainedConfig:
        """The configuration of what reads text."""
        config: transformers.PreTrainedConfig = self._base.config.get_text_config()
        return config

    def _load(self) -> None:
        transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            self._base = transformers.AutoModelForCausalLM.from_pretrained(
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
        self._library_attention = self._base.config._attn_implementation
        self._set_attention()
        self._switching: Any = None
        self._names: OrderedDict[AdapterKey, str] = OrderedDict()
        self._loaded = 0
        self._used: AdapterKey | None = None

    def _set_attention(self) -> None:
        self._base.set_attn_implementation(self._attention or self._library_attention)

    def _use(self, adapters: Collection[AdapterKey | None]) -> None:
        """Read with this adapter, or with these where each token names its own."""
        if len(adapters) > 1 and self._used in self._names:
            return  # any that is there will do
        adapter = next((key for key in adapters if key is not None), None)
        if adapter == self._used:
            return
        if adapter is None:
            self._switching.base_model.disable_adapter_layers()
        else:
            self._switching.base_model.enable_adapter_layers()
            self._switching.set_adapter(self._names[adapter], inference_mode=True)
        self._used = adapter

    def _add(self, folder: Path) -> str:
        check_adapter(folder, self._linear_shape)
        self._loaded += 1
        name = f"adapter-{self._loaded}"
        try:
            config = peft.PeftConfig.from_pretrained(str(folder))
            config.inference_mode = True
            if self._switching is None:
                self._switching = peft.PeftModel(
                    self._base, config, adapter_name=name, low_cpu_mem_usage=True
                )
                self._used = _UNREAD
            self._switching.load_adapter(str(folder), name, torch_device="cpu", low_cpu_mem_usage=True)
            self._switching.eval()
        except (OSError, ValueError, RuntimeError, KeyError, TypeError, safetensors.SafetensorError) as error:
            self._load()  # layers of the failed adapter may already be in the model
            raise ModelError(
                f"the adapter in {folder} does not fit the model in {self._folder}: {error}; train it again"
            ) from error
        return name

    def _drop_old(self, used: Collection[AdapterKey | None]) -> None:
        """Drop adapters that were replaced in their folder, and the least recently used of too many."""
        newest = {key[0]: key for key in self._names}
        replaced = [key for key in self._names if newest[key[0]] != key and key not in used]
        for key in replaced:
            self._delete(key)
        idle = [key for key in self._names if key not in used]
        for key in idle[: max(0, len(self._names) - _ADAPTERS)]:
            self._delete(key)

    def _delete(self, key: AdapterKey) -> None:
        name = self._names.pop(key)
        if self._names:  # PEFT warns where the adapter that is set is deleted, even while none is in use
            stays = next((each for each in self._names if each == self._used), next(iter(self._names)))
            self._switching.set_adapter(self._names[stays], inference_mode=True)
            if self._used == key:
                self._used = stays
        elif self._used is not None:
            self._use({None})
        self._switching.delete_adapter(name)

    def _linear_shape(self, name: str) -> tuple[int, ...] | None:
        """Return the shape of a linear layer's weights; None where the model has no such layer."""
        try:
            layer = self._base.get_submodule(name)
        except AttributeError:
            return None
        weight = getattr(getattr(layer, "base_layer", layer), "weight", None)
        return tuple(weight.shape) if weight is not None and weight.ndim == 2 else None
