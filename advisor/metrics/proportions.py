"""How many answers were right, and what that many can tell: intervals and a paired test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from backends.counts import counted

__all__ = ["Mark", "sign_test", "verdict", "wilson"]

_Z = 1.959964  # the normal quantile of a 95% interval
_CONVINCING = 0.05


@dataclass(frozen=True, slots=True)
class Mark:
    """Whether a question was answered right: by the approach shown, and by the plain prompt."""

    right: bool
    plain_right: bool


def wilson(right: int, total: int) -> tuple[float, float]:
    """Return Wilson's 95% interval of a share, for `total` above 0.

    >>> [round(end, 2) for end in wilson(9, 10)]
    [0.6, 0.98]
    """
    share, spread = right / total, _Z * _Z / total
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(share * (1 - share) * spread + spread * spread / 4) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def sign_test(wins: int, losses: int) -> float:
    """Return the two-sided exact p-value of so many wins against losses, ties left out (McNemar's test).

    >>> sign_test(8, 0)
    0.0078125
    """
    total = wins + losses
    tail = sum(math.comb(total, count) for count in range(min(wins, losses) + 1))
    return min(1.0, math.ldexp(tail, 1 - total))


def verdict(name: str, marks: Sequence[Mark]) -> str:
    """Return how an approach did against the plain prompt on the same questions, and how sure that is."""
    wins = sum(mark.right and not mark.plain_right for mark in marks)
    losses = sum(mark.plain_right and not mark.right for mark in marks)
    p = sign_test(wins, losses)
    sure = "more than chance would give" if p < _CONVINCING else "which may still be chance"
    return (
        f"{name[0].upper()}{name[1:]}: {_share([mark.right for mark in marks])}. "
        f"The plain prompt: {_share([mark.plain_right for mark in marks])}. "
        f"They differ on {counted(wins + losses, 'question')}, {wins} of them in favour of {name}: "
        f"{sure} (exact sign test, p = {p:.2g})."
    )


def _share(right: Sequence[bool]) -> str:
    low, high = wilson(sum(right), len(right))
    return f"{sum(right)} of {len(right)} right (95% interval {low:.0%} to {high:.0%})"
