"""A model with LoRA weights in training: forward, backward, update, and its state as tensors.

The loss is taken on completions only, and so are the logits: with a
vocabulary of 49,152 the last layer would otherwise cost as much as the rest of
a small model. An optimizer step is cut into pieces of a bounded number of tokens, sorted by
length, so memory does not grow with the batch and little is padded.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peft
import safetensors
import torch
import transformers

from backends.base import Cancelled, ExamplesError, ModelError, QuestionError, TuningError
from backends.generation.chat import chat_tokens
from backends.training.adapters import TrainingExample

__all__ = ["Encoded", "LoraTrainer", "encode", "versions"]

# Activations of a 135M model take 2.3 MB a token: so many keep a step within 1.2 GB. An example that is
# longer is a piece of its own.
_PIECE_TOKENS = 512
_MAX_GRADIENT_NORM = 1.0


@dataclass(frozen=True, slots=True)
class Encoded:
    """An example in tokens, of which the first `prompt` are not learned."""

    tokens: tuple[int, ...]
    prompt: int


def versions() -> dict[str, str]:
    """Return the versions of the libraries that training rests on."""
    return {module.__name__: str(module.__version__) for module in (torch, transformers, peft)}


def encode(folder: Path, examples: Sequence[TrainingExample], max_tokens: int) -> tuple[Encoded, ...]:
    """Return examples as generation will meet them: the prompt's tokens, the completion's, the end.

    Raises:
        ExamplesError: An example is longer than `max_tokens`.
        ModelError: The model has no chat template, or marks no end of a turn.
    """
    try:
        tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ModelError(f"the tokenizer in {folder} cannot be loaded: {error}") from error
    if not tokenizer.chat_template or tokenizer.eos_token_id is None:
        raise ModelError(
            f"{folder}: the tokenizer lacks a chat template or an end token; choose a model made for chat"
        )
    encoded = []
    for number, example in enumerate(examples, 1):
        try:
            prompt = chat_tokens(tokenizer, example.messages)
        except QuestionError as error:
            raise ExamplesError(f"example {number}: {error}") from error
        completion = tokenizer.encode(
            example.completion.strip(), add_special_tokens=False, split_special_tokens=True
        )
        tokens = (*prompt, *completion, tokenizer.eos_token_id)
        if len(tokens) > max_tokens:
            raise ExamplesError(
                f"example {number}: {len(tokens)} tokens, but max_tokens is {max_tokens}; "
                "shorten it, or raise max_tokens (at most 2,048)"
            )
        encoded.append(Encoded(tokens, len(prompt)))
    return tuple(encoded)


class LoraTrainer:
    """A base model in float32 with LoRA weights on all its linear layers, and their optimizer."""

    def __init__(self, folder: Path, *, rank: int, seed: int):
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            base = transformers.AutoModelForCausalLM.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
            )
        except (OSError, ValueError, RuntimeError, safetensors.SafetensorError) as error:
            raise ModelError(f"the model in {folder} cannot be loaded: {error}; fetch it again") from error
        # The scale alpha / r = 2 is the usual one, and keeps one learning rate right for every rank.
        config = peft.LoraConfig(
            r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM"
        )
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self._model: Any = peft.get_peft_model(base, config).to(self._device)
        self._trained = {name: p for name, p in self._model.named_parameters() if p.requires_grad}
        self._optimizer = torch.optim.AdamW(self._trained.values(), weight_decay=0.0)

    def step(self, batch: Sequence[Encoded], *, learning_rate: float, cancelled: Callable[[], bool]) -> float:
        """Take one optimizer step and return the summed loss of the completions' tokens before it.

        Raises:
            Cancelled: `cancelled` said so; the weights are as before the step.
            TuningError: The loss or its gradient is not finite.
        """
        self._model.train()
        self._optimizer.zero_grad()
        learned = sum(len(example.tokens) - example.prompt for example in batch)
        total = 0.0
        for piece in _pieces(batch):
            _stop_if(cancelled)
            loss = self._summed_loss(piece)
            (loss / learned).backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        norm = torch.nn.utils.clip_grad_norm_(self._trained.values(), _MAX_GRADIENT_NORM).item()
        if not (math.isfinite(total) and math.isfinite(norm)):
            raise TuningError(f"the loss is {total}, its gradient {norm}; lower learning_rate and tune again")
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        self._optimizer.step()
        return total

    def loss(self, examples: Sequence[Encoded], *, cancelled: Callable[[], bool]) -> float:
        """Return the mean loss per completion token, in nats.

        Raises:
            Cancelled: `cancelled` said so.
        """
        self._model.eval()
        learned = sum(len(example.tokens) - example.prompt for example in examples)
        total = 0.0
        with torch.inference_mode():
            for piece in _pieces(examples):
                _stop_if(cancelled)
                total += self._summed_loss(piece).item()
        return total / learned

    def weights(self) -> dict[str, torch.Tensor]:
        """Return a copy of the LoRA weights, on the CPU, by PEFT's names."""
        state: Mapping[str, torch.Tensor] = peft.get_peft_model_state_dict(self._model)
        return {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in state.items()}

    def config_json(self, base_model: str) -> bytes:
        """Return PEFT's configuration file for the weights."""
        values = self._model.peft_config["default"].to_dict()
        values |= {"base_model_name_or_path": base_model, "inference_mode": True}
        return json.dumps(values, indent=2, sort_keys=True, default=sorted).encode()

    def state(self) -> dict[str, torch.Tensor]:
        """Return all that the next step depends on: weights and the optimizer's moments."""
        tensors: dict[str, torch.Tensor] = {}
        for name, parameter in self._trained.items():
            tensors[f"weight/{name}"] = parameter.detach()
            for key, value in self._optimizer.state[parameter].items():
                tensors[f"{key}/{name}"] = value
        return {name: tensor.to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}

    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go back to a `state`.

        Raises:
            KeyError: The state is of a model with other weights.
        """
        with torch.no_grad():
            for name, parameter in self._trained.items():
                parameter.copy_(state[f"weight/{name}"])
                self._optimizer.state[parameter] = {
                    "step": state[f"step/{name}"].clone(),
                    "exp_avg": state[f"exp_avg/{name}"].to(self._device, copy=True),
                    "exp_avg_sq": state[f"exp_avg_sq/{name}"].to(self._device, copy=True),
                }

    def _summed_loss(self, piece: Sequence[Encoded]) -> torch.Tensor:
        width = max(len(example.tokens) for example in piece)
        tokens = torch.zeros(len(piece), width, dtype=torch.long)
        attended = torch.zeros(len(piece), width, dtype=torch.long)
        # A position predicts the token after it: the last of the prompt, the first of the completion.
        predicting = torch.zeros(len(piece), width, dtype=torch.bool)
        for row, example in enumerate(piece):
            length = len(example.tokens)
            tokens[row, :length] = torch.tensor(example.tokens)
            attended[row, :length] = 1
            predicting[row, example.prompt - 1 : length - 1] = True
        right = tokens.roll(-1, dims=1)[predicting].to(self._device)
        logits = self._model(
            input_ids=tokens.to(self._device),
            attention_mask=attended.to(self._device),
            logits_to_keep=predicting.to(self._device),
            use_cache=False,
        ).logits
        return torch.nn.functional.cross_entropy(logits.float(), right, reduction="sum")


def _pieces(examples: Sequence[Encoded]) -> Iterator[tuple[Encoded, ...]]:
    """Cut examples, longest first, into pieces of at most `_PIECE_TOKENS` tokens with padding."""
    piece: list[Encoded] = []
    for example in sorted(examples, key=lambda example: len(example.tokens), reverse=True):
        if piece and (len(piece) + 1) * len(piece[0].tokens) > _PIECE_TOKENS:
            yield tuple(piece)
            piece = []
        piece.append(example)
    if piece:
        yield tuple(piece)


def _stop_if(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise Cancelled("training was cancelled; checkpoints taken before remain")
