"""What each approach costs, how sure that is, and what it hangs on."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.decision.cost import ApproachCost, Assumption, CostEstimate, break_even, estimate_cost
from advisor.decision.known import known_facts
from advisor.decision.pricing import CENTRAL, bill
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.facts import encode_facts, fact_index, facts, facts_from_mapping

PRICED: dict[str, object] = {
    "task": "QUESTION_ANSWERING",
    "queries_per_month": 100_000,
    "context_tokens": 500,
    "output_tokens": 200,
    "input_price": 2.0,
    "output_price": 8.0,
    "cached_input_price": 0.5,
    "tuned_input_price": 1.0,
    "tuned_output_price": 4.0,
    "training_price": 20.0,
    "labelled_examples": 1_000,
    "has_evaluation_set": True,
    "corpus_tokens": 5_000_000,
    "update_interval": "365d",
    "hosting": "SERVERLESS_ADAPTER",
}
# A month's share of four evaluations a year, at 75 US dollars.
CHECKS = 4 / 12 * 75
# 0.10 per million tokens a twelfth of the time and 5% a year; 25, and 0.33 for a GB of 30 bytes a token.
INDEX = 5 * 0.1 * (1 / 12 + 0.05 / 12) + 25 + 5e6 * 30 / 1e9 * 0.33
# 500 examples looked through at 0.10 over twelve months, and a service that keeps the adapter.
PREPARED = 500 * 0.1 / 12 + 10
SOME_FACTS = st.fixed_dictionaries(
    {},
    optional={
        "task": st.sampled_from(["QUESTION_ANSWERING", "EXTRACTION"]),
        "queries_per_month": st.integers(0, 10**9),
        "context_tokens": st.integers(0, 10**5),
        "output_tokens": st.integers(0, 10**5),
        "corpus_tokens": st.integers(0, 10**12),
        "labelled_examples": st.integers(0, 10**7),
        "model_parameters": st.integers(10**6, 10**13),
        "input_price": st.floats(0, 1_000),
        "output_price": st.floats(0, 1_000),
        "tuned_input_price": st.floats(0, 1_000),
        "hosting": st.sampled_from(["SERVERLESS_ADAPTER", "RENTED_GPU", "OWN_MACHINE"]),
        "update_interval": st.integers(1, 10**7).map(lambda seconds: f"{seconds}s"),
        "monthly_budget": st.integers(0, 10**5),
        "must_forget": st.booleans(),
        "distribution_shift": st.booleans(),
        "latency_budget": st.sampled_from(["1s", "1h"]),
    },
)
PROPERTY = settings(max_examples=50, deadline=None)


def estimate(values: dict[str, Any], possible: tuple[Approach, ...] = APPROACHES) -> CostEstimate:
    """Return the estimate for plain values."""
    return estimate_cost(encode_facts(facts_from_mapping(values)), possible)


def by_name(result: CostEstimate) -> dict[str, ApproachCost]:
    """Return the costs by the approach's name."""
    return {each.approach: each for each in result.approaches}


def assumed(result: CostEstimate) -> dict[str, Assumption]:
    """Return the assumptions by name."""
    return {each.name: each for each in result.assumptions}


@pytest.mark.parametrize(
    ("name", "per_million", "tokens", "cached"),
    [
        # 300 of instructions and 4 x 400 + 400 of examples, at most 2,000, cached; 200 in, 200 out.
        ("PROMPTING", 0.5 * 2_300 + 2 * 200 + 8 * 200, 2_700, 2_300),
        # Three passages of 150 tokens and a search.
        ("RAG", 0.5 * 2_300 + 2 * 650 + 8 * 200 + 20, 3_150, 2_300),
        # Neither instructions nor examples, at prices of its own; with passages the instructions, in full.
        ("FINE_TUNING", 1 * 200 + 4 * 200, 400, 0),
        ("HYBRID", 1 * 950 + 4 * 200 + 20, 1_150, 0),
    ],
)
def test_an_answer_costs_its_tokens(name: str, per_million: float, tokens: float, cached: float) -> None:
    """The price of an answer is that of its tokens, cached or not, and of the search where there is one."""
    result = by_name(estimate(PRICED))[name]
    assert result.per_answer_usd == pytest.approx(per_million / 1e6)
    assert (result.tokens_per_query, result.cached_tokens_per_query) == pytest.approx((tokens, cached))


