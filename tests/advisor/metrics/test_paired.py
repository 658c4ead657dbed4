"""Intervals, paired tests and the questions that they need: against formulas, enumeration and simulation."""

from __future__ import annotations

import math
from itertools import product
from statistics import NormalDist

import numpy as np
import pytest
from scipy import stats

from advisor.metrics import paired
from advisor.metrics.paired import Estimate, holm, mean, mean_of_sums, paired_difference, questions_needed
from advisor.metrics.proportions import wilson

GRADED = [0.1, 0.4, 0.35, 0.8, 1.0, 0.0, 0.55, 0.7, 0.65, 0.9]
OTHER = [0.2, 0.3, 0.35, 0.6, 0.7, 0.1, 0.45, 0.2, 0.6, 0.8]


def right(count: int, of: int) -> list[float | None]:
    return [1.0] * count + [0.0] * (of - count)


def pairs(both: int, wins: int, losses: int, neither: int = 0) -> tuple[list[float], list[float]]:
    """Return the scores of two arms on questions that both, one, the other and neither is right on."""
    one = [1.0] * (both + wins) + [0.0] * (losses + neither)
    return one, [1.0] * both + [0.0] * wins + [1.0] * losses + [0.0] * neither


@pytest.mark.parametrize(("count", "total"), [(0, 5), (5, 5), (1, 1), (15, 30)])
def test_the_mean_of_right_and_wrong_has_the_interval_of_wilson(count: int, total: int) -> None:
    """What was not scored does not count."""
    estimate = mean([*right(count, total), None])
    assert estimate == Estimate(count / total, *wilson(count, total), total)


def test_the_mean_of_graded_scores_has_the_bootstrap_interval() -> None:
    """BCa, as scipy has it."""
    estimate = mean(GRADED, seed=5)
    expected = stats.bootstrap(
        (GRADED,), np.mean, vectorized=True, n_resamples=9_999, method="BCa", rng=np.random.default_rng(5)
    ).confidence_interval
    assert estimate is not None
    assert (estimate.value, estimate.count) == (pytest.approx(np.mean(GRADED)), 10)
    assert (estimate.low, estimate.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("scores", [[], [None, None]])
def test_nothing_scored_has_no_mean(scores: list[float | None]) -> None:
    """None, not 0; nor is there a difference, or a number of questions."""
    assert mean(scores) is None
    assert paired_difference(scores, scores) is None
    assert questions_needed(scores, scores) is None


@pytest.mark.parametrize(
    ("scores", "low", "high"),
    [
        ([0.5], 0.0, 1.0),
        ([0.5] * 30, 0.5 - wilson(0, 30)[1], 0.5 + wilson(0, 30)[1]),
        ([0.9] * 10, None, 1.0),
    ],
)
def test_scores_that_are_all_the_same_are_not_sure(
    scores: list[float], low: float | None, high: float
) -> None:
    """The bootstrap would say that no other answer is possible."""
    estimate = mean(scores)
    assert estimate is not None
    assert estimate.high == pytest.approx(high)
    assert low is None or estimate.low == pytest.approx(low)


def test_percentiles_stand_in_where_bca_has_no_interval() -> None:
    """No draw of twenty has as many different items as there are, so that there is nothing to correct by."""

    def different(places):
        return (np.diff(np.sort(places, axis=-1), axis=-1) > 0).mean(axis=-1)

    found = paired.bootstrapped(different, 20)
    assert found.value == 1.0
    assert 0.4 < found.low < 0.6 < found.high < 0.8  # a share of 1 - (1 - 1/20)**20 = 0.64 at most times


def test_the_same_seed_gives_the_same() -> None:
    """Another seed gives another interval, hardly another p."""
    graded = list(np.random.default_rng(0).random(40))
    other = [each / 2 for each in graded]
    assert paired_difference(graded, other, seed=1) == paired_difference(graded, other, seed=1)
    assert mean(graded, seed=1) != mean(graded, seed=2)


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (3, 1), (9, 1), (12, 0), (7, 7)])
def test_right_and_wrong_are_told_apart_by_mcnemar(wins: int, losses: int) -> None:
    """The exact test is binomial on the questions that differ."""
    found = paired_difference(*pairs(10, wins, losses))
    assert found is not None
    assert (found.wins, found.losses) == (wins, losses)
    expected = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert found.p == pytest.approx(expected)
    assert found.difference.value == pytest.approx((wins - losses) / (10 + wins + losses))
    assert -1 <= found.difference.low <= found.difference.value <= found.difference.high <= 1


