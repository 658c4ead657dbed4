"""What published comparisons teach, in a sentence that is true of the use case."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings

from advisor.decision.advisor import default_advisor
from advisor.decision.evidence import Factor
from advisor.decision.lessons import lesson
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.facts import Row, encode_facts, fact, facts, facts_from_mapping
from tests.advisor.strategies import use_cases


def row_of(**values: object) -> Row:
    return encode_facts(facts_from_mapping(values))


ROW = row_of(prompted_score=0.7, distribution_shift=False, entity_popularity="LONG_TAIL")
PROMPTED = Factor("prompted_score", (0.0, -1.8, -4.0, -4.2))
LESS = "FINE_TUNING and HYBRID gained less than usual, going by best quality by prompting (70%)"


@pytest.mark.parametrize(
    ("factors", "told"),
    [
        (
            [PROMPTED],
            "FINE_TUNING and HYBRID gained less than usual, going by best quality by prompting (70%)",
        ),
        (
            [Factor("prompted_score", (0.0, -3.0, -4.0, -4.2))],
            "RAG, FINE_TUNING and HYBRID gained less than usual, going by best quality by prompting (70%)",
        ),
        (
            [PROMPTED, Factor("entity_popularity", (0.0, 1.1, 0.0, 1.1))],
            f"{LESS}; RAG and HYBRID gained more than usual, going by popularity of the subjects (long tail)",
        ),
        (
            [Factor("distribution_shift", (0.0, 0.0, 0.5, 0.0))],
            "FINE_TUNING gained more than usual, going by whether inputs drift from the examples (no)",
        ),
        (
            [PROMPTED, Factor("distribution_shift", (0.0, 0.0, 0.2, 0.2))],
            LESS,
        ),
    ],
)
def test_approaches_facts_and_values_are_named(factors: list[Factor], told: str) -> None:
    """Which approaches gained more or less is said by fact, with its value; what weighs little is left out."""
    assert lesson(factors, ROW, 107) == f"In 107 published comparisons {told}."


@settings(max_examples=60, deadline=None)
@given(use_cases())
def test_no_false_flag_is_told_as_if_it_were_true(values: dict[str, object]) -> None:
    """Whatever was learned of a use case, a yes or no is named by its question, and gains have their sign."""
    explanation = default_advisor().recommend(values).explanation
    assert explanation is not None
    for item in explanation.evidence:
        if item.kind != "CLASSIFIER":
            continue
        for flag in (each for each in facts() if each.kind == "flag"):
            assert item.reason.count(flag.title) == item.reason.count(f"whether {flag.title}")
        heaviest = item.factors[0]
        named, sign = re.match(r"In \d+ published comparisons (.*?) gained (more|less)", item.reason).groups()
        assert fact(heaviest.fact).about in item.reason
        points = [heaviest.points[APPROACHES.index(each)] for each in re.findall(r"[A-Z_]+", named)]
        assert all((value > 0) == (sign == "more") for value in points)
