"""Pricing: what a month of each approach comes to, for one use case, for many, or for many guesses about one.

The same formulas, `bill`, take floats and arrays: facts that are known, and figures for what is not. Unknown facts
are filled in first, so that what follows is arithmetic. The formulas are in `advisor.decision.cost`, the figures in
`advisor.decision.prices`.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from advisor.decision.prices import FIGURES
from advisor.knowledge.arrays import Bools, Floats
from advisor.knowledge.facts import Row, encode_value, fact, fact_index

__all__ = ["CENTRAL", "Bill", "Known", "Number", "bill", "known_facts", "monthly", "monthly_usd", "months"]

Number = Any
"""A float, or an array of shape (n,)."""

_DAY_S = 86400.0
_MONTH_S = 365 * _DAY_S / 12
_HOURS = 365 * 24 / 12
_CLASSIFICATION, _EXTRACTION, _SUMMARIZATION = (
    encode_value(fact("task"), name) for name in ("CLASSIFICATION", "EXTRACTION", "SUMMARIZATION")
)
_LABEL = encode_value(fact("output_form"), "LABEL")
_SERVERLESS, _RENTED = (encode_value(fact("hosting"), name) for name in ("SERVERLESS_ADAPTER", "RENTED_GPU"))

_PAID_BY_TOKEN = 0.0
CENTRAL = SimpleNamespace(**{name: float(figure.value) for name, figure in FIGURES.items()})
"""The figures' values, by name."""
_SAME = CENTRAL.tuned_ratio


class Known(NamedTuple):
    """The facts that cost anything: a float, an array, `_Partly` known, or None where unknown throughout."""

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
    has_evaluation_set: Number
    tuned_input_price: Number
    tuned_output_price: Number
    cached_input_price: Number
    hosting: Number
    monthly_budget: Number


class _Partly(NamedTuple):
    """A fact that is known of some use cases alone."""

    values: Floats
    unknown: Bools


class Prices(NamedTuple):
    """US dollars per million tokens."""

    input: Number
    cached: Number
    output: Number
    tuned_input: Number
    tuned_output: Number
    training: Number


class Prompt(NamedTuple):
    """What a prompt holds, in tokens: what repeats at every query, and what does not."""

    instructions: Number
    question: Number
    examples: Number
    documents: Number
    passages: Number
    output: Number


class Bill(NamedTuple):
    """What the approaches cost, each tuple in the order of `APPROACHES`.

    Attributes:
        queries: Queries a month.
        fixed: US dollars a month at no queries, machines left aside.
        answers: US dollars for the tokens of a million answers.
        search: US dollars for a million searches.
        machine: US dollars a month for the machine of a tuned model; 0 where its tokens are paid.
        runs: Training runs a month, of FINE_TUNING and HYBRID.
        run: US dollars for a training run of each.
        prices: Of the tokens.
        prompt: What it holds.
    """

    queries: Number
    fixed: tuple[Number, Number, Number, Number]
    answers: tuple[Number, Number, Number, Number]
    search: Number
    machine: Number
    runs: tuple[Number, Number]
    run: tuple[Number, Number]
    prices: Prices
    prompt: Prompt


_PLACES = [fact_index()[name] for name in Known._fields]
_pick_known = itemgetter(*_PLACES)


def monthly_usd(columns: Floats) -> Floats:
    """Return US dollars a month of each approach.

    Args:
        columns: Facts of use cases, shape (facts, n), NaN where unknown.

    Returns:
        Shape (approaches, n), in the order of `APPROACHES`.
    """
    if columns.shape[1] == 1:
        return np.array(months(bill(known_facts(columns[:, 0]), CENTRAL)))[:, None]
    return monthly(bill(_known_columns(columns), CENTRAL), columns.shape[1])


def known_facts(row: Row) -> Known:
    """Return the facts of one use case, shape (facts,), NaN where unknown."""
    return Known._make([None if value != value else value for value in _pick_known(row.tolist())])


def monthly(costs: Bill, count: int) -> Floats:
    """Return `months` of many use cases, or guesses, as an array of shape (approaches, count)."""
    found = np.empty((len(costs.fixed), count))
    for place, month in enumerate(months(costs)):  # one that is the same for all is a number
        found[place] = month
    return found


def months(costs: Bill) -> tuple[Number, Number, Number, Number]:
    """Return US dollars a month of each approach: machines cost their rent, or more where one is not enough."""
    millions, fixed, answers, machine = costs.queries * 1e-6, costs.fixed, costs.answers, costs.machine
    search = millions * costs.search
    tuned, both = millions * answers[2], millions * answers[3]
    if machine is not _PAID_BY_TOKEN:
        tuned, both = _most(tuned, machine), _most(both, machine)
    return (
        fixed[0] + millions * answers[0],
        fixed[1] + millions * answers[1] + search,
        fixed[2] + tuned,
        fixed[3] + both + search,
    )


