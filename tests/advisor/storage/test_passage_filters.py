"""Filters of passages: what they are to the database, and what is said of the rest."""

from __future__ import annotations

import pytest

from advisor.errors import InvalidInput
from advisor.storage.passage_filters import restriction_of


def test_a_filter_is_a_condition_with_its_values_apart():
    """Nothing of a filter becomes part of a query but as its parameter."""
    found = restriction_of('source = "manuals/*" AND media_type != text/html', "filter")
    assert found is not None
    assert found.sql.startswith("(passages.source LIKE %(within_0)s) AND NOT (passages.source IN (")
    assert found.sql.endswith(" AND media_type = %(within_1)s))")
    assert found.values == (("within_0", "manuals/%"), ("within_1", "text/html"))
    assert restriction_of(" ", "filter") is None


@pytest.mark.parametrize(
    ("source", "pattern"), [("a_b%", r"a\_b\%"), (r"a\\b", r"a\\b"), ("*.md", "%.md"), ("a*b*", "a%b%")]
)
def test_a_star_alone_stands_for_others(source, pattern):
    """What means something in SQL does not in a source."""
    found = restriction_of(f'source = "{source}"', "filter")
    assert found is not None
    assert found.values == (("within_0", pattern),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("path = a", "allowed: one of the fields source, media_type, language, as in source ="),
        ("source = ' '", "for source a source, in which * stands for any characters"),
        ("source = 'a\0'", "for source a source"),
        ("media_type = text/xml", "for media_type text/plain or text/markdown or"),
        ("language = klingon", "for language arabic or danish or"),
        ("source = a OR source = b", "AND between restrictions"),
        ("source = a) OR (1 = 1", "')' at character 11"),
    ],
)
def test_what_cannot_be_read(text, says):
    """The part at fault is named, with what is allowed there and an example."""
    with pytest.raises(InvalidInput) as caught:
        restriction_of(text, "options.filter")
    (violation,) = caught.value.violations
    assert violation.field == "options.filter"
    assert says in violation.description
