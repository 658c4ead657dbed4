"""Pricing: what answers, fixed costs and training come to, from the facts of a use case.

Pure: each step returns its numbers together with the assumptions that it made, in the order in which an estimate
lists them. The formulas are in `advisor.decision.cost`, the figures in `advisor.decision.prices`.
"""

from __future__ import annotations

from dataclasses import dataclass

from advisor.decision import prices
from advisor.decision.prices import Assumption
from advisor.knowledge.approaches import Approach
from advisor.knowledge.facts import KnownFacts, Row, decode_value, fact
from backends.counts import counted

__all__ = ["Plan", "Pricing", "price"]

_DAY_S = 86400.0
_MONTH_S = 365 * _DAY_S / 12
_MONTHS = prices.MONTHS.value
_RETRIEVED_TOKENS = prices.PASSAGES.value * prices.PASSAGE_TOKENS.value

_PASSAGES = Assumption(
    prices.PASSAGES.name,
    f"{prices.PASSAGES.value:g} of {prices.PASSAGE_TOKENS.text}",
    prices.PASSAGES.reason,
)
_STORE = Assumption(
    prices.STORE.name,
    f"{prices.STORE.text} and {prices.STORED_GB.value:g} per GB",
    f"{prices.STORE.reason}; {prices.STORED_BYTES.text} {prices.STORED_BYTES.reason}",
)
_RETRIEVAL = (_PASSAGES, prices.EMBEDDING.assumption, prices.SEARCH.assumption, _STORE)
_TUNED = (prices.EPOCHS.assumption, prices.EVALUATION.assumption, prices.HOSTING.assumption)
_ALWAYS = (prices.MONTHS.assumption, prices.PEOPLE.assumption)

