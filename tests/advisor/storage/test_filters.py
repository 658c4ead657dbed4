"""Filters of lists: what is read, and what is said of the rest."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.errors import InvalidInput
from advisor.storage.filters import Condition, parse_filter
from advisor.storage.operations import filters

FIELDS = filters(["TUNE", "IMPORT"])


def test_conditions():
    """Values are read as their field says; quotes and spaces change nothing."""
    assert parse_filter("", FIELDS) == ()
    done, state = parse_filter("done=true AND  state != 'Failed'", FIELDS)
    assert (done.value, done.equal) == (True, True)
    assert state == Condition("state", "FAILED", equal=False)
    assert state.sql == "(state) <> %s"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stat = queued", "'stat' at character 1; allowed: one of the fields done, state"),
        ("done", "at its end; allowed: = or != after done"),
        ("done =", "at its end; allowed: for done true or false"),
        ("done > true", "'>' at character 6; allowed: = or !="),
        ("done = maybe", "'maybe' at character 8; allowed: for done true or false"),
        ("kind = train", "'train' at character 8; allowed: for kind tune or import"),
        ("state = (queued)", "'(' at character 9; allowed: for state queued or running"),
        ("use_case = 'Not Valid'", "such as useCases/faq"),
        ("done = true OR done = false", "'OR' at character 13; allowed: AND between"),
        ("done = true done = false", "'done' at character 13; allowed: AND between"),
        ("done = true AND", "at its end; allowed: one of the fields"),
        ("NOT done = true", "'NOT' at character 1"),
        ('state = "queued', "'\"' at character 9"),
        ("done = true AND " * 100, "has 1,600 characters; at most 1,000"),
    ],
)
def test_what_cannot_be_read(text, said):
    """The part is named, its place, and what is allowed there."""
    with pytest.raises(InvalidInput) as caught:
        parse_filter(text, FIELDS)
    (violation,) = caught.value.violations
    assert violation.field == "filter"
    assert said in violation.description


@given(st.text() | st.text("done=tru AND'\"\\\n!"))
def test_any_text(text):
    """A filter is read or refused; it never ends in another error."""
    read: tuple[Condition, ...] = ()
    with suppress(InvalidInput):
        read = parse_filter(text, FIELDS)
    assert all(isinstance(each.value, bool | str) for each in read)
