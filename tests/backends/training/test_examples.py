"""Training data made from examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from backends.base import Example, ExamplesError, Passage
from backends.prompts import grounded_messages, prompt_messages
from backends.training.examples import hybrid_examples, is_short, plain_examples

FILLER = ("Grass grows in spring.", "Rain falls from clouds.", "Iron rusts in water.", "Bees make honey.")
CAPITALS = (("France", "Paris"), ("Italy", "Rome today"), ("Spain", "Madrid"), ("Poland", "Warsaw"))
EXAMPLES = tuple(Example(f"Capital of {country}?", city) for country, city in CAPITALS)


def passage(text: str) -> Passage:
    """Return a passage of its own document."""
    return Passage(id=text, source=text, start_byte=0, end_byte=len(text), text=text)


def search(question: str, limit: int) -> Sequence[Passage]:
    """Return filler, with a passage that holds the right answer in second place."""
    held = [f"{city} is in {country}." for country, city in CAPITALS if country in question]
    return [passage(text) for text in (FILLER[0], *held, *FILLER[1:])][:limit]


def search_filler(question: str, limit: int) -> Sequence[Passage]:
    """Return passages that hold no answer."""
    return [passage(text) for text in FILLER][:limit]


def test_plain_examples_ask_as_the_tuned_model_is_asked() -> None:
    """Training and use share the chat, and it has a system turn of its own."""
    (made,) = plain_examples(EXAMPLES[:1], instructions="Name the city.")
    assert made.messages == prompt_messages("Capital of France?", instructions="Name the city.")
    assert [message.role for message in made.messages] == ["system", "user"]
    assert made.completion == "Paris"


def test_the_right_passage_is_found_by_its_answer() -> None:
    """Each question is shown over the passage that holds the answer and two that do not."""
    made = hybrid_examples(EXAMPLES, search, golden_share=1.0)
    for example, (country, city) in zip(made, CAPITALS, strict=True):
        shown = example.messages[-1].content
        assert shown.count(f"{city} is in {country}.") == 1
        assert sum(text in shown for text in FILLER) == 2
        assert example.completion == city


def test_a_given_context_is_the_right_passage() -> None:
    """Other passages that hold the answer are no distractors."""
    example = Example("Capital of France?", "Paris", context="The seat of government is Paris.")
    made = hybrid_examples([example], search, golden_share=1.0)
    shown = made[0].messages[-1].content
    assert "The seat of government is Paris." in shown
    assert "Paris is in France." not in shown


def test_the_chat_is_that_of_retrieval() -> None:
    """The messages are those that the RAG backend builds from the same passages."""
    (made,) = hybrid_examples(EXAMPLES[:1], search, instructions="Be brief.", distractors=0, golden_share=1.0)
    right = [passage("Paris is in France.")]
    assert made.messages == grounded_messages("Capital of France?", right, instructions="Be brief.")


def test_the_outline_does_not_give_the_right_passage_away() -> None:
    """A context stands under what the same text in the documents stands under, or none of them under anything."""
    example = Example("Capital of France?", "Paris", context="Paris is in France.")
    headed = [replace(each, heading="Europe > Lands", place="page 2") for each in search("France", 4)]
    (made,) = hybrid_examples([example], lambda *_: headed, golden_share=1.0)
    assert made.messages[-1].content.count("Europe > Lands (page 2)") == 3
    other = replace(example, context="The seat of government is Paris.")
    (made,) = hybrid_examples([other], lambda *_: headed, golden_share=1.0)
    assert "Europe" not in made.messages[-1].content


def test_the_right_passage_moves_about() -> None:
    """Its place says nothing about it."""
    example = Example("Capital of France?", "Paris")
    made = hybrid_examples([example] * 30, search, golden_share=1.0)
    assert {one.messages[-1].content.split(" Paris is")[0][-3:] for one in made} == {"[1]", "[2]", "[3]"}


def test_a_share_of_the_examples_lacks_its_passage() -> None:
    """With a golden share of 0.75, one in four shows distractors alone."""
    made = hybrid_examples(EXAMPLES, search, golden_share=0.75)
    lacking = [one for one in made if one.completion not in one.messages[-1].content]
    assert (len(made), len(lacking)) == (4, 1)


def test_examples_without_a_right_passage_fill_that_share_and_no_more() -> None:
    """Of ten without a passage, one is kept beside four that have one."""
    unanswerable = [Example(f"Riddle {number}?", "nobody knows") for number in range(10)]
    made = hybrid_examples([*EXAMPLES, *unanswerable], search, golden_share=0.8)
    assert [one.completion for one in made].count("nobody knows") == 1
    assert len(made) == 5


def test_of_a_long_context_the_passage_that_tells_is_shown() -> None:
    """As it will be found; other parts of the context, and the answer elsewhere, are not shown as right."""
    parts = ["It is old.", "No taxes.", "Its size is 7 ha."]
    example = Example("How large?", "7", context=" ".join([*parts, "It is far."]))
    found = [passage(text) for text in (FILLER[0], parts[0], "7 of them.", parts[2], FILLER[1])]
    (made,) = hybrid_examples([example], lambda *_: found, golden_share=1.0)
    shown = made.messages[-1].content
    assert parts[2] in shown
    assert not any(text in shown for text in (parts[0], parts[1], "It is far."))


def test_a_context_of_a_line_is_shown_in_the_passage_around_it() -> None:
    """As it will be found: alone beside longer passages it would give itself away, whatever the answer's form."""
    lines = ["EAT is UTC +03:00.", "WAT is UTC +01:00.", "UYT is UTC -03:00."]
    example = Example("Offset of WAT?", '{"hours": 1}', context=lines[1])
    found = [passage(text) for text in (FILLER[0], "\n\n".join(lines), FILLER[1])]
    (made,) = hybrid_examples([example], lambda *_: found, golden_share=1.0)
    assert all(line in made.messages[-1].content for line in lines)


