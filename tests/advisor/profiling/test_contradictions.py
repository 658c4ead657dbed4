"""Questions that are answered in different ways."""

from __future__ import annotations

import pytest

from advisor.profiling.contradictions import Disagreement, disagreements
from backends.base import Example


def asked(*answers: str) -> list[Example]:
    return [Example("What is the limit?", each) for each in answers]


@pytest.mark.parametrize(
    ("answers", "form"),
    [
        (("billing", "shipping"), "LABEL"),
        (('{"a": 1}', '{"a": 2}'), "STRUCTURED"),
        (("5 GB", "50 GB"), None),
        (
            ("You may upload files of up to 5 GB each", "You may upload files of up to 50 GB each"),
            "FREE_TEXT",
        ),
        (
            ("It is allowed in all rooms of the house", "It is not allowed in any room of the house"),
            "FREE_TEXT",
        ),
        (("Rome", "Oslo"), None),
    ],
)
def test_answers_that_cannot_all_be_right(answers, form):
    """Another label, another value, another number, or the opposite."""
    assert disagreements(asked(*answers), [0, 0], form) == [Disagreement((0, 1), is_contradiction=True)]


def test_answers_in_other_words_may_say_the_same():
    """They are told, but not as a contradiction."""
    answers = ("Open the settings and choose your profile", "Your profile is a part of the settings page")
    assert disagreements(asked(*answers), [0, 0], "FREE_TEXT") == [
        Disagreement((0, 1), is_contradiction=False)
    ]


@pytest.mark.parametrize(
    "answers", [("Billing", "billing."), ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}'), ("a", "a")]
)
def test_the_same_answer_is_none(answers):
    """But for case, signs, and the order of keys."""
    assert disagreements(asked(*answers), [0, 0], "LABEL") == []


def test_other_questions_have_other_answers():
    """Only what is in one group is compared."""
    assert disagreements(asked("a", "b", "c", "b"), [0, 1, 2, 1], "LABEL") == []
    assert disagreements(asked("a", "b", "c"), [0, 1, 0], "LABEL") == [
        Disagreement((0, 2), is_contradiction=True)
    ]
