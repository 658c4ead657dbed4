"""Gradient boosting, as a candidate."""

from __future__ import annotations

import numpy as np

from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.cases import load_default_cases
from advisor.knowledge.facts import fact_index
from advisor.learning.boosting import train_boosting


def test_probabilities_are_monotonic_where_they_must_be() -> None:
    """A rising hit rate never lowers the odds of RAG against FINE_TUNING, and unknown facts are allowed."""
    cases = load_default_cases()
    model = train_boosting(cases, iterations=20)
    rows = np.repeat(cases[0].row[None, :], 21, axis=0)
    rows[:, fact_index()["retrieval_hit_rate"]] = np.linspace(0, 1, 21)
    logs = model.log_probabilities(rows)
    np.testing.assert_allclose(np.exp(logs).sum(axis=0), 1)
    odds = logs[APPROACHES.index("RAG")] - logs[APPROACHES.index("FINE_TUNING")]
    assert (np.diff(odds) >= -1e-12).all()
    assert odds[-1] > odds[0]
