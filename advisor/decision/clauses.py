"""Clauses: a change of one fact, as people are told of it."""

from __future__ import annotations

import math
from typing import NamedTuple

from advisor.knowledge.facts import Fact, value_to_text
from backends.counts import counted

__all__ = ["FLAG_CLAUSES", "change_to_clause", "value_to_clause"]

_EXACTLY = 12
"""Digits that tell apart what three do not."""


class _FlagClauses(NamedTuple):
    """How to speak of a flag, whose title says that it holds."""

    does_not: str
    did: str
    did_not: str


FLAG_CLAUSES = {
    "needs_citations": _FlagClauses(
        "sources need not be shown", "sources had to be shown", "sources did not have to be shown"
    ),
    "per_user_access": _FlagClauses(
        "access rights do not differ per user",
        "access rights differed per user",
        "access rights did not differ per user",
    ),
    "must_forget": _FlagClauses(
        "single facts need not be erasable",
        "single facts had to be erasable",
        "single facts did not have to be erasable",
    ),
    "examples_include_context": _FlagClauses(
        "examples do not come with passages",
        "examples came with passages",
        "examples did not come with passages",
    ),
    "synthetic_examples": _FlagClauses(
        "examples are not synthetic", "examples were synthetic", "examples were not synthetic"
    ),
    "distribution_shift": _FlagClauses(
        "inputs do not drift from the examples",
        "inputs came to drift from the examples",
        "inputs did not drift from the examples",
    ),
    "can_train": _FlagClauses(
        "training is not possible", "training were possible", "training were not possible"
    ),
    "has_evaluation_set": _FlagClauses(
        "no evaluation set exists", "an evaluation set existed", "no evaluation set existed"
    ),
    "stronger_prompted_model": _FlagClauses(
        "the model to prompt is not stronger than the one to tune",
        "the model to prompt were stronger than the one to tune",
        "the model to prompt were not stronger than the one to tune",
    ),
}
"""What is unknown is or is not so; what is known to be otherwise would have to be so."""


def value_to_clause(item: Fact, value: float, known: float | None) -> str:
    """Write that a flag or a choice has a value.

    >>> from advisor.knowledge.facts import fact
    >>> value_to_clause(fact("distribution_shift"), 0.0, None)
    'If inputs do not drift from the examples'
    >>> value_to_clause(fact("distribution_shift"), 0.0, 1.0)
    'If inputs did not drift from the examples'
    """
    if item.kind == "choice":
        return f"If {item.title} were {value_to_text(item, value)}{_now(item, value, known)}"
    clauses = FLAG_CLAUSES[item.name]
    if known is None:
        return f"If {item.title if value else clauses.does_not}"
    return f"If {clauses.did if value else clauses.did_not}"


def change_to_clause(item: Fact, sign: str, place: float, known: float | None) -> str:
    """Write that a number lies on one side of a place.

    >>> from advisor.knowledge.facts import fact
    >>> change_to_clause(fact("labelled_examples"), "<", 50.0, 80.0)
    'If labelled examples were fewer than 50 (now 80)'
    """
    words = {">=": "at least", ">": "more than", "<=": "at most", "<": "less than"}[sign]
    if item.kind == "count" and sign == "<":
        words = "fewer than"
    amount = counted(round(place), "token") if item.unit == "tokens" else value_to_text(item, place)
    return f"If {item.title} were {words} {amount}{_now(item, place, known)}"


def _now(item: Fact, value: float, known: float | None) -> str:
    """Write what the value is now, in as many digits as tell it from what it would be."""
    if known is None:
        return ""
    now = value_to_text(item, known)
    if now == value_to_text(item, value) and not math.isclose(known, value, rel_tol=1e-11):
        now = value_to_text(item, known, _EXACTLY)
    return f" (now {now})"