@pytest.mark.parametrize(
    ("name", "per_month"),
    [
        ("PROMPTING", 315 + CHECKS),
        ("RAG", 0.1 * (0.5 * 2_300 + 2 * 650 + 8 * 200 + 20) + CHECKS + INDEX),
        # A run a year: 1,000 examples x 400 tokens x 3 epochs x 20 per million, 50 examples anew; its evaluation is
        # one of those that are made anyway.
        ("FINE_TUNING", 100 + CHECKS + PREPARED + (24 + 50) / 12),
        ("HYBRID", 177 + CHECKS + PREPARED + INDEX + (69 + 50) / 12),
    ],
)
def test_a_month_adds_its_share_of_the_fixed_costs(name: str, per_month: float) -> None:
    """A month costs its answers, evaluations, the index, and a share of data and training."""
    assert by_name(estimate(PRICED))[name].per_month_usd == pytest.approx(per_month)


def test_training_is_priced_per_run() -> None:
    """A run takes tokens, some new examples and an evaluation; the approaches that never train cost nothing there."""
    runs = {name: each.training_run_usd for name, each in by_name(estimate(PRICED)).items()}
    assert runs == pytest.approx({"PROMPTING": 0, "RAG": 0, "FINE_TUNING": 149, "HYBRID": 194})


def test_training_of_a_known_size_is_priced_by_arithmetic() -> None:
    """Without a price, 4 x parameters x tokens FLOPs at the speed of a GPU give it."""
    unpriced = ("training_price", "tuned_input_price", "tuned_output_price")
    values = {key: value for key, value in PRICED.items() if key not in unpriced}
    flops = 4 * 70e9 * 1_000 * 400 * 3
    dollars = flops / (989e12 * 0.35 * 3_600) * 3
    result = by_name(estimate({**values, "model_parameters": 70_000_000_000}))["FINE_TUNING"]
    assert result.training_run_usd == pytest.approx(125 + dollars)


@pytest.mark.parametrize(
    ("values", "runs"),
    [
        ({}, 1 / 12),
        ({"retrain_interval": "30d"}, 1 / 12),
        ({"update_interval": "73d"}, 5 / 12),
        ({"update_interval": "2y"}, 1 / 12),
        ({"update_interval": "1d", "retrain_interval": "73d"}, 5 / 12),
        ({"update_interval": "73d", "retrain_interval": "1d"}, 5 / 12),
        ({"update_interval": "1d", "max_staleness": "73d"}, 5 / 12),
        ({"update_interval": "1h"}, 365 / 7 / 12),
        ({"update_interval": "1h", "new_knowledge_share": 0.02}, 1 / 12),
        ({"update_interval": "73d", "new_knowledge_share": 0.5}, 5 / 12),
        ({"must_forget": False}, 1 / 12),
        ({"must_forget": True}, 4 / 12),
        ({"must_forget": True, "update_interval": "73d"}, 5 / 12),
        ({"must_forget": True, "update_interval": "1y"}, 4 / 12),
        ({"must_forget": True, "update_interval": "1h", "task": "EXTRACTION"}, 4 / 12),
        ({"must_forget": True, "update_interval": "1h", "max_staleness": "2y"}, 4 / 12),
        ({"must_forget": True, "retrain_interval": "146d"}, 2.5 / 12),
        ({"must_forget": True, "retrain_interval": "2y"}, 1 / 12),
        ({"distribution_shift": False}, 1 / 12),
        ({"distribution_shift": True}, 1.0),
        ({"distribution_shift": True, "retrain_interval": "14d"}, 1.0),
        ({"distribution_shift": True, "retrain_interval": "146d"}, 2.5 / 12),
        ({"distribution_shift": True, "must_forget": True}, 1.0),
        ({"distribution_shift": True, "update_interval": "73d"}, 1.0),
        ({"distribution_shift": True, "update_interval": "1h", "task": "EXTRACTION"}, 1.0),
    ],
)
def test_changing_knowledge_erasures_and_drift_ask_for_training(values: dict[str, Any], runs: float) -> None:
    """The next run is for a change, a new base model, an erasure or drift, and as soon as staleness and time allow."""
    assert by_name(estimate(values))["FINE_TUNING"].training_runs_per_month == pytest.approx(runs)


