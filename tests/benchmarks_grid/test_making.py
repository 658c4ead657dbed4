"""Tasks made: split by subject, nothing learnt that is asked, documents with changed facts; the same every time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from advisor.profiling.leaks import leaks
from benchmarks.grid.making import LEAKING, MOST_CHARACTERS, made
from benchmarks.grid.task import Item, Task

_PLACES = [
    f"{first}{last}" for first in ("Ald", "Bern", "Corv", "Dun", "Esk") for last in "abcdefghijklmnopqrst"
]


def _items() -> Iterator[Item]:
    for number, place in enumerate(_PLACES):
        mayor = f"Mayor {place.upper()}x{number}"
        yield Item(
            f"Who governs {place}?",
            mayor,
            f"{place} is governed by {mayor}.",
            f"Name the head of {place}!",
            place,
        )
        yield Item(
            f"Of which region is {place} the seat?",
            f"R{number % 5}",
            f"{place}: R{number % 5}.",
            subject=place,
        )


TASK = Task(
    "mayors",
    "Answer with the name alone.",
    _items,
    "made up",
    "none",
    "QUESTION_ANSWERING",
    "FREE_TEXT",
    training=60,
    documents=True,
    held_out=40,
    drifted=20,
    spare=10,
    changes=True,
)


def _labels() -> Iterator[Item]:
    for number in range(600):
        label = "often" if number % 10 else f"seldom {number % 30}"
        yield Item(f"thing number {number:03} of {number * 7919 % 1009}", label)


def test_it_is_the_same_every_time() -> None:
    """Whatever the order in which items come."""
    turned = replace(TASK, items=lambda: reversed(list(_items())))
    assert made(TASK) == made(turned)


def test_a_subject_is_on_one_side() -> None:
    """Nothing is learnt about what is asked about."""
    material = made(TASK)

    def places(examples: Sequence[object]) -> set[str]:
        return {place for place in _PLACES for each in examples if f" {place}" in str(each)}

    assert not places([each.question for each in material.training]) & places(
        [each.question for each in material.held_out]
    )
    assert not leaks(material.training, material.held_out, likeness=LEAKING)


def test_questions_that_leak_are_not_learnt() -> None:
    """Of nearly the same questions about two subjects, one is asked and the other goes."""
    text = "the very long description of a thing that has many parts and a name at its end, which is {}"

    def items() -> Iterator[Item]:
        for number in range(200):
            yield Item(
                text.format("alpha" if number % 2 else "alphas") + " " * number,
                f"{number}",
                subject=f"{number}",
            )

    with pytest.raises(ValueError, match="training"):
        made(replace(TASK, items=items, documents=False, changes=False))


def test_every_answer_stands_in_the_documents() -> None:
    """The paragraph of each question is in a document, none of which is too long."""
    material = made(TASK)
    whole = "\n\n".join(material.documents.values())
    assert all(each.context and each.context in whole for each in material.held_out)
    assert max(map(len, material.documents.values())) <= MOST_CHARACTERS


def test_facts_change_in_documents_and_answers() -> None:
    """About half of the answers change, by the same values, and the documents tell the new ones."""
    material = made(TASK)
    changed = material.changed
    assert changed is not None
    pairs = list(zip(material.held_out, changed.held_out, strict=True))
    assert [old.question for old, _ in pairs] == [new.question for _, new in pairs]
    assert changed.share == sum(old.answer != new.answer for old, new in pairs) / len(pairs)
    assert 0.2 < changed.share < 0.8
    whole = "\n\n".join(changed.documents.values())
    for old, new in pairs:
        assert new.context is not None
        assert new.context in whole
        assert new.answer in new.context
        if old.answer != new.answer:
            assert old.context not in whole.split("\n\n")


def test_a_number_is_followed_by_a_number() -> None:
    """Values change to values of their kind."""
    changed = made(TASK).changed
    assert changed is not None
    assert not any(each.answer.isdigit() for each in changed.held_out)


def test_drifted_questions_have_their_own_words() -> None:
    """They ask about other subjects, as later users would."""
    asked = [each for each in _items() if each.drifted]
    material = made(replace(TASK, drift="in other words", items=lambda: asked, training=30))
    assert len(material.drifted) == 20
    assert all(each.question.startswith("Name the head") for each in material.drifted)


def test_no_label_is_rare_or_crowds_out_the_others() -> None:
    """What is asked has labels that were learnt, and frequent ones are thinned out."""
    task = replace(TASK, items=_labels, output_form="LABEL", documents=False, changes=False)
    material = made(task)
    counts = Counter(each.answer for each in material.training)
    assert {each.answer for each in material.held_out} <= set(counts)
    assert counts["often"] < 0.9 * len(material.training)


def test_too_little_is_refused() -> None:
    """A task that another version of its origin cannot fill says what it lacks."""
    with pytest.raises(ValueError, match="training"):
        made(replace(TASK, training=500))
