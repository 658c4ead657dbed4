"""A task of the grid: how it is stated, and what it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from backends.base import Example

__all__ = ["Changed", "Item", "Material", "Task"]


@dataclass(frozen=True, slots=True)
class Item:
    """What can be asked, with its answer.

    Attributes:
        question: As it is asked.
        answer: The right answer.
        context: The paragraph that tells it; empty where none does.
        drifted: The same asked as later users would; empty where it is not.
        subject: What it is about: items of a subject are never on both sides. The question where empty.
        source: Document that the paragraph stands in; several paragraphs share one by chance where empty.
    """

    question: str
    answer: str
    context: str = ""
    drifted: str = ""
    subject: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """Documents in which facts have changed, and what is right since.

    Attributes:
        documents: Texts by their sources.
        held_out: The same questions as before, in the same order, with what is right now.
        share: Share of the questions whose right answer changed, 0 to 1.
    """

    documents: Mapping[str, str]
    held_out: tuple[Example, ...]
    share: float


@dataclass(frozen=True, slots=True)
class Material:
    """What a task is made of.

    Attributes:
        training: Examples to learn from.
        held_out: Questions of the same kind.
        drifted: Questions in other wording, or on another subject.
        documents: Texts by their sources.
        changed: The same after facts have changed; None where they do not.
    """

    training: tuple[Example, ...]
    held_out: tuple[Example, ...]
    drifted: tuple[Example, ...] = ()
    documents: Mapping[str, str] = field(default_factory=dict)
    changed: Changed | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The different answers to learn from."""
        return tuple(sorted({each.answer for each in self.training}))


@dataclass(frozen=True, slots=True)
class Task:
    """A task.

    Attributes:
        name: Of the task, and of the file of its result.
        description: What the use case wants of every answer: as good an instruction as one who knows would write.
        items: Reads what can be asked.
        origin: What it is read from, and who wrote that.
        licence: Under which terms.
        task: As `Facts.task` has it.
        output_form: As `Facts.output_form` has it.
        training: Most examples to learn from.
        documents: Whether there are documents: the paragraphs of items, and of others beside them.
        facts: Other facts that hold of it, as use-case files write them.
        other: Reads what is asked of another subject, once inputs have drifted.
        drift: How later inputs differ; empty where none are asked.
        held_out: Questions held out.
        drifted: Drifted questions.
        spare: Paragraphs in the documents that nothing is asked about.
        per_document: Paragraphs of a document.
        metric: Name of the metric that counts; chosen by the form where empty.
        hybrid: Whether HYBRID is measured.
        curve: Whether FINE_TUNING is measured on a quarter and on half of the examples.
        broken: Whether RAG is measured over documents that hold none of the answers.
        halved: Whether RAG is measured over half of the documents.
        changes: Whether RAG is measured over documents in which facts have changed.
        tuning: Fields of `TuningSettings`.
        packages: Debian's packages, or `pip:NAME`, that it is read from; none where what is installed carries it.
    """

    name: str
    description: str
    items: Callable[[], Iterable[Item]]
    origin: str
    licence: str
    task: str
    output_form: str
    training: int
    documents: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    other: Callable[[], Iterable[Item]] | None = None
    drift: str = ""
    held_out: int = 90
    drifted: int = 50
    spare: int = 100
    per_document: int = 6
    metric: str = ""
    hybrid: bool = False
    curve: bool = False
    broken: bool = False
    halved: bool = False
    changes: bool = False
    tuning: Mapping[str, Any] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
