"""Which examples a prompt shows: as many different answers as there are, or those nearest to the question."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, zip_longest

from backends.base import Example
from backends.retrieval.embedding import Embedder

__all__ = ["NearestExamples", "choose_examples"]


def choose_examples(examples: Sequence[Example], limit: int) -> tuple[Example, ...]:
    """Return at most so many examples, of as many different answers as there are.

    A small model repeats the answers that it is shown: each is shown once
    before any is shown twice. The order is that of the examples.
    """
    by_answer: dict[str, list[int]] = {}
    for index, example in enumerate(examples):
        by_answer.setdefault(example.answer.strip(), []).append(index)
    rounds = chain.from_iterable(zip_longest(*by_answer.values()))
    chosen = [index for index in rounds if index is not None][:limit]
    return tuple(examples[index] for index in sorted(chosen))


class NearestExamples:
    """Examples by the meaning of their questions. Safe to call from several threads.

    With many labels, examples chosen for each question beat fine-tuning in published comparisons
    (arXiv:2405.00200): a model follows what stands last, so the nearest comes last.

    Args:
        examples: Questions with their right answers.
        embedder: Embeds the questions, once.
    """

    def __init__(self, examples: Sequence[Example], embedder: Embedder) -> None:
        self._examples = tuple(examples)
        self._embedder = embedder
        self._rows = embedder.embed([example.question for example in examples])

    def __call__(self, question: str, limit: int) -> tuple[Example, ...]:
        """Return at most so many examples, the nearest last."""
        likeness = self._rows @ self._embedder.embed([question])[0]
        order = (-likeness).argsort(kind="stable")[:limit]
        return tuple(self._examples[index] for index in reversed(order))
