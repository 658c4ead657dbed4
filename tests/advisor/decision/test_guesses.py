"""Guesses: each figure as assumed, at its ends, and drawn."""

from __future__ import annotations

import numpy as np
import pytest

from advisor.decision.guesses import DRAWN, GUESSES, MOVED, guesses_about, interval
from advisor.decision.known import known_facts
from advisor.decision.prices import FIGURES
from advisor.decision.pricing import CENTRAL
from advisor.knowledge.arrays import Floats
from advisor.knowledge.facts import encode_facts, facts_from_mapping

NOTHING = known_facts(encode_facts(facts_from_mapping({})))


def guessed(name: str) -> Floats:
    """Return the guesses at a figure."""
    values: Floats = getattr(guesses_about(NOTHING), name)
    return values


@pytest.mark.parametrize("name", MOVED)
def test_a_figure_is_as_assumed_but_at_its_ends_and_where_it_is_drawn(name: str) -> None:
    """The scenarios of a figure are two, and what is for the user to state is never drawn."""
    figure, values = FIGURES[name], guessed(name)
    place = 2 * MOVED.index(name) + 1
    others = np.delete(values[:DRAWN], [place, place + 1])
    assert values.shape == (GUESSES,)
    assert (values[place], values[place + 1]) == (figure.low, figure.high)
    assert (others == figure.value).all()
    assert (values[DRAWN:] == figure.value).all() == figure.stated


@pytest.mark.parametrize("name", [name for name in MOVED if not FIGURES[name].stated])
def test_four_in_five_draws_lie_between_the_ends(name: str) -> None:
    """The stated interval is that of the draws, none of which is impossible."""
    figure, drawn = FIGURES[name], guessed(name)[DRAWN:]
    within = ((drawn >= figure.low * (1 - 1e-9)) & (drawn <= figure.high * (1 + 1e-9))).mean()
    one_sided = figure.low in (0.0, figure.value) or (figure.unit.startswith("share") and figure.high == 1.0)
    assert within == pytest.approx(0.9 if one_sided else 0.8, abs=0.011)
    assert drawn.min() >= 0
    assert not figure.unit.startswith("share") or drawn.max() <= 1


def test_draws_of_two_figures_have_nothing_to_do_with_each_other() -> None:
    """What is wrong about one price says nothing about another."""
    drawn = np.array([guessed(name)[DRAWN:] for name in MOVED if not FIGURES[name].stated])
    correlations = np.corrcoef(np.argsort(np.argsort(drawn, axis=1), axis=1))
    assert np.abs(correlations - np.eye(len(drawn))).max() < 0.35


def test_enough_examples_are_no_guess() -> None:
    """Where more exist than training takes, nobody writes any."""
    plenty = known_facts(encode_facts(facts_from_mapping({"labelled_examples": 900})))
    assert guesses_about(plenty).examples == CENTRAL.examples


def test_an_interval_leaves_a_tenth_out_at_each_end() -> None:
    """What was not drawn does not count."""
    values = np.concatenate((np.full(DRAWN, 1e9), np.arange(GUESSES - DRAWN)))
    low, high = interval(values)
    assert ((values[DRAWN:] < low).mean(), (values[DRAWN:] > high).mean()) == pytest.approx((0.1, 0.1))
