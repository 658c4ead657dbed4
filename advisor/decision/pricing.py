"""Pricing: what a month of each approach comes to, for one use case, for many, or for many guesses about one.

The same formulas, `bill`, take floats and arrays: facts that are known, and figures for what is not. The
formulas are in `advisor.decision.cost`, the figures in `advisor.decision.prices`.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from advisor.decision.hosting import NOT_RENTED, PAID_BY_TOKEN, Hosting, host, tuned_size
from advisor.decision.known import (
    Known,
    Number,
    derived,
    given,
    has_gaps,
    known_columns,
    known_facts,
    least,
    most,
    pick,
)
from advisor.decision.prices import FIGURES
from advisor.knowledge.arrays import Floats
from advisor.knowledge.facts import encode_value, fact

__all__ = ["CENTRAL", "Bill", "bill", "monthly", "monthly_usd", "months"]

_DAY_S = 86400.0
_MONTH_S = 365 * _DAY_S / 12
_CLASSIFICATION, _EXTRACTION, _SUMMARIZATION = (
    encode_value(fact("task"), name) for name in ("CLASSIFICATION", "EXTRACTION", "SUMMARIZATION")
)
_LABEL = encode_value(fact("output_form"), "LABEL")
CENTRAL = SimpleNamespace(**{name: float(figure.value) for name, figure in FIGURES.items()})
"""The figures' values, by name."""
_SAME = CENTRAL.tuned_ratio


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
        hosting: Of a tuned model.
        runs: Training runs a month, of FINE_TUNING and HYBRID.
        run: US dollars for a training run of each.
        prices: Of the tokens.
        prompt: What it holds.
    """

    queries: Number
    fixed: tuple[Number, Number, Number, Number]
    answers: tuple[Number, Number, Number, Number]
    search: Number
    hosting: Hosting
    runs: tuple[Number, Number]
    run: tuple[Number, Number]
    prices: Prices
    prompt: Prompt


def monthly_usd(columns: Floats) -> Floats:
    """Return US dollars a month of each approach.

    Args:
        columns: Facts of use cases, shape (facts, n), NaN where unknown.

    Returns:
        Shape (approaches, n), in the order of `APPROACHES`.
    """
    if columns.shape[1] == 1:
        return np.array(months(bill(known_facts(columns[:, 0]), CENTRAL)))[:, None]
    return monthly(bill(known_columns(columns), CENTRAL), columns.shape[1])


def monthly(costs: Bill, count: int) -> Floats:
    """Return `months` of many use cases, or guesses, as an array of shape (approaches, count)."""
    found = np.empty((len(costs.fixed), count))
    for place, month in enumerate(months(costs)):  # one that is the same for all is a number
        found[place] = month
    return found


def months(costs: Bill) -> tuple[Number, Number, Number, Number]:
    """Return US dollars a month of each approach: machines cost their rent, or more where answers take more."""
    millions, machine = costs.queries * 1e-6, costs.hosting.machine
    fixed, answers = costs.fixed, costs.answers
    search = millions * costs.search
    tuned, both = millions * answers[2], millions * answers[3]
    if machine is not PAID_BY_TOKEN:
        tuned, both = most(tuned, machine), most(both, machine)
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
    corpus = (
        use.corpus_tokens if known.corpus_tokens is None else given(known.corpus_tokens, use.corpus_tokens)
    )
    prices = _prices(known, use)
    prompt = _prompt(known, use, corpus)
    fixed = _evaluating(known, use)
    index = _index(known, use, corpus)
    length, added = prompt.question + prompt.output, prompt.passages + prompt.instructions
    runs, run = _runs(known, use), _run(known, use, prices, length, added)
    hosting = host(known, use)
    # An evaluation that a run brings along is not paid twice.
    checks = use.evaluations / 12
    prepared = fixed + (_data(known, use) + hosting.adapter)
    often, seldom = runs
    answer, passages = prompt.output * prices.output, prompt.passages
    asked = prices.cached * (prompt.instructions + prompt.examples) + (
        prices.input * prompt.question + answer
    )
    tuned = prices.tuned_input * prompt.question + prices.tuned_output * prompt.output
    both = tuned + prices.tuned_input * added
    # The hours that tokens take, and no more than a service asks for them.
    if hosting.tokens is not NOT_RENTED:
        hours = hosting.tokens * length
        tuned, both = least(tuned, hours), least(both, hours + hosting.tokens * added)
    return Bill(
        given(known.queries_per_month, use.queries),
        (
            fixed,
            fixed + index,
            prepared + often * run[0] - least(often, checks) * use.evaluation,
            prepared + seldom * run[1] + (index - least(seldom, checks) * use.evaluation),
        ),
        (
            asked + prices.cached * prompt.documents,
            asked + prices.input * passages,
            tuned,
            both,
        ),
        use.search,
        hosting,
        runs,
        run,
        prices,
        prompt,
    )


def _prices(known: Known, use: SimpleNamespace) -> Prices:
    price_in, price_out, training = known.input_price, known.output_price, known.training_price
    if has_gaps(price_in):
        listed = derived(known.model_parameters, lambda size: _sized_price(size, use), use.input_price)
        price_in = given(price_in, derived(price_out, lambda out: out / use.output_ratio, listed))
    if has_gaps(price_out):
        price_out = given(price_out, use.output_ratio * price_in)
    tuned_in, tuned_out = _tuned_prices(known, use, price_in, price_out)
    if has_gaps(training):
        by_size = derived(
            tuned_size(known),
            lambda size: use.flops * use.gpu_hour / (use.peak * 3.6e9 * use.utilisation) * size,
            use.training_ratio * tuned_in,
        )
        training = given(training, by_size)
    cached = given(known.cached_input_price, use.cached_share * price_in)
    return Prices(price_in, cached, price_out, tuned_in, tuned_out, training)


def _sized_price(parameters: Number, use: SimpleNamespace) -> Number:
    grown = (parameters / use.sized_parameters) ** use.sized_exponent
    return most(use.sized_input_price * grown, use.least_input_price)


def _tuned_prices(
    known: Known, use: SimpleNamespace, price_in: Number, price_out: Number
) -> tuple[Number, Number]:
    """Return the prices of a tuned model: its own, of which one implies the other, or those of the prompted one."""
    own_in, own_out, ratio = known.tuned_input_price, known.tuned_output_price, use.tuned_ratio
    if own_in is None and own_out is None:
        return (price_in, price_out) if ratio is _SAME else (ratio * price_in, ratio * price_out)
    if not (has_gaps(own_in) or has_gaps(own_out)):
        return own_in, own_out
    implied_in = derived(own_out, lambda price: price / use.output_ratio, ratio * price_in)
    implied_out = derived(own_in, lambda price: use.output_ratio * price, ratio * price_out)
    return given(own_in, implied_in), given(own_out, implied_out)


def _prompt(known: Known, use: SimpleNamespace, corpus: Number) -> Prompt:
    task = given(known.task, 0.0)
    text = (task == _CLASSIFICATION) | (task == _EXTRACTION) | (task == _SUMMARIZATION)
    input_tokens, output = known.context_tokens, known.output_tokens
    if has_gaps(input_tokens):
        input_tokens = given(input_tokens, pick(text, use.text_tokens, use.input_tokens))
    if has_gaps(output):
        label = given(known.output_form, 0.0) == _LABEL
        output = given(output, pick(label, use.label_tokens, use.output_tokens))
    instructions = (use.instructions + text * (use.text_instructions - use.instructions)) * input_tokens
    instructions = least(instructions, use.most_instructions)
    question = input_tokens - instructions
    shots = least(given(known.labelled_examples, use.shots), use.shots)
    examples = least(shots * (question + output), use.shot_tokens)
    documents = corpus * (corpus <= use.window)
    return Prompt(instructions, question, examples, documents, use.passages * use.passage_tokens, output)


def _evaluating(known: Known, use: SimpleNamespace) -> Number:
    """Return US dollars a month for questions to evaluate on, unless they exist, and for evaluations."""
    written = use.questions * use.labelling / use.months
    return (1.0 - given(known.has_evaluation_set, 0.0)) * written + use.evaluations / 12 * use.evaluation


def _index(known: Known, use: SimpleNamespace, corpus: Number) -> Number:
    """Return US dollars a month for building the index, keeping it up to date, and storing it."""
    often = derived(
        known.update_interval, lambda update: least(use.changed * _MONTH_S / update, 1.0), use.churn
    )
    kept = use.stored_gb * 1e-9 * use.stored_bytes + use.indexing * 1e-6 / use.months
    return corpus * (kept + use.indexing * 1e-6 * often) + use.store


def _data(known: Known, use: SimpleNamespace) -> Number:
    """Return US dollars a month for what is done once to have examples: some written, the others looked through."""
    there = least(given(known.labelled_examples, 0.0), use.examples)
    return (use.checking - use.labelling) / use.months * there + use.labelling / use.months * use.examples


def _run(
    known: Known, use: SimpleNamespace, prices: Prices, length: Number, added: Number
) -> tuple[Number, Number]:
    """Return US dollars for a training run, without passages and with them: tokens of an example, and those added."""
    extra = use.fresh * use.examples * use.labelling + use.evaluation
    per_token = 1e-6 * use.epochs * prices.training * most(given(known.labelled_examples, 0.0), use.examples)
    run = per_token * length + extra
    return run, run + per_token * added


def _runs(known: Known, use: SimpleNamespace) -> tuple[Number, Number]:
    """Return training runs a month, without retrieval and with it.

    A tuned model answers with the knowledge of its last run, so the next is due when the knowledge has
    changed, is older than it may be, and another run is affordable: whichever comes last. With retrieval the
    index takes up what changes, and only new base models ask for runs; the first run is one of those. What is
    to be erased from a model, and inputs that drift from what it was trained on, ask for runs of either, no more
    often than they are affordable.
    """
    seldom, share = 1 / use.renewal, known.new_knowledge_share
    apart = given(known.retrain_interval, use.retraining * _DAY_S)
    if known.must_forget is not None or known.distribution_shift is not None:
        erasures = given(known.must_forget, 0.0) * use.erasures
        asked = most(erasures, given(known.distribution_shift, 0.0) * use.drift)
        seldom = most(seldom, least(asked / 12, _MONTH_S / apart))
    if known.update_interval is None:
        return seldom, seldom
    if known.max_staleness is not None:
        apart = most(apart, given(known.max_staleness, 0.0))
    runs = derived(known.update_interval, lambda update: _MONTH_S / most(update, apart), seldom)
    if share is not None:
        runs = runs * (given(share, 1.0) > use.few_new)
    if known.task is not None:  # fields and summaries are of the text at hand, whatever changes elsewhere
        task = given(known.task, 0.0)
        runs = runs * ((task != _EXTRACTION) & (task != _SUMMARIZATION))
    return most(runs, seldom), seldom
