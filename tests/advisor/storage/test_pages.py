"""Tokens of pages, as clients may make them up."""

from __future__ import annotations

import base64
import json

import pytest

from advisor.errors import InvalidInput
from advisor.storage.pages import after, after_position, after_time, start


def token(*content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


@pytest.mark.parametrize(
    "made_up",
    [
        "nonsense",
        "ж",
        token(),
        token("list"),
        token("list", "a", "b"),
        token("other", "a"),
        token("list", 1),
        token("list", "a\0"),
        token("list", "\ud800"),
        base64.urlsafe_b64encode(b"[" * 100_000).decode(),
        base64.urlsafe_b64encode(b"[1e999]").decode(),
        base64.urlsafe_b64encode(b"5").decode(),
    ],
)
def test_tokens_that_no_page_had(made_up):
    """They are refused, whatever is in them; none reaches the database."""
    for read in (after, after_position, after_time):
        with pytest.raises(InvalidInput, match="leave it empty to start over"):
            read(made_up, "list")


def test_a_page_of_what_is_in_memory():
    """It starts after the item seen last; an item that is not there is refused."""
    assert start("", "list", ["a", "b"]) == 0
    assert start(token("list", "a"), "list", ["a", "b"]) == 1
    with pytest.raises(InvalidInput, match="page_token"):
        start(token("list", "c"), "list", ["a", "b"])


@pytest.mark.parametrize("made_up", ["a", "-1", "1.5", "", "9" * 19])
def test_positions_that_no_page_had(made_up):
    """What is no number that PostgreSQL counts to is refused before it gets there."""
    with pytest.raises(InvalidInput, match="leave it empty to start over"):
        after_position(token("list", made_up), "list")
    assert (after_position("", "list"), after_position(token("list", "12"), "list")) == (0, 12)
