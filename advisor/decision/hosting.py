"""Hosting of a tuned model: what is paid besides its tokens, and what a rented GPU is rented for.

A rented GPU is paid day and night where an answer is awaited. Where answers may wait, queries are collected and
answered in batches, and it is paid for the hours that their tokens take, an hour a day at least.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from advisor.decision.known import Known, Number, Partly, derived, given, most, pick
from advisor.decision.prices import FIGURES
from advisor.knowledge.approaches import Approach
from advisor.knowledge.facts import encode_value, fact, value_to_text
from backends.counts import counted

__all__ = ["NOT_RENTED", "PAID_BY_TOKEN", "Hosting", "host", "hosting_note", "tuned_size"]

PAID_BY_TOKEN = 0.0
"""US dollars a month of no machine."""
NOT_RENTED = 1e99
"""US dollars for tokens that no rented GPU reads or writes."""
_MONTH_DAYS = 365 / 12
_MONTH_H = 24 * _MONTH_DAYS
_SERVERLESS, _RENTED, _OWN = (encode_value(fact("hosting"), name) for name in fact("hosting").choices)
_AWAITED = np.array(
    [True, *(name in ("QUESTION_ANSWERING", "DIALOGUE", "CODE") for name in fact("task").choices)]
)
"""Whether somebody waits for an answer, by task; of an unknown one it is held to be so."""
_MINUTE_S = 60.0
_ROUNDING = 1e-9


class Hosting(NamedTuple):
    """Where a tuned model runs.

    Attributes:
        adapter: US dollars a month for keeping an adapter with a service.
        machine: US dollars a month for machines, however few the queries; 0 where tokens are paid.
        gpus: How many GPUs hold the model.
        awaited: Whether rented ones run day and night, since answers are awaited.
        tokens: US dollars for the hours of rented GPUs that a million tokens take, read or written; `NOT_RENTED`,
            beyond all prices, where none are rented.
    """

    adapter: Number
    machine: Number
    gpus: Number
    awaited: Number
    tokens: Number


def host(known: Known, use: SimpleNamespace) -> Hosting:
    """Price the hosting.

    Args:
        known: The facts.
        use: A number for every figure, by its name in `FIGURES`.
    """
    mode = given(known.hosting, use.hosting)
    by_token = mode == _SERVERLESS
    if by_token is True:
        return Hosting(use.adapter, PAID_BY_TOKEN, 1.0, False, NOT_RENTED)
    size = given(tuned_size(known), use.throughput_parameters)
    gpus = most(size / use.gpu_parameters, 1.0)
    rented, awaited = mode == _RENTED, _is_awaited(known, use)
    rent = _MONTH_H * use.gpu_hour
    if awaited is not True:
        rent = pick(awaited, rent, _MONTH_DAYS * use.batch_hours * use.gpu_hour)
    tokens = use.gpu_hour / (3600e-6 * use.throughput_parameters * use.throughput) * size
    return Hosting(
        by_token * use.adapter,
        pick(by_token, PAID_BY_TOKEN, gpus * pick(rented, rent, use.machine)),
        gpus,
        awaited,
        pick(rented, tokens, NOT_RENTED),
    )


def tuned_size(known: Known) -> Number:
    """Return the parameters of the tuned model: a model with a price of its own is another one, of unknown size."""
    size, other = known.model_parameters, known.tuned_input_price
    if size is None or other is None:
        return size
    if type(other) is not Partly:
        return None
    values, unknown = size if type(size) is Partly else (size, False)
    return Partly(values, unknown | ~other.unknown)


def _is_awaited(known: Known, use: SimpleNamespace) -> Number:
    """Return whether an answer is due sooner than a GPU is started for it; by the task where nothing says when."""
    task = given(known.task, 0.0)
    by_task = _AWAITED[task.astype(np.intp)] if isinstance(task, np.ndarray) else bool(_AWAITED[int(task)])
    return derived(known.latency_budget, lambda due: due <= use.batch_wait * _MINUTE_S, by_task)


def hosting_note(known: Known, hosting: Hosting, months: Mapping[Approach, tuple[float, float]]) -> str:
    """Say what machines were priced; empty where none were.

    Args:
        known: The facts of one use case.
        hosting: Its hosting.
        months: Millions of tokens a month of each tuned approach that is priced, and US dollars that they cost.
    """
    if not months or known.hosting in (None, _SERVERLESS):
        return ""
    if known.hosting == _OWN:
        machines = counted(math.ceil(hosting.gpus), "machine") if hosting.gpus > 1 else "one machine"
        return (
            f"A tuned model is taken to run on {machines} of your own, paid by you; what is prompted is priced by the "
            "tokens of a service."
        )
    priced = "Rented GPUs are priced" if hosting.gpus > 1 else "A rented GPU is priced"
    if hosting.awaited:
        return f"{priced} day and night, since {_due(known)}."
    if all(usd <= hosting.machine for _, usd in months.values()):
        return f"{priced} for an hour a day, in batches, which is all that the queries need."
    if any(usd < hosting.tokens * millions * (1 - _ROUNDING) for millions, usd in months.values()):
        return f"{priced} in batches, at what a service asks for as many tokens, which is less than the hours cost."
    hour = hosting.gpus * FIGURES["gpu_hour"].value
    hours = {each: max(usd, hosting.machine) / hour for each, (_, usd) in months.items()}
    if max(hours.values()) > _MONTH_H:
        return "Rented GPUs are priced day and night, as many as the queries need."
    listed = {each: f"{count:,.0f}" for each, count in hours.items()}
    if len(set(listed.values())) == 1:
        return (
            f"{priced} for the {next(iter(listed.values()))} hours a month that the queries need, in batches."
        )
    told = " and ".join(f"{count} for {each}" for each, count in listed.items())
    return f"{priced} for the hours a month that the queries need, in batches: {told}."


def _due(known: Known) -> str:
    """Say why a GPU runs day and night."""
    if known.latency_budget is not None:
        return f"an answer is due within {value_to_text(fact('latency_budget'), known.latency_budget)}"
    return "nothing says that answers may wait"
