"""What each approach costs, from the facts of a use case.

With N parameters, D training tokens (examples x epochs x tokens each), M months
to pay fixed costs off, q queries a month, and prices `in` and `out` per token:

    training       = 4 N D FLOPs for LoRA: 2ND forward, 2ND for the gradients of
                     the activations, and little for those of the frozen weights
                     (6ND in all for full training, Kaplan et al., arXiv:2001.08361)
    GPU-hours      = FLOPs / (peak x utilisation x 3600)
    c(PROMPTING)   = in (input + documents or examples in the prompt) + out answer
    c(RAG)         = in (input + passages) + out answer + search
    c(FINE_TUNING) = in input + out answer
    c(HYBRID)      = c(RAG)
    F(RAG)         = embedding corpus (1 / M + churn) + store
    F(FINE_TUNING) = (labelling + run) / M + runs a month x run + hosting
    F(HYBRID)      = F(RAG) + F(FINE_TUNING), trained once: the index takes up what changes
    per month      = F + q c
    break-even q   = (F(FINE_TUNING) - F(RAG)) / (c(RAG) - c(FINE_TUNING))

F is a month's share of the fixed costs, so the break-even is in queries a month.
A month is a twelfth of 365 days. What a fact does not say is assumed, and every
assumption made is in the answer; those about prices are there to be replaced.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from advisor.knowledge.facts import Row, fact_index
from advisor.v1 import facts_pb2
from advisor.v1.recommendation_pb2 import ApproachCost, CostEstimate

__all__ = ["break_even", "estimate_cost"]

_DAY_S = 86400.0
_MONTH_S = 365 * _DAY_S / 12
_QUERIES_PER_MONTH = 10_000.0
_INPUT_TOKENS = 200.0
_OUTPUT_TOKENS = 200.0
_LABEL_TOKENS = 10.0
_CORPUS_TOKENS = 1e6
_PASSAGES, _PASSAGE_TOKENS = 3, 150
_RETRIEVED_TOKENS = float(_PASSAGES * _PASSAGE_TOKENS)
_WINDOW_TOKENS = 100_000.0
_SHOTS = 5.0
# US dollars; of tokens, per million.
_INPUT_PRICE = 0.40
_SIZED_INPUT_PRICE, _SIZED_PARAMETERS, _SIZED_EXPONENT = 0.06, 4e9, 0.75
_LEAST_INPUT_PRICE = 0.02
_OUTPUT_RATIO = 4.0
_TRAINING_RATIO = 10.0
_CACHED_SHARE = 0.5
_EMBEDDING_PRICE = 0.02
_SEARCH = 1e-5
_STORE_BASE, _STORE_GB = 25.0, 0.33
_STORE_BYTES_PER_TOKEN = 30.0
_HOSTING = 100.0

# Training.
_PEAK_FLOPS, _UTILISATION, _GPU_HOUR = 989e12, 0.35, 3.0
_EPOCHS = 3.0
_EXAMPLES = 500.0
_LABELLING = 1.0
_EVALUATION = 50.0
_CHANGED_SHARE = 0.05
_NEW_KNOWLEDGE = 0.05
_MONTHS = 12.0


@dataclass(frozen=True, slots=True)
class _Plan:
    """An approach's cost: US dollars per answer, per month at no queries, and per training run."""

    name: str
    tokens: float
    per_answer: float
    fixed: float = 0.0
    run: float = 0.0
    runs_per_month: float = 0.0

    def per_month(self, queries: float) -> float:
        return self.fixed + queries * self.per_answer


@dataclass(frozen=True, slots=True)
class _Traffic:
    """What every approach reads and writes; prices in US dollars per token."""

    queries: float
    input_tokens: float
    output_tokens: float
    input_price: float
    output_price: float

    def answer(self, extra_tokens: float = 0.0, price_share: float = 1.0) -> float:
        """Return the price of an answer whose prompt has extra tokens."""
        tokens_in = self.input_tokens + price_share * extra_tokens
        return self.input_price * tokens_in + self.output_price * self.output_tokens


class _Known:
    """The facts of a use case, and the assumptions made where they are silent."""

    def __init__(self, row: Row) -> None:
        self._values: list[float] = row.tolist()
        self._columns = fact_index()
        self.assumptions: list[dict[str, str]] = []  # protobuf takes them faster than messages

    def get(self, name: str) -> float | None:
        """Return a fact, None where it is unknown."""
        value = self._values[self._columns[name]]
        return None if math.isnan(value) else value

    def assume(self, name: str, value: str, reason: str) -> None:
        """Note an assumption."""
        self.assumptions.append({"name": name, "value": value, "reason": reason})


