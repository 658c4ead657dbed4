"""The best chosen on one half of the questions and scored on the other."""

from __future__ import annotations

import numpy as np
import pytest

from advisor.trials.halves import chosen_apart


def coins(count: int, seed: int, chance: float = 0.5) -> dict[str, dict[int, float]]:
    """Return arms that are all equally good: their lead is luck."""
    rng = np.random.default_rng(seed)
    return {name: dict(enumerate((rng.random(60) < chance).astype(float))) for name in "abcdefg"[:count]}


def mean(scores: dict[int, float]) -> float:
    return float(np.mean(list(scores.values())))


def test_the_best_of_equals_is_no_better_than_they_are() -> None:
    """Scored where it was chosen, the best of four coins is far above a half; chosen apart, it is a half."""
    draws = [coins(4, seed) for seed in range(200)]
    naive = np.mean([max(map(mean, each.values())) for each in draws])
    apart = np.mean([mean(chosen_apart(each)) for each in draws])
    assert naive > 0.55
    assert apart == pytest.approx(0.5, abs=0.02)


def test_what_is_better_everywhere_is_chosen_everywhere() -> None:
    """Where one leads on any half, its own scores come back."""
    good = {number: float(number % 10 != 0) for number in range(60)}
    bad = {number: float(number % 3 == 0) for number in range(60)}
    assert chosen_apart({"good": good, "bad": bad}) == good


def test_one_option_is_scored_as_it_is() -> None:
    """There is nothing to choose."""
    only = {3: 1.0, 5: 0.25}
    assert chosen_apart({"only": only}) == only


def test_a_question_is_answered_by_what_was_asked_it() -> None:
    """An arm that was stopped early stands in for no question that it was not asked."""
    good = dict.fromkeys(range(20), 1.0)
    whole = dict.fromkeys(range(60), 0.0)
    found = chosen_apart({"good": good, "whole": whole})
    assert len(found) == 60
    assert {number for number, score in found.items() if score} == set(range(20))


def test_options_that_are_equally_good_count_alike() -> None:
    """Their order decides nothing."""
    left, right = ({number: float(number % 2 == side) for number in range(40)} for side in (0, 1))
    both = chosen_apart({"left": left, "right": right})
    assert both == chosen_apart({"right": right, "left": left})


def test_the_same_seed_gives_the_same() -> None:
    """And another seed other halves."""
    arms = coins(4, seed=7)
    assert chosen_apart(arms, 3) == chosen_apart(arms, 3) != chosen_apart(arms, 4)
