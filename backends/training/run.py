"""LoRA fine-tuning on chats and their completions.

The loop is ours rather than transformers' Trainer, which can neither stop
within a step nor go on from a checkpoint to the same weights without pickled
state. Given the same inputs, libraries, number of threads and kind of
processor, a run gives the same weights, whether or not it was interrupted: the
order of the examples is a function of seed and epoch, the learning rate of the
step, and all else that counts is in the checkpoint. The processor decides the
precision, which the manifest tells, and a run goes on in the one it began in
or not at all.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from backends.base import Cancelled, ExamplesError, TuningError
from backends.counts import counted
from backends.memory import give_back
from backends.prompts import form_of
from backends.training.adapters import (
    Manifest,
    TrainingExample,
    TuningMetrics,
    TuningSettings,
    data_sha256,
    storage_error,
    usual_epochs,
    write_adapter,
    write_file,
)
from backends.training.schedule import MIN_TRAINING_EXAMPLES, learning_rate_at, plan_epoch, split

if TYPE_CHECKING:
    import torch

    from backends.training.lora import LoraTrainer
    from backends.training.packing import Encoded

__all__ = [
    "MAX_EXAMPLES",
    "MIN_TRAINING_EXAMPLES",
    "TrainingExample",
    "TuningProgress",
    "TuningSettings",
    "TuningStage",
    "tune",
]

MAX_EXAMPLES = 100_000
CHECKPOINT_SECONDS = 60.0
_CHECKPOINT = "checkpoint.safetensors"
_BEST = "best/"
# Epochs without improvement after which training stops.
_PATIENCE = 2
# An evaluated token needs the forward third of what a trained one needs.
_EVALUATION_COST = 1 / 3


class TuningStage(StrEnum):
    """What a run is doing."""

    PREPARING = "PREPARING"
    TRAINING = "TRAINING"
    SAVING = "SAVING"


@dataclass(frozen=True, slots=True)
class TuningProgress:
    """How far a run is; losses are means per completion token, in nats.

    Attributes:
        stage: What is being done.
        step: Optimizer steps taken.
        total_steps: Steps planned; 0 while unknown.
        training_loss: Loss of the last step.
        held_out_loss: Latest loss on the held-out examples.
        remaining_s: Estimated seconds left.
    """

    stage: TuningStage
    step: int = 0
    total_steps: int = 0
    training_loss: float | None = None
    held_out_loss: float | None = None
    remaining_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Position:
    """Where a run stands; `epoch` counts those that are done and evaluated."""

    step: int = 0
    epoch: int = 0
    epoch_loss: float = 0.0
    epoch_learned: int = 0
    training_loss: float = math.nan
    held_out_loss: float | None = None
    best_loss: float | None = None
    best_epoch: int = 0
    tokens: int = 0
    stopped_early: bool = False


def tune(
    model_folder: Path,
    examples: Sequence[TrainingExample],
    settings: TuningSettings,
    *,
    output: Path,
    checkpoints: Path,
    base_model: str,
    approach: str,
    report: Callable[[TuningProgress], None],
    cancelled: Callable[[], bool],
    created: datetime | None = None,
) -> Manifest:
    """Train LoRA weights and write them to `output` with their manifest.

    The weights are those of the epoch with the least loss on the held-out
    examples, or of the last epoch where none are held out. Called again with the
    same `checkpoints`, an interrupted run goes on where it was.

    Args:
        model_folder: The base model's files.
        examples: What to learn; at least `MIN_TRAINING_EXAMPLES` besides those held out.
        settings: How to train.
        output: The adapter's folder. What is there is replaced at the end.
        checkpoints: A folder of this run's own, kept between attempts.
        base_model: The base model's identity, with its revision or hash.
        approach: What the weights are for; the manifest keeps it.
        report: Receives progress after every step.
        cancelled: Asked at least once a step; True ends the work.
        created: The manifest's time; now where None.

    Raises:
        Cancelled: `cancelled` said so.
        ExamplesError: Examples are too few, empty or too long.
        TuningError: The loss diverged, the disk is full, or the checkpoint belongs to another run.
        ModelError: The model cannot be tuned.
    """
    _check(examples)
    training, held_out = split(examples, settings.held_out_share, settings.seed)
    epochs = settings.epochs or usual_epochs(approach, len(training), settings.batch_size)
    settings = replace(settings, epochs=epochs)
    report(TuningProgress(TuningStage.PREPARING))
    from backends.training.lora import LoraTrainer, encode, native_precision, versions

    if cancelled():
        raise Cancelled("training was cancelled before it began")
    encoded = encode(model_folder, examples, settings.max_tokens)
    precision = native_precision()
    run = _Run(
        trainer=LoraTrainer(model_folder, rank=settings.rank, seed=settings.seed, precision=precision),
        training=tuple(encoded[index] for index in training),
        held_out=tuple(encoded[index] for index in held_out),
        settings=settings,
        epochs=epochs,
        checkpoint=checkpoints / _CHECKPOINT,
        identity=_identity(examples, settings, base_model, approach),
        precision=precision,
        report=report,
        cancelled=cancelled,
    )
    run.resume()
    run.train()
    report(run.progress(TuningStage.SAVING))
    weights, config = run.best_weights(), run.trainer.config_json(base_model)
    manifest = Manifest(
        base_model=base_model,
        approach=approach,
        data_sha256=data_sha256(examples),
        settings=settings,
        metrics=run.metrics(),
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        config_sha256=hashlib.sha256(config).hexdigest(),
        versions=versions(),
        precision=precision,
        created=created or datetime.now(UTC),
        prompt_form=form_of(examples[0].messages),
    )
    write_adapter(output, manifest, config=config, weights=weights)
    return manifest


def _check(examples: Sequence[TrainingExample]) -> None:
    if len(examples) > MAX_EXAMPLES:
        raise ExamplesError(
            f"{counted(len(examples), 'example')}; at most {MAX_EXAMPLES} are allowed: take a sample"
        )
    for number, example in enumerate(examples, 1):
        if not any(message.content.strip() for message in example.messages):
            raise ExamplesError(
                f"example {number}: the question is empty; fill it in or leave the example out"
            )
        if not example.completion.strip():
            raise ExamplesError(f"example {number}: the answer is empty; fill it in or leave the example out")


def _identity(
    examples: Sequence[TrainingExample], settings: TuningSettings, base_model: str, approach: str
) -> str:
    values = [data_sha256(examples), asdict(settings), base_model, approach]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


@dataclass(slots=True)
class _Run:
    """One training run and where it stands."""

    trainer: LoraTrainer
    training: tuple[Encoded, ...]
    held_out: tuple[Encoded, ...]
    settings: TuningSettings
    epochs: int
    checkpoint: Path
    identity: str
    precision: str
    report: Callable[[TuningProgress], None]
    cancelled: Callable[[], bool]
    position: _Position = _Position()
    best: dict[str, torch.Tensor] | None = None
    _started: float = 0.0
    _started_at_cost: float = 0.0

    def train(self) -> None:
        """Train to the last epoch, or until nothing improves."""
        self._started, self._started_at_cost = time.monotonic(), self._cost_done()
        while self.position.epoch < self.epochs and not self.position.stopped_early:
            self._train_epoch()
            self._finish_epoch()
            self.save()

    def resume(self) -> None:
        """Go back to the last checkpoint, where there is one.

        Raises:
            TuningError: It cannot be read, or belongs to another run.
        """
        import safetensors

        if not self.checkpoint.exists():
            return
        try:
            with safetensors.safe_open(self.checkpoint, framework="pt") as file:
                written = json.loads(file.metadata()["run"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
            if written["identity"] != self.identity:
                raise TuningError(
                    f"{self.checkpoint}: belongs to a run with other examples, settings or base model; "
                    "give each run a checkpoint folder of its own"
                )
            if written["precision"] != self.precision:
                raise TuningError(
                    f"{self.checkpoint}: began in {written['precision']}, but this processor trains in "
                    f"{self.precision}; go on where it began, or delete it to start again"
                )
            self.position = _Position(**written["position"])
            self.trainer.restore(tensors)
        except (safetensors.SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise TuningError(
                f"{self.checkpoint}: cannot be read ({error}); delete it to start again"
            ) from error
        best = {name[len(_BEST) :]: tensor for name, tensor in tensors.items() if name.startswith(_BEST)}
        self.best = best or None

    def save(self) -> None:
        """Write a checkpoint in place of the last one.

        Raises:
            TuningError: The disk is full; the last checkpoint is still there.
        """
        from safetensors.torch import save

        tensors = self.trainer.state()
        tensors |= {f"{_BEST}{name}": tensor for name, tensor in (self.best or {}).items()}
        run = json.dumps(
            {"identity": self.identity, "precision": self.precision, "position": asdict(self.position)}
        )
        content = save(tensors, metadata={"run": run})
        try:
            self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
            write_file(self.checkpoint, content)
        except OSError as error:
            raise storage_error(self.checkpoint, error, len(content)) from error
        give_back()

    def best_weights(self) -> bytes:
        """Return the best weights in safetensors' format."""
        from safetensors.torch import save

        return save(self.best or self.trainer.weights(), metadata={"format": "pt"})

    def metrics(self) -> TuningMetrics:
        """Return what was measured."""
        return TuningMetrics(
            training_examples=len(self.training),
            held_out_examples=len(self.held_out),
            training_loss=self.position.training_loss,
            held_out_loss=self.position.best_loss,
            tokens=self.position.tokens,
            steps=self.position.step,
            stopped_early=self.position.stopped_early,
        )

    def progress(self, stage: TuningStage, training_loss: float | None = None) -> TuningProgress:
        """Return how far the run is."""
        return TuningProgress(
            stage=stage,
            step=self.position.step,
            total_steps=self._total_steps(),
            training_loss=training_loss,
            held_out_loss=self.position.held_out_loss,
            remaining_s=self._remaining_s(),
        )

    def _train_epoch(self) -> None:
        lengths = [len(example.tokens) for example in self.training]
        plan = plan_epoch(lengths, self.settings.batch_size, self.settings.seed, self.position.epoch)
        done = self.position.step - self.position.epoch * len(plan)
        saved = time.monotonic()
        for indices in plan[done:]:
            batch = [self.training[index] for index in indices]
            rate = learning_rate_at(self.position.step, self._total_steps(), self.settings.learning_rate)
            loss = self.trainer.step(batch, learning_rate=rate, cancelled=self.cancelled)
            learned = sum(len(example.tokens) - example.prompt for example in batch)
            self.position = replace(
                self.position,
                step=self.position.step + 1,
                epoch_loss=self.position.epoch_loss + loss,
                epoch_learned=self.position.epoch_learned + learned,
                tokens=self.position.tokens + sum(len(example.tokens) for example in batch),
            )
            self.report(self.progress(TuningStage.TRAINING, loss / learned))
            if time.monotonic() - saved >= CHECKPOINT_SECONDS:
                self.save()
                saved = time.monotonic()

    def _finish_epoch(self) -> None:
        """Evaluate on the held-out examples, and keep the weights where they are the best so far."""
        here = self.position
        here = replace(
            here,
            epoch=here.epoch + 1,
            training_loss=here.epoch_loss / here.epoch_learned,
            epoch_loss=0.0,
            epoch_learned=0,
        )
        if self.held_out:
            loss = self.trainer.loss(self.held_out, cancelled=self.cancelled)
            here = replace(here, held_out_loss=loss)
            if here.best_loss is None or loss < here.best_loss:
                self.best = self.trainer.weights()
                here = replace(here, best_loss=loss, best_epoch=here.epoch)
            stalled = here.epoch - here.best_epoch >= _PATIENCE
            here = replace(here, stopped_early=stalled and here.epoch < self.epochs)
        self.position = here
        self.report(self.progress(TuningStage.TRAINING))

    def _total_steps(self) -> int:
        return self.epochs * -(-len(self.training) // self.settings.batch_size)

    def _evaluation_cost(self) -> float:
        return _EVALUATION_COST * sum(len(example.tokens) for example in self.held_out)

    def _cost_done(self) -> float:
        return self.position.tokens + self.position.epoch * self._evaluation_cost()

    def _remaining_s(self) -> float | None:
        done = self._cost_done() - self._started_at_cost
        if self._started == 0.0 or done <= 0:
            return None
        epoch = sum(len(example.tokens) for example in self.training) + self._evaluation_cost()
        left = 0.0 if self.position.stopped_early else self.epochs * epoch - self._cost_done()
        return max(0.0, left) * (time.monotonic() - self._started) / done
