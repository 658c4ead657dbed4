"""What each approach costs."""

from __future__ import annotations

import doctest
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.decision import cost
from advisor.decision.cost import ApproachCost, CostEstimate, break_even, estimate_cost
from advisor.knowledge.facts import encode_facts, fact_index, facts, facts_from_mapping

NAMES = ("PROMPTING", "RAG", "FINE_TUNING", "HYBRID")
PRICED: dict[str, object] = {
    "queries_per_month": 100_000,
    "context_tokens": 300,
    "output_tokens": 200,
    "input_price": 2.0,
    "output_price": 8.0,
    "training_price": 20.0,
    "labelled_examples": 1_000,
    "corpus_tokens": 5_000_000,
    "update_interval": "365d",
}
POSITIVE = {
    "queries_per_month": st.integers(0, 10**9),
    "context_tokens": st.integers(0, 10**5),
    "output_tokens": st.integers(0, 10**5),
    "corpus_tokens": st.integers(0, 10**12),
    "labelled_examples": st.integers(0, 10**7),
    "model_parameters": st.integers(10**6, 10**13),
    "input_price": st.floats(0, 1_000),
    "output_price": st.floats(0, 1_000),
    "training_price": st.floats(0, 1_000),
    "update_interval": st.integers(1, 10**7).map(lambda seconds: f"{seconds}s"),
    "retrain_interval": st.integers(60, 10**7).map(lambda seconds: f"{seconds}s"),
    "output_form": st.sampled_from(["LABEL", "FREE_TEXT"]),
}
SOME_FACTS = st.fixed_dictionaries({}, optional=POSITIVE)


def estimate(values: dict[str, Any]) -> CostEstimate:
    """Return the estimate for plain values."""
    return estimate_cost(encode_facts(facts_from_mapping(values)))


def by_name(result: CostEstimate) -> dict[str, ApproachCost]:
    """Return the costs by the approach's name."""
    return {each.approach: each for each in result.approaches}


def assumed(result: CostEstimate) -> dict[str, str]:
    """Return the assumptions' values by name."""
    return {each.name: each.value for each in result.assumptions}


@pytest.mark.parametrize(
    ("name", "per_answer", "tokens"),
    [
        # 300 in and 200 out: 0.0006 + 0.0016; five examples of 150 + 200 tokens more: 1,750 at 2 per million.
        ("PROMPTING", 0.0022 + 0.0035, 2_250),
        # Three passages of 150 tokens and a search.
        ("RAG", 0.0022 + 0.0009 + 0.00001, 950),
        ("FINE_TUNING", 0.0022, 500),
        ("HYBRID", 0.0022 + 0.0009 + 0.00001, 950),
    ],
)
def test_an_answer_costs_its_tokens(name: str, per_answer: float, tokens: float) -> None:
    """The price of an answer is that of its tokens, and of the search where there is one."""
    result = by_name(estimate(PRICED))[name]
    assert result.per_answer_usd == pytest.approx(per_answer)
    assert result.tokens_per_query == tokens


@pytest.mark.parametrize(
    ("name", "per_month"),
    [
        ("PROMPTING", 570),
        # Store 25 + 0.33 x 5e6 x 30 bytes; 0.10 to embed all, a twelfth of it a month and 5% a year.
        ("RAG", 311 + 25 + 0.0495 + 0.1 / 12 + 0.1 * 0.05 / 12),
        # A run: 1,000 examples x 500 tokens x 3 epochs x 20 per million + 50 = 80; first and yearly.
        ("FINE_TUNING", 220 + 80 / 12 + 80 / 12 + 100),
        # With passages 950 tokens, 107; trained once.
        ("HYBRID", 311 + 25 + 0.0495 + 0.1 / 12 + 0.1 * 0.05 / 12 + 107 / 12 + 100),
    ],
)
def test_a_month_adds_its_share_of_the_fixed_costs(name: str, per_month: float) -> None:
    """A month costs its answers, the store, the hosting, and a share of training and embedding."""
    assert by_name(estimate(PRICED))[name].per_month_usd == pytest.approx(per_month)


def test_training_is_priced_per_run() -> None:
    """Training takes tokens and an evaluation; the approaches that never train cost nothing there."""
    runs = {name: each.training_run_usd for name, each in by_name(estimate(PRICED)).items()}
    assert runs == pytest.approx({"PROMPTING": 0, "RAG": 0, "FINE_TUNING": 80, "HYBRID": 107})


def test_training_of_a_known_size_is_priced_by_arithmetic() -> None:
    """Without a price, 4 x parameters x tokens FLOPs at the speed of a GPU give it."""
    values = {**PRICED, "model_parameters": 70_000_000_000}
    del values["training_price"]
    flops = 4 * 70e9 * 1_000 * 500 * 3
    dollars = flops / (989e12 * 0.35 * 3_600) * 3
    assert by_name(estimate(values))["FINE_TUNING"].training_run_usd == pytest.approx(50 + dollars)


