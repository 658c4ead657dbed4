"""What measured scores can tell: intervals, differences on the same questions, and how many more would be needed.

An interval is Wilson's where scores are right or wrong, else from the bootstrap (BCa; Efron, 1987). Two arms are
compared question by question, and only on those that both were scored on: by the exact test of McNemar where scores
are right or wrong, else by flipping the signs of differences. All is the same again by the same seed.

How often the intervals hold the true value is checked by simulation in the tests: with 40 questions
92% or more, less for differences where arms differ on one or two questions only.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from advisor.knowledge.arrays import Floats
from advisor.metrics.proportions import sign_test, wilson

__all__ = [
    "Estimate",
    "Paired",
    "bootstrapped",
    "holm",
    "mean",
    "mean_of_sums",
    "paired_difference",
    "questions_needed",
]

LEAST_DIFFERENCE = 0.05
"""Of quality: what would have to be told where no difference was seen."""
POWER = 0.8
SIGNIFICANCE = 0.05

_RESAMPLES = 9_999
_MOST_VALUES = 2_000_000  # held at a time
_MOST_QUESTIONS = 100_000
_FEWEST_PAIRS = 6  # all of one sign: 2 / 2**6 is below 5%, 2 / 2**5 is not
_NO_DIFFERENCE = 1e-12
_NORMAL_95 = 1.959964
_SPREADS = 10  # standard deviations from its mean beyond which a binomial has no weight


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95% interval, and how many questions it is from."""

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Paired:
    """One arm against another on the questions that both were scored on.

    Attributes:
        difference: Mean score of the one less that of the other.
        wins: Questions on which the one scores higher.
        losses: Questions on which the other does.
        p: Two-sided.
    """

    difference: Estimate
    wins: int
    losses: int
    p: float


def mean(scores: Sequence[float | None], *, seed: int = 0) -> Estimate | None:
    """Return the mean of what was scored; None where nothing was.

    >>> mean([1.0, 0.0, None, 1.0, 1.0])
    Estimate(value=0.75, low=0.30064184009690803, high=0.9544127397046311, count=4)
    """
    values = np.array([score for score in scores if score is not None], dtype=np.float64)
    if not len(values):
        return None
    if _all_right_or_wrong(values):
        low, high = wilson(int(values.sum()), len(values))
        return Estimate(float(values.mean()), low, high, len(values))
    return bootstrapped(lambda drawn: _means(values, drawn), len(values), seed=seed)


def mean_of_sums(count: int, total: float, squares: float) -> Estimate:
    """Return the mean of scores of which only their sums were kept; the interval is normal where they are shares.

    Args:
        count: How many scores, 1 at least.
        total: Their sum.
        squares: The sum of their squares: the same where each is right or wrong.
    """
    value = total / count
    if math.isclose(total, squares, rel_tol=0, abs_tol=_NO_DIFFERENCE * count):
        low, high = wilson(round(total), count)
    else:
        half = _NORMAL_95 * math.sqrt(max(0.0, squares / count - value**2) / count)
        low, high = max(0.0, value - half), min(1.0, value + half)
    return Estimate(value, low, high, count)


def paired_difference(
    one: Sequence[float | None], other: Sequence[float | None], *, seed: int = 0
) -> Paired | None:
    """Return how far the one is above the other; None where no question was scored for both.

    Args:
        one: Scores by question.
        other: Scores of the same questions, in the same order.
        seed: Of the resampling.

    Raises:
        ValueError: They are not as many.
    """
    ours, theirs = _both(one, other)
    gained = ours - theirs
    if not len(gained):
        return None
    difference = bootstrapped(lambda drawn: _means(gained, drawn), len(gained), lowest=-1.0, seed=seed)
    wins, losses = int((gained > 0).sum()), int((gained < 0).sum())
    exact = _all_right_or_wrong(ours) and _all_right_or_wrong(theirs)
    return Paired(difference, wins, losses, sign_test(wins, losses) if exact else _sign_flips(gained, seed))


def bootstrapped(
    statistic: Callable[[npt.NDArray[np.int64]], Floats], count: int, *, lowest: float = 0.0, seed: int = 0
) -> Estimate:
    """Return a statistic of items with its bootstrap interval over them: BCa, or percentiles where that has none.

    Where every draw gives the same, the draws tell nothing of what was not seen. The interval is then as wide as
    Wilson's of a share of 0: so many questions may be otherwise, though none of these is.

    Args:
        statistic: Takes places of items, shape (..., items), and returns one value for each row.
        count: Items, at least 1.
        lowest: Least value of the statistic; the highest is 1.
        seed: Of the draws.
    """
    value = float(statistic(np.arange(count)[None])[0])
    draws, (low, high) = _draws(statistic, count, seed) if count > 1 else (np.array([value]), (value, value))
    if np.ptp(draws) == 0:
        unseen = wilson(0, count)[1]
        low, high = max(lowest, value - unseen), min(1.0, value + unseen)
    elif math.isnan(low) or math.isnan(high):
        low, high = np.quantile(draws, (0.025, 0.975))
    return Estimate(value, float(low), float(high), count)


