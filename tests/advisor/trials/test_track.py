"""How advice fared: agreement, regret, calibration."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from advisor.trials.measured import MeasuredCase
from advisor.trials.results import Figure
from advisor.trials.track import Tracked, tracked

WHEN = datetime(2026, 11, 1, tzinfo=UTC)


def entry(use_case: str = "faq", **changed: Any) -> Tracked:
    """Return advice for RAG at 80% which a trial bore out."""
    given: dict[str, Any] = {
        "facts": {},
        "found": {},
        "metric": "holds",
        "form": "FREE_TEXT",
        "scores": {"PROMPTING": Figure(40, 30, 50, 100), "RAG": Figure(60, 50, 70, 100)},
        "arms": {},
        "advice": "RAG",
        "probabilities": {"PROMPTING": 0.16, "RAG": 0.64, "FINE_TUNING": 0.2, "HYBRID": 0.0},
        "regret": Figure(0, 0, 0, 100),
        "verdict": "RAG",
    }
    name = f"useCases/{use_case}"
    return Tracked.of(f"{name}/trials/one", name, WHEN, MeasuredCase(**given | changed))


def test_without_trials_there_is_nothing_to_tell() -> None:
    """No division by nothing."""
    record = tracked([])
    assert (record.trials, record.decided, record.regret, record.calibration) == (0, 0, None, ())


def test_agreement_and_regret_are_counted() -> None:
    """Undecided advice agrees with nothing; what was not measured has no regret."""
    wrong = entry("b", verdict="PROMPTING", regret=Figure(20, 10, 30, 100))
    close = entry("b", verdict="PROMPTING", regret=Figure(2, -5, 9, 100))
    undecided = entry("c", advice=None, regret=None, verdict="RAG")
    elsewhere = entry("d", advice="HYBRID", regret=None)
    record = tracked([entry(), wrong, close, undecided, elsewhere])
    assert (record.trials, record.use_cases, record.decided, record.agreed) == (5, 4, 4, 1)
    assert (record.measured, record.near) == (3, 2)
    assert record.regret is not None
    assert record.regret.value == pytest.approx(22 / 3)
    assert record.regret.low <= record.regret.value <= record.regret.high


def test_probabilities_are_those_among_what_was_measured() -> None:
    """0.64 of the 0.8 that was measured is 80%; what a veto excludes was told 0 and is no prediction."""
    told = entry().told
    assert told == {"PROMPTING": pytest.approx(0.2), "RAG": pytest.approx(0.8)}
    vetoed = entry(probabilities={"PROMPTING": 0.5, "RAG": 0.5, "FINE_TUNING": 0.0}).told
    assert "FINE_TUNING" not in vetoed


def test_calibration_compares_what_was_told_with_what_came() -> None:
    """Of ten at 70% eight come true, and of ten at 30% two."""
    lost = {"PROMPTING": Figure(60, 50, 70, 100), "RAG": Figure(40, 30, 50, 100)}
    told = {"PROMPTING": 0.3, "RAG": 0.7}
    record = tracked([entry(probabilities=told)] * 8 + [entry(scores=lost, probabilities=told)] * 2)
    found = [(each.low, each.count, each.predicted, each.observed) for each in record.calibration]
    assert found == [
        (0.2, 10, pytest.approx(0.3), pytest.approx(0.2)),
        (0.6, 10, pytest.approx(0.7), pytest.approx(0.8)),
    ]


def test_equals_share_what_came_true() -> None:
    """Half each."""
    even = entry(scores={"PROMPTING": Figure(50, 40, 60, 100), "RAG": Figure(50, 40, 60, 100)})
    assert even.best == ("PROMPTING", "RAG")
    assert [each.observed for each in tracked([even]).calibration] == [0.5, 0.5]


def test_one_approach_that_is_allowed_is_no_prediction() -> None:
    """With one left it is always the best."""
    record = tracked([entry(probabilities={"PROMPTING": 0.0, "RAG": 1.0})])
    assert record.calibration == ()
