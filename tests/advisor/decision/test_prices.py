"""The table of prices: dated, with sources, uncertain by stated amounts, and worded for people."""

from __future__ import annotations

import doctest
from datetime import date

import pytest

from advisor.decision import prices
from advisor.decision.prices import FIGURES
from advisor.knowledge.facts import fact
from backends.approaches.rag import usual_passages


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_every_figure_has_a_day_a_source_a_reason_and_ends(name: str) -> None:
    """A figure that nobody can check is worth little, so it says what it rests on, and how sure it is."""
    figure = FIGURES[name]
    assert date.fromisoformat(figure.date) >= date(2025, 1, 1)
    assert figure.name
    assert figure.source
    assert figure.reason
    assert not figure.reason.endswith(".")
    assert 0 <= figure.low <= figure.value <= figure.high
    assert figure.value > 0


def test_passages_are_priced_as_they_are_retrieved() -> None:
    """The estimate is for what this program shows to a usual model, and holds what it shows to a larger one."""
    figure = FIGURES["passages"]
    assert usual_passages(8_000_000_000) == figure.value
    assert usual_passages(None) <= figure.high


def test_hosting_is_assumed_among_what_can_be_stated() -> None:
    """The fact and the figure that stands for it have the same choices."""
    assert FIGURES["hosting"].choices == fact("hosting").choices


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("queries", "10,000"),
        ("input_price", "$0.40 per million tokens"),
        ("store", "$25 a month"),
        ("corpus_tokens", "1,000,000 tokens"),
        ("changed", "5%"),
        ("cached_share", "50% of the price of input"),
        ("output_ratio", "4 times the price of input"),
        ("hosting", "SERVERLESS_ADAPTER"),
        ("erasures", "4 a year"),
    ],
)
def test_values_are_written_with_their_units(name: str, text: str) -> None:
    """Large numbers are grouped, shares are per cent, and US dollars have their sign."""
    assert FIGURES[name].text(FIGURES[name].value) == text


def test_examples_in_docstrings_hold() -> None:
    """The docstrings' examples give what they show."""
    result = doctest.testmod(prices)
    assert result.attempted > 0
    assert result.failed == 0
