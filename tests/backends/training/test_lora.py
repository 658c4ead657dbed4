"""The loss and its gradients, on a tiny random model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backends.training.lora import Encoded, LoraTrainer, Precision, native_precision

if TYPE_CHECKING:
    import torch

LENGTHS = (23, 9, 17, 9, 4)


def examples() -> list[Encoded]:
    """Return examples of several lengths, so that a piece of them is padded."""
    return [Encoded(tuple(range(3 + at, 3 + at + length)), length // 2) for at, length in enumerate(LENGTHS)]


def gradients(trainer: LoraTrainer, pieces: list[list[Encoded]]) -> dict[str, torch.Tensor]:
    """Return the gradients of the summed loss of pieces, by the names of the weights."""
    trainer._optimizer.zero_grad()
    for piece in pieces:
        trainer._summed_loss(piece).backward()  # type: ignore[no-untyped-call]
    return {name: weight.grad.clone() for name, weight in trainer._trained.items() if weight.grad is not None}


@pytest.fixture(params=["float32", "bfloat16"])
def trainer(request: pytest.FixtureRequest, tiny_model: Path) -> LoraTrainer:
    """Return a trainer whose weights have left zero."""
    import torch

    trainer = LoraTrainer(tiny_model, rank=4, seed=0, precision=request.param)
    with torch.no_grad():
        for name, weight in trainer._trained.items():
            if "lora_B" in name:
                weight.normal_(std=0.02, generator=torch.Generator().manual_seed(len(name)))
    return trainer


def reference(trainer: LoraTrainer, folder: Path) -> Any:
    """Return PEFT's own model with the trainer's weights."""
    from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
    from transformers import AutoModelForCausalLM

    base: Any = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(base, config)
    set_peft_model_state_dict(model, trainer.weights())
    return model


def test_loss_and_gradients_are_those_of_peft(trainer: LoraTrainer, tiny_model: Path) -> None:
    """In float32 to rounding, in bfloat16 to its three digits; examples of a piece do not see each other."""
    import torch

    model = reference(trainer, tiny_model)
    expected_loss = 0.0
    for example in examples():
        labels = torch.tensor([[-100] * example.prompt + list(example.tokens[example.prompt :])])
        learned = len(example.tokens) - example.prompt
        loss = model(input_ids=torch.tensor([example.tokens]), labels=labels).loss * learned
        loss.backward()
        expected_loss += loss.item()
    expected = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
    found = gradients(trainer, [examples()])
    rounded = trainer._model.get_base_model().get_output_embeddings().weight.dtype == torch.bfloat16
    tolerance = 2e-2 if rounded else 1e-5
    assert trainer._summed_loss(examples()).item() == pytest.approx(expected_loss, rel=tolerance)
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        assert (gradient - expected[name]).norm() <= tolerance * expected[name].norm(), name


def test_weights_and_gradients_are_float32(trainer: LoraTrainer) -> None:
    """Whatever the products are taken in, nothing small is lost between steps."""
    import torch

    made = [
        *trainer.weights().values(),
        *trainer.state().values(),
        *gradients(trainer, [examples()]).values(),
    ]
    assert {tensor.dtype for tensor in made} == {torch.float32}


def test_the_loss_falls(trainer: LoraTrainer) -> None:
    """Ten steps on the same examples lower their loss."""
    losses = [trainer.step(examples(), learning_rate=1e-2, cancelled=lambda: False) for _ in range(10)]
    assert losses[-1] < losses[0] - 1


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx512_f": True}, "float32"),
        ({"amx_bf16": True}, "bfloat16"),
        ({"avx512_bf16": True, "amx_bf16": False}, "float32"),
        ({"architecture": "aarch64", "bf16": True}, "float32"),
    ],
)
def test_the_processor_decides_the_precision(
    capabilities: dict[str, Any], expected: Precision, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is bfloat16 where that is in the hardware and was measured."""
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: capabilities)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert native_precision() == expected
