"""Numbers and their nouns."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from backends.counts import counted, singular

ROOT = Path(__file__).resolve().parents[2]
NOUNS = (
    "approaches|cases|documents|examples|lines|operations|passages|promises|queries|questions|rows|rules|settings"
    "|steps"
)
BY_HAND = re.compile(rf"\{{(?![A-Z_]+(?::,)?\}})[^{{}}\"]*\}} (?:{NOUNS})\b")
"""A plural behind what is no constant: constants are many."""
SHOWS_A_RULE = "ruleitems.py"
"""Its docstring has a rule's reason, which is counted where it is filled in."""


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "0 steps"), (1, "1 step"), (2, "2 steps"), (2_000, "2,000 steps")]
)
def test_a_noun_agrees_with_its_number(number: int, expected: str) -> None:
    """One is singular, all else is plural."""
    assert counted(number, "step") == expected


@pytest.mark.parametrize("noun", ["step", "query", "example"])
def test_one_of_several_is_called_as_it_was(noun: str) -> None:
    """The singular of a plural is the noun."""
    assert singular(counted(2, noun).removeprefix("2 ")) == noun


def test_messages_count_by_it() -> None:
    """None writes a plural behind a number that may be one."""
    paths = [path for root in ("advisor", "backends") for path in (ROOT / root).glob("**/*.py")]
    found = [
        (path.name, match[0])
        for path in paths
        for match in BY_HAND.finditer(path.read_text(encoding="utf-8"))
        if path.name != SHOWS_A_RULE
    ]
    assert found == []