def estimate_cost(row: Row) -> CostEstimate:
    """Estimate what each approach costs; the formulas are in the module's docstring.

    Args:
        row: The facts of a use case, NaN where unknown; see `advisor.knowledge.facts`.

    Returns:
        US dollars per answer, per month and per training run, the break-even, and every assumption made.
    """
    known = _Known(row)
    traffic = _read_traffic(known)
    prompting = _prompting(known, traffic)
    rag = _rag(known, traffic)
    tuned, hybrid = _trained(known, traffic, rag)
    plans = (prompting, rag, tuned, hybrid)
    known.assume("time to pay fixed costs off", f"{_MONTHS:g} months", "a usual budget period")
    known.assume(
        "building and running the system",
        "0 US dollars",
        "left out: people's work counts only where examples are written and training runs are evaluated",
    )
    volume = break_even(rag.fixed, rag.per_answer, tuned.fixed, tuned.per_answer)
    return CostEstimate(
        approaches=[_message(plan, traffic.queries, known.get("monthly_budget")) for plan in plans],
        break_even_queries_per_month=volume,
        assumptions=known.assumptions,
        summary=_summary(known, plans, traffic.queries, volume),
    )


def break_even(
    fixed_rag: float, per_answer_rag: float, fixed_tuned: float, per_answer_tuned: float
) -> float | None:
    """Return the queries a month above which the tuned model is cheaper; None where there is no such point.

    Example:
        >>> break_even(25, 0.5, 125, 0.25)
        400.0
        >>> break_even(125, 0.5, 25, 0.25) is None  # the tuned model is always cheaper
        True
    """
    saved = per_answer_rag - per_answer_tuned
    extra = fixed_tuned - fixed_rag
    return extra / saved if saved > 0 and extra > 0 else None


def _read_traffic(known: _Known) -> _Traffic:
    queries = known.get("queries_per_month")
    if queries is None:
        queries = _QUERIES_PER_MONTH
        known.assume(
            "queries per month", f"{queries:,.0f}", "the volume is unknown: monthly costs are for this one"
        )
    tokens_in = known.get("context_tokens")
    if tokens_in is None:
        tokens_in = _INPUT_TOKENS
        known.assume("input per query", f"{tokens_in:g} tokens", "short instructions and a short question")
    tokens_out = known.get("output_tokens")
    if tokens_out is None:
        label = known.get("output_form") == facts_pb2.OUTPUT_FORM_LABEL
        tokens_out, reason = (_LABEL_TOKENS, "a label") if label else (_OUTPUT_TOKENS, "some 150 words")
        known.assume("output per query", f"{tokens_out:g} tokens", reason)
    price_in, price_out = _token_prices(known)
    return _Traffic(queries, tokens_in, tokens_out, price_in / 1e6, price_out / 1e6)


def _token_prices(known: _Known) -> tuple[float, float]:
    price_in, price_out = known.get("input_price"), known.get("output_price")
    if price_in is None:
        price_in, reason = _assumed_input_price(known, price_out)
        known.assume("price of input", f"{price_in:.2g} US dollars per million tokens", reason)
    if price_out is None:
        price_out = _OUTPUT_RATIO * price_in
        known.assume(
            "price of output",
            f"{price_out:.2g} US dollars per million tokens",
            f"{_OUTPUT_RATIO:g} times the price of input, as on many price lists; replace it with yours",
        )
    return price_in, price_out


def _assumed_input_price(known: _Known, price_out: float | None) -> tuple[float, str]:
    if price_out is not None:
        return price_out / _OUTPUT_RATIO, f"the price of output divided by {_OUTPUT_RATIO:g}"
    parameters = known.get("model_parameters")
    if parameters is None:
        return _INPUT_PRICE, "the list price of a small hosted model (GPT-4.1 mini); replace it with yours"
    price = _SIZED_INPUT_PRICE * (parameters / _SIZED_PARAMETERS) ** _SIZED_EXPONENT
    return max(price, _LEAST_INPUT_PRICE), (
        f"about what hosts ask for open models: {_SIZED_INPUT_PRICE:g} x "
        f"(parameters / 4 billion)^{_SIZED_EXPONENT:g}, not below {_LEAST_INPUT_PRICE:g}; replace with yours"
    )


