"""The loss and its gradients, on a tiny random model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backends.training.lora import LoraTrainer, Precision, native_precision
from backends.training.packing import Encoded, pieces
from tests.backends.random_models import save_random_model

if TYPE_CHECKING:
    import torch

LENGTHS = (23, 9, 17, 9, 4)
BEGINNING = tuple(range(40, 52))


def examples(beginning: tuple[int, ...] = ()) -> list[Encoded]:
    """Return examples of several lengths, after the same beginning."""
    return [
        Encoded((*beginning, *range(3 + at, 3 + at + length)), len(beginning) + length // 2)
        for at, length in enumerate(LENGTHS)
    ]


def prompts_of_one() -> list[Encoded]:
    """Return examples of the same prompt: its last token predicts for each."""
    return [Encoded((*BEGINNING, *range(3, 3 + at)), len(BEGINNING)) for at in (1, 4, 2)]


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


@pytest.mark.parametrize(
    "batch", [examples(), examples(BEGINNING), prompts_of_one(), examples(BEGINNING)[:1]]
)
def test_loss_and_gradients_are_those_of_peft(
    trainer: LoraTrainer, tiny_model: Path, batch: list[Encoded]
) -> None:
    """In float32 to rounding, in bfloat16 to its three digits; examples see their beginning, not each other."""
    import torch

    model = reference(trainer, tiny_model)
    expected_loss = 0.0
    for example in batch:
        labels = torch.tensor([[-100] * example.prompt + list(example.tokens[example.prompt :])])
        learned = len(example.tokens) - example.prompt
        loss = model(input_ids=torch.tensor([example.tokens]), labels=labels).loss * learned
        loss.backward()
        expected_loss += loss.item()
    expected = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
    found = gradients(trainer, [batch])
    rounded = trainer._model.get_base_model().get_output_embeddings().weight.dtype == torch.bfloat16
    tolerance = 2e-2 if rounded else 1e-5
    assert trainer._summed_loss(batch).item() == pytest.approx(expected_loss, rel=tolerance)
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        assert (gradient - expected[name]).norm() <= tolerance * expected[name].norm(), name


def test_a_model_that_cannot_read_several_in_a_row(tmp_path: Path) -> None:
    """Its examples are read one by one: a window slides over them."""
    save_random_model(tmp_path, "mistral", sliding_window=8)
    trainer = LoraTrainer(tmp_path, rank=4, seed=0, precision="float32")
    batch = examples(BEGINNING)
    assert [len(piece) for piece in trainer._pieces(batch)] == [1] * len(batch)
    losses = [trainer.step(batch, learning_rate=1e-2, cancelled=lambda: False) for _ in range(10)]
    assert losses[-1] < losses[0] - 1


def test_pieces_count_what_is_shared_once() -> None:
    """Together they hold each example once, and none is longer than allowed, unless an example is."""
    batch = examples(BEGINNING)
    cut = list(pieces(batch, 40))
    assert {each for piece in cut for each in piece} == set(batch)
    lengths = [len(BEGINNING) + sum(len(each.tokens) - len(BEGINNING) for each in piece) for piece in cut]
    assert lengths == [35, 38, 25]
    assert [len(piece) for piece in pieces(batch, 10)] == [1] * len(batch)


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
