"""What the examples of a use case tell: facts, and what to mind of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from advisor.knowledge.measurement import Measurement
from advisor.profiling.contradictions import disagreements
from advisor.profiling.first_look import contexts_of, labels_of, lengths_of
from advisor.profiling.forms import form_of, task_of
from advisor.profiling.groups import Embed, groups
from advisor.profiling.measured import Profile, agreeing, share_of
from advisor.profiling.overlap import FEWEST_CHARACTERS, standing_in
from advisor.profiling.personal_data import personal_data_of
from advisor.profiling.wording import plain
from backends.base import Example
from backends.counts import counted

__all__ = ["profile_examples"]


def profile_examples(
    examples: Sequence[Example],
    *,
    count_tokens: Callable[[str], int],
    embed: Embed | None = None,
    passages: Iterable[str] | None = None,
    grouped: Sequence[int] | None = None,
) -> Profile:
    """Return what examples tell of a use case; an empty profile where there are none.

    Args:
        examples: Questions with their right answers.
        count_tokens: Returns the tokens of a text.
        embed: An embedder, to find questions in other words as well.
        passages: The documents, in pieces, to look for the answers in.
        grouped: What `advisor.profiling.groups.groups` returned for these examples, where that was asked already.
    """
    if not examples:
        return Profile()
    numbers = groups(examples, embed=embed) if grouped is None else grouped
    form = form_of([each.answer for each in examples])
    form_told = form.value if isinstance(form.value, str) else None
    found = [
        *_numbers(examples, numbers),
        task_of(examples, form_told),
        form,
        *(labels_of(examples) if form_told == "LABEL" else ()),
        *lengths_of(examples, count_tokens),
        *contexts_of(examples),
        *_disagreements(examples, numbers, form_told),
    ]
    if passages is not None and form_told != "LABEL":
        found.extend(_in_documents(examples, passages))
    return Profile((*found, *_personal_data(examples)))


def _numbers(examples: Sequence[Example], numbers: Sequence[int]) -> Iterator[Measurement]:
    """Yield how many there are, and how many of them are the same."""
    count = len(examples)
    first: dict[tuple[str, ...], int] = {}
    copies = []
    for place, each in enumerate(examples):
        key = (plain(each.question), plain(each.answer), plain(each.context or ""))
        if first.setdefault(key, place) != place:
            copies.append(place)
    yield Measurement("labelled_examples", count - len(copies), "counted, each once", count)
    yield Measurement(
        "exact_duplicates",
        len(copies),
        "question, answer and context are the same but for case, spaces and signs",
        count,
        warning=f"{agreeing(len(copies), 'example', 'repeat')} others: nothing is learned from a copy."
        if copies
        else "",
        concerned=tuple(copies),
    )
    near = _repeating(numbers, set(copies))
    left = f"that leaves {counted(len(set(numbers)), 'question')}"
    yield Measurement(
        "near_duplicates",
        len(near),
        "the question is that of another in other words, spelling or order",
        count,
        warning=f"{agreeing(len(near), 'example', 'ask')} what another one asks: {left}." if near else "",
        concerned=near,
    )


def _repeating(numbers: Sequence[int], copies: set[int]) -> tuple[int, ...]:
    """Return the places of those whose group has begun before them, but copies."""
    seen: set[int] = set()
    near = []
    for place, number in enumerate(numbers):
        if place not in copies and number in seen:
            near.append(place)
        seen.add(number)
    return tuple(near)


def _disagreements(
    examples: Sequence[Example], numbers: Sequence[int], form: str | None
) -> Iterator[Measurement]:
    found = disagreements(examples, numbers, form)
    contrary = [each.examples for each in found if each.is_contradiction]
    yield Measurement(
        "contradictions",
        len(contrary),
        "questions with answers that cannot all be right",
        len(examples),
        warning=f"{agreeing(len(contrary), 'question', 'have')} contradictory answers: no model learns both, and "
        "either is measured as wrong. Look at them first."
        if contrary
        else "",
        concerned=tuple(sorted(place for places in contrary for place in places)),
    )
    several = [each.examples for each in found if not each.is_contradiction]
    yield Measurement(
        "several_answers",
        len(several),
        "questions with several answers that may say the same",
        len(examples),
        warning=f"{agreeing(len(several), 'question', 'have')} several answers: a metric that compares words "
        "takes all but one for wrong."
        if several
        else "",
        concerned=tuple(sorted(place for places in several for place in places)),
    )


def _in_documents(examples: Sequence[Example], passages: Iterable[str]) -> Iterator[Measurement]:
    """Yield the share of the answers that documents hold."""
    found = standing_in([each.answer for each in examples], passages)
    told = [each for each in found if each is not None]
    if told:
        method = f"answers of {FEWEST_CHARACTERS} letters and more that stand word for word in the documents"
        share = share_of("answers_in_documents", sum(told), len(told), method)
        yield replace(share, concerned=tuple(place for place, each in enumerate(found) if each is False))


def _personal_data(examples: Sequence[Example]) -> Iterator[Measurement]:
    texts = (f"{each.question}\n{each.answer}\n{each.context or ''}" for each in examples)
    for each in personal_data_of(texts):
        what = f"{each.kind.value}, {counted(each.count, 'time')}"
        yield Measurement(
            each.name,
            each.count,
            f"by its form: {each.kind.value}",
            len(examples),
            warning=f"{agreeing(len(each.texts), 'example', 'seem')} to hold personal data ({what}): what a model "
            "has learned cannot be erased from it, so must_forget may apply.",
            concerned=each.texts,
        )
