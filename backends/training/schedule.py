"""Which examples a training run sees, in which order, and at which rate: functions of the seed alone."""

from __future__ import annotations

import random
from collections.abc import Sequence

from backends.base import ExamplesError
from backends.counts import counted
from backends.training.adapters import TrainingExample

__all__ = ["MIN_TRAINING_EXAMPLES", "learning_rate_at", "least_examples", "plan_epoch", "split"]

MIN_TRAINING_EXAMPLES = 8
# Batches that are sorted by length together: enough to save padding, few enough to stay shuffled.
_POOL_BATCHES = 8
_WARMUP_SHARE = 0.06
_MAX_WARMUP_STEPS = 20


def split(
    examples: Sequence[TrainingExample], held_out_share: float, seed: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the indices of the examples to train on and of those to hold out.

    All examples of a question land on the same side.

    Raises:
        ExamplesError: Too few are left to train on.
    """
    groups: dict[str, list[int]] = {}
    for index, example in enumerate(examples):
        asked = example.question or "\0".join(message.content for message in example.messages)
        groups.setdefault(" ".join(asked.casefold().split()), []).append(index)
    order = list(groups.values())
    random.Random(f"split:{seed}").shuffle(order)  # noqa: S311 (no secret)
    wanted = _held_out(len(examples), held_out_share)
    held_out: list[int] = []
    while order and len(held_out) < wanted:
        held_out += order.pop()
    training = sorted(index for group in order for index in group)
    if len(training) < MIN_TRAINING_EXAMPLES:
        raise ExamplesError(
            f"{counted(len(examples), 'example')}, less {len(held_out)} held out: {len(training)} to train on; "
            f"at least {MIN_TRAINING_EXAMPLES} are needed, and some 100 to learn a form: add examples"
        )
    return tuple(training), tuple(sorted(held_out))


def least_examples(held_out_share: float) -> int:
    """Return how many examples it takes, each of another question, to train on enough besides those held out."""
    count = MIN_TRAINING_EXAMPLES
    while count - _held_out(count, held_out_share) < MIN_TRAINING_EXAMPLES:
        count += 1
    return count


def plan_epoch(lengths: Sequence[int], batch_size: int, seed: int, epoch: int) -> tuple[tuple[int, ...], ...]:
    """Return an epoch's batches, as indices: shuffled, with examples of similar length together."""
    rng = random.Random(f"epoch:{seed}:{epoch}")  # noqa: S311 (no secret)
    order = list(range(len(lengths)))
    rng.shuffle(order)
    pool = batch_size * _POOL_BATCHES
    batches: list[tuple[int, ...]] = []
    for start in range(0, len(order), pool):
        similar = sorted(order[start : start + pool], key=lambda index: lengths[index])
        batches += [tuple(similar[at : at + batch_size]) for at in range(0, len(similar), batch_size)]
    rng.shuffle(batches)
    return tuple(batches)


def learning_rate_at(step: int, total: int, peak: float) -> float:
    """Return the rate of a step, from 0: a short linear rise to `peak`, then a linear fall towards 0."""
    warmup = min(_MAX_WARMUP_STEPS, max(1, round(_WARMUP_SHARE * total)))
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * (total - step) / max(1, total - warmup)


def _held_out(count: int, share: float) -> int:
    return max(1, round(share * count)) if share else 0
