"""What is held out: whole groups, as many as were wanted, the same every time."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.profiling.splitting import split
from backends.base import Example


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Example], list[int], int, int, bool]:
    """Return examples, the group of each, how many to hold out, a seed, and whether answers are labels."""
    count = draw(st.integers(2, 30))
    numbers = draw(st.lists(st.integers(0, 12), min_size=count, max_size=count))
    labels = draw(st.lists(st.sampled_from("abc"), min_size=count, max_size=count))
    drawn = [Example(f"question {at}", label) for at, label in enumerate(labels)]
    return drawn, numbers, draw(st.integers(1, count - 1)), draw(st.integers(0, 5)), draw(st.booleans())


def most_that_fit(sizes: list[int], bound: int) -> int:
    """Return the largest sum of some sizes that is within a bound."""
    sums = {0}
    for size in sizes:
        sums |= {each + size for each in sums if each + size <= bound}
    return max(sums)


@given(cases())
def test_whole_groups_are_held_out(case):
    """No group is on both sides, and no other choice of whole groups comes nearer to the number wanted."""
    drawn, numbers, wanted, seed, by_answer = case
    held = split(drawn, numbers, wanted, seed, by_answer=by_answer)
    assert list(held) == sorted(set(held))
    chosen = {numbers[at] for at in held}
    assert all((numbers[at] in chosen) == (at in held) for at in range(len(drawn)))
    assert len(held) == most_that_fit(list(Counter(numbers).values()), wanted)


@given(cases(), st.randoms(use_true_random=False))
def test_the_same_are_held_out_in_any_order(case, rng):
    """By the same seed."""
    drawn, numbers, wanted, seed, by_answer = case
    order = rng.sample(range(len(drawn)), len(drawn))
    shuffled = split(
        [drawn[at] for at in order], [numbers[at] for at in order], wanted, seed, by_answer=by_answer
    )
    assert sorted(order[at] for at in shuffled) == list(
        split(drawn, numbers, wanted, seed, by_answer=by_answer)
    )


def test_another_seed_holds_out_others():
    """Else it would be of no use."""
    drawn = [Example(f"question {at}", "a") for at in range(200)]
    assert len({split(drawn, range(200), 20, seed) for seed in range(5)}) == 5


def test_labels_are_held_out_in_their_shares():
    """As near as whole numbers allow."""
    labels = ["a"] * 60 + ["b"] * 30 + ["c"] * 10
    drawn = [Example(f"question {at}", label) for at, label in enumerate(labels)]
    held = split(drawn, range(100), 25, seed=3, by_answer=True)
    counts = Counter(labels[at] for at in held)
    assert counts.total() == 25
    assert (counts["a"], {counts["b"], counts["c"]} <= {2, 3, 7, 8}) == (15, True)


def test_a_label_of_one_group_stays_to_be_learned():
    """It cannot be on both sides."""
    labels = ["a"] * 20 + ["b"]
    drawn = [Example(f"question {at}", label) for at, label in enumerate(labels)]
    assert all(20 not in split(drawn, range(21), 15, seed, by_answer=True) for seed in range(20))


def test_nothing_is_held_out_of_one_group():
    """It is left to train on."""
    assert split([Example("a", "b")] * 4, [0] * 4, 2, seed=0) == ()


@pytest.mark.parametrize("held_out", [0, -1, 4, 5])
def test_a_number_out_of_bounds_is_refused(held_out):
    """The message says what is allowed."""
    with pytest.raises(ValueError, match=f"held_out is {held_out}; of 4 examples hold out 1 to 3"):
        split([Example("a", "b")] * 4, range(4), held_out, seed=0)


def test_groups_of_another_length_are_refused():
    """They are of other examples."""
    with pytest.raises(ValueError, match="groups has 3 numbers; give one for each of 4 examples"):
        split([Example("a", "b")] * 4, range(3), 2, seed=0)