Assumptions = tuple[Assumption, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """An approach's cost: US dollars per answer, per month at no queries, and per training run."""

    approach: Approach
    tokens: float
    per_answer: float
    fixed: float = 0.0
    run: float = 0.0
    runs_per_month: float = 0.0

    def per_month(self, queries: float) -> float:
        """Return US dollars a month at a number of queries a month."""
        return self.fixed + queries * self.per_answer


@dataclass(frozen=True, slots=True)
class Pricing:
    """A use case priced.

    Attributes:
        plans: One per approach, in the order of `APPROACHES`.
        queries: Queries a month, given or assumed.
        volume_known: Whether they are given.
        budget: US dollars a month that the whole may cost; None where unknown.
        assumptions: What was taken for want of facts.
    """

    plans: tuple[Plan, ...]
    queries: float
    volume_known: bool
    budget: float | None
    assumptions: Assumptions


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


def price(row: Row) -> Pricing:
    """Price every approach.

    Args:
        row: The facts of a use case, NaN where unknown; see `advisor.knowledge.facts`.
    """
    known = KnownFacts(row)
    traffic, of_traffic = _traffic(known)
    prompting, of_prompting = _prompting(known, traffic)
    rag, of_rag = _rag(known, traffic)
    tuned, hybrid, of_training = _trained(known, traffic, rag)
    return Pricing(
        plans=(prompting, rag, tuned, hybrid),
        queries=traffic.queries,
        volume_known=known.get("queries_per_month") is not None,
        budget=known.get("monthly_budget"),
        assumptions=(*of_traffic, *of_prompting, *of_rag, *of_training, *_ALWAYS),
    )


def _traffic(known: KnownFacts) -> tuple[_Traffic, Assumptions]:
    form = known.get("output_form")
    label = form is not None and decode_value(fact("output_form"), form) == "LABEL"
    queries, assumed_queries = _or_assumed(known, "queries_per_month", prices.QUERIES)
    tokens_in, assumed_input = _or_assumed(known, "context_tokens", prices.INPUT_TOKENS)
    tokens_out, assumed_output = _or_assumed(
        known, "output_tokens", prices.LABEL_TOKENS if label else prices.OUTPUT_TOKENS
    )
    price_in, price_out, assumed_prices = _token_prices(known)
    return (
        _Traffic(queries, tokens_in, tokens_out, price_in / 1e6, price_out / 1e6),
        (*assumed_queries, *assumed_input, *assumed_output, *assumed_prices),
    )


def _or_assumed(known: KnownFacts, name: str, figure: prices.Figure) -> tuple[float, Assumptions]:
    """Return a fact, or the figure that stands for it where it is unknown."""
    value = known.get(name)
    return (figure.value, (figure.assumption,)) if value is None else (value, ())


def _token_prices(known: KnownFacts) -> tuple[float, float, Assumptions]:
    """Return US dollars per million tokens of input and of output."""
    price_in, price_out = known.get("input_price"), known.get("output_price")
    assumptions: Assumptions = ()
    if price_in is None:
        price_in, reason = _assumed_input_price(known, price_out)
        assumptions += (_per_million(prices.INPUT_PRICE, price_in, reason),)
    if price_out is None:
        ratio = prices.OUTPUT_RATIO
        price_out = ratio.value * price_in
        assumptions += (_per_million(ratio, price_out, f"{ratio.text}, {ratio.reason}"),)
    return price_in, price_out, assumptions


def _assumed_input_price(known: KnownFacts, price_out: float | None) -> tuple[float, str]:
    if price_out is not None:
        ratio = prices.OUTPUT_RATIO.value
        return price_out / ratio, f"the price of output divided by {ratio:g}"
    parameters = known.get("model_parameters")
    if parameters is None:
        return prices.INPUT_PRICE.value, prices.INPUT_PRICE.reason
    base, size, exponent = prices.SIZED_INPUT_PRICE, prices.SIZED_PARAMETERS, prices.SIZED_EXPONENT
    least = prices.LEAST_INPUT_PRICE.value
    return max(base.value * (parameters / size.value) ** exponent.value, least), (
        f"{base.reason}: {base.value:g} x (parameters / {size.value / 1e9:g} billion)^{exponent.value:g}, "
        f"not below {least:g}; replace with yours"
    )


def _per_million(figure: prices.Figure, dollars: float, reason: str) -> Assumption:
    return Assumption(figure.name, f"{dollars:.2g} {prices.INPUT_PRICE.unit}", reason)


def _prompting(known: KnownFacts, traffic: _Traffic) -> tuple[Plan, Assumptions]:
    """Price a prompt with all documents where they fit the window, else with a few examples."""
    corpus = known.get("corpus_tokens")
    if corpus and corpus <= prices.WINDOW_TOKENS.value:
        extra, share = corpus, prices.CACHED_SHARE.value
        assumptions: Assumptions = (prices.CACHED_SHARE.assumption,)
    else:
        share = 1.0
        extra, assumptions = _shots(known, traffic)
    tokens = traffic.input_tokens + extra + traffic.output_tokens
    return Plan(Approach.PROMPTING, tokens, traffic.answer(extra, share)), assumptions


def _shots(known: KnownFacts, traffic: _Traffic) -> tuple[float, Assumptions]:
    """Return the tokens of the examples in a prompt."""
    labelled = known.get("labelled_examples")
    shots = prices.SHOTS.value if labelled is None else min(prices.SHOTS.value, labelled)
    if not shots:
        return 0.0, ()
    extra = shots * (traffic.input_tokens / 2 + traffic.output_tokens)
    value = f"{shots:g} of {counted(round(extra / shots), 'token')}"
    return extra, (Assumption(prices.SHOTS.name, value, prices.SHOTS.reason),)


def _rag(known: KnownFacts, traffic: _Traffic) -> tuple[Plan, Assumptions]:
    corpus, assumed_size = _or_assumed(known, "corpus_tokens", prices.CORPUS_TOKENS)
    churn, assumed_churn = _churn(known)
    stored = prices.STORED_GB.value * corpus * prices.STORED_BYTES.value / 1e9
    embedding = prices.EMBEDDING.value * corpus / 1e6
    plan = Plan(
        Approach.RAG,
        traffic.input_tokens + _RETRIEVED_TOKENS + traffic.output_tokens,
        traffic.answer(_RETRIEVED_TOKENS) + prices.SEARCH.value / 1e6,
        fixed=embedding * (1 / _MONTHS + churn) + (prices.STORE.value + stored),
    )
    return plan, (*assumed_size, *_RETRIEVAL, *assumed_churn)


def _churn(known: KnownFacts) -> tuple[float, Assumptions]:
    """Return the share of the documents that is embedded anew each month."""
    update = known.get("update_interval")
    if update is None:
        return 0.0, ()
    return min(1.0, prices.CHANGED.value * _MONTH_S / update), (prices.CHANGED.assumption,)


def _trained(known: KnownFacts, traffic: _Traffic, rag: Plan) -> tuple[Plan, Plan, Assumptions]:
    """Price a tuned model alone, and one trained on passages and used with retrieval."""
    examples, labelling, assumed_examples = _examples(known)
    per_token, assumed_price = _training_price(known, traffic)
    runs, assumed_runs = _runs_per_month(known)
    training = per_token * prices.EPOCHS.value * examples  # per token that an example is long
    tokens = traffic.input_tokens + traffic.output_tokens
    run, run_with_passages = (
        training * each + prices.EVALUATION.value for each in (tokens, tokens + _RETRIEVED_TOKENS)
    )
    hosting = prices.HOSTING.value
    tuned_fixed = (labelling + run) / _MONTHS + runs * run + hosting
    hybrid_fixed = (labelling + run_with_passages) / _MONTHS + hosting + rag.fixed
    return (
        Plan(Approach.FINE_TUNING, tokens, traffic.answer(), tuned_fixed, run, runs),
        Plan(Approach.HYBRID, rag.tokens, rag.per_answer, hybrid_fixed, run_with_passages),
        (*assumed_examples, *assumed_price, *assumed_runs, *_TUNED),
    )


def _examples(known: KnownFacts) -> tuple[float, float, Assumptions]:
    """Return the number of examples to train on, and US dollars for those that have to be written first."""
    wanted, each = prices.EXAMPLES.value, prices.LABELLING
    missing = wanted - (known.get("labelled_examples") or 0.0)
    if missing <= 0:
        return wanted - missing, 0.0, ()
    value = f"{wanted:g}, of which {missing:g} are to be written at {each.text} each"
    return wanted, each.value * missing, (Assumption(prices.EXAMPLES.name, value, prices.EXAMPLES.reason),)


def _training_price(known: KnownFacts, traffic: _Traffic) -> tuple[float, Assumptions]:
    """Return US dollars per training token."""
    given = known.get("training_price")
    if given is not None:
        return given / 1e6, ()
    parameters = known.get("model_parameters")
    ratio = prices.TRAINING_RATIO
    if parameters is None:
        dollars = ratio.value * traffic.input_price * 1e6
        reason = f"{ratio.text}, {ratio.reason}"
    else:
        flops_an_hour = prices.PEAK.value * 1e12 * prices.UTILISATION.value * 3600
        dollars = prices.FLOPS.value * parameters * 1e6 / flops_an_hour * prices.GPU_HOUR.value
        reason = (
            f"{prices.FLOPS.reason}; an H100 ({prices.PEAK.text}) "
            f"at {prices.UTILISATION.text} use costs {prices.GPU_HOUR.text} an hour"
        )
    return dollars / 1e6, (_per_million(ratio, dollars, reason),)


def _runs_per_month(known: KnownFacts) -> tuple[float, Assumptions]:
    """Return how often changing knowledge asks for a training run; 0 where once is enough.

    A tuned model answers with the knowledge of its last run, so the next is due when the knowledge has
    changed, is older than it may be, and another run is affordable: whichever comes last.
    """
    update = known.get("update_interval")
    if update is None:
        return 0.0, (Assumption("training runs", "one in all", "nothing says that the knowledge changes"),)
    few = prices.FEW_NEW
    if (share := known.get("new_knowledge_share")) is not None and share <= few.value:
        return 0.0, (Assumption("training runs", "one in all", few.reason),)
    least = prices.RETRAINING.value * _DAY_S
    given = known.get("retrain_interval")
    between = max(update, least if given is None else given, known.get("max_staleness") or 0.0)
    assumed = given is None and update < least
    return _MONTH_S / between, (prices.RETRAINING.assumption,) if assumed else ()
