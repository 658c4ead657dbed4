"""Examples that are the same but for their wording fall into one group, and others do not."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.profiling.groups import Embed, groups, same_texts
from advisor.profiling.wording import plain
from backends.base import Example
from backends.models.names import DEFAULT_EMBEDDER
from backends.models.resolve import default_cache, resolve
from backends.retrieval.embedding import LocalEmbedder
from tests.advisor.profiling.pairs import PAIRS, UNSEEN, Pair

QUESTIONS = [text for pair in PAIRS[::3] for text in (pair.one, pair.other)]


def examples() -> st.SearchStrategy[list[Example]]:
    """Return a strategy for examples, many of them alike."""
    question = st.sampled_from(QUESTIONS) | st.text(max_size=12)
    context = st.none() | st.sampled_from(["the first passage", "another passage on it"])
    one = st.builds(Example, question, st.sampled_from(["yes", "no", "Yes."]), context)
    return st.lists(one, max_size=25)


def as_sets(numbers: Sequence[int], of: Sequence[object]) -> list[list[str]]:
    """Return what is in each group, whatever the order."""
    members = defaultdict(list)
    for number, each in zip(numbers, of, strict=True):
        members[number].append(repr(each))
    return sorted(sorted(each) for each in members.values())


def precision_and_recall(pairs: Sequence[Pair], embed: Embed | None = None) -> tuple[float, float]:
    """Return both of what is found in all pairs together, as one set of questions."""
    numbers = same_texts([text for pair in pairs for text in (pair.one, pair.other)], embed=embed)
    found = [pair.same for at, pair in enumerate(pairs) if numbers[2 * at] == numbers[2 * at + 1]]
    return sum(found) / len(found), round(sum(found) / sum(pair.same for pair in pairs), 2)


@pytest.mark.parametrize("pair", [each for each in PAIRS if not each.same], ids=str)
def test_what_matters_tells_questions_apart(pair):
    """A number, a negation, an opposite, a name, a direction, or what is asked."""
    assert same_texts([pair.one, pair.other]) == [0, 1]


@pytest.mark.parametrize(
    "pair", [each for each in PAIRS if each.same and each.kind != "other words"], ids=str
)
def test_what_does_not_matter_does_not(pair):
    """Case, signs, spelling, small words, and what stands first."""
    assert same_texts([pair.one, pair.other]) == [0, 0]


@pytest.mark.parametrize(("pairs", "recall"), [(PAIRS, 0.75), (UNSEEN, 0.66)])
def test_how_many_are_found_without_an_embedder(pairs, recall):
    """What is said in other words is found by an embedder alone; nothing else is taken for the same."""
    assert precision_and_recall(pairs) == (1.0, recall)


@pytest.mark.models
@pytest.mark.parametrize(("pairs", "recall"), [(PAIRS, 0.75), (UNSEEN, 0.66)])
def test_more_are_found_with_the_default_embedder(pairs, recall):
    """Some of what is said in other words, and still nothing else."""
    folder = resolve(DEFAULT_EMBEDDER, cache=default_cache(), report=lambda _: None)
    precision, found = precision_and_recall(pairs, LocalEmbedder(folder, name="default").embed)
    assert precision == 1.0
    assert found > recall


@given(examples())
def test_groups_hold_exact_duplicates(drawn):
    """The same question in the same context is never in two groups."""
    numbers = groups(drawn)
    first: dict[tuple[str, ...], int] = {}
    for number, each in zip(numbers, drawn, strict=True):
        key = (plain(each.question), plain(each.context or ""))
        assert first.setdefault(key, number) == number


@given(examples(), st.randoms(use_true_random=False))
def test_the_order_of_examples_does_not_matter(drawn, rng):
    """The groups are the same sets."""
    shuffled = rng.sample(drawn, len(drawn))
    assert as_sets(groups(drawn), drawn) == as_sets(groups(shuffled), shuffled)


@given(examples())
def test_groups_are_numbered_as_they_begin(drawn):
    """Each example is in one group, and numbers have no gaps: an equivalence relation by its classes."""
    numbers = groups(drawn)
    assert len(numbers) == len(drawn)
    assert list(dict.fromkeys(numbers)) == list(range(len(set(numbers))))


@given(examples())
def test_contexts_join_groups_where_asked(drawn):
    """Whatever was one group stays one, and what rests on the same text is one as well."""
    apart, joined = groups(drawn), groups(drawn, by_context=True)
    assert len(set(zip(apart, joined, strict=True))) == len(set(apart))
    for context in {each.context for each in drawn if each.context}:
        assert (
            len({number for number, each in zip(joined, drawn, strict=True) if each.context == context}) == 1
        )


def test_an_instruction_is_not_the_question():
    """Where one question has several answers over several contexts, the context is what is asked about."""
    drawn = [
        Example("Is the review good?", "yes", "I loved every minute of it"),
        Example("Is the review good?", "no", "It was a waste of money"),
        Example("Is the review good?", "yes", "I loved every minute of it!"),
    ]
    assert groups(drawn) == [0, 1, 0]


def test_the_same_answer_over_other_contexts_is_the_same_example():
    """A question that was answered from two passages is still one question."""
    assert groups([Example("How long?", "5 days", "first"), Example("how long", "5 days", "second")]) == [
        0,
        0,
    ]


def words(count: int, seed: int) -> list[str]:
    """Return so many words of no language."""
    rng = random.Random(seed)
    return ["".join(rng.choices("abcdefghijklmnoprstuvw", k=7)) for _ in range(count)]


def test_long_texts_that_differ_in_little_are_one():
    """Some words of many are others, or a greeting stands before."""
    text = words(80, seed=1)
    changed = [*text[:40], "anders", *text[41:]]
    greeted = ["hello", "dear", "team", *text]
    assert same_texts([" ".join(each) for each in (text, changed, greeted, words(80, seed=2))]) == [
        0,
        0,
        0,
        1,
    ]


def test_long_texts_that_differ_in_a_number_are_not():
    """However long they are."""
    text = " ".join(words(80, seed=1))
    assert same_texts([f"{text} within 5 days", f"{text} within 50 days"]) == [0, 1]


def test_a_long_instruction_does_not_make_inputs_the_same():
    """What all examples share tells none of them."""
    instruction = " ".join(words(100, seed=1))
    texts = [f"{instruction}: {' '.join(words(6, seed))}" for seed in range(2, 60)]
    assert same_texts(texts) == list(range(len(texts)))


def test_an_embedder_finds_other_words_but_not_what_matters():
    """Vectors that are alike are not enough."""
    texts = ["How do I delete my account?", "How do I remove my account?", "How do I not remove my account?"]
    assert same_texts(texts) == [0, 1, 2]
    alike = np.tile(np.float32([0.6, 0.8]), (len(texts), 1))
    assert same_texts(texts, embed=lambda given: alike[: len(given)]) == [0, 0, 1]
    apart = np.eye(3, dtype=np.float32)
    assert same_texts(texts, embed=lambda given: apart[: len(given)]) == [0, 1, 2]


def test_texts_of_signs_alone_are_told_apart():
    """They have no words to compare."""
    assert same_texts(["👍", "👎", "👍 ", "", " "]) == [0, 1, 0, 2, 2]
