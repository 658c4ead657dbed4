"""Why tuning loses to plain classifiers on labels, and what closes the gap, on tasks of the grid.

    python -m benchmarks.labels [--tasks postgres-groups,codec-aliases] [WAY ...]

A way is one of those below; all of them without any. `nearest` and `regression` are the classifiers on embeddings that
trials name as lines of reference, `shots` the prompt with the eight nearest examples; `tuned` trains as trials do, and
the ways after it change one thing each: more epochs, a lower rate, a larger rank, the labels listed in every prompt,
or the nearest examples in the prompt, while training (each without itself) and while asking. All are held to labels.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from advisor.settings import read_settings
from advisor.trials.arms import Arm
from advisor.trials.asking import ask_all
from advisor.trials.classifiers import classifier
from advisor.trials.conditions import told_labels
from backends.approaches.prompting import PromptingBackend
from backends.approaches.shots import NearestExamples
from backends.base import Example, GenerationOptions
from backends.generation.local import open_generator
from backends.models.resolve import resolve
from backends.prompts import prompt_messages
from backends.retrieval.embedding import open_embedder
from backends.training.adapters import TrainingExample, TuningSettings, read_manifest
from benchmarks.grid.making import made
from benchmarks.grid.tasks import TASKS
from benchmarks.tuning import train

ANSWER_TOKENS = 24


@dataclass(frozen=True, slots=True)
class Way:
    """A way to tune: settings, and what every prompt shows."""

    settings: dict[str, Any] = field(default_factory=dict)
    listed: bool = False
    shots: int = 0


WAYS = {
    "tuned": Way(),
    "epochs-6": Way({"epochs": 6}),
    "epochs-12": Way({"epochs": 12}),
    "epochs-12-slow": Way({"epochs": 12, "learning_rate": 3e-4}),
    "rank-64": Way({"rank": 64}),
    "listed": Way(listed=True),
    "shots-4": Way(shots=4),
    "shots-8": Way(shots=8),
}


class Bench:
    """A task's material with the models."""

    def __init__(self, name: str) -> None:
        settings = read_settings()
        self.model = resolve(settings.generator, cache=settings.model_cache, report=lambda _: None)
        self.generator = open_generator(
            settings.generator, cache=settings.model_cache, report=lambda _: None, engine=settings.engine
        )
        self.embedder = open_embedder(settings.embedder, cache=settings.model_cache, report=lambda _: None)
        material = made(TASKS[name])
        self.description = TASKS[name].description
        self.training, self.held_out, self.labels = material.training, material.held_out, material.labels
        self.nearest = NearestExamples(self.training, self.embedder)

    def classified(self, arm: Arm) -> float:
        """Return how many per cent a plain classifier names rightly."""
        replies = classifier(arm, self.training, self.embedder, 0)([each.question for each in self.held_out])
        return self.right([each.text for each in replies])

    def asked(self, **given: Any) -> float:
        """Return how many per cent a prompt names rightly."""
        options = GenerationOptions(max_output_tokens=ANSWER_TOKENS, labels=self.labels)
        backend = PromptingBackend(self.generator, **given)
        questions = [each.question for each in self.held_out]
        replies = ask_all(backend, questions, options, lambda: False, together=16)
        return self.right([each.text for each in replies])

    def tuned(self, way: Way) -> tuple[float, float]:
        """Return how many per cent a tuned model names rightly, and the held-out loss of its training."""
        told = told_labels(self.labels) if way.listed else ""
        examples = [
            TrainingExample(
                prompt_messages(each.question, instructions=told, examples=self.others(each, way.shots)),
                each.answer,
                each.question,
            )
            for each in self.training
        ]
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "adapter"
            train(self.model, tuple(examples), TuningSettings(**{"max_tokens": 1024} | way.settings), output)
            nearest: Callable[..., Any] | None = None
            if way.shots:
                nearest = lambda question, _: self.nearest(question, way.shots)  # noqa: E731
            score = self.asked(instructions=told, adapter=output, nearest=nearest)
            return score, read_manifest(output).metrics.held_out_loss or float("nan")

    def others(self, example: Example, count: int) -> Sequence[Example]:
        """Return the nearest examples but the one itself, the nearest last."""
        found = (
            [each for each in self.nearest(example.question, count + 1) if each != example] if count else []
        )
        return found[-count:] if count else ()

    def right(self, answers: Sequence[str]) -> float:
        """Return the share of right answers, in per cent."""
        pairs = zip(answers, self.held_out, strict=True)
        return 100 * sum(text.strip() == each.answer.strip() for text, each in pairs) / len(self.held_out)


def main() -> None:
    """Print a line for each task and way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tasks", default="postgres-groups")
    parser.add_argument("ways", nargs="*", metavar="WAY")
    asked = parser.parse_args()
    for name in asked.tasks.split(","):
        bench = Bench(name)
        print(
            f"{name}: {len(bench.training)} examples, {len(bench.labels)} labels, {len(bench.held_out)} asked",
            flush=True,
        )
        for way in asked.ways or ("nearest", "regression", "shots", *WAYS):
            began, loss = time.monotonic(), ""
            if way in ("nearest", "regression"):
                score = bench.classified(
                    Arm.NEAREST_NEIGHBOURS if way == "nearest" else Arm.LOGISTIC_REGRESSION
                )
            elif way == "shots":
                told = f"{bench.description} {told_labels(bench.labels)}"
                score = bench.asked(instructions=told, nearest=bench.nearest)
            else:
                score, held_out = bench.tuned(WAYS[way])
                loss = f", held-out loss {held_out:.3f}"
            print(f"  {way}: {score:.0f}%{loss}; {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
