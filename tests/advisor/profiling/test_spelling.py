"""Slips of spelling told from other words."""

from __future__ import annotations

import pytest

from advisor.profiling.spelling import is_slip, slips

SLIPS = [
    ("invioce", "invoice"),
    ("docment", "document"),
    ("parcell", "parcel"),
    ("calender", "calendar"),
    ("subscribtion", "subscription"),
    ("organization", "organisation"),
    ("withdrawl", "withdrawal"),
    ("transacton", "transaction"),
    ("colour", "color"),
    ("seperate", "separate"),
]
WORDS = [
    ("charge", "charger"),
    ("import", "export"),
    ("contact", "contract"),
    ("charge", "change"),
    ("enable", "unable"),
    ("form", "from"),
    ("upload", "unload"),
    ("maximum", "minimum"),
    ("austria", "australia"),
    ("price", "prize"),
    ("model", "modem"),
    ("quiet", "quite"),
    ("word", "word"),
]


@pytest.mark.parametrize(("one", "other"), SLIPS)
def test_a_slip_is_told(one, other):
    """Letters are swapped, left out, doubled, or one stands for its like; both ways round."""
    assert is_slip(one, other)
    assert is_slip(other, one)


@pytest.mark.parametrize(("one", "other"), WORDS)
def test_another_word_is_none(one, other):
    """Another beginning or ending, a letter unlike, or two words that are known."""
    assert not is_slip(one, other)
    assert not is_slip(other, one)


def test_the_word_that_is_seen_more_often_is_meant():
    """What is seen as often as the word itself is a word."""
    assert slips({"invoice": 40, "invioce": 1, "order": 3}) == {"invioce": "invoice"}
    assert slips({"hansenen": 30, "hansenan": 30}) == {}


def test_a_slip_of_a_slip_is_the_word():
    """However they hang together."""
    assert slips({"transaction": 40, "transacton": 2, "transcton": 1}) == {
        "transacton": "transaction",
        "transcton": "transaction",
    }