def test_graded_scores_are_told_apart_by_flipping_signs() -> None:
    """Of ten differences, all 1,024 ways to sign them are counted."""
    found = paired_difference(GRADED, OTHER)
    gained = np.array(GRADED) - OTHER
    flipped = np.array([np.dot(signs, gained) for signs in product((1, -1), repeat=10)])
    expected = (np.abs(flipped) >= abs(gained.sum()) - 1e-9).mean()
    assert found is not None
    assert found.p == pytest.approx(expected)
    assert (found.wins, found.losses) == (7, 2)


def test_one_difference_among_graded_scores_tells_nothing() -> None:
    """Either sign of it is as far off."""
    found = paired_difference([0.5, 0.25, 1.0], [0.5, 0.75, 1.0])
    assert found is not None
    assert (found.wins, found.losses, found.p) == (0, 1, 1.0)


def test_two_arms_that_are_the_same_do_not_differ() -> None:
    """Their difference may be otherwise on questions that were not asked."""
    for scores in (GRADED, right(4, 10)):
        found = paired_difference(scores, scores)
        assert found is not None
        assert (found.p, found.difference.value) == (1.0, 0.0)
        assert found.difference.low == -found.difference.high == -wilson(0, 10)[1]


def test_only_questions_scored_for_both_are_compared() -> None:
    """Pairs stay together."""
    found = paired_difference([1.0, None, 0.0, 1.0], [0.0, 1.0, None, 1.0])
    assert found is not None
    assert (found.difference.count, found.wins, found.losses) == (2, 1, 0)


@pytest.mark.parametrize("compare", [paired_difference, questions_needed])
def test_scores_of_other_questions_are_refused(compare) -> None:
    """Pairs that are none would be told apart wrongly."""
    with pytest.raises(ValueError, match=r"1 scores and 2: give those of the same questions"):
        compare([1.0], [1.0, 0.0])


@pytest.mark.parametrize(
    ("values", "corrected"),
    [
        ([], []),
        ([0.03], [0.03]),
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),  # 4 x 0.005, 3 x 0.01, 2 x 0.03, then no less
        ([0.5, 0.9], [1.0, 1.0]),
        ([0.01, 0.01], [0.02, 0.02]),
    ],
)
def test_holm_corrects_step_by_step(values: list[float], corrected: list[float]) -> None:
    """The least is multiplied by their number, the next by one less, and none falls below one before."""
    assert holm(values) == pytest.approx(corrected)


@pytest.mark.parametrize(("wins", "losses"), [(5, 2), (12, 6), (30, 10), (8, 0)])
def test_questions_needed_for_right_and_wrong_are_those_of_the_exact_test(wins: int, losses: int) -> None:
    """With so many the exact test has 80% power, summed up over all outcomes; with one in ten fewer it has not."""
    needed = questions_needed(*pairs(100 - wins - losses, wins, losses))
    assert needed is not None

    def power(count: int) -> float:
        outcomes = [(won, lost) for won in range(count + 1) for lost in range(count + 1 - won)]
        chances = stats.multinomial.pmf(
            [(won, lost, count - won - lost) for won, lost in outcomes],
            count,
            (wins / 100, losses / 100, 1 - (wins + losses) / 100),
        )
        differing = np.array([won + lost for won, lost in outcomes])
        least = np.array([min(outcome) for outcome in outcomes])
        return float(chances[2 * stats.binom.cdf(least, differing, 0.5) <= 0.05].sum())

    count = min(needed, 200)  # beyond, the sum has too many terms
    assert (power(count) >= 0.8) is (needed <= 200)
    assert power(int(count * 0.9)) < 0.8


@pytest.mark.parametrize(("wins", "losses"), [(5, 2), (12, 6), (30, 10), (52, 48)])
def test_questions_needed_are_near_the_formula_of_connor(wins: int, losses: int) -> None:
    """Somewhat more, since the exact test is cautious."""
    normal = NormalDist()
    differ, gained = (wins + losses) / 100, (wins - losses) / 100
    connor = (
        (normal.inv_cdf(0.975) * math.sqrt(differ) + normal.inv_cdf(0.8) * math.sqrt(differ - gained**2))
        / gained
    ) ** 2
    assert connor <= questions_needed(*pairs(100 - wins - losses, wins, losses)) <= 1.15 * connor


