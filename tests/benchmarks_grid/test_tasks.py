"""The definitions of the grid's tasks: well formed, and enough of them; some are really made from what is installed."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from advisor.knowledge.facts import facts_from_mapping
from advisor.metrics.choosing import METRICS
from advisor.profiling.leaks import leaks
from advisor.trials.arms import Arm
from backends.training.adapters import TuningSettings
from benchmarks.grid.making import LEAKING, MOST_CHARACTERS, made
from benchmarks.grid.results import stated
from benchmarks.grid.task import Material, Task
from benchmarks.grid.tasks import TASKS
from benchmarks.grid.variations import Variation, arms_of, cases_of, lender_of, trials_of

INSTALLED = ("sqlstate-codes", "postgres-groups", "errno-names", "file-records", "sql-features")
"""Tasks that need nothing but what `make` installs, and little time."""


def test_there_are_tasks_and_cases_enough() -> None:
    """At least 40 tasks and 120 cases, of every variation."""
    counts = Counter(itertools.chain.from_iterable(map(cases_of, TASKS.values())))
    assert len(TASKS) >= 40
    assert sum(counts.values()) >= 120
    assert set(counts) == set(Variation)
    assert min(counts.values()) >= 10


def test_tasks_differ_in_what_decides() -> None:
    """Forms, documents and numbers of examples vary; what costs most is done seldom."""
    tasks = TASKS.values()
    assert {each.output_form for each in tasks} == {"LABEL", "FREE_TEXT", "STRUCTURED"}
    assert min(each.training for each in tasks) == 8
    assert sum(each.training == 2000 for each in tasks) == max(each.training for each in tasks) / 2000 * 3
    assert 10 < sum(each.documents for each in tasks) < len(TASKS) - 10
    assert sum(each.hybrid for each in tasks) <= 15
    assert all(each.training <= 150 for each in tasks if each.hybrid or each.curve)


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_a_task_is_well_formed(task: Task) -> None:
    """What it asks of the runner can be done, and what it states are facts."""
    facts_from_mapping(stated(task, Material((), (), documents={"a.md": "a word"})) | {"label_count": 2})
    TuningSettings(**task.tuning)
    assert task.metric in ("", *METRICS)
    assert len(task.description.split()) >= 20
    assert all((task.origin, task.licence, task.facts.get("update_interval")))
    assert task.documents or not (task.broken or task.halved or task.changes or task.hybrid)
    assert bool(task.drift) or task.other is None
    assert 45 <= task.held_out <= 100
    assert task.training >= (32 if task.curve else 8)


def test_what_needs_documents_borrows_them_elsewhere() -> None:
    """Where search is broken, documents are of another origin."""
    for task in TASKS.values():
        if task.broken:
            assert lender_of(task, TASKS).documents
            assert lender_of(task, TASKS).origin != task.origin


def test_a_variation_runs_what_it_affects() -> None:
    """Other documents touch RAG alone; fewer examples touch what learns from them."""
    task = TASKS["postgres-reload"]
    assert arms_of(task, Variation.BROKEN) == (Arm.RAG,)
    assert Arm.RAG not in arms_of(task, Variation.QUARTER)
    assert Arm.ZERO_SHOT not in arms_of(task, Variation.QUARTER)
    assert {Arm.LOGISTIC_REGRESSION, Arm.NAIVE_BOTH, Arm.ZERO_SHOT} <= set(arms_of(task, Variation.MAIN))
    assert Variation.DRIFTED not in trials_of(task)
    assert all(Arm.HYBRID in arms_of(each, Variation.MAIN) for each in TASKS.values() if each.hybrid)


@pytest.mark.parametrize("name", INSTALLED)
def test_a_task_is_made(name: str) -> None:
    """Questions differ, none is nearly learnt, and answers are as declared."""
    task = TASKS[name]
    material = made(task)
    asked = [*material.held_out, *material.drifted]
    assert len({each.question for each in asked}) == len(asked)
    assert not leaks(material.training, asked, likeness=LEAKING)
    assert 0.8 * task.training <= len(material.training) <= task.training
    assert all(each.answer.strip() for each in (*asked, *material.training))
    if task.output_form == "LABEL":
        assert 2 <= len(material.labels) <= 100
        assert {each.answer for each in asked} <= set(material.labels)
    if task.documents:
        whole = "\n\n".join(material.documents.values())
        assert all(each.context and each.context in whole for each in asked)
        assert len(material.documents) <= 150
        assert max(map(len, material.documents.values())) <= MOST_CHARACTERS
    assert bool(material.changed) is task.changes


def test_making_is_deterministic() -> None:
    """The same twice, texts and order."""
    assert made(TASKS["sqlstate-codes"]) == made(TASKS["sqlstate-codes"])
