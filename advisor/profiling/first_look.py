"""What a first look at examples tells, within moments and without a model: form, task, labels, lengths, contexts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from advisor.knowledge.inventory import BYTES_PER_TOKEN
from advisor.knowledge.measurement import Measurement
from advisor.profiling.forms import form_of, label_of, task_of
from advisor.profiling.measured import Profile, agreeing, mean_of, share_of, spread
from backends.base import Example
from backends.counts import counted

__all__ = ["contexts_of", "first_look", "labels_of", "lengths_of"]

_MOST_COUNTED = 1_000
"""Examples whose tokens are counted."""
_FEW, _FEWEST = 5, 2
"""Examples of a label, below which it is hardly learned, and cannot be both trained and measured on."""
_LARGE_SHARE = 0.5
"""Of all examples; a label with more makes a model look good that always answers it."""
_MIXED = (0.05, 0.95)
"""Share with a context, between which some have one and others lack it."""


def first_look(examples: Sequence[Example]) -> Profile:
    """Return what is told by a look at the examples; an empty profile where there are none.

    Tokens are taken to have four bytes, as no model's vocabulary is at hand.

    Args:
        examples: Questions with their right answers.
    """
    if not examples:
        return Profile()
    form = form_of([each.answer for each in examples])
    form_told = form.value if isinstance(form.value, str) else None
    lengths = (
        replace(each, method=f"{each.method}, at {BYTES_PER_TOKEN} bytes a token")
        for each in lengths_of(examples, _about)
    )
    return Profile(
        (
            task_of(examples, form_told),
            form,
            *(labels_of(examples) if form_told == "LABEL" else ()),
            *lengths,
            *contexts_of(examples),
        )
    )


def _about(text: str) -> int:
    return -(-len(text.encode(errors="surrogatepass")) // BYTES_PER_TOKEN)


def labels_of(examples: Sequence[Example]) -> Iterator[Measurement]:
    """Yield how many labels there are, and how they are balanced."""
    labels = [label_of(each.answer) for each in examples]
    counts = Counter(labels)
    largest, number = min(counts.items(), key=lambda each: (-each[1], each[0]))
    yield Measurement("label_count", len(counts), "different answers, without regard to case", len(labels))
    share = share_of("largest_label_share", number, len(labels), "the label that most examples have")
    large = f"{share.value:.0%} of the examples have one label: a model that always answers it looks good."
    is_large = number > _LARGE_SHARE * len(labels) and number * len(counts) > 1.5 * len(labels)
    concerned = tuple(place for place, label in enumerate(labels) if label == largest)
    yield replace(share, warning=large if is_large else "", concerned=concerned)
    for name, least, consequence in (
        ("single_labels", _FEWEST, "such a label cannot be both learned and measured"),
        ("rare_labels", _FEW, "such a label is hardly learned"),
    ):
        rare = {label for label, count in counts.items() if count < least}
        few = f"{agreeing(len(rare), 'label', 'have')} fewer than {counted(least, 'example')}: {consequence}."
        yield Measurement(
            name,
            len(rare),
            f"labels with fewer than {counted(least, 'example')}",
            len(labels),
            warning=few if rare else "",
            concerned=tuple(place for place, label in enumerate(labels) if label in rare),
        )


def lengths_of(examples: Sequence[Example], count_tokens: Callable[[str], int]) -> Iterator[Measurement]:
    """Yield how long questions, answers and contexts are."""
    read = spread(examples, _MOST_COUNTED)
    questions = [count_tokens(each.question) for each in read]
    answers = [count_tokens(each.answer) for each in read]
    contexts = [count_tokens(each.context) for each in read if each.context]
    of_all = len(examples)
    yield mean_of(
        "context_tokens", questions, "mean of the questions, instructions left aside", of_all=of_all
    )
    yield mean_of("output_tokens", answers, "mean of the answers", of_all=of_all)
    if contexts:
        having = sum(bool(each.context) for each in examples)
        yield mean_of("passage_tokens", contexts, "mean of the contexts", of_all=having)
    longest = max(map(sum, zip(questions, answers, strict=True)))
    of_read = "" if len(read) == of_all else f", of a sample of {len(read):,}"
    yield Measurement("longest_example_tokens", longest, f"question and answer together{of_read}", len(read))


def contexts_of(examples: Sequence[Example]) -> Iterator[Measurement]:
    """Yield whether examples come with what their answers rest on."""
    lacking = tuple(place for place, each in enumerate(examples) if not (each.context or "").strip())
    number, count = len(examples) - len(lacking), len(examples)
    method = f"{number:,} of {counted(count, 'example')} have a context"
    yield Measurement("examples_include_context", 2 * number >= count, method, count)
    mixed = _MIXED[0] < number / count < _MIXED[1]
    warning = (
        f"Of {counted(count, 'example')}, {len(lacking):,} come without the context that the others have."
    )
    share = share_of("context_share", number, count, "examples with a context", warning if mixed else "")
    yield replace(share, concerned=lacking if mixed else ())
