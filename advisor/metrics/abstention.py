"""Whether an answer abstains exactly where there is no right one."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.metrics.outputs import Output

__all__ = ["Abstention"]


class Abstention:
    """1 where the answer says that there is none and there is none, or gives one where there is one; else 0.

    >>> Abstention().scores([Output("The documents do not say.", None), Output("5", None), Output("5", "6")])
    [1.0, 0.0, 1.0]
    """

    name = "abstention"
    title = "abstains where there is no answer"

    def scores(self, outputs: Sequence[Output]) -> list[float | None]:
        """Return 1 or 0 for each output."""
        return [float(each.abstains != each.answerable) for each in outputs]
