"""Crossings: where the approach changes along a fact, told at a round value where that is true."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.decision.crossings import Crossing, Stretch, meetings, round_value
from advisor.decision.known import Known
from advisor.knowledge.approaches import Approach
from advisor.knowledge.facts import Fact, encode_value, fact, facts

RAG, HYBRID, PROMPTING = Approach.RAG, Approach.HYBRID, Approach.PROMPTING
NUMBERS = [item for item in facts() if item.kind not in ("flag", "choice")]


def stretch(name: str, inside: float, outside: float, *ends: tuple[float, Approach]) -> Stretch:
    """Return a stretch of a fact along which PROMPTING is taken, and from each end on something else."""

    def taken(values: Sequence[float]) -> list[Approach | None]:
        step = 1 if outside > inside else -1
        return [
            next((each for end, each in reversed(ends) if (value - end) * step >= 0), PROMPTING)
            for value in values
        ]

    return Stretch(fact(name), inside, outside, PROMPTING, taken, costs=name in Known._fields)


@pytest.mark.parametrize(
    ("name", "value", "up", "rounded"),
    [
        ("model_parameters", 38.05e9, True, 39e9),
        ("model_parameters", 565e6, False, 560e6),
        ("labelled_examples", 7.3, True, 8),
        ("labelled_examples", 0.4, False, 0),
        ("closed_book_score", 0.1318, True, 0.14),
        ("closed_book_score", 0.1318, False, 0.13),
        ("closed_book_score", 0.30000000000000004, True, 0.3),
        ("closed_book_score", 0.9991, True, 1.0),
        ("retrain_interval", 5.26 * 86400, True, 5.3 * 86400),
        ("retrain_interval", 100 * 60.0, False, 1.6 * 3600),
        ("input_price", 0.01234, True, 0.013),
    ],
)
def test_values_are_rounded_outwards(name: str, value: float, up: bool, rounded: float) -> None:
    """To two digits, whole per cent, whole counts, and in the largest unit of time."""
    assert round_value(fact(name), value, up=up) == rounded


@given(st.sampled_from(NUMBERS), st.floats(0, 1), st.booleans())
def test_a_round_value_is_allowed_and_not_on_the_near_side(item: Fact, share: float, up: bool) -> None:
    """Whatever the fact, it lies beyond, but for what sums may miss, and no further than a tenth, or a last digit."""
    value = item.minimum + share * (item.maximum - item.minimum)
    rounded = round_value(item, value, up=up)
    assert item.minimum <= rounded <= item.maximum
    assert math.isclose(rounded, value, rel_tol=1e-6, abs_tol=1e-6) or (rounded > value) is up
    assert math.isclose(rounded, value, rel_tol=0.1, abs_tol=1.0 if item.kind == "count" else 0.011)
    assert encode_value(item, rounded if item.kind != "duration" else f"{rounded!r}s") == rounded


@pytest.mark.parametrize(
    ("ends", "crossing"),
    [
        ([(0.2669, RAG)], Crossing(0.27, RAG)),
        ([(0.2669, RAG), (0.269, HYBRID)], Crossing(0.27, HYBRID)),
        ([(0.2669, RAG), (0.269, PROMPTING)], None),
        ([(0.2669, RAG), (0.269, PROMPTING), (0.2871, HYBRID)], Crossing(0.29, HYBRID)),
    ],
)
def test_a_meeting_is_told_at_a_round_value_with_what_is_taken_there(
    ends: list[tuple[float, Approach]], crossing: Crossing | None
) -> None:
    """A change that does not last until there is none to tell of, and the next one is told."""
    found = stretch("closed_book_score", 0.1, 0.3, *ends)
    assert found.crossing([0.3, *((end - 0.1) / 0.2 for end, _ in ends)]) == crossing


def test_a_search_goes_outwards_from_where_nothing_changes() -> None:
    """Of two changes below what there is now the nearer is told, at a value where it is true."""
    found = stretch("monthly_budget", 9000, 50, (4130, RAG), (400, HYBRID))
    assert found.crossing([]) == Crossing(4100, RAG)


def test_what_changes_at_the_outer_end_is_told_there() -> None:
    """No value between the two ends is rounder."""
    assert stretch("labelled_examples", 300, 500, (500, RAG)).crossing([]) == Crossing(500, RAG)


def test_where_the_cost_has_a_say_before_a_meeting_the_place_is_searched() -> None:
    """Between two meetings no line tells where it turns."""
    turning = stretch("model_parameters", 1e9, 1e12, (2.31e9, RAG), (1e11, HYBRID))
    assert turning.crossing([2 / 3]) == Crossing(2.4e9, RAG)
    later = stretch("model_parameters", 1e9, 1e12, (9.93e10, HYBRID))
    assert later.crossing([0.1, math.log(99.3) / math.log(1000)]) == Crossing(1e11, HYBRID)


def test_lines_meet_where_they_are_equal_or_the_tolerance_apart() -> None:
    """Of lines from 0 to 9 and from 6 to 3; what is not feasible meets nothing."""
    shares = meetings(np.array([0.0, 6.0, -np.inf]), np.array([9.0, 3.0, -np.inf]), 3.0)
    assert shares == [pytest.approx(float(Fraction(n, 12))) for n in (3, 6, 9)]
