"""Held-out questions that were trained on, found without the groups."""

from __future__ import annotations

import pytest

from advisor.profiling.groups import groups
from advisor.profiling.leaks import Leak, leaks
from advisor.profiling.splitting import split
from backends.base import Example

QUESTION = "How do I change the address that my monthly invoices are sent to?"


def test_what_is_nearly_the_same_leaks():
    """The most alike first, with their places on both sides."""
    misspelt = QUESTION.lower().replace("address", "adress")
    found = leaks(
        [Example("Where is the office?", "x"), Example(misspelt, "x")],
        [Example("Where is the office", "x"), Example(QUESTION, "x"), Example("Who are you?", "x")],
    )
    assert [(each.trained, each.held_out) for each in found] == [(0, 0), (1, 1)]
    assert found[0] == Leak(0, 0, 1.0)
    assert 0.85 <= found[1].likeness < 1


@pytest.mark.parametrize(
    "other",
    [
        QUESTION.replace("monthly", "12 monthly"),
        QUESTION.replace("do I", "do I not"),
        QUESTION.replace("invoices", "inv_oices"),
        "How do I cancel my subscription before the end of the month?",
    ],
)
def test_what_differs_in_what_matters_does_not(other):
    """Numbers, identifiers and negations, and all that is worded otherwise."""
    assert leaks([Example(other, "x")], [Example(QUESTION, "x")], likeness=0.7) == []


def test_the_context_counts_where_both_have_one():
    """An instruction over another text is another example; where one has none, the questions are compared."""
    one, other = (
        Example(QUESTION, "x", "a passage on invoices"),
        Example(QUESTION, "y", "quite something else"),
    )
    assert leaks([one], [other]) == []
    assert leaks([one], [one]) == [Leak(0, 0, 1.0)]
    assert leaks([one], [Example(QUESTION, "x")]) == [Leak(0, 0, 1.0)]
    assert leaks([Example(QUESTION, "x")], [one]) == [Leak(0, 0, 1.0)]


def test_many_are_compared_in_batches(monkeypatch):
    """Places count from the first of all."""
    monkeypatch.setattr("advisor.profiling.leaks._BATCH", 3)
    train = [Example(f"question {at} on the subject", "x") for at in range(10)]
    assert leaks(train, [train[7]]) == [Leak(7, 0, 1.0)]


def test_a_split_by_groups_does_not_leak():
    """Copies, in other case and signs, are on one side."""
    subjects = ["address", "invoice", "password", "contract", "delivery", "voucher", "warranty", "language"]
    drawn = []
    for subject in subjects:
        drawn += [
            Example(f"How do I change my {subject} that belongs to my business account?", "x"),
            Example(f"how do I change my {subject} - that belongs to my BUSINESS account", "x"),
        ]
    numbers = groups(drawn)
    held = split(drawn, numbers, 6, seed=1)
    train = [each for at, each in enumerate(drawn) if at not in held]
    assert len(held) == 6
    assert leaks(train, [drawn[at] for at in held], likeness=0.8) == []
    # Without groups it would.
    assert leaks(drawn[1::2], drawn[::2], likeness=0.8) != []


@pytest.mark.parametrize("likeness", [0, -1, 1.01])
def test_a_likeness_out_of_bounds_is_refused(likeness):
    """The message says what is allowed."""
    with pytest.raises(ValueError, match=f"likeness is {likeness}; give a number above 0 to 1"):
        leaks([], [], likeness=likeness)


def test_nothing_leaks_from_nothing():
    """Either side may be empty."""
    assert leaks([], [Example("a", "b")]) == leaks([Example("a", "b")], []) == []
