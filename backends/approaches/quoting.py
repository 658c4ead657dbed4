"""Answers that are quoted: the statement of the passages that answers a question best, word for word.

A small model that writes takes numbers from the wrong place and repeats itself.
On 207 questions on ten manuals the default model, 135M parameters, was right
24 times by a usual prompt over three passages; the best statement of the best
two, quoted, 143 times (docs/retrieval.md). So small models do not write where
passages are at hand, unless they were trained on them or a form is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from backends.approaches.statements import nearest_statement, statements_of
from backends.base import Answer, Citation, FinishReason, GenerationOptions, Generator, Hit
from backends.retrieval.embedding import Embedder

__all__ = ["QUOTED_NOTE", "Quoting", "quotes"]

_SMALL = 1_000_000_000
"""Parameters below which a model does not write from passages."""
_READ = 2
"""Passages that are read for the statement: the third misleads."""

QUOTED_NOTE = (
    "The answer is quoted from the documents: a model this small answers less reliably in its own words"
)


def quotes(generator: Generator, adapter: Path | None) -> bool:
    """Return whether answers are quoted rather than written: by small models without an adapter."""
    return adapter is None and generator.parameters is not None and generator.parameters < _SMALL


class Quoting:
    """Answers by quoting.

    Args:
        embedder: Tells how near statements are to a question.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def answer(self, question: str, hits: Sequence[Hit], options: GenerationOptions, model: str) -> Answer:
        """Return the best statement with the mark of its passage, cut where the options allow fewer words."""
        read = hits[:_READ]
        statements = list(statements_of([hit.passage for hit in read]))
        best = nearest_statement(question, statements, read, self._embedder)
        if best is None:  # passages hold letters, and so statements; of signs alone there is nothing to quote
            return Answer("", FinishReason.STOP, 0, 0, model)
        words = best.whole.split(" ")
        cut = len(words) > options.max_output_tokens
        text, citation = _marked(" ".join(words[: options.max_output_tokens]), best.number)
        reason = FinishReason.LENGTH if cut else FinishReason.STOP
        return Answer(text, reason, 0, 0, model, citations=(citation,), notes=(QUOTED_NOTE,))


def _marked(text: str, number: int) -> tuple[str, Citation]:
    """Return a sentence with the mark of its passage, before the punctuation that ends it."""
    ending = re.search(r"[.!?]*$", text)
    end = ending.start() if ending else len(text)
    mark = f"[{number}]"
    before = f"{text[:end]} "
    start = len(before.encode())
    return f"{before}{mark}{text[end:]}", Citation(number, start, start + len(mark.encode()))
