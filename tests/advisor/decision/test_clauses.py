"""Clauses: what would have to be otherwise, and what it is now."""

from __future__ import annotations

import pytest

from advisor.decision.clauses import FLAG_CLAUSES, change_to_clause, value_to_clause
from advisor.knowledge.facts import encode_value, fact, facts


def test_every_flag_can_be_denied() -> None:
    """Each has its clauses, and none of them is the title, which says that it holds."""
    flags = {item.name: item.title for item in facts() if item.kind == "flag"}
    assert FLAG_CLAUSES.keys() == flags.keys()
    for name, clauses in FLAG_CLAUSES.items():
        assert len({*clauses, flags[name]}) == 4


@pytest.mark.parametrize(
    ("name", "value", "known", "clause"),
    [
        ("distribution_shift", True, None, "If inputs drift from the examples"),
        ("distribution_shift", False, None, "If inputs do not drift from the examples"),
        ("distribution_shift", True, False, "If inputs came to drift from the examples"),
        ("distribution_shift", False, True, "If inputs did not drift from the examples"),
        ("entity_popularity", "LONG_TAIL", None, "If popularity of the subjects were long tail"),
        ("entity_popularity", "LONG_TAIL", "HEAD", "If popularity of the subjects were long tail (now head)"),
    ],
)
def test_what_is_known_would_have_to_be_otherwise(
    name: str, value: object, known: object, clause: str
) -> None:
    """What is unknown may be so; of what is known to be otherwise the clause says that it is not so now."""
    item = fact(name)
    number = None if known is None else encode_value(item, known)
    assert value_to_clause(item, encode_value(item, value), number) == clause


@pytest.mark.parametrize(
    ("name", "sign", "value", "known", "clause"),
    [
        ("labelled_examples", "<", 50, None, "If labelled examples were fewer than 50"),
        ("labelled_examples", ">=", 50, 20, "If labelled examples were at least 50 (now 20)"),
        ("corpus_tokens", "<=", 1, 60_000, "If size of the documents were at most 1 token (now 60,000)"),
        ("closed_book_score", ">", 0.8, 0.8, "If quality without documents were more than 80% (now 80%)"),
        (
            "closed_book_score",
            ">=",
            0.8,
            0.79996,
            "If quality without documents were at least 80% (now 79.996%)",
        ),
        (
            "model_parameters",
            ">=",
            "7B",
            6_999_999_999,
            "If parameters of the model were at least 7 billion (now 6.999999999 billion)",
        ),
        (
            "update_interval",
            "<=",
            "1d",
            "86401s",
            "If time between knowledge changes were at most 1 day (now 1.00001157407 days)",
        ),
    ],
)
def test_what_it_is_now_never_reads_like_what_it_would_be(
    name: str, sign: str, value: object, known: object, clause: str
) -> None:
    """Digits are added where three would show two values as one; a rule's `more than` may end at the value itself."""
    item = fact(name)
    number = None if known is None else encode_value(item, known)
    assert change_to_clause(item, sign, encode_value(item, value), number) == clause