def holm(values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number, in the same order (Holm, 1979).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    corrected = [0.0] * len(values)
    reached = 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        reached = max(reached, min(1.0, (len(values) - rank) * values[place]))
        corrected[place] = reached
    return corrected


def questions_needed(one: Sequence[float | None], other: Sequence[float | None]) -> int | None:
    """Return how many questions would tell two arms apart, by a two-sided test at 5% with a power of 80%.

    The difference to be told is the one seen, or 5 points where there is none; scores are taken to differ on other
    questions as often and as far as on these. For right or wrong, the power of the exact test is summed up; else
    it is the normal approximation, which for right or wrong is that of Connor (1987).

    Returns:
        All questions, those that were asked included; None beyond 100,000, or where no question was scored for both.

    Raises:
        ValueError: There are not as many of both.
    """
    ours, theirs = _both(one, other)
    gained = ours - theirs
    if not len(gained):
        return None
    exact = _all_right_or_wrong(ours) and _all_right_or_wrong(theirs)
    told, square = abs(float(gained.mean())), float((gained**2).mean())
    if told < _NO_DIFFERENCE:
        told = LEAST_DIFFERENCE
        # Right or wrong, that many differ at least; else all shift by it, and where nothing varies, nothing is known.
        square = max(square, told) if exact or not square else square + told**2
    if exact:
        return _first(lambda count: _power(count, (square + told) / 2, (square - told) / 2) >= POWER)
    return _first(lambda count: count >= max(_FEWEST_PAIRS, _by_normal(told, square)))


def _both(one: Sequence[float | None], other: Sequence[float | None]) -> tuple[Floats, Floats]:
    """Return the scores of questions that have both."""
    if len(one) != len(other):
        raise ValueError(
            f"{len(one)} scores and {len(other)}: give those of the same questions, in the same order"
        )
    pairs = [
        (each, rival)
        for each, rival in zip(one, other, strict=True)
        if each is not None and rival is not None
    ]
    ours, theirs = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
    return ours, theirs


def _all_right_or_wrong(values: Floats) -> bool:
    return bool(np.isin(values, (0.0, 1.0)).all())


def _means(values: Floats, drawn: npt.NDArray[np.int64]) -> Floats:
    means: Floats = values[drawn].mean(axis=-1)
    return means


def _draws(
    statistic: Callable[[npt.NDArray[np.int64]], Floats], count: int, seed: int
) -> tuple[Floats, tuple[float, float]]:
    """Return the statistic of each draw, and its BCa interval, NaN where there is none."""
    from scipy.stats import bootstrap

    with warnings.catch_warnings():  # it warns where its interval is NaN
        warnings.simplefilter("ignore")
        done = bootstrap(
            (np.arange(count),),
            lambda drawn, axis: statistic(np.moveaxis(drawn, axis, -1)),
            vectorized=True,
            n_resamples=_RESAMPLES,
            batch=max(1, _MOST_VALUES // count),
            rng=np.random.default_rng(seed),
        )
    return done.bootstrap_distribution, tuple(done.confidence_interval)


def _sign_flips(gained: Floats, seed: int) -> float:
    """Return the two-sided p-value of a paired permutation test, exact for up to 13 differences."""
    from scipy.stats import permutation_test

    differing = gained[gained != 0]  # the others stay where they are
    if len(differing) < 2:  # of one, either sign is as far off
        return 1.0
    done = permutation_test(
        (differing,),
        lambda values, axis: values.mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=_RESAMPLES,
        batch=max(1, _MOST_VALUES // len(differing)),
        rng=np.random.default_rng(seed),
    )
    return float(done.pvalue)


def _by_normal(told: float, square: float) -> int:
    """Return the questions that tell a mean difference whose squares have this mean, by the normal approximation."""
    from scipy.special import ndtri

    none, seen = math.sqrt(square), math.sqrt(max(0.0, square - told**2))
    significant, found = float(ndtri(1 - SIGNIFICANCE / 2)), float(ndtri(POWER))
    return math.ceil(((significant * none + found * seen) / told) ** 2)


def _power(count: int, wins: float, losses: float) -> float:
    """Return how often the exact test tells arms apart that win and lose such shares of so many questions."""
    from scipy.stats import binom

    share = wins + losses
    spread = _SPREADS * math.sqrt(count * share * (1 - share)) + 1
    least, most = max(0, math.floor(count * share - spread)), min(count, math.ceil(count * share + spread))
    differing = np.arange(least, most + 1)
    # The most losses, or wins, with which so many differing questions are significant; -1 where none are.
    bound = binom.ppf(SIGNIFICANCE / 2, differing, 0.5)
    bound = np.where(binom.cdf(bound, differing, 0.5) > SIGNIFICANCE / 2, bound - 1, bound)
    told = binom.cdf(bound, differing, wins / share) + binom.sf(
        differing - bound - 1, differing, wins / share
    )
    return float((binom.pmf(differing, count, share) * np.where(bound < 0, 0.0, told)).sum())


def _first(enough: Callable[[int], bool]) -> int | None:
    """Return the least number of questions that are enough; None beyond the most."""
    most = 1
    while not enough(most):
        most *= 2
        if most > 2 * _MOST_QUESTIONS:
            return None
    least = most // 2
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (least, middle) if enough(middle) else (middle, most)
    return most if most <= _MOST_QUESTIONS else None