@pytest.mark.parametrize(
    ("values", "runs"),
    [
        ({}, 1 / 12),
        ({"must_forget": True}, 4 / 12),
        ({"must_forget": False}, 1 / 12),
        ({"distribution_shift": True}, 1.0),
    ],
)
def test_retrieval_takes_up_changes_for_a_tuned_model(values: dict[str, Any], runs: float) -> None:
    """One trained on passages is trained again for new base models, erasures and drift: its index takes up the rest."""
    hybrid = by_name(estimate({**values, "update_interval": "1d"}))["HYBRID"]
    assert hybrid.training_runs_per_month == pytest.approx(runs)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"must_forget": True}, True),
        ({"must_forget": True, "update_interval": "7d"}, True),  # of HYBRID, whose index takes up the changes
        ({"must_forget": True, "retrain_interval": "2y"}, False),
        ({"must_forget": False}, False),
        ({}, False),
    ],
)
def test_erasures_are_assumed_where_they_ask_for_training(values: dict[str, Any], told: bool) -> None:
    """Nobody is told of runs that nothing asks for."""
    assert ("training runs for erasure" in assumed(estimate(values))) == told
    untrained = estimate(values, (Approach.PROMPTING, Approach.RAG))
    assert "training runs for erasure" not in assumed(untrained)


@pytest.mark.parametrize(("corpus", "documents"), [(0, 0), (1, 1), (100_000, 100_000), (100_001, 0)])
def test_a_prompt_holds_all_documents_where_they_fit(corpus: int, documents: int) -> None:
    """Documents up to the window are read with each query, cached, and never beside passages."""
    result = estimate({**PRICED, "corpus_tokens": corpus})
    costs = by_name(result)
    assert costs["PROMPTING"].cached_tokens_per_query == pytest.approx(2_300 + documents)
    assert costs["RAG"].cached_tokens_per_query == pytest.approx(2_300)
    assert ("documents" in costs["PROMPTING"].prompt) == (documents > 0)
    assert "documents" not in costs["RAG"].prompt
    assert any("All documents fit into the prompt" in note for note in result.notes) == (documents > 0)


@pytest.mark.parametrize(
    ("labelled", "data"), [(0, 500), (400, 100 + 40), (500, 50), (501, 50), (100_000, 50)]
)
def test_missing_examples_are_written_and_others_looked_through(labelled: int, data: float) -> None:
    """Examples up to 500 are paid for once: those that do not exist more than those that do."""
    free = {**PRICED, "queries_per_month": 0, "training_price": 0}
    cost = by_name(estimate({**free, "labelled_examples": labelled}))["FINE_TUNING"].per_month_usd
    assert cost == pytest.approx(CHECKS + 10 + data / 12 + 50 / 12)


@pytest.mark.parametrize(
    ("parameters", "price"),
    [
        (135_000_000, "$0.020"),
        (8_000_000_000, "$0.10"),
        (70_000_000_000, "$0.51"),
        (405_000_000_000, "$1.92"),
    ],
)
def test_larger_models_are_dearer(parameters: int, price: str) -> None:
    """Without a price list, the price follows the size of the model."""
    listed = assumed(estimate({"model_parameters": parameters, "queries_per_month": 10_000_000}))
    if price == "$0.020":  # the least, whatever the figure
        assert "price of input, at 4 billion parameters" not in listed
    else:
        assert listed["price of input, at 4 billion parameters"].value.endswith(f"here {price}")


def test_text_at_hand_is_no_instruction() -> None:
    """Who extracts from texts saves less by training than who asks short questions under long instructions."""
    saved = {
        task: 1
        - by_name(estimate({"task": task, "context_tokens": 1_000, "output_tokens": 0}))[
            "FINE_TUNING"
        ].tokens_per_query
        / 1_000
        for task in ("QUESTION_ANSWERING", "EXTRACTION")
    }
    assert saved == pytest.approx({"QUESTION_ANSWERING": 0.6, "EXTRACTION": 0.25})