def _prompting(known: _Known, traffic: _Traffic) -> _Plan:
    """Price a prompt with all documents where they fit the window, else with a few examples."""
    corpus = known.get("corpus_tokens")
    if corpus and corpus <= _WINDOW_TOKENS:
        extra, share = corpus, _CACHED_SHARE
        known.assume(
            "price of documents in a prompt",
            f"{share:.0%} of the price of input",
            "a prompt that repeats is cached: discounts are 50 to 90%, and lapse between rare queries",
        )
    else:
        share = 1.0
        labelled = known.get("labelled_examples")
        shots = _SHOTS if labelled is None else min(_SHOTS, labelled)
        extra = shots * (traffic.input_tokens / 2 + traffic.output_tokens)
        if shots:
            known.assume(
                "examples in a prompt",
                f"{shots:g} of {extra / shots:,.0f} tokens",
                "few-shot prompting: half the input is the question, and an answer follows",
            )
    return _Plan(
        "PROMPTING", traffic.input_tokens + extra + traffic.output_tokens, traffic.answer(extra, share)
    )


def _rag(known: _Known, traffic: _Traffic) -> _Plan:
    corpus = known.get("corpus_tokens")
    if corpus is None:
        corpus = _CORPUS_TOKENS
        known.assume("size of the documents", f"{corpus:,.0f} tokens", "some 750,000 words")
    known.assume(
        "passages per query",
        f"{_PASSAGES} of {_PASSAGE_TOKENS} tokens",
        "what this program retrieves by default",
    )
    known.assume(
        "embedding", f"{_EMBEDDING_PRICE:g} US dollars per million tokens", "a small embedder's price"
    )
    known.assume(
        "search",
        f"{_SEARCH * 1e6:g} US dollars per million queries",
        "embedding the question, and the search",
    )
    known.assume(
        "vector store",
        f"{_STORE_BASE:g} US dollars a month and {_STORE_GB:g} per GB",
        f"a small managed database; {_STORE_BYTES_PER_TOKEN:g} bytes per token hold text, vector and index",
    )
    store = _STORE_BASE + _STORE_GB * corpus * _STORE_BYTES_PER_TOKEN / 1e9
    embedding = _EMBEDDING_PRICE * corpus / 1e6
    return _Plan(
        "RAG",
        traffic.input_tokens + _RETRIEVED_TOKENS + traffic.output_tokens,
        traffic.answer(_RETRIEVED_TOKENS) + _SEARCH,
        fixed=embedding * (1 / _MONTHS + _churn(known)) + store,
    )


def _churn(known: _Known) -> float:
    """Return the share of the documents that is embedded anew each month."""
    update = known.get("update_interval")
    if update is None:
        return 0.0
    known.assume(
        "documents changed by an update",
        f"{_CHANGED_SHARE:.0%}",
        "embedded anew; at most all of them a month",
    )
    return min(1.0, _CHANGED_SHARE * _MONTH_S / update)


def _trained(known: _Known, traffic: _Traffic, rag: _Plan) -> tuple[_Plan, _Plan]:
    """Price a tuned model alone, and one trained on passages and used with retrieval."""
    examples, labelling = _examples(known)
    price = _training_price(known, traffic) * _EPOCHS * examples
    tokens = traffic.input_tokens + traffic.output_tokens
    runs = _runs_per_month(known)
    known.assume("epochs", f"{_EPOCHS:g}", "two to four are usual for LoRA")
    known.assume(
        "evaluation", f"{_EVALUATION:g} US dollars per training run", "about an hour of an engineer's work"
    )
    known.assume(
        "hosting of a tuned model",
        f"{_HOSTING:g} US dollars a month",
        "an adapter served beside others; a GPU of its own costs some 2,000, "
        "and some providers ask a higher price per token instead",
    )
    run, run_with_passages = (price * each + _EVALUATION for each in (tokens, tokens + _RETRIEVED_TOKENS))
    tuned_fixed = (labelling + run) / _MONTHS + runs * run + _HOSTING
    hybrid_fixed = (labelling + run_with_passages) / _MONTHS + _HOSTING + rag.fixed
    return (
        _Plan("FINE_TUNING", tokens, traffic.answer(), tuned_fixed, run, runs),
        _Plan("HYBRID", rag.tokens, rag.per_answer, hybrid_fixed, run_with_passages),
    )


