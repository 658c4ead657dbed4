"""The best arm, chosen on one half of the questions and scored on the other."""

from __future__ import annotations

import random

import pytest

from benchmarks.grid.halves import best_of_halves, chosen_apart


def test_who_is_best_by_luck_alone_gains_nothing() -> None:
    """Of ten equal arms, the highest mean is above the truth; what is chosen apart is not, over many draws."""
    drawn = random.Random(0)
    apart, lucky = [], []
    for _ in range(300):
        scores = {f"{arm}": [float(drawn.random() < 0.5) for _ in range(60)] for arm in range(10)}
        apart.append(best_of_halves(scores).score)
        lucky.append(max(sum(row) / len(row) for row in scores.values()))
    assert sum(lucky) / 300 > 0.57
    assert sum(apart) / 300 == pytest.approx(0.5, abs=0.015)


def test_a_clear_winner_is_chosen_by_both_halves() -> None:
    """Its score is then its mean."""
    found = best_of_halves({"a": [1, 1, 1, 0, 1, 1], "b": [0, 0, 0, 0, 1, 0]})
    assert found.chosen == ("a", "a")
    assert found.score == pytest.approx(5 / 6)


def test_halves_may_choose_differently() -> None:
    """Even questions are scored by what is best on odd ones, and odd ones by what is best on even ones."""
    scores = {"a": [1, 0, 1, 0, 0, 0], "b": [0, 1, 0, 1, 1, 0]}
    assert best_of_halves(scores).chosen == ("b", "a")
    assert chosen_apart(scores) == [0, 0, 0, 0, 1, 0]


def test_questions_that_an_arm_was_not_asked_are_left_out() -> None:
    """They count for no arm."""
    scores = {"a": [1, None, 1, 1], "b": [0, 1, 0, 0]}
    assert best_of_halves(scores).count == 3
    assert chosen_apart(scores) == [1, None, 1, 1]


@pytest.mark.parametrize("scores", [{}, {"a": [1.0]}, {"a": [1.0, 0.0], "b": [1.0]}, {"a": [1.0, None]}])
def test_too_little_is_refused(scores: dict[str, list[float | None]]) -> None:
    """There are no halves to speak of."""
    with pytest.raises(ValueError, match=r"arms|questions"):
        best_of_halves(scores)