def bill(known: Known, use: SimpleNamespace) -> Bill:
    """Price every approach.

    Args:
        known: The facts.
        use: A number for every figure, by its name in `FIGURES`.
    """
    corpus = use.corpus_tokens if known.corpus_tokens is None else _or(known.corpus_tokens, use.corpus_tokens)
    prices = _prices(known, use)
    prompt = _prompt(known, use, corpus)
    fixed = _evaluating(known, use)
    index = _index(known, use, corpus)
    runs, run = _runs(known, use), _run(known, use, prices, prompt)
    adapter, machine = _hosting(known, use)
    # An evaluation that a run brings along is not paid twice.
    checks = use.evaluations / 12
    prepared = fixed + (_data(known, use) + adapter)
    often, seldom = runs
    answer, passages = prompt.output * prices.output, prompt.passages
    asked = prices.cached * (prompt.instructions + prompt.examples) + (
        prices.input * prompt.question + answer
    )
    tuned = prices.tuned_input * prompt.question + prices.tuned_output * prompt.output
    return Bill(
        _or(known.queries_per_month, use.queries),
        (
            fixed,
            fixed + index,
            prepared + often * run[0] - _least(often, checks) * use.evaluation,
            prepared + seldom * run[1] + (index - _least(seldom, checks) * use.evaluation),
        ),
        (
            asked + prices.cached * prompt.documents,
            asked + prices.input * passages,
            tuned,
            tuned + prices.tuned_input * (passages + prompt.instructions),
        ),
        use.search,
        machine,
        runs,
        run,
        prices,
        prompt,
    )


def _prices(known: Known, use: SimpleNamespace) -> Prices:
    price_in, price_out, training = known.input_price, known.output_price, known.training_price
    if _has_gaps(price_in):
        listed = _from(known.model_parameters, lambda size: _sized_price(size, use), use.input_price)
        price_in = _or(price_in, _from(price_out, lambda out: out / use.output_ratio, listed))
    if _has_gaps(price_out):
        price_out = _or(price_out, use.output_ratio * price_in)
    tuned_in, tuned_out = _tuned_prices(known, use, price_in, price_out)
    if _has_gaps(training):
        by_size = _from(
            _tuned_size(known),
            lambda size: use.flops * use.gpu_hour / (use.peak * 3.6e9 * use.utilisation) * size,
            use.training_ratio * tuned_in,
        )
        training = _or(training, by_size)
    cached = _or(known.cached_input_price, use.cached_share * price_in)
    return Prices(price_in, cached, price_out, tuned_in, tuned_out, training)


def _sized_price(parameters: Number, use: SimpleNamespace) -> Number:
    grown = (parameters / use.sized_parameters) ** use.sized_exponent
    return _most(use.sized_input_price * grown, use.least_input_price)


def _tuned_prices(
    known: Known, use: SimpleNamespace, price_in: Number, price_out: Number
) -> tuple[Number, Number]:
    """Return the prices of a tuned model: its own, of which one implies the other, or those of the prompted one."""
    own_in, own_out, ratio = known.tuned_input_price, known.tuned_output_price, use.tuned_ratio
    if own_in is None and own_out is None:
        return (price_in, price_out) if ratio is _SAME else (ratio * price_in, ratio * price_out)
    implied_in = _from(own_out, lambda price: price / use.output_ratio, ratio * price_in)
    implied_out = _from(own_in, lambda price: use.output_ratio * price, ratio * price_out)
    return _or(own_in, implied_in), _or(own_out, implied_out)


def _tuned_size(known: Known) -> Number:
    """Return the parameters of the tuned model: a model with a price of its own is another one, of unknown size."""
    size, other = known.model_parameters, known.tuned_input_price
    if size is None or other is None:
        return size
    if type(other) is not _Partly:
        return None
    values, unknown = size if type(size) is _Partly else (size, False)
    return _Partly(values, unknown | ~other.unknown)


def _prompt(known: Known, use: SimpleNamespace, corpus: Number) -> Prompt:
    task = _or(known.task, 0.0)
    text = (task == _CLASSIFICATION) | (task == _EXTRACTION) | (task == _SUMMARIZATION)
    input_tokens, output = known.context_tokens, known.output_tokens
    if _has_gaps(input_tokens):
        input_tokens = _or(input_tokens, _pick(text, use.text_tokens, use.input_tokens))
    if _has_gaps(output):
        label = _or(known.output_form, 0.0) == _LABEL
        output = _or(output, _pick(label, use.label_tokens, use.output_tokens))
    instructions = (use.instructions + text * (use.text_instructions - use.instructions)) * input_tokens
    question = input_tokens - instructions
    shots = _least(_or(known.labelled_examples, use.shots), use.shots)
    examples = _least(shots * (question + output), use.shot_tokens)
    documents = corpus * (corpus <= use.window)
    return Prompt(instructions, question, examples, documents, use.passages * use.passage_tokens, output)


