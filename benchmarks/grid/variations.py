"""Which cases a task yields, and what is run for each: what a variation affects; the rest it takes as measured."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from advisor.trials.arms import Arm
from backends.base import Example
from benchmarks.grid.making import hashed
from benchmarks.grid.task import Material, Task

__all__ = ["LEAST_LEARNT", "Trial", "Variation", "arms_of", "cases_of", "lender_of", "trial_of", "trials_of"]

LEAST_LEARNT = 8
"""Examples that a trial needs to learn from."""


class Variation(StrEnum):
    """A condition that a task is measured under.

    MAIN as it is; DRIFTED asks the drifted questions, in the same trial. BROKEN searches documents that hold none of
    the answers, HALVED half of the documents, CHANGED documents in which half of the facts are others: there, what
    learned or was indexed before gives the old answers. QUARTER and HALF learn from fewer examples.
    """

    MAIN = "main"
    DRIFTED = "drifted"
    BROKEN = "broken"
    HALVED = "halved"
    CHANGED = "changed"
    QUARTER = "quarter"
    HALF = "half"

    @property
    def share(self) -> int:
        """By how much the examples to learn from are divided."""
        return {Variation.QUARTER: 4, Variation.HALF: 2}.get(self, 1)


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial.

    Attributes:
        variation: What it is run for.
        arms: What is compared.
        material: What use case and questions are made of.
    """

    variation: Variation
    arms: tuple[Arm, ...]
    material: Material

    @property
    def asked(self) -> tuple[Example, ...]:
        """All questions, those that drifted behind the others."""
        return (*self.material.held_out, *self.material.drifted)


def cases_of(task: Task) -> tuple[Variation, ...]:
    """Return the variations that become cases."""
    found = [Variation.MAIN]
    found += [Variation.DRIFTED] if task.drift else []
    found += [Variation.BROKEN] if task.broken else []
    found += [Variation.HALVED] if task.halved else []
    found += [Variation.CHANGED] if task.changes else []
    found += [Variation.QUARTER, Variation.HALF] if task.curve else []
    return tuple(found)


def trials_of(task: Task) -> tuple[Variation, ...]:
    """Return the variations that a trial is run for."""
    return tuple(each for each in cases_of(task) if each is not Variation.DRIFTED)


def arms_of(task: Task, variation: Variation) -> tuple[Arm, ...]:
    """Return the arms that a variation runs."""
    if variation in (Variation.BROKEN, Variation.HALVED, Variation.CHANGED):
        return (Arm.RAG,)
    if variation.share > 1:
        return (Arm.FEW_SHOT, Arm.NEAREST_SHOTS, Arm.FINE_TUNING)
    found = [Arm.ZERO_SHOT, Arm.FEW_SHOT, Arm.NEAREST_SHOTS, Arm.FINE_TUNING]
    found += [Arm.DOCUMENTS_IN_PROMPT, Arm.RAG, Arm.NAIVE_BOTH] if task.documents else []
    found += [Arm.HYBRID] if task.hybrid else []
    found += [Arm.NEAREST_NEIGHBOURS, Arm.LOGISTIC_REGRESSION] if task.output_form == "LABEL" else []
    return tuple(found)


def lender_of(task: Task, tasks: Mapping[str, Task]) -> Task:
    """Return the task whose documents a task searches when its search is broken: the next, of another origin."""
    names = [name for name, each in tasks.items() if each.documents]
    start = names.index(task.name)
    following = (tasks[name] for name in (*names[start + 1 :], *names[:start]))
    return next(each for each in following if each.origin != task.origin)


def trial_of(task: Task, variation: Variation, material: Material, borrowed: Mapping[str, str]) -> Trial:
    """Return what is run for a variation.

    Args:
        task: The task.
        variation: One of `trials_of`.
        material: What the task is made of.
        borrowed: Documents of another task, for BROKEN.
    """
    return Trial(variation, arms_of(task, variation), _varied(variation, material, borrowed))


def _varied(variation: Variation, whole: Material, borrowed: Mapping[str, str]) -> Material:
    if variation is Variation.MAIN:
        return whole
    material = replace(whole, drifted=())
    if variation is Variation.BROKEN:
        return replace(material, documents=dict(_silent(borrowed, material)))
    if variation is Variation.HALVED:
        kept = sorted(material.documents, key=hashed)[: max(1, len(material.documents) // 2)]
        return replace(material, documents={name: material.documents[name] for name in sorted(kept)})
    if variation is Variation.CHANGED:
        if material.changed is None:
            raise ValueError("the task's documents do not change")
        return replace(material, documents=material.changed.documents, held_out=material.changed.held_out)
    count = max(LEAST_LEARNT, len(material.training) // variation.share)
    return replace(material, training=material.training[:count], documents={})


def _silent(documents: Mapping[str, str], material: Material) -> Iterator[tuple[str, str]]:
    """Yield documents without the paragraphs that hold an answer to one of the questions."""
    answers = {each.answer for each in (*material.held_out, *material.drifted) if len(each.answer) > 2}
    holding = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(answers)))})(?!\w)", re.IGNORECASE)
    for source, text in documents.items():
        kept = [part for part in text.split("\n\n") if not holding.search(part)]
        if kept:
            yield source, "\n\n".join(kept)
