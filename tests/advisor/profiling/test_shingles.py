"""Long texts that share most of their runs of words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.profiling.shingles import alike, jaccard, likeness, runs, sketch, telling

WORDS = [f"word{at}" for at in range(400)]


def test_runs_are_those_of_neighbouring_words():
    """A text that is shorter is one run."""
    assert len(runs(WORDS, 3)) == 398
    assert runs(["a", "b"], 3) == runs(["a", "b"], 2)
    assert runs(["a", "b", "c"]) != runs(["c", "b", "a"])


@given(st.frozensets(st.integers(0, 40)), st.frozensets(st.integers(0, 40)))
def test_the_index_is_that_of_jaccard(one, other):
    """What both have of what either has."""
    assert jaccard(one, other) == (len(one & other) / len(one | other) if one | other else 1.0)


@pytest.mark.parametrize("changed", [0, 20, 60, 150])
def test_sketches_tell_the_index(changed):
    """Within three standard errors of 64 draws."""
    one, other = runs(WORDS), runs([*(f"other{at}" for at in range(changed)), *WORDS[changed:]])
    index = jaccard(one, other)
    assert abs(likeness(sketch(one), sketch(other)) - index) <= 3 * (index * (1 - index) / 64) ** 0.5


def test_sketches_of_many_runs_are_made_in_parts(monkeypatch):
    """They are the same."""
    whole = sketch(runs(WORDS))
    monkeypatch.setattr("advisor.profiling.shingles._AT_ONCE", 7)
    assert (sketch(runs(WORDS)) == whole).all()


def test_alike_texts_are_paired_once():
    """Those that have nothing in common are not."""
    sketches = [
        sketch(runs(each)) for each in (WORDS, WORDS[200:], WORDS[:395], [f"x{at}" for at in range(99)])
    ]
    assert (0, 2) in set(alike(sketches))
    assert all(3 not in pair for pair in alike(sketches))
    assert len(set(alike(sketches))) == len(list(alike(sketches)))


def test_very_many_alike_are_not_all_paired():
    """Each is paired with some, so that they hang together."""
    pairs = list(alike([sketch(runs(WORDS))] * 300))
    assert len(pairs) < 300 * 9
    assert {(at, at + 1) for at in range(299)} <= set(pairs)


def test_what_many_share_tells_nothing():
    """It is left out."""
    assert telling([frozenset({1, 2}), frozenset({1, 3}), frozenset({1})], most=2) == [{2}, {3}, set()]
