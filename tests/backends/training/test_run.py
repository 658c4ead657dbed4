"""LoRA fine-tuning, on a tiny random model."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backends.base import (
    Cancelled,
    ExamplesError,
    FinishReason,
    GenerationOptions,
    Message,
    ModelError,
    TuningError,
)
from backends.training.adapters import Manifest, TrainingExample, TuningSettings, usual_epochs, verify_adapter
from backends.training.run import TuningProgress, TuningStage, tune

if TYPE_CHECKING:
    from backends.training.lora import Encoded

EXAMPLES = tuple(
    TrainingExample((Message("user", f"Say {word} {number}"),), word)
    for number in range(10)
    for word in ("Paris", "answer")
)
SETTINGS = TuningSettings(epochs=3, learning_rate=5e-3, rank=4, batch_size=4, max_tokens=64)


@dataclass
class Trainer:
    """Tunes the tiny model in a folder of its own."""

    model: Path
    folder: Path
    seen: list[TuningProgress] = field(default_factory=list)

    def tune(
        self,
        settings: TuningSettings = SETTINGS,
        *,
        examples: tuple[TrainingExample, ...] = EXAMPLES,
        cancelled: Callable[[], bool] = lambda: False,
        output: str = "adapter",
    ) -> Manifest:
        """Run or go on."""
        return tune(
            self.model,
            examples,
            settings,
            output=self.folder / output,
            checkpoints=self.folder / "checkpoints",
            base_model="tiny@1",
            approach="FINE_TUNING",
            report=self.seen.append,
            cancelled=cancelled,
            created=datetime(2026, 1, 2, tzinfo=UTC),
        )

    def steps(self) -> int:
        """Return the last step reported."""
        return max((progress.step for progress in self.seen), default=0)


@pytest.fixture(autouse=True)
def precision(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Train in float32 whatever the processor, or in what a test names."""
    named: str = getattr(request, "param", "float32")
    monkeypatch.setattr("backends.training.lora.native_precision", lambda: named)
    return named


@pytest.fixture
def trainer(tiny_model: Path, tmp_path: Path) -> Trainer:
    """Return a trainer with nothing trained yet."""
    return Trainer(tiny_model, tmp_path / "run")


