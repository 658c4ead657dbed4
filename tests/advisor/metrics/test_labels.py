"""Macro F1 and its interval."""

from __future__ import annotations

import random

import numpy as np
import pytest
from sklearn.metrics import f1_score

from advisor.metrics.labels import macro_f1, macro_f1_estimate
from advisor.metrics.outputs import Output


def outputs_of(said: list[str], right: list[str]) -> list[Output]:
    return [Output(*each) for each in zip(said, right, strict=True)]


def random_outputs(count: int, seed: int = 3) -> list[Output]:
    chosen = random.Random(seed)
    rights = chosen.choices("abc", weights=(6, 3, 1), k=count)
    said = [right if chosen.random() < 0.7 else chosen.choice("abcx") for right in rights]
    return outputs_of(said, rights)


def test_macro_f1_weighs_labels_alike() -> None:
    """F1 of the common label is 16/17, of the rare one 2/3; accuracy would be 9/10."""
    outputs = outputs_of(["a"] * 8 + ["b"] * 2, ["a"] * 9 + ["B."])
    assert macro_f1(outputs) == pytest.approx((16 / 17 + 2 / 3) / 2)


def test_an_answer_that_is_no_label_makes_none() -> None:
    """It is wrong, as is who abstains, and does not halve the mean."""
    outputs = [Output("a", "a"), Output("no idea", "a"), Output("I don't know.", "a"), Output("b", None)]
    assert macro_f1(outputs) == pytest.approx(0.5)


@pytest.mark.parametrize("outputs", [[], [Output("a", None)]])
def test_without_right_labels_there_is_none(outputs: list[Output]) -> None:
    """Nothing measured is not 0."""
    assert macro_f1(outputs) is None
    assert macro_f1_estimate(outputs) is None


def test_the_estimate_is_of_the_same_number() -> None:
    """What is drawn is what scikit-learn computes."""
    outputs = random_outputs(60)
    estimate = macro_f1_estimate(outputs)
    assert estimate is not None
    assert estimate.value == pytest.approx(macro_f1(outputs))
    assert 0 < estimate.low < estimate.value < estimate.high < 1
    assert estimate.count == 60
    assert estimate == macro_f1_estimate(outputs)


def test_the_interval_is_that_of_draws_by_scikit_learn() -> None:
    """Percentiles of its own draws lie where the interval's ends do, up to what BCa corrects."""
    outputs = random_outputs(60)
    estimate = macro_f1_estimate(outputs)
    said, right = (np.array([getattr(each, name) for each in outputs]) for name in ("text", "right"))
    drawn = np.random.default_rng(0).integers(60, size=(400, 60))
    values = [
        f1_score(right[each], said[each], labels=np.unique(right[each]), average="macro", zero_division=0)
        for each in drawn
    ]
    assert estimate is not None
    assert (estimate.low, estimate.high) == pytest.approx(np.quantile(values, (0.025, 0.975)), abs=0.06)
