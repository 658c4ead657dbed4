"""A model with LoRA weights in training: forward, backward, update, and its state as tensors.

The loss is taken on completions only, and so are the logits: with a
vocabulary of 49,152 the last layer would otherwise cost as much as the rest of
a small model. An optimizer step is cut into pieces of a bounded number of tokens, so memory does not
grow with the batch; in each, what all examples begin with is read once.

Training in bfloat16 takes the products with the frozen matrices in it, forward and backward. All else
stays in float32: LoRA weights, their products and gradients, the optimizer, embeddings, norms, rotations,
attention, and the loss.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import peft
import torch
import transformers

from backends.base import Cancelled, ExamplesError, ModelError, QuestionError, TuningError
from backends.generation.attention import PACKED
from backends.generation.chat import chat_tokens
from backends.generation.model import LoadedModel
from backends.generation.packed_torch import reads_packed
from backends.processor import multiplies_bfloat16
from backends.training.adapters import TrainingExample
from backends.training.packing import Encoded, Row, pieces

__all__ = ["LoraTrainer", "Precision", "encode", "native_precision", "versions"]

Precision = Literal["float32", "bfloat16"]

_MAX_GRADIENT_NORM = 1.0
# What is kept for the way back, as 1.7 MB a token was seen of a model with 30 layers 576 wide; a step stays near
# the bound, unless an example alone is longer.
_KEPT_BYTES = 2_200_000_000
_KEPT_BYTES_PER_UNIT = 100


def native_precision() -> Precision:
    """Return what to train in here: bfloat16 where the processor multiplies matrices of it, else float32.

    A GPU trains in float32: there nothing was measured.
    """
    if torch.cuda.is_available():
        return "float32"
    return "bfloat16" if multiplies_bfloat16() else "float32"


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
    """A frozen base model with LoRA weights in float32 on all its linear layers, and their optimizer."""

    def __init__(self, folder: Path, *, rank: int, seed: int, precision: Precision):
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        model = LoadedModel(folder)
        self._packs = reads_packed(model)
        width = model.config.hidden_size * model.config.num_hidden_layers
        self._piece_tokens = _KEPT_BYTES // (_KEPT_BYTES_PER_UNIT * width)
        base = model.release()
        if self._packs:
            base.set_attn_implementation(PACKED)
        # The scale alpha / r = 2 is the usual one, and keeps one learning rate right for every rank.
        config = peft.LoraConfig(
            r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM"
        )
        config._register_custom_module({torch.nn.Linear: _LoraLinear})
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self._model: Any = peft.get_peft_model(base, config)
        if precision == "bfloat16":
            _round_products(self._model)
        self._model.to(self._device)
        self._trained = {name: p for name, p in self._model.named_parameters() if p.requires_grad}
        self._optimizer = torch.optim.AdamW(self._trained.values(), weight_decay=0.0, fused=True)

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
        for piece in self._pieces(batch):
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
            for piece in self._pieces(examples):
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
                    "step": state[f"step/{name}"].to(self._device, copy=True),
                    "exp_avg": state[f"exp_avg/{name}"].to(self._device, copy=True),
                    "exp_avg_sq": state[f"exp_avg_sq/{name}"].to(self._device, copy=True),
                }

    def _pieces(self, examples: Sequence[Encoded]) -> Iterable[Sequence[Encoded]]:
        """Cut examples into what is read at a time: one by one where the model cannot read several in a row."""
        return pieces(examples, self._piece_tokens) if self._packs else [[example] for example in examples]

    def _summed_loss(self, piece: Sequence[Encoded]) -> torch.Tensor:
        with self._device:
            row = Row(piece)
        packed = {"parts": [row.part]} if self._packs else {}
        logits = self._model(
            input_ids=row.tokens[None],
            position_ids=row.positions[None],
            logits_to_keep=row.predicting[None],
            use_cache=False,
            **packed,
        ).logits
        return torch.nn.functional.cross_entropy(logits.float(), row.wanted, reduction="sum")


class _LoraLinear(peft.tuners.lora.Linear):
    """PEFT's layer with the product in one function, in the precision of the frozen matrix."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the layer's output in the type of `x`."""
        (name,) = self.active_adapters
        down, up = self.lora_A[name].weight, self.lora_B[name].weight
        product: torch.Tensor = _LoraProduct.apply(  # type: ignore[no-untyped-call]
            x, self.base_layer.weight, self.base_layer.bias, down, up, self.scaling[name]
        )
        return product


class _LoraProduct(torch.autograd.Function):
    """x W^T + b + s x A^T B^T, with gradients for x, A and B.

    One function for what PEFT and autograd do in four: little is kept for the
    way back, and the smaller product is added as it is taken. Only the product
    with W is taken in its type: rounded as well, what LoRA adds is lost in the sum.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        down: torch.Tensor,
        up: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        flat = x.reshape(-1, x.shape[-1])
        rows, inner = flat.to(weight.dtype), flat @ down.T
        ctx.save_for_backward(rows, inner, weight, down, up)
        ctx.scale, ctx.shape = scale, x.shape
        product = torch.nn.functional.linear(rows, weight, bias).to(x.dtype)
        return product.addmm_(inner, up.T, alpha=scale).view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        rows, inner, weight, down, up = ctx.saved_tensors
        gradient = gradient.reshape(-1, gradient.shape[-1])
        of_inner = ctx.scale * (gradient @ up)
        of_down = of_inner.T @ rows.to(gradient.dtype)
        of_up = (ctx.scale * (inner.T @ gradient)).T
        of_x = None
        if ctx.needs_input_grad[0]:
            of_x = (
                (gradient.to(weight.dtype) @ weight).to(gradient.dtype).addmm_(of_inner, down).view(ctx.shape)
            )
        return of_x, None, None, of_down, of_up, None


class _RoundedLinear(torch.nn.Module):
    """A frozen linear layer in bfloat16 that takes and gives float32."""

    def __init__(self, layer: torch.nn.Linear):
        super().__init__()
        self.weight = torch.nn.Parameter(layer.weight.bfloat16(), requires_grad=False)
        self.bias = None if layer.bias is None else layer.bias.detach().bfloat16()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.linear(x.bfloat16(), self.weight, self.bias).to(x.dtype)


def _round_products(model: Any) -> None:
    """Turn the frozen matrices of a model into bfloat16: LoRA's layers and the output layer."""
    for module in model.modules():
        if isinstance(module, _LoraLinear):
            module.base_layer.bfloat16()
    base = model.get_base_model()
    base.set_output_embeddings(_RoundedLinear(base.get_output_embeddings()))


def _stop_if(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise Cancelled("training was cancelled; checkpoints taken before remain")
