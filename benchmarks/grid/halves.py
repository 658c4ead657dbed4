"""The best arm without the luck of the draw: chosen on one half of the questions, scored on the other, and swapped.

Of several arms that are equally good, the one that happened to score highest on the questions asked looks better
than it is, and all the others, compared with it, worse: part of every regret is noise. Whoever is chosen on other
questions than those it is scored on has no such luck.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Best", "best_of_halves", "chosen_apart"]


Arm = TypeVar("Arm", bound=str)


@dataclass(frozen=True, slots=True)
class Best(Generic[Arm]):
    """The best of some arms.

    Attributes:
        score: Mean of what was chosen on the other half, 0 to 1.
        chosen: The arm chosen for the even questions, and that for the odd ones.
        count: Questions that every arm was scored on.
    """

    score: float
    chosen: tuple[Arm, Arm]
    count: int


def best_of_halves(scores: Mapping[Arm, Sequence[float | None]]) -> Best[Arm]:
    """Return the score of the best arm, chosen on one half of the questions and scored on the other, both ways.

    Args:
        scores: Per question of each arm, 0 to 1, in the same order; None where there is none. Questions that not
            all arms have a score for are left out. The order must be one of chance. Of equal arms the first is chosen.

    Raises:
        ValueError: There are fewer than two questions, no arms, or arms with different numbers of questions.

    >>> best_of_halves({"a": [1, 0, 1, 0], "b": [0, 1, 0, 1]}).score
    0.0
    >>> best_of_halves({"a": [1, 1, 1, 0], "b": [0, 0, 0, 1]}).score
    0.75
    """
    series, chosen = _chosen(scores)
    return Best(sum(series) / len(series), chosen, len(series))


def chosen_apart(scores: Mapping[Arm, Sequence[float | None]]) -> list[float | None]:
    """Return per question the score of the arm that is best on the other half; None where an arm has no score.

    Raises:
        ValueError: As `best_of_halves`.
    """
    series, _ = _chosen(scores)
    left = iter(series)
    return [next(left) if whole else None for whole in _whole(scores)]


def _chosen(scores: Mapping[Arm, Sequence[float | None]]) -> tuple[list[float], tuple[Arm, Arm]]:
    whole = _whole(scores)
    kept = {
        arm: [float(score) for score, both in zip(row, whole, strict=True) if both and score is not None]
        for arm, row in scores.items()
    }
    count = sum(whole)
    if count < 2:
        raise ValueError(f"{count} questions have a score of every arm; two are needed, one in each half")
    # The even ones are scored with what is best on the odd ones, and the odd ones the other way round.
    even, odd = (max(kept, key=lambda arm: sum(kept[arm][1 - half :: 2])) for half in (0, 1))
    return [kept[(even, odd)[place % 2]][place] for place in range(count)], (even, odd)


def _whole(scores: Mapping[Arm, Sequence[float | None]]) -> list[bool]:
    """Return for each question whether every arm has a score."""
    if not scores:
        raise ValueError("there are no arms to choose from")
    sizes = {arm: len(row) for arm, row in scores.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"arms have scores of different numbers of questions: {sizes}")
    return [all(score is not None for score in row) for row in zip(*scores.values(), strict=True)]