@pytest.mark.parametrize(
    ("values", "runs"),
    [
        ({}, 0),
        ({"retrain_interval": "30d"}, 0),
        ({"update_interval": "73d"}, 5 / 12),
        ({"update_interval": "1d", "retrain_interval": "73d"}, 5 / 12),
        ({"update_interval": "73d", "retrain_interval": "1d"}, 5 / 12),
        ({"update_interval": "1d", "max_staleness": "73d"}, 5 / 12),
        ({"update_interval": "1h"}, 365 / 12),
        ({"update_interval": "1h", "new_knowledge_share": 0.02}, 0),
        ({"update_interval": "73d", "new_knowledge_share": 0.5}, 5 / 12),
    ],
)
def test_changing_knowledge_asks_for_training(values: dict[str, Any], runs: float) -> None:
    """The next run waits for a change, for the staleness allowed, and for the time that a run takes."""
    assert by_name(estimate(values))["FINE_TUNING"].training_runs_per_month == pytest.approx(runs)


def test_retrieval_takes_up_changes_for_a_tuned_model() -> None:
    """A model trained on passages is trained once: its index changes instead."""
    assert by_name(estimate({"update_interval": "1d"}))["HYBRID"].training_runs_per_month == 0


@pytest.mark.parametrize(("corpus", "tokens"), [(0, 2_250), (1, 501), (100_000, 100_500), (100_001, 2_250)])
def test_a_prompt_holds_all_documents_where_they_fit(corpus: int, tokens: float) -> None:
    """Documents up to the window are read with each query; otherwise examples are."""
    result = by_name(estimate({**PRICED, "corpus_tokens": corpus}))["PROMPTING"]
    assert result.tokens_per_query == tokens


def test_documents_in_a_prompt_are_cached() -> None:
    """What repeats in every prompt costs half."""
    result = by_name(estimate({**PRICED, "corpus_tokens": 50_000}))["PROMPTING"]
    assert result.per_answer_usd == pytest.approx(0.0022 + 0.5 * 50_000 * 2e-6)


@pytest.mark.parametrize(("labelled", "labelling"), [(0, 500), (400, 100), (500, 0), (501, 0)])
def test_missing_examples_are_written(labelled: int, labelling: float) -> None:
    """Examples up to 500 that do not exist are paid for, once."""
    zero = {"queries_per_month": 0, "training_price": 0, "input_price": 0, "labelled_examples": labelled}
    assert by_name(estimate(zero))["FINE_TUNING"].per_month_usd == pytest.approx(100 + (50 + labelling) / 12)


@pytest.mark.parametrize(
    ("parameters", "price"),
    [(135_000_000, "0.02"), (8_000_000_000, "0.1"), (70_000_000_000, "0.51"), (405_000_000_000, "1.9")],
)
def test_larger_models_are_dearer(parameters: int, price: str) -> None:
    """Without a price list, the price follows the size of the model."""
    assumptions = assumed(estimate({"model_parameters": parameters}))
    assert assumptions["price of input"] == f"{price} US dollars per million tokens"


def test_an_output_price_alone_tells_the_input_price() -> None:
    """One price of a list implies the other."""
    result = estimate({"output_price": 8.0, "context_tokens": 1_000_000, "output_tokens": 0})
    assert by_name(result)["FINE_TUNING"].per_answer_usd == pytest.approx(2.0)


def test_labels_are_short() -> None:
    """An answer that is a label is a few tokens long."""
    assert by_name(estimate({"output_form": "LABEL"}))["FINE_TUNING"].tokens_per_query == 210


def test_every_unknown_fact_is_an_assumption() -> None:
    """With no facts the volume, the sizes and the prices are all assumed, each once and with a reason."""
    result = estimate({})
    names = [each.name for each in result.assumptions]
    wanted = {"queries per month", "input per query", "output per query", "price of input", "price of output",
              "price of training", "size of the documents", "training examples", "training runs"}  # fmt: skip
    assert wanted <= set(names)
    assert len(names) == len(set(names))
    assert all(each.value and each.reason for each in result.assumptions)


def test_known_facts_are_not_assumed() -> None:
    """What is given is not listed among the assumptions; what is not used is neither."""
    names = set(assumed(estimate({**PRICED, "labelled_examples": 0, "retrain_interval": "1d"})))
    assert names == {
        "passages per query",
        "embedding",
        "search",
        "vector store",
        "documents changed by an update",
        "training examples",
        "epochs",
        "evaluation",
        "hosting of a tuned model",
        "time to pay fixed costs off",
        "building and running the system",
    }


