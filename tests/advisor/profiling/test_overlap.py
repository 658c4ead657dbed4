"""Answers that stand word for word in documents."""

from __future__ import annotations

import pytest

from advisor.profiling.overlap import standing_in

PASSAGES = ["The limit is 5 GB a file,\nfor all plans.", "Ask the support team in Oslo."]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("5 GB a file", True),
        ("the LIMIT is 5 GB", True),
        ("Oslo", True),
        ("Ask the support team in Oslo", True),
        ("Ask the support team in Rome", False),
        ("limit of 5 GB", False),
        ("team in Oslo and beyond", False),
        ("plans Ask", False),
        ("slow", False),
        ("yes", None),
        ("", None),
    ],
)
def test_whole_words_in_a_row(answer, expected):
    """Across lines, but not across passages; short answers are not looked for."""
    assert standing_in([answer], iter(PASSAGES)) == [expected]


def test_each_answer_is_told_in_its_place():
    """Also where several begin alike."""
    answers = ["the support team in Oslo", "the support team in Rome", "the support team in"]
    assert standing_in(answers, PASSAGES) == [True, False, True]


def test_without_passages_nothing_is_found():
    """Nor without answers."""
    assert standing_in(["something"], []) == [False]
    assert standing_in([], PASSAGES) == []
