"""Hypothesis strategies for use cases, and two that several tests decide about."""

from __future__ import annotations

from hypothesis import strategies as st

from advisor.knowledge.facts import Fact, decode_value, facts

HELP_DESK = {
    "task": "DIALOGUE",
    "update_interval": "7d",
    "new_knowledge_share": 0.8,
    "labelled_examples": 3000,
    "can_train": True,
    "corpus_tokens": 2_000_000,
}
"""Documents that change, and examples enough to train on: RAG first, then HYBRID."""

HELP_LINE = {
    "task": "DIALOGUE",
    "output_form": "FREE_TEXT",
    "update_interval": "7d",
    "max_staleness": "1d",
    "new_knowledge_share": 0.7,
    "corpus_tokens": 1_500_000,
    "closed_book_score": 0.25,
    "needs_citations": True,
    "labelled_examples": 400,
    "examples_include_context": False,
    "monthly_budget": 3000,
    "queries_per_month": 120_000,
    "can_train": True,
    "retrain_interval": "30d",
    "has_evaluation_set": True,
}
"""As good with retrieval as with both, but for what is unknown."""


def fact_values(item: Fact) -> st.SearchStrategy[object]:
    """Return a strategy for the plain values of a fact."""
    if item.kind in ("flag", "choice"):
        low, high = int(item.minimum), int(item.maximum)
        return st.integers(low, high).map(lambda number: decode_value(item, float(number)))
    if item.kind == "count":
        return st.integers(int(item.minimum), int(min(item.maximum, 10**9)))
    numbers = st.floats(item.minimum, item.maximum, allow_subnormal=False)
    return numbers.map(lambda number: f"{number!r}s") if item.kind == "duration" else numbers


def use_cases() -> st.SearchStrategy[dict[str, object]]:
    """Return a strategy for facts, any of them unknown."""
    return st.fixed_dictionaries({}, optional={item.name: fact_values(item) for item in facts()})
