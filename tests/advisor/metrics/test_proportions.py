"""Intervals and the paired test of the demo."""

from __future__ import annotations

import pytest

from advisor.metrics.proportions import Mark, sign_test, verdict, wilson


@pytest.mark.parametrize(
    ("right", "total", "low", "high"), [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (15, 30, 0.3315, 0.6685)]
)
def test_wilson_gives_the_published_interval(right: int, total: int, low: float, high: float) -> None:
    """The ends are those of the textbook formula, at the borders too."""
    assert wilson(right, total) == pytest.approx((low, high), abs=5e-4)


@pytest.mark.parametrize(
    ("wins", "losses", "p"), [(0, 0, 1.0), (3, 3, 1.0), (5, 0, 0.0625), (9, 1, 0.021484375)]
)
def test_sign_test_is_the_exact_binomial(wins: int, losses: int, p: float) -> None:
    """Both tails count, and no differences tell nothing."""
    assert sign_test(wins, losses) == pytest.approx(p)


@pytest.mark.parametrize(
    ("wins", "says"), [(5, "which may still be chance"), (12, "more than chance would give")]
)
def test_the_verdict_claims_no_more_than_the_test_gives(wins: int, says: str) -> None:
    """A lead is called more than chance only below p = 0.05."""
    text = verdict("RAG", [Mark(right=True, plain_right=False)] * wins)
    assert f"RAG: {wins} of {wins} right" in text
    assert says in text
