"""Answers that are quoted: the statement of the passages that answers a question best, word for word.

A small model that writes takes numbers from the wrong place and repeats itself.
On 207 questions on ten manuals the default model, 135M parameters, was right
24 times by a usual prompt over three passages; the best statement of the best
two, quoted, 143 times (docs/retrieval.md). So small models do not write where
passages are at hand, unless they were trained on them or a form is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from backends.approaches.evidence import READ
from backends.approaches.statements import Statement, answering, nearest_statement
from backends.base import Answer, Citation, FinishReason, GenerationOptions, Generator, Hit

__all__ = ["QUOTED_NOTE", "quoted", "quotes"]

_SMALL = 1_000_000_000
"""Parameters below which a model does not write from passages."""

QUOTED_NOTE = (
    "The answer is quoted from the documents: a model this small answers less reliably in its own words"
)


def quotes(generator: Generator, adapter: Path | None) -> bool:
    """Return whether answers are quoted rather than written: by small models without an adapter."""
    return adapter is None and generator.parameters is not None and generator.parameters < _SMALL


def quoted(
    question: str,
    hits: Sequence[Hit],
    near: Mapping[Statement, float],
    options: GenerationOptions,
    model: str,
) -> Answer:
    """Return the best statement with the mark of its passage, cut where the options allow fewer words.

    Args:
        question: The question.
        hits: What is shown of what was found.
        near: How near statements of it are to the question, as `evidence_for` returns them.
        options: How long the answer may be.
        model: The model's name.
    """
    read = {each: nearness for each, nearness in near.items() if each.number <= min(READ, len(hits))}
    best = nearest_statement(question, read, hits)
    if best is None:  # passages hold letters, and so statements; of signs alone there is nothing to quote
        return Answer("", FinishReason.STOP, 0, 0, model)
    words = answering(question, best).split(" ")
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