def _evaluating(known: Known, use: SimpleNamespace) -> Number:
    """Return US dollars a month for questions to evaluate on, unless they exist, and for evaluations."""
    written = use.questions * use.labelling / use.months
    return (1.0 - _or(known.has_evaluation_set, 0.0)) * written + use.evaluations / 12 * use.evaluation


def _index(known: Known, use: SimpleNamespace, corpus: Number) -> Number:
    """Return US dollars a month for building the index, keeping it up to date, and storing it."""
    often = _from(
        known.update_interval, lambda update: _least(use.changed * _MONTH_S / update, 1.0), use.churn
    )
    kept = use.stored_gb * 1e-9 * use.stored_bytes + use.indexing * 1e-6 / use.months
    return corpus * (kept + use.indexing * 1e-6 * often) + use.store


def _data(known: Known, use: SimpleNamespace) -> Number:
    """Return US dollars a month for what is done once to have examples: some written, the others looked through."""
    there = _least(_or(known.labelled_examples, 0.0), use.examples)
    return (use.checking - use.labelling) / use.months * there + use.labelling / use.months * use.examples


def _run(known: Known, use: SimpleNamespace, prices: Prices, prompt: Prompt) -> tuple[Number, Number]:
    """Return US dollars for a training run, without passages and with them."""
    extra = use.fresh * use.examples * use.labelling + use.evaluation
    length = prompt.question + prompt.output
    per_token = 1e-6 * use.epochs * prices.training * _most(_or(known.labelled_examples, 0.0), use.examples)
    run = per_token * length + extra
    return run, run + per_token * (prompt.passages + prompt.instructions)


def _runs(known: Known, use: SimpleNamespace) -> tuple[Number, Number]:
    """Return training runs a month, without retrieval and with it.

    A tuned model answers with the knowledge of its last run, so the next is due when the knowledge has
    changed, is older than it may be, and another run is affordable: whichever comes last. With retrieval the
    index takes up what changes, and only new base models ask for runs; the first run is one of those.
    """
    renewals, share = 1 / use.renewal, known.new_knowledge_share
    if known.update_interval is None:
        return renewals, renewals
    least = _or(known.retrain_interval, use.retraining * _DAY_S)
    if known.max_staleness is not None:
        least = _most(least, _or(known.max_staleness, 0.0))
    runs = _from(known.update_interval, lambda update: _MONTH_S / _most(update, least), renewals)
    if share is not None:
        runs = runs * (_or(share, 1.0) > use.few_new)
    if known.task is not None:  # fields and summaries are of the text at hand, whatever changes elsewhere
        task = _or(known.task, 0.0)
        runs = runs * ((task != _EXTRACTION) & (task != _SUMMARIZATION))
    return _most(runs, renewals), renewals


def _hosting(known: Known, use: SimpleNamespace) -> tuple[Number, Number]:
    """Return US dollars a month for keeping an adapter, and for the machine of a tuned model."""
    mode = _or(known.hosting, use.hosting)
    by_token = mode == _SERVERLESS
    if by_token is True:
        return use.adapter, _PAID_BY_TOKEN
    gpus = _from(_tuned_size(known), lambda size: _most(size / use.gpu_parameters, 1.0), 1.0)
    machine = gpus * _pick(mode == _RENTED, _HOURS * use.gpu_hour, use.machine)
    return by_token * use.adapter, _pick(by_token, _PAID_BY_TOKEN, machine)


def _known_columns(columns: Floats) -> Known:
    """Return the facts of many use cases, shape (facts, n)."""
    unknown: Bools = np.isnan(columns)
    none = np.logical_and.reduce(unknown, axis=1).tolist()
    partly = np.logical_or.reduce(unknown, axis=1).tolist()
    return Known._make(
        [
            None
            if none[place]
            else _Partly(columns[place], unknown[place])
            if partly[place]
            else columns[place]
            for place in _PLACES
        ]
    )


def _has_gaps(value: Number) -> bool:
    return value is None or type(value) is _Partly


def _or(value: Number, default: Number) -> Number:
    """Return a fact, or what stands for it where it is unknown."""
    if value is None:
        return default
    return np.where(value.unknown, default, value.values) if type(value) is _Partly else value


def _from(value: Number, function: Callable[[Number], Number], default: Number) -> Number:
    """Return what follows from a fact, or what stands for it where the fact is unknown."""
    if value is None:
        return default
    if type(value) is _Partly:
        return np.where(value.unknown, default, function(value.values))
    return function(value)


def _pick(condition: Number, yes: Number, no: Number) -> Number:
    if isinstance(condition, np.ndarray):
        return np.where(condition, yes, no)
    return yes if condition else no


def _least(one: Number, other: Number) -> Number:
    if type(one) is float is type(other):
        return one if one < other else other  # noqa: FURB136 (calls cost more than all else here)
    return np.minimum(one, other)


def _most(one: Number, other: Number) -> Number:
    if type(one) is float is type(other):
        return one if one > other else other  # noqa: FURB136
    return np.maximum(one, other)
