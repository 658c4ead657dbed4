"""What a server measured: a case, as a worker keeps it when a trial ends."""

from __future__ import annotations

import uuid

from advisor.storage import measured_cases, trials
from advisor.storage.database import Database
from advisor.trials.arms import Arm
from advisor.trials.conditions import Conditions
from advisor.trials.measured import MeasuredCase
from advisor.trials.results import Figure, Prediction

__all__ = ["CASE", "figure", "keep_case"]

CONDITIONS = Conditions(
    "FREE_TEXT", "holds", (), 16, 0.0, 0, 9, {}, {}, Prediction(None, {}, {}), "echo", "words", ()
)


def figure(value: float) -> Figure:
    return Figure(value, value - 10, value + 10, 100)


CASE = MeasuredCase(
    facts={"task": "QUESTION_ANSWERING"},
    found={"closed_book_score": Figure(0.2, 0.1, 0.3, 100)},
    metric="holds",
    form="FREE_TEXT",
    scores={"PROMPTING": figure(40), "RAG": figure(60)},
    arms={"PROMPTING": Arm.FEW_SHOT, "RAG": Arm.RAG},
    advice="RAG",
    probabilities={"PROMPTING": 0.2, "RAG": 0.7, "FINE_TUNING": 0.1, "HYBRID": 0.0},
    regret=Figure(0, -2, 2, 100),
    verdict="RAG",
    versions={"model": "echo"},
)
"""Advice for RAG, which a trial bore out."""


def keep_case(
    database: Database, use_case_id: str = "faq", trial_id: str = "one", case: MeasuredCase = CASE
) -> None:
    """Do what a worker does when a trial of a use case ends."""
    trial = (use_case_id, trial_id)
    with database.transaction() as connection:
        trials.begin(connection, trial, str(uuid.uuid4()), CONDITIONS.to_json(), held_out=[], training=[])
        measured_cases.add(connection, trial, case.to_json())
