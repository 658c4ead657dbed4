"""Hypothesis strategies for use cases, and one that several tests decide about."""

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