def test_nothing_given_is_all_assumed() -> None:
    """With no facts volume, sizes, prices and hosting are assumed, each once, with a source, a day and an interval."""
    listed = estimate({}).assumptions
    names = [each.name for each in listed]
    wanted = {"queries per month", "input per query", "output per query", "price of input", "hosting of a tuned model",
              "training examples", "vector store", "building and running the system"}  # fmt: skip
    assert wanted <= set(names)
    assert len(names) == len(set(names))
    for each in listed[:-1]:
        assert all((each.value, each.reason, each.source, each.date, each.low, each.high))
        assert len(each.month_at_low) == len(each.month_at_high) == len(APPROACHES)


def test_known_facts_are_not_assumed() -> None:
    """What is given is not listed among the assumptions, nor what it makes needless."""
    names = set(assumed(estimate({**PRICED, "queries_per_month": 1_000_000})))
    given = {"queries per month", "input per query", "output per query", "price of input", "price of output",
             "price of what repeats", "prices of a tuned model", "price of training", "size of the documents",
             "training examples", "hosting of a tuned model", "questions to evaluate on"}  # fmt: skip
    assert not names & given
    assert {"passages per query", "examples in a prompt", "search", "an evaluation"} <= names


@PROPERTY
@given(SOME_FACTS, st.permutations(APPROACHES))
def test_what_moves_a_month_most_comes_first(values: dict[str, Any], ranked: list[Approach]) -> None:
    """The order is by the largest change, as a ratio, that an end brings to the two in question, then to any other."""
    result = estimate(values, tuple(ranked))
    priced = {each.approach for each in result.approaches if each.possible}
    places = [each.place for each in ranked if each in priced]
    months = np.array([each.per_month_usd for each in result.approaches])
    moved = [
        np.abs(np.log(np.array([each.month_at_low, each.month_at_high]) / months)).max(axis=0)
        for each in result.assumptions[:-1]
    ]
    in_question = [change for each in moved if (change := each[places[:2]].max()) > 0.01]
    others = [each[places].max() for each in moved[len(in_question) :]]
    assert in_question == pytest.approx(sorted(in_question, reverse=True))
    assert others == pytest.approx(sorted(others, reverse=True))
    assert all(each[places[:2]].max() > 0.0099 for each in moved[: len(in_question)])
    assert all(change > 0.0099 for change in others)


@PROPERTY
@given(SOME_FACTS)
def test_a_month_lies_within_its_interval(values: dict[str, Any]) -> None:
    """The ends surround the estimate, days included, and are finite."""
    for each in estimate(values).approaches:
        ends = (each.per_month_low_usd, each.per_month_usd, each.per_month_high_usd)
        assert np.isfinite(ends).all()
        assert 0 < ends[0] <= ends[1] <= ends[2]
        days = each.building_days
        assert 0 < days.low <= days.value <= days.high


def test_knowing_more_narrows_the_interval() -> None:
    """Prices and sizes that are given are uncertain no more."""
    widths = [
        by_name(estimate(values))["PROMPTING"].per_month_high_usd
        / by_name(estimate(values))["PROMPTING"].per_month_low_usd
        for values in ({"queries_per_month": 1_000_000}, {**PRICED, "queries_per_month": 1_000_000})
    ]
    assert widths[1] < widths[0] / 2


@PROPERTY
@given(SOME_FACTS)
def test_approaches_take_as_long_to_build_as_what_they_contain(values: dict[str, Any]) -> None:
    """HYBRID takes retrieval and training, and everything takes a prompt."""
    days = {each.approach: each.building_days.value for each in estimate(values).approaches}
    for whole in APPROACHES:
        assert all(
            days[whole] > days[part] for part in APPROACHES if part is not whole and whole.contains(part)
        )


def test_writing_examples_takes_days() -> None:
    """Five hundred of them take two."""
    few, many = (
        by_name(estimate({"labelled_examples": count}))["FINE_TUNING"].building_days.value
        for count in (0, 500)
    )
    assert few - many == 2


