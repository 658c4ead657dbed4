"""The table of prices: dated, with sources, and worded for people."""

from __future__ import annotations

from datetime import date

import pytest

from advisor.decision import prices
from advisor.decision.prices import Assumption, Figure
from backends.base import GenerationOptions

FIGURES = {name: value for name, value in vars(prices).items() if isinstance(value, Figure)}


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_every_figure_has_a_day_a_source_and_a_reason(name: str) -> None:
    """A figure that nobody can check is worth little, so it says what it rests on."""
    figure = FIGURES[name]
    assert date.fromisoformat(figure.date) >= date(2025, 1, 1)
    assert figure.name
    assert figure.source
    assert figure.reason
    assert not figure.reason.endswith(".")


def test_passages_are_priced_as_they_are_retrieved() -> None:
    """The estimate is for what this program does by default."""
    assert GenerationOptions().passages == prices.PASSAGES.value


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (prices.QUERIES, "10,000"),
        (prices.INPUT_PRICE, "0.4 US dollars per million tokens"),
        (prices.CORPUS_TOKENS, "1,000,000 tokens"),
        (prices.CHANGED, "5%"),
        (prices.CACHED_SHARE, "50% of the price of input"),
    ],
)
def test_values_are_written_with_their_units(figure: Figure, text: str) -> None:
    """Large numbers are grouped and shares are per cent."""
    assert figure.text == text
    assert figure.assumption == Assumption(figure.name, text, figure.reason)