def _examples(known: _Known) -> tuple[float, float]:
    """Return the number of examples to train on, and US dollars for those that have to be written first."""
    labelled = known.get("labelled_examples")
    missing = _EXAMPLES - (labelled or 0.0)
    if missing <= 0:
        return _EXAMPLES - missing, 0.0
    known.assume(
        "training examples",
        f"{_EXAMPLES:g}, of which {missing:g} are to be written at {_LABELLING:g} US dollar each",
        "fine-tuning starts to pay at some 500; a person writes or checks one in a minute or two",
    )
    return _EXAMPLES, _LABELLING * missing


def _training_price(known: _Known, traffic: _Traffic) -> float:
    """Return US dollars per training token."""
    price = known.get("training_price")
    if price is not None:
        return price / 1e6
    parameters = known.get("model_parameters")
    if parameters is None:
        price = _TRAINING_RATIO * traffic.input_price * 1e6
        reason = f"{_TRAINING_RATIO:g} times the price of input, as services ask; replace it with yours"
    else:
        price = 4 * parameters * 1e6 / (_PEAK_FLOPS * _UTILISATION * 3600) * _GPU_HOUR
        reason = (
            f"LoRA takes 4 x parameters x tokens FLOPs; an H100 ({_PEAK_FLOPS / 1e12:g} TFLOPS in bfloat16) "
            f"at {_UTILISATION:.0%} use costs {_GPU_HOUR:g} US dollars an hour"
        )
    known.assume("price of training", f"{price:.2g} US dollars per million tokens", reason)
    return price / 1e6


def _runs_per_month(known: _Known) -> float:
    """Return how often changing knowledge asks for a training run; 0 where once is enough.

    A tuned model answers with the knowledge of its last run, so the next is due when the knowledge has
    changed, is older than it may be, and another run is affordable: whichever comes last.
    """
    update = known.get("update_interval")
    if update is None:
        known.assume("training runs", "one in all", "nothing says that the knowledge changes")
        return 0.0
    if (share := known.get("new_knowledge_share")) is not None and share <= _NEW_KNOWLEDGE:
        known.assume("training runs", "one in all", "few questions are about what changes")
        return 0.0
    retrain = known.get("retrain_interval")
    if retrain is None:
        retrain = _DAY_S
        if update < retrain:
            known.assume("time between training runs", "1 day at least", "new data, training and evaluation")
    return _MONTH_S / max(update, retrain, known.get("max_staleness") or 0.0)


def _message(plan: _Plan, queries: float, budget: float | None) -> ApproachCost:
    return ApproachCost(
        approach=f"APPROACH_{plan.name}",
        per_answer_usd=plan.per_answer,
        per_month_usd=plan.per_month(queries),
        training_run_usd=plan.run,
        training_runs_per_month=plan.runs_per_month,
        tokens_per_query=plan.tokens,
        over_budget=budget is not None and plan.per_month(queries) > budget,
    )


def _summary(known: _Known, plans: tuple[_Plan, ...], queries: float, volume: float | None) -> str:
    """Say in a sentence what a month costs, and where FINE_TUNING and RAG cost the same."""
    assumed = "" if known.get("queries_per_month") is not None else "an assumed "
    costs = [_dollars(plan.per_month(queries)) for plan in plans]
    budget = known.get("monthly_budget")
    over = [plan.name for plan in plans if budget is not None and plan.per_month(queries) > budget]
    beyond = (
        f" (over the budget of {_dollars(budget)}: {', '.join(over)})" if budget is not None and over else ""
    )
    # An answer without passages always costs less, so without a break-even FINE_TUNING wins everywhere.
    where = (
        "at any volume" if volume is None else f"above about {float(f'{volume:.2g}'):,.0f} queries a month"
    )
    return (
        f"At {assumed}{queries:,.0f} queries a month, PROMPTING costs about {costs[0]}, RAG {costs[1]}, "
        f"FINE_TUNING {costs[2]} and HYBRID {costs[3]}{beyond}; FINE_TUNING is cheaper than RAG {where}."
    )


def _dollars(amount: float) -> str:
    """Write an amount for people: to the cent below 10 dollars, else to three significant digits."""
    if amount < 10:
        return f"${amount:.2f}"
    return f"${float(f'{amount:.3g}'):,.0f}"
