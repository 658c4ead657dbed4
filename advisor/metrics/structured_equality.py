"""Whether an answer is the same JSON value as the right one."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.metrics.json_values import NOTHING, parsed, same_value
from advisor.metrics.outputs import Output

__all__ = ["StructuredEquality"]


class StructuredEquality:
    """1 where both are the same JSON value, keys in any order and numbers as numbers, else 0.

    Not scored where the right answer is not JSON.

    >>> StructuredEquality().scores([Output('{"b": 1.0, "a": 2}', '{"a": 2, "b": 1}'), Output("{}", "yes")])
    [1.0, None]
    """

    name = "structured_equality"
    title = "same JSON value"

    def scores(self, outputs: Sequence[Output]) -> list[float | None]:
        """Return 1 or 0 for each output whose right answer is JSON."""
        return [_score(each) for each in outputs]


def _score(output: Output) -> float | None:
    right = parsed(output.right or "")
    if right is NOTHING:
        return None
    return float(same_value(parsed(output.text, complete=output.complete), right))