def test_the_summary_says_the_numbers() -> None:
    """One sentence tells the volume and a month of each approach with its interval."""
    summary = estimate(PRICED).summary
    assert summary.startswith(
        "US dollars a month at 100,000 queries, and four times in five: PROMPTING $340 ("
    )
    assert re.search(
        r"RAG \$457 \(\$\d+ to \$\d+\), FINE_TUNING \$145 \(\$\d+ to \$\d+\), HYBRID \$251 \(", summary
    )
    assert "an assumed 10,000 queries" in estimate({}).summary


@pytest.mark.parametrize(
    ("budget", "note"),
    [
        (1_000, None),
        (400, "Over the budget of $400: RAG."),
        (240, "Over the budget of $240: PROMPTING, even by the low end; RAG, even by the low end; HYBRID."),
    ],
)
def test_a_budget_is_compared_with_every_month(budget: int, note: str | None) -> None:
    """What is expected to exceed it is named, and what does so however the assumptions turn out."""
    result = estimate({**PRICED, "monthly_budget": budget})
    over = [each for each in result.notes if each.startswith("Over the budget")]
    assert over == ([note] if note else [])
    assert [each.over_budget for each in result.approaches] == [
        each.per_month_usd > budget for each in result.approaches
    ]


def test_nothing_is_retrieved_where_there_is_nothing() -> None:
    """Without documents neither RAG nor HYBRID is priced for anyone to read."""
    result = estimate({"corpus_tokens": 0})
    assert [each.approach for each in result.approaches if each.possible] == ["PROMPTING", "FINE_TUNING"]
    assert "RAG" not in result.summary
    assert "vector store" not in assumed(result)


def test_what_is_excluded_is_neither_compared_nor_named() -> None:
    """An approach that cannot be carried out has no place in a comparison, nor in what moves it."""
    values = {**PRICED, "hosting": "RENTED_GPU"}
    assert estimate(values).break_even is not None
    result = estimate(values, (Approach.PROMPTING, Approach.RAG))
    assert result.break_even is None
    assert "FINE_TUNING" not in result.summary
    assert "an hour of an H100" not in assumed(result)
    assert estimate(values, ()).summary == "Every approach is excluded, so none is priced."


@PROPERTY
@given(SOME_FACTS)
def test_both_cost_the_same_at_the_break_even(values: dict[str, Any]) -> None:
    """At it RAG and FINE_TUNING cost the same, below it RAG costs less, and its interval surrounds it."""
    row = encode_facts(facts_from_mapping({**values, "corpus_tokens": 10**6}))
    volume = float(break_even(bill(known_facts(row), CENTRAL)))
    if np.isnan(volume) or volume > 1e15:
        return
    at = []
    for share in (0.5, 1.0, 2.0):
        row[fact_index()["queries_per_month"]] = share * volume
        costs = by_name(estimate_cost(row))
        at.append(costs["RAG"].per_month_usd / costs["FINE_TUNING"].per_month_usd - 1)
    assert at[0] <= 1e-9
    assert at[1] == pytest.approx(0, abs=1e-6)
    assert at[2] >= -1e-9


@PROPERTY
@given(SOME_FACTS)
def test_a_break_even_is_a_range_that_tells_something(values: dict[str, Any]) -> None:
    """It holds for what is assumed, and its ends are no further apart than anyone can use."""
    found = estimate(values).break_even
    told = [each for each in estimate(values).notes if "FINE_TUNING costs less than RAG above" in each]
    assert len(told) == (found is not None)
    if found is not None:
        assert 0 < found.low <= found.value <= found.high
        assert found.high / found.low < 100


def test_a_row_of_unknowns_is_enough() -> None:
    """The estimate reads nothing but the row, and leaves it as it was."""
    row = np.full(len(facts()), np.nan)
    row[fact_index()["queries_per_month"]] = 5.0
    before = row.copy()
    assert by_name(estimate_cost(row))["RAG"].per_month_usd > 0
    assert np.array_equal(row, before, equal_nan=True)
