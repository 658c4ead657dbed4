"""What was measured, as values."""

from __future__ import annotations

import doctest

import pytest

from advisor.knowledge.facts import facts_from_mapping
from advisor.knowledge.measurement import Measurement
from advisor.profiling import check_digits, measured, spelling, wording
from advisor.profiling.measured import Profile, mean_of, share_of


@pytest.mark.parametrize("module", [check_digits, measured, spelling, wording])
def test_examples_in_docstrings_hold(module):
    """And there are some."""
    result = doctest.testmod(module)
    assert (result.failed, result.attempted > 0) == (0, True)


def test_facts_are_told_from_properties():
    """By their names alone; what the data does not tell is no fact."""
    profile = Profile(
        (
            Measurement("labelled_examples", 20, "counted", 20),
            Measurement("update_interval", "7d", "watched", 5),
            Measurement("task", None, "too few", 2),
            Measurement("exact_duplicates", 3, "counted", 20, warning="Three are copies."),
        )
    )
    assert profile.facts == {"labelled_examples": 20, "update_interval": "7d"}
    assert facts_from_mapping(profile.facts).labelled_examples == 20
    assert profile.warnings == ("Three are copies.",)
    assert profile.get("task") == Measurement("task", None, "too few", 2)
    assert profile.get("entity_popularity") is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("label_count", 1), ("task", "CLASSIFY"), ("examples_include_context", 3), ("update_interval", "soon")],
)
def test_a_fact_has_a_value_that_it_may_have(name, value):
    """Else it is refused where it was measured, not where it is used."""
    with pytest.raises(ValueError):
        Measurement(name, value, "counted", 1)


def test_a_share_has_the_interval_of_wilson():
    """It lies between 0 and 1."""
    share = share_of("context_share", 0, 20, "counted")
    assert (share.value, share.low) == (0.0, 0.0)
    assert share.high == pytest.approx(0.161, abs=0.001)


def test_a_mean_has_the_interval_of_student():
    """Of 1, 2 and 3: 2, and 4.30 standard errors of 0.577 around it; none of one value."""
    mean = mean_of("output_tokens", [1, 2, 3], "mean", of_all=30)
    assert (mean.value, mean.method) == (2, "mean, of a sample of 3")
    assert (mean.low, mean.high) == (0.0, pytest.approx(2 + 4.302653 / 3**0.5))
    assert mean_of("output_tokens", [7], "mean") == Measurement("output_tokens", 7, "mean", 1)
