"""Where a tuned model runs: what a rented GPU is rented for, and how that is told."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.decision.cost import estimate_cost
from advisor.decision.hosting import NOT_RENTED, PAID_BY_TOKEN, host
from advisor.decision.known import known_facts
from advisor.decision.prices import FIGURES
from advisor.decision.pricing import CENTRAL
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.facts import encode_facts, facts_from_mapping

DAY_AND_NIGHT = 365 * 24 / 12 * FIGURES["gpu_hour"].value
AN_HOUR_A_DAY = DAY_AND_NIGHT / 24
# A tuned model reads and writes 1,000 tokens: the quarter of the input that is instructions it needs no more.
TEXTS: dict[str, Any] = {
    "task": "EXTRACTION",
    "hosting": "RENTED_GPU",
    "context_tokens": 1_200,
    "output_tokens": 100,
}
HOURS_OF_A_MILLION_TEXTS = 1e9 / FIGURES["throughput"].value / 3_600


def notes(values: dict[str, Any], possible: tuple[Approach, ...] = APPROACHES) -> str:
    """Return what is said besides the costs."""
    return " ".join(estimate_cost(encode_facts(facts_from_mapping(values)), possible).notes)


def months(values: dict[str, Any]) -> dict[Approach, float]:
    """Return US dollars a month by approach."""
    found = estimate_cost(encode_facts(facts_from_mapping(values))).approaches
    return {each.approach: each.per_month_usd for each in found}


def machine(values: dict[str, Any]) -> float:
    """Return US dollars a month for machines, however few the queries."""
    return float(host(known_facts(encode_facts(facts_from_mapping(values))), CENTRAL).machine)


@pytest.mark.parametrize(
    ("values", "usd"),
    [
        ({}, DAY_AND_NIGHT),
        ({"task": "QUESTION_ANSWERING"}, DAY_AND_NIGHT),
        ({"task": "DIALOGUE"}, DAY_AND_NIGHT),
        ({"task": "CODE"}, DAY_AND_NIGHT),
        ({"task": "CLASSIFICATION"}, AN_HOUR_A_DAY),
        ({"task": "EXTRACTION"}, AN_HOUR_A_DAY),
        ({"task": "GENERATION"}, AN_HOUR_A_DAY),
        ({"task": "SUMMARIZATION"}, AN_HOUR_A_DAY),
        ({"task": "GENERATION", "latency_budget": "2s"}, DAY_AND_NIGHT),
        ({"task": "GENERATION", "latency_budget": "10m"}, DAY_AND_NIGHT),
        ({"task": "DIALOGUE", "latency_budget": "11m"}, AN_HOUR_A_DAY),
        ({"task": "GENERATION", "model_parameters": 66_000_000_000}, 2 * AN_HOUR_A_DAY),
    ],
)
def test_a_gpu_is_rented_day_and_night_where_answers_are_awaited(values: dict[str, Any], usd: float) -> None:
    """A stated time decides, else the task does, and what is unknown is held to be awaited."""
    assert machine({**values, "hosting": "RENTED_GPU"}) == pytest.approx(usd)


def test_what_is_not_rented_is_priced_whoever_waits() -> None:
    """A service is paid by the token, and a machine of one's own stands there in any case."""
    assert machine({"hosting": "SERVERLESS_ADAPTER"}) == PAID_BY_TOKEN
    for latency in ("1s", "1d"):
        assert machine({"hosting": "OWN_MACHINE", "latency_budget": latency}) == FIGURES["machine"].value
    known = known_facts(encode_facts(facts_from_mapping({"hosting": "OWN_MACHINE"})))
    assert host(known, CENTRAL).tokens == NOT_RENTED


def test_batches_cost_the_hours_that_their_tokens_take() -> None:
    """Above an hour a day, twice the queries cost twice the hours, and a model of twice the size does."""
    many = {**TEXTS, "queries_per_month": 4_000_000, "input_price": 1.0, "output_price": 4.0}
    none = months({**many, "queries_per_month": 0})[Approach.FINE_TUNING]
    usd = 4 * HOURS_OF_A_MILLION_TEXTS * FIGURES["gpu_hour"].value
    assert months(many)[Approach.FINE_TUNING] - none == pytest.approx(usd - AN_HOUR_A_DAY)
    twice = months({**many, "queries_per_month": 8_000_000})[Approach.FINE_TUNING]
    assert twice - none == pytest.approx(2 * usd - AN_HOUR_A_DAY)
    priced = {**many, "training_price": 1.0}
    sizes = [
        months({**priced, "model_parameters": size})[Approach.FINE_TUNING] for size in (8 * 10**9, 16 * 10**9)
    ]
    assert sizes[1] - sizes[0] == pytest.approx(usd)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"hosting": "RENTED_GPU", "latency_budget": "2s"},
            "A rented GPU is priced day and night, since an answer is due within 2 seconds.",
        ),
        (
            {"hosting": "RENTED_GPU", "task": "DIALOGUE"},
            "A rented GPU is priced day and night, since nothing says that answers may wait.",
        ),
        (
            {"hosting": "RENTED_GPU", "model_parameters": 70_000_000_000},
            "Rented GPUs are priced day and night, since nothing says that answers may wait.",
        ),
        (
            {**TEXTS, "queries_per_month": 8_000},
            "A rented GPU is priced for an hour a day, in batches, which is all that the queries need.",
        ),
        (
            {**TEXTS, "queries_per_month": 2_000_000, "corpus_tokens": 0},
            "A rented GPU is priced for the 56 hours a month that the queries need, in batches.",
        ),
        (
            {**TEXTS, "queries_per_month": 2_000_000},
            "the hours a month that the queries need, in batches: 56 for FINE_TUNING and 97 for HYBRID.",
        ),
        (
            {**TEXTS, "queries_per_month": 50_000_000},
            "Rented GPUs are priced day and night, as many as the queries need.",
        ),
        (
            {**TEXTS, "queries_per_month": 8_000_000, "input_price": 0.02, "output_price": 0.02},
            "in batches, at what a service asks for as many tokens, which is less than the hours cost.",
        ),
        (
            {"hosting": "OWN_MACHINE"},
            "A tuned model is taken to run on one machine of your own, paid by you; what is prompted",
        ),
        (
            {"hosting": "OWN_MACHINE", "model_parameters": 70_000_000_000},
            "A tuned model is taken to run on 3 machines of your own, paid by you; what is prompted",
        ),
    ],
)
def test_what_was_priced_is_said(values: dict[str, Any], said: str) -> None:
    """Who reads a month of a machine is told how long it runs, why, and who pays it."""
    assert said in notes(values)
    assert said in estimate_cost(encode_facts(facts_from_mapping(values))).summary


@pytest.mark.parametrize("values", [{}, {"hosting": "SERVERLESS_ADAPTER"}, {"hosting": "RENTED_GPU"}])
def test_machines_that_nothing_is_priced_on_are_not_mentioned(values: dict[str, Any]) -> None:
    """Nobody who prompts or retrieves, or pays by the token, rents one."""
    untrained = (Approach.PROMPTING, Approach.RAG)
    told = notes(values, untrained if values.get("hosting") == "RENTED_GPU" else APPROACHES)
    assert "priced" not in told
