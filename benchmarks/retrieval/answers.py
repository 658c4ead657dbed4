"""Answers of a way: by a usual prompt over what the plain pipeline found, or by this project's RAG."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any
from unittest import mock

from backends.approaches import quoting
from backends.approaches.rag import RagBackend
from backends.base import FinishReason, GenerationOptions, Generator, Hit, Message, References
from backends.generation.engine import TOGETHER
from backends.prompts import PROMPT_FORM
from backends.retrieval.embedding import Embedder
from benchmarks.retrieval import ours
from benchmarks.retrieval.questions import Question
from benchmarks.retrieval.ways import Found

__all__ = ["Answered", "ours_answers", "plain_answers", "written_answers"]

OPTIONS = GenerationOptions(max_output_tokens=64)
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer without its marks, whether it says that there is none, and the passages that it cites."""

    text: str
    abstained: bool = False
    cited: tuple[Found, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the answer as a record."""
        return asdict(self)


def plain_answers(
    questions: Sequence[Question], found: Sequence[Sequence[Found]], generator: Generator
) -> list[Answered]:
    """Answer from the first passages found, by the prompt of Haystack's tutorials."""
    chats = []
    for question, hits in zip(questions, found, strict=True):
        documents = "\n".join(hit.text for hit in hits[:SHOWN])
        prompt = (
            "Given these documents, answer the question.\n\n"
            f"Documents:\n{documents}\n\nQuestion: {question.text}\nAnswer:"
        )
        chats.append((Message("user", prompt),))
    written = generator.generate_all(chats, options=OPTIONS, cancelled=lambda: False)
    return [Answered(each.text) for each in written]


def ours_answers(
    corpus: str, folder: Path, questions: Sequence[Question], embedder: Embedder, generator: Generator
) -> list[Answered]:
    """Answer as the server does."""
    with ours.opened(embedder) as pool:
        ours.index(pool, corpus, folder, embedder)
        backend = RagBackend(pool, corpus, embedder, generator)
        return [_answered(backend, each.text, OPTIONS) for each in questions]


def written_answers(
    corpus: str, folder: Path, questions: Sequence[Question], embedder: Embedder, generator: Generator
) -> dict[str, list[Answered]]:
    """Answer as the server would if small models wrote: by each form of the prompt, over one to three passages."""
    with (
        ours.opened(embedder) as pool,
        mock.patch.object(quoting, "_SMALL", 0),
        ThreadPoolExecutor(TOGETHER) as threads,
    ):
        ours.index(pool, corpus, folder, embedder)
        answers = {}
        for form, passages in product((1, PROMPT_FORM), (1, 2, 3)):
            backend = RagBackend(pool, corpus, embedder, generator, prompt_form=form)
            ask = partial(_answered, backend, options=replace(OPTIONS, passages=passages))
            answers[f"form {form}, {passages} shown"] = list(
                threads.map(ask, [each.text for each in questions])
            )
        return answers


def _answered(backend: RagBackend, question: str, options: GenerationOptions) -> Answered:
    shown: list[Hit] = []

    def emit(event: object) -> None:
        if isinstance(event, References):
            shown.extend(event.hits)

    answer = backend.answer(question, options=options, emit=emit, cancelled=lambda: False)
    passages = [shown[number - 1].passage for number in sorted({each.number for each in answer.citations})]
    return Answered(
        re.sub(r"\s*\[\d+\]", "", answer.text),
        answer.finish_reason is FinishReason.NO_EVIDENCE,
        tuple(Found(each.source, f"{each.heading}\n{each.text}") for each in passages),
    )