def test_what_is_left_out_is_told() -> None:
    """Each example is trained on or named, and of those named it is known whether their answers are too short."""
    examples = [*EXAMPLES, *(Example(f"Is it {number}?", "no") for number in range(3))]
    left_out: list[Example] = []
    made = hybrid_examples(examples, search, golden_share=1.0, leave_out=left_out.append)
    assert len(made) + len(left_out) == len(examples)
    assert left_out == examples[4:]
    assert all(map(is_short, left_out))
    assert not any(map(is_short, EXAMPLES))


def test_a_short_answer_is_trained_on_with_its_context() -> None:
    """Nothing needs to be looked for."""
    example = Example("Is it?", "no", "It is not.")
    (made,) = hybrid_examples([example], search_filler, golden_share=1.0)
    assert (made.question, made.completion) == ("Is it?", "no")


def test_the_same_seed_makes_the_same_examples() -> None:
    """Order and choice come from the seed alone."""
    assert hybrid_examples(EXAMPLES, search, seed=3) == hybrid_examples(EXAMPLES, search, seed=3)
    assert hybrid_examples(EXAMPLES * 4, search, seed=3) != hybrid_examples(EXAMPLES * 4, search, seed=4)


def test_no_right_passage_at_all_is_an_error() -> None:
    """There is nothing to learn to read."""
    with pytest.raises(ExamplesError, match="of 4 examples, none has a context"):
        hybrid_examples(EXAMPLES, search_filler)


def test_a_short_answer_does_not_make_a_passage_right() -> None:
    """A "no" is found in passages that have nothing to do with it."""
    with pytest.raises(ExamplesError):
        hybrid_examples([Example("Is it?", "no")], lambda question, limit: [passage("There is no end.")])


@pytest.mark.parametrize(("golden_share", "distractors"), [(0.0, 2), (1.1, 2), (0.8, -1), (0.8, 20)])
def test_arguments_out_of_bounds_are_refused(golden_share: float, distractors: int) -> None:
    """The message says what is allowed."""
    with pytest.raises(ValueError, match="give"):
        hybrid_examples(EXAMPLES, search, golden_share=golden_share, distractors=distractors)
