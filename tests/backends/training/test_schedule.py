"""What a run sees, in which order and at which rate."""

from __future__ import annotations

import pytest

from backends.base import ExamplesError, Message
from backends.training.adapters import TrainingExample
from backends.training.schedule import learning_rate_at, least_examples, plan_epoch, split


def examples(count: int, *, copies: int = 1) -> list[TrainingExample]:
    """Return so many questions, each so many times."""
    return [
        TrainingExample((Message("user", f"Question {number}?"),), "yes")
        for number in range(count)
        for _ in range(copies)
    ]


def test_the_split_holds_out_the_share_and_loses_nothing() -> None:
    """A tenth of 40 is four, and every example is on one side."""
    training, held_out = split(examples(40), 0.1, 0)
    assert len(held_out) == 4
    assert sorted((*training, *held_out)) == list(range(40))


def test_the_split_depends_on_the_seed_alone() -> None:
    """The same seed holds out the same examples, another seed others."""
    assert split(examples(40), 0.2, 5) == split(examples(40), 0.2, 5)
    assert split(examples(40), 0.2, 5) != split(examples(40), 0.2, 6)


def test_copies_of_a_question_stay_together() -> None:
    """What is held out is never trained on in another copy."""
    training, held_out = split(examples(20, copies=3), 0.25, 1)
    assert not {index // 3 for index in training} & {index // 3 for index in held_out}


def test_a_question_is_the_same_in_other_case_and_spacing() -> None:
    """The question decides where it is given, not the chat around it."""
    asked = [TrainingExample((Message("user", str(n)),), "yes", ("A  b?", "a B?")[n % 2]) for n in range(10)]
    with pytest.raises(ExamplesError, match="10 examples, less 10 held out: 0 to train on"):
        split(asked, 0.1, 0)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.25, 0.5])
def test_the_least_examples_are_as_many_as_the_split_takes(share: float) -> None:
    """So many can be split, and one fewer cannot."""
    least = least_examples(share)
    assert len(split(examples(least), share, 0)[0]) >= 8
    with pytest.raises(ExamplesError):
        split(examples(least - 1), share, 0)


def test_nothing_is_held_out_for_a_share_of_zero() -> None:
    """All examples are trained on."""
    assert split(examples(8), 0.0, 0) == (tuple(range(8)), ())


def test_too_few_examples_are_refused() -> None:
    """The message says how many there are and how many it takes."""
    with pytest.raises(ExamplesError, match="8 examples, less 1 held out: 7 to train on; at least 8"):
        split(examples(8), 0.1, 0)


def test_an_epoch_takes_every_example_once_with_its_like() -> None:
    """Batches hold examples of similar length, and epochs differ."""
    lengths = [number % 13 for number in range(70)]
    plan = plan_epoch(lengths, 8, 0, 0)
    assert sorted(index for batch in plan for index in batch) == list(range(70))
    assert max(max(lengths[i] for i in b) - min(lengths[i] for i in b) for b in plan[:8]) < 13
    assert plan == plan_epoch(lengths, 8, 0, 0)
    assert plan != plan_epoch(lengths, 8, 0, 1)


def test_the_learning_rate_rises_shortly_and_falls_to_the_end() -> None:
    """The peak is reached after the warm-up, and the last step is the smallest of the fall."""
    rates = [learning_rate_at(step, 100, 1e-3) for step in range(100)]
    assert max(rates) == pytest.approx(1e-3)
    assert rates[0] < 3e-4
    assert rates[6:] == sorted(rates[6:], reverse=True)
    assert 0 < rates[-1] < 2e-5
