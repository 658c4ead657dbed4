"""Measure LoRA training on the demo's examples in this process, and TRL's on the same where it is installed.

    python benchmarks/tuning.py [--examples 160] [--epochs 3] [--seed 0] [--long] [--engines torch] [ARM ...]

An arm is `bfloat16` or `float32`, this project's training in that precision, or `trl-bfloat16`,
`trl-float32` and `trl-packed` (bfloat16, examples packed). Without any, this project trains in what the
processor has. For TRL, `pip install 'trl==1.16.*'` first. All arms train on the same tokens, with the
same rank, rates, batch and epochs, and tokens are counted without padding. What each arm reaches is
measured on the 151 rows that none has learnt from: the loss, in float32, and how many groups are named
rightly by each of the engines (`torch,openvino,openvino-int8`). `--long` joins ten questions into one
prompt of some 400 tokens.

The examples are PostgreSQL's settings with their groups, as the demo reads them.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from backends.base import Example, GenerationOptions, Generator
from backends.generation.adapters import WEIGHTS
from backends.generation.local import LocalGenerator
from backends.models.names import DEFAULT_GENERATOR
from backends.models.resolve import default_cache, identity, resolve
from backends.training.adapters import TrainingExample
from backends.training.examples import plain_examples
from backends.training.run import TuningSettings, tune
from backends.training.schedule import learning_rate_at, split

JOINED = 10
ANSWER_TOKENS = 24


def demo() -> Any:
    """Return the module that reads the labelled rows of the demo."""
    path = Path(__file__).parents[1] / "examples" / "postgres-settings" / "source.py"
    spec = importlib.util.spec_from_file_location("postgres_settings", path)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def joined(examples: list[Example]) -> list[Example]:
    """Return long examples: each with the questions before its own in its prompt."""
    return [
        Example("\n".join(other.question for other in examples[end - JOINED : end]), examples[end - 1].answer)
        for end in range(JOINED, len(examples) + 1)
    ]


def train(model: Path, examples: tuple[TrainingExample, ...], settings: TuningSettings, output: Path) -> None:
    """Train as the service does, evaluation and checkpoints included."""
    tune(
        model,
        examples,
        settings,
        output=output,
        checkpoints=output.with_name("checkpoints"),
        base_model=identity(model),
        approach="FINE_TUNING",
        report=lambda _: None,
        cancelled=lambda: False,
    )


def train_by_trl(
    model: Path, examples: tuple[TrainingExample, ...], settings: TuningSettings, output: Path, arm: str
) -> None:
    """Train the same examples as `tune` would, without evaluation."""
    import datasets
    import peft
    import torch
    import transformers
    import trl

    from backends.training.lora import encode

    encoded = encode(model, examples, settings.max_tokens)
    chosen = [encoded[index] for index in split(examples, settings.held_out_share, settings.seed)[0]]
    columns: dict[str, Any] = {
        "input_ids": [list(one.tokens) for one in chosen],
        "completion_mask": [[0] * one.prompt + [1] * (len(one.tokens) - one.prompt) for one in chosen],
    }
    packed = arm == "trl-packed"
    of_a_step = settings.batch_size * sum(map(len, columns["input_ids"])) // len(chosen)
    base: Any = transformers.AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    trainer = trl.SFTTrainer(
        base,
        trl.SFTConfig(
            output_dir=str(output),
            num_train_epochs=settings.epochs,
            per_device_train_batch_size=1 if packed else settings.batch_size,
            max_length=of_a_step if packed else settings.max_tokens,
            packing=packed,
            completion_only_loss=True,
            bf16=arm != "trl-float32",
            gradient_checkpointing=False,
            optim="adamw_torch_fused",
            weight_decay=0.0,
            learning_rate=1.0,
            seed=settings.seed,
            use_cpu=True,
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
        ),
        train_dataset=datasets.Dataset.from_dict(columns),
        processing_class=transformers.AutoTokenizer.from_pretrained(model),
        peft_config=peft.LoraConfig(
            r=settings.rank, lora_alpha=2 * settings.rank, target_modules="all-linear", task_type="CAUSAL_LM"
        ),
    )
    steps = settings.epochs * len(trainer.get_train_dataloader())
    trainer.create_optimizer()
    trainer.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
        trainer.optimizer, lambda step: learning_rate_at(min(step, steps - 1), steps, settings.learning_rate)
    )
    trainer.train()
    trainer.save_model(str(output))


def right(
    engine: Generator,
    unseen: tuple[TrainingExample, ...],
    adapter: Path,
    is_right: Callable[[str, str], bool],
) -> int:
    """Return how many answers are right."""
    answers = engine.generate_all(
        [each.messages for each in unseen],
        options=GenerationOptions(max_output_tokens=ANSWER_TOKENS),
        cancelled=lambda: False,
        adapter=adapter,
    )
    return sum(is_right(answer.text, each.completion) for answer, each in zip(answers, unseen, strict=True))


def unseen_loss(
    model: Path, unseen: tuple[TrainingExample, ...], settings: TuningSettings, adapter: Path
) -> float:
    """Return the mean loss per completion token on examples, in float32."""
    import peft
    from safetensors.torch import load_file

    from backends.training.lora import LoraTrainer, encode

    evaluated = LoraTrainer(model, rank=settings.rank, seed=0, precision="float32")
    peft.set_peft_model_state_dict(evaluated._model, load_file(adapter / WEIGHTS))
    return evaluated.loss(encode(model, unseen, settings.max_tokens), cancelled=lambda: False)


def measured(work: Callable[[], None]) -> tuple[float, float]:
    """Return the seconds of the clock and of the processor that work takes."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def main() -> None:
    """Print what each arm takes and reaches."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=160)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--engines", default="torch")
    parser.add_argument("arms", nargs="*")
    asked = parser.parse_args()
    from backends.training.lora import encode, native_precision

    cache = Path(os.environ.get("ADVISOR_MODEL_CACHE", default_cache()))
    model = resolve(DEFAULT_GENERATOR, cache=cache, report=lambda _: None)
    source = demo()
    learnt, others = source.examples(), [*source.questions(), *source.questions(shown=False)]
    if asked.long:
        learnt, others = joined(learnt), joined(others)
    examples, unseen = plain_examples(learnt[: asked.examples]), plain_examples(others)
    settings = TuningSettings(epochs=asked.epochs, seed=asked.seed)
    encoded = encode(model, examples, settings.max_tokens)
    training = split(examples, settings.held_out_share, settings.seed)[0]
    tokens = settings.epochs * sum(len(encoded[index].tokens) for index in training)
    print(
        f"{len(examples)} examples, {settings.epochs} epochs, {tokens:,} tokens trained on, no padding counted; "
        f"{len(unseen)} unseen examples"
    )
    engines = [LocalGenerator(model, "base", engine=name) for name in asked.engines.split(",")]
    for arm in asked.arms or [native_precision()]:
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "adapter"
            if arm.startswith("trl"):
                seconds, processor = measured(lambda: train_by_trl(model, examples, settings, output, arm))  # noqa: B023
            else:
                with patch("backends.training.lora.native_precision", return_value=arm):
                    seconds, processor = measured(lambda: train(model, examples, settings, output))  # noqa: B023
            loss = unseen_loss(model, unseen, settings, output)
            named = [right(engine, unseen, output, source.is_right) for engine in engines]
        peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(
            f"{arm:13} {seconds:4.0f} s, {processor:4.0f} s of the processor, {tokens / seconds:4.0f} tokens/s, "
            f"unseen loss {loss:.4f}, {', '.join(map(str, named))} right, peak memory so far {peak_gb:.2f} GB",
            flush=True,
        )


if __name__ == "__main__":
    main()
