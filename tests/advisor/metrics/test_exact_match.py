"""Exact matches, and labels told right."""

from __future__ import annotations

import pytest

from advisor.metrics.exact_match import ExactMatch
from advisor.metrics.labels import Accuracy
from advisor.metrics.outputs import Output


@pytest.mark.parametrize("metric", [ExactMatch(), Accuracy()])
@pytest.mark.parametrize(
    ("text", "right", "score"),
    [
        ("billing", "Billing", 1.0),
        ("  BILLING. ", "billing", 1.0),
        ("'billing'", "billing", 1.0),
        ("the billing", "billing", 1.0),
        ("billing or sales", "billing", 0.0),
        ("Label: billing", "billing", 0.0),
        ("1,234.5", "1234.5", 1.0),
        ("15", "5", 0.0),
        ("''", "''", 1.0),
        ("", "''", 0.0),
        ("👍", "👍", 1.0),
        ("👎", "👍", 0.0),
        ("A", "the", 0.0),
        ("n/a", "N/A", 1.0),
    ],
)
def test_an_exact_match_is_all_or_nothing(metric, text: str, right: str, score: float) -> None:
    """Only what `normalised` takes away may differ."""
    assert metric.scores([Output(text, right)]) == [score]
