"""Known: the facts that cost anything, of one use case or of many, and arithmetic on what is known of some alone.

A fact is a float or an array where it is known, `Partly` known where it is so of some use cases alone, and None where
it is unknown throughout. What is unknown is filled in, `given` something else or `derived`, so that what follows is
arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from advisor.knowledge.arrays import Bools, Floats
from advisor.knowledge.facts import Row, fact_index

__all__ = [
    "Known",
    "Number",
    "Partly",
    "derived",
    "given",
    "has_gaps",
    "known_columns",
    "known_facts",
    "least",
    "most",
    "pick",
]

Number = Any
"""A float, or an array of shape (n,)."""


class Known(NamedTuple):
    """The facts that cost anything: a float, an array, `Partly` known, or None where unknown throughout."""

    update_interval: Number
    max_staleness: Number
    new_knowledge_share: Number
    corpus_tokens: Number
    task: Number
    output_form: Number
    labelled_examples: Number
    queries_per_month: Number
    model_parameters: Number
    context_tokens: Number
    output_tokens: Number
    input_price: Number
    output_price: Number
    training_price: Number
    retrain_interval: Number
    must_forget: Number
    distribution_shift: Number
    latency_budget: Number
    has_evaluation_set: Number
    tuned_input_price: Number
    tuned_output_price: Number
    cached_input_price: Number
    hosting: Number
    monthly_budget: Number


class Partly(NamedTuple):
    """A fact that is known of some use cases alone."""

    values: Floats
    unknown: Bools


_PLACES = [fact_index()[name] for name in Known._fields]
_pick_known = itemgetter(*_PLACES)


def known_facts(row: Row) -> Known:
    """Return the facts of one use case, shape (facts,), NaN where unknown."""
    return Known._make([None if value != value else value for value in _pick_known(row.tolist())])


def known_columns(columns: Floats) -> Known:
    """Return the facts of many use cases, shape (facts, n)."""
    unknown: Bools = np.isnan(columns)
    none = np.logical_and.reduce(unknown, axis=1).tolist()
    partly = np.logical_or.reduce(unknown, axis=1).tolist()
    return Known._make(
        [
            None
            if none[place]
            else Partly(columns[place], unknown[place])
            if partly[place]
            else columns[place]
            for place in _PLACES
        ]
    )


def has_gaps(value: Number) -> bool:
    """Return whether a fact is unknown of any use case."""
    return value is None or type(value) is Partly


def given(value: Number, default: Number) -> Number:
    """Return a fact, or what stands for it where it is unknown."""
    if value is None:
        return default
    return np.where(value.unknown, default, value.values) if type(value) is Partly else value


def derived(value: Number, function: Callable[[Number], Number], default: Number) -> Number:
    """Return what follows from a fact, or what stands for it where the fact is unknown."""
    if value is None:
        return default
    if type(value) is Partly:
        return np.where(value.unknown, default, function(value.values))
    return function(value)


def pick(condition: Number, yes: Number, no: Number) -> Number:
    """Return one of two numbers."""
    if isinstance(condition, np.ndarray):
        return np.where(condition, yes, no)
    return yes if condition else no


def least(one: Number, other: Number) -> Number:
    """Return the smaller of two numbers."""
    if type(one) is float is type(other):
        return one if one < other else other  # noqa: FURB136 (calls cost more than all else here)
    return np.minimum(one, other)


def most(one: Number, other: Number) -> Number:
    """Return the larger of two numbers."""
    if type(one) is float is type(other):
        return one if one > other else other  # noqa: FURB136
    return np.maximum(one, other)
