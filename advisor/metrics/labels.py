"""How well labels are told: the share that is right, and macro F1, by scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from advisor.metrics.outputs import Output, scored
from advisor.metrics.paired import Estimate, bootstrapped
from advisor.metrics.words import normalised

__all__ = ["Accuracy", "macro_f1", "macro_f1_estimate"]

Places = npt.NDArray[np.int64]


class Accuracy:
    """1 where the answer is the right label, whatever its case and the marks around it, else 0.

    >>> Accuracy().scores([Output('"Billing".', "billing"), Output("billing or sales", "billing")])
    [1.0, 0.0]
    """

    name = "accuracy"
    title = "accuracy"

    def scores(self, outputs: Sequence[Output]) -> list[float | None]:
        """Return 1 or 0 for each output with a right label."""
        return scored(outputs, lambda said, right: float(normalised(said) == normalised(right)))


def macro_f1(outputs: Sequence[Output]) -> float | None:
    """Return the mean F1 of the labels that are right somewhere, each weighing the same; None where none is.

    An answer that is no such label is wrong, but makes no label of its own.

    >>> macro_f1([Output("a label", "a label"), Output("b", "a label"), Output("B.", "b")])
    0.6666666666666666
    """
    from sklearn.metrics import f1_score

    right, said = _labels(outputs)
    if not right:
        return None
    labels = sorted(set(right))
    return float(f1_score(right, said, labels=labels, average="macro", zero_division=0))


def macro_f1_estimate(outputs: Sequence[Output], *, seed: int = 0) -> Estimate | None:
    """Return macro F1 with its 95% bootstrap interval over questions; None where no label is right anywhere.

    A draw without a label has a macro F1 of the others.
    """
    right, said = _labels(outputs)
    if not right:
        return None
    places = {label: place for place, label in enumerate(sorted(set(right)))}
    wanted = np.array([places[label] for label in right])
    given = np.array([places.get(label, -1) for label in said])
    return bootstrapped(lambda drawn: _macro_f1(wanted, given, drawn, len(places)), len(right), seed=seed)


def _labels(outputs: Sequence[Output]) -> tuple[list[str], list[str]]:
    """Return right labels, and those that were given: an empty one of whoever abstained."""
    answerable = [each for each in outputs if each.answerable]
    right = [normalised(each.right or "") for each in answerable]
    return right, ["" if each.abstains else normalised(each.said) for each in answerable]


def _macro_f1(wanted: Places, given: Places, drawn: Places, count: int) -> npt.NDArray[np.float64]:
    """Return macro F1 of each draw of items, shape (..., items), as scikit-learn has it."""
    total = np.zeros(drawn.shape[:-1])
    present = np.zeros(drawn.shape[:-1])
    for label in range(count):
        is_right, is_given = wanted == label, given == label
        hits = (is_right & is_given)[drawn].sum(axis=-1)
        marks = (is_right.astype(np.int64) + is_given)[drawn].sum(axis=-1)
        total += 2 * hits / np.maximum(marks, 1) * is_right[drawn].any(axis=-1)
        present += is_right[drawn].any(axis=-1)
    return total / present
