"""What examples tell of a use case."""

from __future__ import annotations

import pytest

from advisor.profiling.examples import profile_examples
from advisor.profiling.measured import Profile
from backends.base import Example


def words(text: str) -> int:
    """Return the tokens of a text; stands for a tokenizer."""
    return len(text.split())


def profiled(*examples: Example, **others: object) -> Profile:
    return profile_examples(examples, count_tokens=words, **others)


def tickets(**counts: int) -> list[Example]:
    """Return so many examples of each label, on subjects of their own."""
    return [
        Example(f"A {label} matter with item{at} of mine", label)
        for label, count in counts.items()
        for at in range(count)
    ]


def test_facts_and_properties_of_labels():
    """Task, form, how many labels, and how they are balanced."""
    profile = profiled(*tickets(billing=12, shipping=8, refund=4, other=1))
    assert profile.facts == {
        "labelled_examples": 25,
        "task": "CLASSIFICATION",
        "output_form": "LABEL",
        "label_count": 4,
        "context_tokens": 7,
        "output_tokens": 1,
        "examples_include_context": False,
    }
    largest, single, rare = map(profile.get, ("largest_label_share", "single_labels", "rare_labels"))
    assert (largest.value, largest.count, largest.warning) == (12 / 25, 25, "")
    assert largest.low < 12 / 25 < largest.high
    assert (single.value, single.concerned) == (1, (24,))
    assert (rare.value, rare.concerned) == (2, (20, 21, 22, 23, 24))
    assert profile.warnings == (
        "1 label has fewer than 2 examples: such a label cannot be both learned and measured.",
        "2 labels have fewer than 5 examples: such a label is hardly learned.",
    )


def test_a_label_that_most_have_is_told():
    """A model that always answers it looks good."""
    largest = profiled(*tickets(billing=40, shipping=5, refund=5)).get("largest_label_share")
    assert largest.warning == "80% of the examples have one label: a model that always answers it looks good."
    assert largest.concerned == tuple(range(40))


def test_duplicates_are_counted_apart():
    """Copies, and the same question in other words; neither is counted twice."""
    profile = profiled(
        Example("How do I reset my password?", "Use the link"),
        Example("how do I  reset my password", "use the link."),
        Example("How can I reset the password?", "Use the link"),
        Example("How do I not reset my password?", "Do nothing"),
    )
    exact, near = profile.get("exact_duplicates"), profile.get("near_duplicates")
    assert (exact.value, exact.concerned) == (1, (1,))
    assert (near.value, near.concerned) == (1, (2,))
    assert near.warning == "1 example asks what another one asks: that leaves 2 questions."
    assert profile.facts["labelled_examples"] == 3


def test_contradictions_are_told_with_their_places():
    """The places, not the texts."""
    profile = profiled(
        *tickets(billing=6, shipping=6),
        Example("Where is it?", "billing"),
        Example("where is it", "shipping"),
    )
    told = profile.get("contradictions")
    assert (told.value, told.concerned) == (1, (12, 13))
    assert told.warning.startswith("1 question has contradictory answers: no model learns both")
    assert profile.get("several_answers").value == 0


def test_several_answers_are_told_apart_from_contradictions():
    """In other words they may say the same."""
    profile = profiled(
        Example("Where is my profile?", "Open the settings and choose your profile"),
        Example("Where is the profile", "Your profile is a part of the settings page"),
    )
    assert (profile.get("contradictions").value, profile.get("several_answers").value) == (0, 1)


def test_contexts_are_told_and_where_they_are_lacking():
    """A flag, a share, and which lack it where most have one."""
    having = [Example(f"question {at}?", "an answer", "a passage of words") for at in range(9)]
    profile = profiled(*having, Example("one more?", "an answer", " "))
    share = profile.get("context_share")
    assert profile.facts["examples_include_context"] is True
    assert (share.value, share.concerned) == (0.9, (9,))
    assert share.warning == "Of 10 examples, 1 come without the context that the others have."
    assert profile.get("passage_tokens").value == 4
    assert profiled(*having).get("context_share").warning == ""


def test_lengths_are_means_with_intervals():
    """Of questions without contexts, and of answers; the longest is told as well."""
    profile = profiled(Example("one two", "x", "a b c d e"), Example("one two three four", "y z w"))
    tokens = profile.get("context_tokens")
    assert (tokens.value, tokens.count) == (3, 2)
    assert tokens.low == 0.0
    assert tokens.high == pytest.approx(3 + 12.706205)
    assert profile.get("output_tokens").value == 2
    assert profile.get("longest_example_tokens").value == 7


def test_many_are_counted_by_a_sample():
    """Which the method says."""
    profile = profiled(
        *(Example(f"question number {at}?", "yes it is so") for at in range(2_500)), grouped=range(2_500)
    )
    tokens = profile.get("context_tokens")
    assert (tokens.value, tokens.count) == (3, 1000)
    assert tokens.method.endswith(", of a sample of 1,000")


def test_answers_are_looked_for_in_documents():
    """With the places of those that are not there; labels are not looked for."""
    examples = [Example(f"What is part{at}?", f"part{at} is made of wood") for at in range(4)]
    passages = ["part0 is made of wood. part1 is made of wood."]
    told = profiled(*examples, passages=passages).get("answers_in_documents")
    assert (told.value, told.count, told.concerned) == (0.5, 4, (2, 3))
    assert profiled(*tickets(billing=9, shipping=9), passages=["billing"]).get("answers_in_documents") is None
    assert profiled(*examples).get("answers_in_documents") is None


def test_personal_data_are_counted_and_never_shown():
    """By kind, with the places of the examples."""
    profile = profiled(
        Example("Who is it?", "Mr Smith"),
        Example("What is it?", "a thing"),
        Example("Who?", "Mrs Jones and Mr Smith"),
    )
    told = profile.get("personal_data.name")
    assert (told.value, told.concerned) == (3, (0, 2))
    assert told.warning.startswith("2 examples seem to hold personal data (name with a title, 3 times)")
    assert "must_forget" in told.warning
    assert "Smith" not in repr(profile)


def test_groups_that_are_known_are_not_found_again():
    """They are taken as given."""
    profile = profiled(Example("one thing", "x"), Example("quite another", "y"), grouped=[0, 0])
    assert profile.get("near_duplicates").value == 1


def test_nothing_is_told_of_no_examples():
    """There is nothing to measure."""
    assert profiled() == Profile()
