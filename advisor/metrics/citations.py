"""Whether an answer cites a passage that holds the right answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from advisor.metrics.outputs import Output
from advisor.metrics.values import stands
from advisor.metrics.words import count_words

__all__ = ["Citations"]

_LONGEST_VALUE = 8  # words; what is longer is told in other words than the passage's


class Citations:
    """1 where a cited passage holds the gold passage or lies in it, or the right answer stands in it, else 0.

    Not scored: answers of an arm that cites nothing anywhere, as without retrieval; those that say that there is
    none; and where no gold passage is known and the right answer is too long to stand in a passage as it is.

    >>> Citations().scores([Output("5", "5", cited=("It is 5.",)), Output("5", "5"), Output("6", None)])
    [1.0, 0.0, None]
    """

    name = "citations"
    title = "cites what holds the answer"

    def scores(self, outputs: Sequence[Output]) -> list[float | None]:
        """Return 1 or 0 for each output that could cite such a passage."""
        if not any(each.cited for each in outputs):
            return [None] * len(outputs)
        return [_score(each) for each in outputs]


def _score(output: Output) -> float | None:
    right = output.right or ""
    is_value = count_words(right) <= _LONGEST_VALUE
    if not output.answerable or output.abstains or not (output.context or is_value):
        return None
    return float(
        any(_is_gold(each, output.context) or (is_value and stands(right, each)) for each in output.cited)
    )


def _is_gold(passage: str, context: str | None) -> bool:
    """Return whether a passage holds the gold passage, or a part of it, whatever the white space and marks."""
    gold, cited = _squashed(context or ""), _squashed(passage)
    return bool(gold and cited) and (gold in cited or cited in gold)


def _squashed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()
