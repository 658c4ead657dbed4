"""Whether an answer is the right one, as `normalised` compares texts."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.metrics.outputs import Output, scored
from advisor.metrics.words import normalised

__all__ = ["ExactMatch"]


class ExactMatch:
    """1 where the answer is the right one but for case, white space, quotes, closing marks and articles, else 0.

    >>> ExactMatch().scores([Output("The 1,000.", "1000"), Output("15", "5"), Output("no", None)])
    [1.0, 0.0, None]
    """

    name = "exact_match"
    title = "exact match"

    def scores(self, outputs: Sequence[Output]) -> list[float | None]:
        """Return 1 or 0 for each output with a right answer."""
        return scored(outputs, lambda said, right: float(normalised(said) == normalised(right)))
