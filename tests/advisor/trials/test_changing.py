"""Facts changed on purpose: which, into what, and what following them comes to."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from advisor.trials.arms import Arm
from advisor.trials.asking import Reply
from advisor.trials.changing import LEAST, MOST, changes_of, freshness_of, too_few
from advisor.trials.claims import claims
from advisor.trials.results import ArmResult, ArmState, Asked, Finding, Freshness
from advisor.trials.tally import Tally
from backends.base import Example, Passage
from tests.learned import CONDITIONS

RIVERS = [Example(f"How long is river {n}?", f"{n}{n}5 km") for n in range(10, 30)]


def passage(text: str) -> Passage:
    return Passage(text, "rivers.md", 7, 7 + len(text.encode()), text)


def search(question: str) -> Sequence[Passage]:
    (river,) = [each for each in RIVERS if each.question == question]
    return [passage("Rivers are long."), passage(f"It is {river.answer} long, they say.")]


def answers(right: bool) -> tuple[Asked, ...]:
    """Return what an arm said of each river: its length as it was, or nothing of the kind."""
    return tuple(
        Asked(number, each.answer if right else "no idea", {"holds": float(right)})
        for number, each in enumerate(RIVERS)
    )


def test_a_fact_is_changed_into_another_of_its_kind() -> None:
    """In the passage that tells it; what is right follows, and bytes too."""
    made = changes_of(RIVERS, [Example("Colour?", "a kind of blue")], search, seed=0)
    assert [each.number for each in made] == [*range(20)]
    for each, river in zip(made, RIVERS, strict=True):
        assert each.example.question == river.question
        assert each.example.answer != river.answer
        assert each.example.answer in {other.answer for other in RIVERS}
        assert each.after.text == f"It is {each.example.answer} long, they say."
        assert river.answer in each.before.text
        assert each.after.id != each.before.id
        assert each.after.end_byte - each.after.start_byte == len(each.after.text.encode())


def test_the_seed_decides() -> None:
    """The same seed changes the same facts in the same way."""
    first, again, other = (changes_of(RIVERS, [], search, seed) for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize(
    "found",
    [
        [],
        ["It is 10105 km long."],  # the answer is a part of another number
        ["From 1010 km on it is 10105 km; 10105 km in all."],
    ],
)
def test_what_cannot_be_changed_is_left(found: list[str]) -> None:
    """Not found, not as a whole, or in two places."""
    rivers = [Example("How long is it?", "10105 km" if len(found) and "all" in found[0] else "105 km")]
    made = changes_of(rivers, RIVERS, lambda _: [passage(text) for text in found], seed=0)
    assert made == []


def test_a_passage_is_changed_once_and_not_more_than_enough() -> None:
    """Two questions on one passage change it for one of them."""
    rivers = [Example(f"Question {n}?", "105 km") for n in range(MOST + 5)]
    assert len(changes_of(rivers, RIVERS, lambda _: [passage("It is 105 km long.")], seed=0)) == 1
    each_its_own = changes_of(
        rivers, RIVERS, lambda question: [passage(f"{question} It is 105 km long.")], seed=0
    )
    assert len(each_its_own) == MOST


def test_too_few_are_told() -> None:
    """With how many are needed."""
    made = changes_of(RIVERS, [], search, seed=0)
    assert too_few(made[:LEAST]) == ""
    assert too_few(made[:1]).startswith("1 right answer of the held-out questions")


def test_answers_that_follow_are_told_from_those_that_do_not() -> None:
    """RAG on passages in step says what is now right; on old ones, and tuned, what was."""
    tally = Tally(CONDITIONS, RIVERS, None)
    made = changes_of(RIVERS, [], search, seed=0)
    arms = [
        ArmResult(each, ArmState.DONE, answers=answers(right=True)) for each in (Arm.RAG, Arm.FINE_TUNING)
    ]
    replies = [Reply(each.example.answer) for each in made]
    found = freshness_of(made, replies, arms, tally, 0.1)
    assert (found.changed, found.p) == (20, pytest.approx(2**-19))
    assert found.in_step is not None
    assert found.not_in_step is not None
    assert found.not_retrained is not None
    assert (found.in_step.value, found.not_in_step.value, found.not_retrained.value) == (1.0, 0.0, 0.0)
    untuned = freshness_of(made, replies, arms[:1], tally, 0.1)
    assert untuned.not_retrained is None
    assert untuned.p == found.p
    told = {each.text: each for each in claims([], [], "holds", found)}
    up_to_date, static = (
        told["takes in new information without retraining"],
        told["is confined to what it was tuned on"],
    )
    assert (up_to_date.finding, static.finding) == (Finding.CONFIRMED, Finding.CONFIRMED)
    assert "Of 20 facts changed in the documents, answers follow 100%" in up_to_date.measured


@pytest.mark.parametrize("measured", [None, Freshness(8, None, None, None, None, 0.0)])
def test_what_was_not_measured_is_not_testable(measured: Freshness | None) -> None:
    """Neither claim."""
    told = {each.text: each.finding for each in claims([], [], "holds", measured)}
    assert told["takes in new information without retraining"] is Finding.NOT_TESTABLE
    assert told["is confined to what it was tuned on"] is Finding.NOT_TESTABLE