def test_where_no_difference_was_seen_five_points_are_to_be_told() -> None:
    """By as many questions that differ as there were, or 5% where there were none."""
    assert questions_needed(*pairs(50, 0, 0)) == questions_needed(*pairs(95, 5, 0)) == 157
    assert questions_needed(*pairs(80, 10, 10)) == questions_needed(*pairs(800, 125, 75))


def test_questions_needed_for_graded_scores() -> None:
    """With so many, a test of the mean finds the difference in about 80% of simulated trials."""
    generator = np.random.default_rng(4)
    gained = generator.normal(0.05, 0.2, size=400)
    needed = questions_needed(list(0.5 + gained), [0.5] * 400)
    assert needed is not None
    simulated = generator.choice(gained, size=(2_000, needed))
    found = stats.ttest_1samp(simulated, 0, axis=1).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(
    ("one", "other", "needed"),
    [
        ([1.0], [0.0], 6),  # fewer are never significant
        ([0.75] * 3, [0.25] * 3, 6),
        (*pairs(0, 501, 499), None),
    ],
)
def test_the_fewest_and_the_most_questions(one, other, needed: int | None) -> None:
    """Below six nothing can be told, and beyond 100,000 nobody would ask."""
    assert questions_needed(one, other) == needed


def shares(generator: np.random.Generator, count: int) -> np.ndarray:
    """Draw scores of which some are 0, some 1 and the rest between, as token F1 is."""
    kind = generator.random(count)
    return np.where(kind < 0.3, 0, np.where(kind < 0.6, 1, generator.beta(2, 2, count)))


def gains(generator: np.random.Generator, count: int) -> np.ndarray:
    """Draw differences of right and wrong answers: 20% won, 10% lost."""
    return generator.choice([1.0, -1.0, 0.0], p=[0.2, 0.1, 0.7], size=count)


@pytest.mark.parametrize(("draw", "truth", "lowest"), [(shares, 0.5, 0.0), (gains, 0.1, -1.0)])
@pytest.mark.parametrize("count", [20, 60])
def test_intervals_hold_the_true_value(draw, truth: float, lowest: float, count: int, monkeypatch) -> None:
    """About 95 of 100 do; of 200 simulated trials no fewer than 90% may."""
    monkeypatch.setattr(paired, "_RESAMPLES", 499)
    generator = np.random.default_rng(11)
    held = 0
    for seed in range(200):
        values = draw(generator, count)
        estimate = paired.bootstrapped(
            lambda drawn, values=values: values[drawn].mean(axis=-1), count, lowest=lowest, seed=seed
        )
        held += estimate.low <= truth <= estimate.high
    assert 0.90 <= held / 200 <= 0.99


def test_p_is_uniform_where_arms_are_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of arms that do not differ, one in twenty is told apart, no more."""
    monkeypatch.setattr(paired, "_RESAMPLES", 499)
    generator = np.random.default_rng(12)
    found = [paired._sign_flips(generator.normal(0, 1, 30), seed) < 0.05 for seed in range(300)]
    assert 0.02 <= np.mean(found) <= 0.08


@pytest.mark.parametrize("scores", [[1.0, 0.0, 1.0, 1.0], [1.0] * 20, [0.0] * 5])
def test_sums_of_right_and_wrong_give_what_the_scores_give(scores: list[float]) -> None:
    """Wilson's interval needs no more than how many there are."""
    found = mean_of_sums(len(scores), sum(scores), sum(score**2 for score in scores))
    assert found == mean(scores)


def test_sums_of_shares_give_a_normal_interval_within_bounds() -> None:
    """Near what the bootstrap says, and never outside 0 to 1."""
    scores = [0.2, 0.9, 0.4, 0.7] * 25
    found, drawn = mean_of_sums(100, sum(scores), sum(score**2 for score in scores)), mean(scores)
    assert drawn is not None
    assert (found.value, found.count) == (pytest.approx(drawn.value), 100)
    assert (found.low, found.high) == (
        pytest.approx(drawn.low, abs=0.01),
        pytest.approx(drawn.high, abs=0.01),
    )
    assert mean_of_sums(2, 1.9, 1.81).high == 1.0
