"""Pricing: the same formulas for one use case and for many, and what no change of a fact may do to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.decision.cost import estimate_cost
from advisor.decision.known import Known
from advisor.decision.prices import FIGURES
from advisor.decision.pricing import monthly_usd
from advisor.knowledge.approaches import Approach
from advisor.knowledge.arrays import Floats
from advisor.knowledge.facts import encode_facts, fact, fact_index, facts, facts_from_mapping

PROMPTING, RAG, FINE_TUNING, HYBRID = (each.place for each in Approach)
PRICES = ("input_price", "output_price", "cached_input_price", "tuned_input_price", "tuned_output_price")
PROPERTY = settings(max_examples=50, deadline=None)


def rows(count: int, known: float, *, seed: int = 0) -> Floats:
    """Return random use cases, shape (facts, count), each fact known with a probability."""
    generator = np.random.default_rng(seed)
    columns = np.full((len(facts()), count), np.nan)
    for place, item in enumerate(facts()):
        if item.kind == "choice":
            drawn = generator.integers(1, len(item.choices) + 1, count).astype(np.float64)
        elif item.kind == "flag":
            drawn = generator.integers(0, 2, count).astype(np.float64)
        elif item.logarithmic:
            low, high = item.usual
            drawn = low * (high / low) ** generator.random(count)
        else:
            drawn = item.minimum + (item.maximum - item.minimum) * generator.random(count)
        columns[place] = np.where(generator.random(count) < known, drawn, np.nan)
    return columns


def changed(columns: Floats, **values: Any) -> Floats:
    """Return use cases with other values of some facts."""
    others = columns.copy()
    for name, value in values.items():
        others[fact_index()[name]] = value
    return others


def row_of(**values: Any) -> Floats:
    return encode_facts(facts_from_mapping(values))[:, None]


# A corpus that does not fit into a prompt, and the same prices for every model.
ALIKE: dict[str, Any] = {"corpus_tokens": 1e6, "tuned_input_price": np.nan, "tuned_output_price": np.nan}


@pytest.mark.parametrize("known", [0.0, 0.3, 0.7, 1.0])
def test_many_rows_cost_what_each_costs_by_itself(known: float) -> None:
    """Arrays and floats go through one set of formulas, and the estimate tells the same months."""
    columns = rows(700, known)
    whole = monthly_usd(columns)
    assert whole.shape == (4, 700)
    alone = np.concatenate([monthly_usd(columns[:, place : place + 1]) for place in range(700)], axis=1)
    estimated = [
        [each.per_month_usd for each in estimate_cost(columns[:, place]).approaches] for place in range(700)
    ]
    np.testing.assert_allclose(alone, whole, rtol=1e-12)
    np.testing.assert_allclose(np.array(estimated).T, whole, rtol=1e-12)


def test_a_fact_known_throughout_costs_what_one_known_in_part_does() -> None:
    """How much is known beside a use case changes nothing about it."""
    columns = rows(400, 0.6)
    again = monthly_usd(columns[:, :1].repeat(50, axis=1))
    np.testing.assert_allclose(again, monthly_usd(columns)[:, :1].repeat(50, axis=1), rtol=1e-12)


@PROPERTY
@given(st.floats(0, 1), st.integers(0, 1000))
def test_costs_are_finite_and_evaluation_is_never_free(known: float, seed: int) -> None:
    """No month is infinite, and none costs less than its evaluations."""
    costs = monthly_usd(rows(50, known, seed=seed))
    assert np.isfinite(costs).all()
    assert (costs >= FIGURES["evaluations"].value / 12 * FIGURES["evaluation"].value * (1 - 1e-12)).all()


@PROPERTY
@given(st.integers(0, 1000), st.floats(1, 1e4))
def test_retrieval_costs_no_less_than_the_prompt_it_contains(seed: int, times: float) -> None:
    """Only where the prompt carries all documents may passages be cheaper."""
    columns = changed(rows(50, 0.7, seed=seed), corpus_tokens=1e5 + times)
    costs = monthly_usd(columns)
    assert (costs[RAG] >= costs[PROMPTING]).all()


@PROPERTY
@given(st.integers(0, 1000), st.floats(1, 1e6))
def test_more_queries_never_favour_retrieval_over_a_tuned_model(seed: int, times: float) -> None:
    """At equal prices RAG loses ground in dollars; as a ratio too, where its fixed costs are no larger."""
    columns = changed(rows(50, 0.7, seed=seed), **ALIKE)
    queries = np.where(
        np.isnan(columns[fact_index()["queries_per_month"]]), 1e4, columns[fact_index()["queries_per_month"]]
    )
    few, many = (monthly_usd(changed(columns, queries_per_month=each)) for each in (queries, times * queries))
    lead_few, lead_many = (costs[RAG] - costs[FINE_TUNING] for costs in (few, many))
    assert (lead_many >= lead_few - 1e-9 * few[RAG]).all()
    fixed = monthly_usd(changed(columns, queries_per_month=0, hosting=1.0))
    lighter = fixed[RAG] <= fixed[FINE_TUNING] - FIGURES["adapter"].value
    ratio_few, ratio_many = (costs[RAG] / costs[FINE_TUNING] for costs in (few, many))
    assert (ratio_many >= ratio_few * (1 - 1e-9))[lighter].all()


@PROPERTY
@given(st.integers(0, 1000), st.floats(1, 1e3))
def test_dearer_input_never_favours_retrieval_over_the_prompt_it_contains(seed: int, times: float) -> None:
    """Passages are input, so what they cost on top of the prompt grows with its price."""
    columns = changed(rows(50, 0.7, seed=seed), corpus_tokens=1e6, cached_input_price=np.nan)
    price = np.where(
        np.isnan(columns[fact_index()["input_price"]]), 0.4, columns[fact_index()["input_price"]]
    )
    cheap, dear = (monthly_usd(changed(columns, input_price=each)) for each in (price, times * price))
    assert ((dear[RAG] - dear[PROMPTING]) >= (cheap[RAG] - cheap[PROMPTING]) - 1e-9 * dear[RAG]).all()


@PROPERTY
@given(st.integers(0, 1000), st.floats(1, 1e3))
def test_dearer_training_never_favours_what_is_trained(seed: int, times: float) -> None:
    """It costs those that train at least as much, and the others the same."""
    columns = rows(50, 0.7, seed=seed)
    price = np.where(
        np.isnan(columns[fact_index()["training_price"]]), 3, columns[fact_index()["training_price"]]
    )
    cheap, dear = (monthly_usd(changed(columns, training_price=each)) for each in (price, times * price))
    assert (dear[[FINE_TUNING, HYBRID]] >= cheap[[FINE_TUNING, HYBRID]] * (1 - 1e-12)).all()
    np.testing.assert_array_equal(dear[[PROMPTING, RAG]], cheap[[PROMPTING, RAG]])


@pytest.mark.parametrize(
    "name", ["queries_per_month", "model_parameters", "context_tokens", "output_tokens", *PRICES]
)
@PROPERTY
@given(st.integers(0, 1000), st.floats(1, 1e3))
def test_more_of_what_is_paid_is_never_cheaper(name: str, seed: int, times: float) -> None:
    """Queries, tokens, parameters and prices: whatever the approach, more costs at least as much."""
    columns = rows(30, 0.7, seed=seed)
    column = columns[fact_index()[name]]
    value = np.where(np.isnan(column), fact(name).usual[0], column)
    less, more = (monthly_usd(changed(columns, **{name: each})) for each in (value, times * value))
    assert (more >= less * (1 - 1e-9)).all()


@PROPERTY
@given(st.integers(0, 1000), st.floats(1, 1e3))
def test_answers_that_may_wait_longer_are_never_dearer(seed: int, times: float) -> None:
    """What is answered in batches takes at most as many hours of a GPU, and changes nothing that is prompted."""
    columns = rows(50, 0.7, seed=seed)
    column = columns[fact_index()["latency_budget"]]
    soon = np.where(np.isnan(column), 1.0, column)
    costs = [monthly_usd(changed(columns, latency_budget=each)) for each in (soon, times * soon)]
    assert (costs[1] <= costs[0] * (1 + 1e-9)).all()
    np.testing.assert_array_equal(costs[0][[PROMPTING, RAG]], costs[1][[PROMPTING, RAG]])


@PROPERTY
@given(st.integers(0, 1000), st.floats(1, 1e3))
def test_faster_changes_are_never_cheaper(seed: int, times: float) -> None:
    """Knowledge that changes more often is indexed and trained on at least as often."""
    columns = rows(50, 0.7, seed=seed)
    column = columns[fact_index()["update_interval"]]
    slow = np.where(np.isnan(column), 3e7, column)
    costs = [monthly_usd(changed(columns, update_interval=each)) for each in (slow, slow / times)]
    assert (costs[1] >= costs[0] * (1 - 1e-9)).all()


@pytest.mark.parametrize("name", ["must_forget", "distribution_shift"])
@PROPERTY
@given(st.integers(0, 1000))
def test_erasure_and_drift_cost_what_is_trained_alone(name: str, seed: int) -> None:
    """More runs are never cheaper, and what is not trained takes none; unknown is as if not asked for."""
    columns = rows(50, 0.7, seed=seed)
    kept, unknown, more = (monthly_usd(changed(columns, **{name: value})) for value in (0.0, np.nan, 1.0))
    np.testing.assert_array_equal(unknown, kept)
    np.testing.assert_array_equal(more[[PROMPTING, RAG]], kept[[PROMPTING, RAG]])
    assert (more[[FINE_TUNING, HYBRID]] >= kept[[FINE_TUNING, HYBRID]] * (1 - 1e-12)).all()


@pytest.mark.parametrize("name", ["must_forget", "distribution_shift"])
@PROPERTY
@given(st.integers(0, 1000), st.floats(1, 1e3))
def test_who_may_train_more_often_never_pays_less_for_it(name: str, seed: int, times: float) -> None:
    """Erasures and drift share the runs that are affordable, so with fewer of those they cost no more."""
    columns = changed(rows(50, 0.7, seed=seed), **{name: 1.0})
    column = columns[fact_index()["retrain_interval"]]
    rare = np.where(np.isnan(column), 3e7, column)
    costs = [monthly_usd(changed(columns, retrain_interval=each)) for each in (rare, rare / times)]
    assert (costs[1] >= costs[0] * (1 - 1e-9)).all()


def test_a_tuned_model_with_prices_of_its_own_replaces_a_dearer_one() -> None:
    """One price implies the other, and neither touches what is prompted."""
    values = {"input_price": 2.5, "output_price": 10, "queries_per_month": 1_000_000}
    same, small = monthly_usd(row_of(**values)), monthly_usd(row_of(**values, tuned_input_price=0.2))
    both = monthly_usd(row_of(**values, tuned_input_price=0.2, tuned_output_price=0.8))
    np.testing.assert_allclose(small, both)
    np.testing.assert_array_equal(small[[PROMPTING, RAG]], same[[PROMPTING, RAG]])
    assert small[FINE_TUNING] < same[FINE_TUNING] / 5


def test_a_rented_gpu_is_paid_while_it_idles() -> None:
    """A month of it costs the same at no queries and at some, and more where one is not enough."""
    values = {"hosting": "RENTED_GPU", "input_price": 0.4, "output_price": 1.6, "has_evaluation_set": True}
    none, some, many = (
        float(monthly_usd(row_of(**values, queries_per_month=queries))[FINE_TUNING, 0])
        for queries in (0, 100_000, 100_000_000)
    )
    assert none == some > 3 * 730
    assert many > some
    by_token = monthly_usd(row_of(**{**values, "hosting": "SERVERLESS_ADAPTER"}, queries_per_month=0))
    assert by_token[FINE_TUNING, 0] < 200


def test_a_large_model_takes_several_gpus() -> None:
    """Parameters have to fit; a smaller tuned model with a price of its own takes one."""
    values = {"hosting": "RENTED_GPU", "model_parameters": 330_000_000_000, "queries_per_month": 0}
    large, small = (monthly_usd(row_of(**values, **more)) for more in ({}, {"tuned_input_price": 0.2}))
    assert large[FINE_TUNING, 0] - small[FINE_TUNING, 0] == pytest.approx(9 * 730 * 3, rel=0.01)


@pytest.mark.parametrize("name", Known._fields)
def test_every_fact_that_is_read_costs_something(name: str) -> None:
    """What an estimate asks for moves a month; the budget alone is compared with it."""
    columns = changed(rows(200, 0.8), update_interval=3600.0, new_knowledge_share=0.5, hosting=2.0)
    item = fact(name)
    low, high = (0.0, 1.0) if item.kind == "flag" else item.usual
    if name == "latency_budget":  # within minutes, which is usual, nothing is answered in batches
        high = item.maximum
    if item.kind == "choice":
        low, high = 1.0, 2.0
    costs = [monthly_usd(changed(columns, **{name: value})) for value in (low, high)]
    assert np.array_equal(*costs) == (name == "monthly_budget")