def test_the_summary_says_the_numbers() -> None:
    """One sentence tells the volume, a month of each approach, and the break-even."""
    assert estimate(PRICED).summary == (
        "At 100,000 queries a month, PROMPTING costs about $570, RAG $336, FINE_TUNING $333 and HYBRID $445; "
        "FINE_TUNING is cheaper than RAG above about 97,000 queries a month."
    )


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({}, "At an assumed 10,000 queries a month,"),
        ({**PRICED, "monthly_budget": 400}, "(over the budget of $400: PROMPTING, HYBRID)"),
        ({"corpus_tokens": 10**13}, "FINE_TUNING is cheaper than RAG at any volume."),
        ({"queries_per_month": 0}, "At 0 queries a month, PROMPTING costs about $0.00,"),
    ],
)
def test_the_summary_names_what_is_special(values: dict[str, Any], part: str) -> None:
    """An assumed volume, a budget exceeded and a missing break-even are said."""
    assert part in estimate(values).summary


@pytest.mark.parametrize(
    ("fixed_rag", "rag", "fixed_tuned", "tuned", "volume"),
    [
        (25, 0.5, 125, 0.25, 400),
        (125, 0.5, 25, 0.25, None),
        (25, 0.5, 25, 0.25, None),
        (25, 0.25, 125, 0.5, None),
        (25, 0.5, 125, 0.5, None),
    ],
)
def test_break_even_needs_a_saving_and_an_outlay(
    fixed_rag: float, rag: float, fixed_tuned: float, tuned: float, volume: float | None
) -> None:
    """There is a break-even only where tuning costs more at first and less per answer."""
    assert break_even(fixed_rag, rag, fixed_tuned, tuned) == volume


def test_examples_in_docstrings_hold() -> None:
    """The docstrings' examples give what they show."""
    result = doctest.testmod(cost)
    assert result.attempted > 0
    assert result.failed == 0


@given(SOME_FACTS)
def test_every_use_case_has_finite_costs(values: dict[str, Any]) -> None:
    """Four approaches in order, and no number that is negative or not finite."""
    result = estimate(values)
    assert tuple(by_name(result)) == NAMES
    for each in result.approaches:
        numbers = [value for name, value in asdict(each).items() if name != "approach"]
        assert all(np.isfinite(numbers))
        assert min(numbers) >= 0


@given(SOME_FACTS)
def test_both_cost_the_same_at_the_break_even(values: dict[str, Any]) -> None:
    """At the break-even RAG and FINE_TUNING cost the same, and below it RAG costs less."""
    result = by_name(estimate({**values, "queries_per_month": 0}))
    rag, tuned = result["RAG"], result["FINE_TUNING"]
    whole = estimate(values)
    volume = whole.break_even_queries_per_month
    if volume is None:
        assert tuned.per_month_usd <= rag.per_month_usd
        return
    at = [each.per_month_usd + volume * each.per_answer_usd for each in (rag, tuned)]
    assert at[0] == pytest.approx(at[1], rel=1e-6)
    assert rag.per_month_usd < tuned.per_month_usd


@given(SOME_FACTS, st.integers(0, 10**9), st.integers(0, 10**9))
def test_more_queries_are_never_cheaper(values: dict[str, Any], one: int, other: int) -> None:
    """A month of more queries costs at least as much, whatever the approach."""
    assert_never_cheaper(values, "queries_per_month", min(one, other), max(one, other))


@pytest.mark.parametrize("name", ["input_price", "output_price", "training_price"])
@given(SOME_FACTS, st.floats(0, 1_000), st.floats(0, 1_000))
def test_higher_prices_are_never_cheaper(name: str, values: dict[str, Any], one: float, other: float) -> None:
    """A month at a higher price costs at least as much, whatever the approach."""
    assert_never_cheaper(values, name, min(one, other), max(one, other))


@given(SOME_FACTS, st.integers(1, 10**7), st.integers(1, 10**7))
def test_faster_changes_are_never_cheaper(values: dict[str, Any], one: int, other: int) -> None:
    """Knowledge that changes more often costs at least as much."""
    assert_never_cheaper(values, "update_interval", f"{max(one, other)}s", f"{min(one, other)}s")


@given(SOME_FACTS, st.integers(10**6, 10**13), st.integers(10**6, 10**13))
def test_larger_models_are_never_cheaper(values: dict[str, Any], one: int, other: int) -> None:
    """A larger model costs at least as much."""
    assert_never_cheaper(values, "model_parameters", min(one, other), max(one, other))


def assert_never_cheaper(values: dict[str, Any], name: str, low: object, high: object) -> None:
    """Assert that `high` costs each approach at least as much a month as `low`."""
    lower, higher = (by_name(estimate({**values, name: value})) for value in (low, high))
    for approach in NAMES:
        assert higher[approach].per_month_usd >= lower[approach].per_month_usd * (1 - 1e-12)


def test_a_row_of_unknowns_is_enough() -> None:
    """The estimate reads nothing but the row, and leaves it as it was."""
    row = np.full(len(facts()), np.nan)
    row[fact_index()["queries_per_month"]] = 5.0
    before = row.copy()
    assert by_name(estimate_cost(row))["RAG"].per_month_usd > 0
    assert np.array_equal(row, before, equal_nan=True)