@pytest.fixture
def sharp_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the tiny model with an output layer large enough to be sure of a token."""
    import torch
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("sharp") / "model"
    shutil.copytree(tiny_model, folder)
    model: Any = AutoModelForCausalLM.from_pretrained(
        tiny_model, local_files_only=True, tie_word_embeddings=False
    )
    with torch.no_grad():
        model.lm_head.weight.normal_(generator=torch.Generator().manual_seed(0))
    model.save_pretrained(folder)
    return folder


def test_tuning_leaves_a_verified_adapter_with_its_metrics(trainer: Trainer) -> None:
    """The manifest on disk is the one returned, and says what was measured."""
    manifest = trainer.tune()
    assert verify_adapter(trainer.folder / "adapter", "tiny@1") == manifest
    metrics = manifest.metrics
    assert (metrics.training_examples, metrics.held_out_examples, metrics.steps) == (18, 2, 15)
    assert metrics.held_out_loss is not None
    assert set(manifest.versions) == {"torch", "transformers", "peft"}
    assert manifest.precision == "float32"


def test_few_examples_are_passed_over_more_often_where_nobody_says(trainer: Trainer) -> None:
    """The manifest tells how often; training may stop before, once nothing improves."""
    manifest = trainer.tune(replace(SETTINGS, epochs=None))
    assert manifest.settings.epochs == usual_epochs("FINE_TUNING", 18, 4) == 8
    assert 15 < manifest.metrics.steps <= 8 * 5


@pytest.mark.parametrize(
    ("approach", "examples", "epochs"),
    [
        ("FINE_TUNING", 8, 8),
        ("FINE_TUNING", 108, 4),
        ("FINE_TUNING", 180, 3),
        ("FINE_TUNING", 5000, 3),
        ("HYBRID", 25, 8),
        ("HYBRID", 200, 2),
    ],
)
def test_passes_come_to_a_number_of_steps(approach: str, examples: int, epochs: int) -> None:
    """Within bounds."""
    assert usual_epochs(approach, examples, 8) == epochs


def test_the_tuned_model_answers_and_stops(sharp_model: Path, tmp_path: Path) -> None:
    """The loss falls, and generation with the adapter writes what it learned and ends by itself."""
    from backends.generation.local import LocalGenerator

    trainer = Trainer(sharp_model, tmp_path)
    trainer.tune(replace(SETTINGS, epochs=15, learning_rate=1e-2, held_out_share=0))
    losses = [seen.training_loss for seen in trainer.seen if seen.training_loss is not None]
    assert losses[-1] < losses[0] / 10
    written = LocalGenerator(sharp_model, "tiny").generate(
        (Message("user", "Say Paris 3"),),
        options=GenerationOptions(max_output_tokens=20),
        emit=lambda text: None,
        cancelled=lambda: False,
        adapter=tmp_path / "adapter",
    )
    assert (written.text, written.finish_reason) == ("Paris", FinishReason.STOP)


def test_training_tokens_are_those_of_generation(trainer: Trainer) -> None:
    """The prompt is the generator's, and the whole is the template's own rendering of the full chat."""
    from transformers import AutoTokenizer

    from backends.generation.chat import chat_tokens
    from backends.training.lora import encode

    tokenizer: Any = AutoTokenizer.from_pretrained(trainer.model, local_files_only=True)
    (encoded, *_) = encode(trainer.model, EXAMPLES, 64)
    assert list(encoded.tokens[: encoded.prompt]) == chat_tokens(tokenizer, EXAMPLES[0].messages)
    turns = [{"role": "user", "content": "Say Paris 0"}, {"role": "assistant", "content": "Paris"}]
    assert tokenizer.apply_chat_template(turns, tokenize=False).startswith(tokenizer.decode(encoded.tokens))
    assert encoded.tokens[-1] == tokenizer.eos_token_id


def test_the_same_seed_gives_the_same_weights(trainer: Trainer) -> None:
    """Another seed gives others."""
    first = trainer.tune().weights_sha256
    for seed, same in ((0, True), (1, False)):
        other = Trainer(trainer.model, trainer.folder / str(seed))
        assert (other.tune(replace(SETTINGS, seed=seed)).weights_sha256 == first) is same


@pytest.mark.parametrize("precision", ["float32", "bfloat16"], indirect=True)
@pytest.mark.parametrize("stop_at", [2, 5, 7, 14])
def test_an_interrupted_run_goes_on_to_the_same_weights(
    trainer: Trainer, stop_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in or between epochs and called again, the manifest is that of an undisturbed run."""
    whole = Trainer(trainer.model, trainer.folder / "whole").tune()
    monkeypatch.setattr("backends.training.run.CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(Cancelled):
        trainer.tune(cancelled=lambda: trainer.steps() >= stop_at)
    assert trainer.steps() == stop_at
    trainer.seen.clear()
    assert trainer.tune() == whole
    assert next(seen.step for seen in trainer.seen if seen.stage is TuningStage.TRAINING) > stop_at - 1


def test_a_finished_run_called_again_only_writes_its_adapter(trainer: Trainer) -> None:
    """A worker that died between training and reporting loses nothing."""
    first = trainer.tune()
    trainer.seen.clear()
    assert trainer.tune(output="again") == first
    assert not [seen for seen in trainer.seen if seen.stage is TuningStage.TRAINING]


def test_cancelling_stops_within_a_step(trainer: Trainer) -> None:
    """No step is taken after `cancelled` said so, and no adapter is left."""
    with pytest.raises(Cancelled):
        trainer.tune(cancelled=lambda: trainer.steps() >= 1)
    assert trainer.steps() == 1
    assert not (trainer.folder / "adapter").exists()


def test_the_weights_kept_are_those_of_the_best_epoch(trainer: Trainer) -> None:
    """With answers that cannot be foreseen, training stops early, and the best epoch is restored."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from backends.training.lora import encode
    from backends.training.schedule import split

    examples = tuple(replace(one, completion=str(hash((index, 7)))) for index, one in enumerate(EXAMPLES))
    settings = replace(SETTINGS, epochs=30, learning_rate=3e-2, held_out_share=0.3)
    metrics = trainer.tune(settings, examples=examples).metrics
    assert metrics.stopped_early
    assert metrics.steps < 30 * 4
    model: Any = AutoModelForCausalLM.from_pretrained(trainer.model, local_files_only=True)
    model = PeftModel.from_pretrained(model, str(trainer.folder / "adapter"))
    held_out = [encode(trainer.model, examples, 64)[index] for index in split(examples, 0.3, 0)[1]]
    assert _loss_by_transformers(model, held_out) == pytest.approx(metrics.held_out_loss, rel=1e-5)


def test_progress_tells_stage_steps_losses_and_time_left(trainer: Trainer) -> None:
    """It starts with preparing, counts every step, and ends with saving."""
    trainer.tune()
    assert trainer.seen[0].stage is TuningStage.PREPARING
    assert trainer.seen[-1].stage is TuningStage.SAVING
    training = [seen for seen in trainer.seen if seen.stage is TuningStage.TRAINING]
    assert sorted({seen.step for seen in training}) == list(range(1, 16))
    assert {seen.total_steps for seen in training} == {15}
    assert training[-1].remaining_s == pytest.approx(0, abs=1e-6)
    assert training[-1].held_out_loss is not None


@pytest.mark.parametrize(
    ("index", "change", "message"),
    [
        (2, {"completion": " \n"}, "example 3: the answer is empty"),
        (4, {"messages": (Message("user", " "),)}, "example 5: the question is empty"),
        (6, {"completion": "7 " * 90}, r"example 7: \d+ tokens, but max_tokens is 64"),
        (1, {"messages": (Message("assistant", "x"),)}, "example 2: a chat must end with a user's turn"),
    ],
)
def test_the_first_example_at_fault_is_named(
    trainer: Trainer, index: int, change: dict[str, Any], message: str
) -> None:
    """Nothing is trained on examples with a fault."""
    examples = [*EXAMPLES]
    examples[index] = replace(examples[index], **change)
    with pytest.raises(ExamplesError, match=message):
        trainer.tune(examples=tuple(examples))
    assert not trainer.folder.exists()


def test_too_few_examples_are_refused(trainer: Trainer) -> None:
    """None at all is too few as well."""
    for count in (0, 8):
        with pytest.raises(ExamplesError, match=f"{count} examples, less"):
            trainer.tune(examples=EXAMPLES[:count])


def test_a_checkpoint_of_another_run_is_refused(trainer: Trainer) -> None:
    """Weights of other settings are not gone on with."""
    trainer.tune()
    with pytest.raises(TuningError, match="belongs to a run with other examples, settings or base model"):
        trainer.tune(replace(SETTINGS, seed=1))


def test_a_run_goes_on_in_its_precision_or_not_at_all(
    trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A processor of another kind is told of both, and what began stays."""
    whole = trainer.tune()
    with monkeypatch.context() as other:
        other.setattr("backends.training.lora.native_precision", lambda: "bfloat16")
        with pytest.raises(TuningError, match="began in float32, but this processor trains in bfloat16"):
            trainer.tune()
    assert trainer.tune() == whole


def test_a_broken_checkpoint_is_refused(trainer: Trainer) -> None:
    """The message names the file and what to do."""
    trainer.tune()
    (trainer.folder / "checkpoints" / "checkpoint.safetensors").write_bytes(b"junk")
    with pytest.raises(TuningError, match=r"checkpoint\.safetensors: cannot be read .* delete it"):
        trainer.tune()


def test_a_full_disk_leaves_checkpoint_and_adapter(trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says so, and the run goes on from the last checkpoint once there is room."""
    whole = trainer.tune()
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", _full)
        with pytest.raises(TuningError, match="the disk is full; free 1 MB"):
            trainer.tune()
    assert verify_adapter(trainer.folder / "adapter", "tiny@1") == whole
    assert trainer.tune(output="again") == whole


def test_a_loss_that_diverges_is_an_error(trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    """No adapter of invalid numbers is written."""
    monkeypatch.setattr("backends.training.run.learning_rate_at", lambda step, total, peak: 1e30)
    with pytest.raises(TuningError, match="lower learning_rate"):
        trainer.tune()
    assert not (trainer.folder / "adapter").exists()


def test_a_model_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """The message names the folder."""
    with pytest.raises(ModelError, match="nowhere"):
        Trainer(tmp_path / "nowhere", tmp_path).tune()


def _loss_by_transformers(model: Any, encoded: Sequence[Encoded]) -> float:
    import torch

    total = count = 0.0
    for one in encoded:
        labels = [-100] * one.prompt + list(one.tokens[one.prompt :])
        learned = len(one.tokens) - one.prompt
        loss = model(input_ids=torch.tensor([one.tokens]), labels=torch.tensor([labels])).loss.item()
        total, count = total + loss * learned, count + learned
    return total / count


def _full(_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
