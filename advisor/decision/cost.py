"""What each approach costs, from the facts of a use case.

Of the input, a share is instructions, the same at every query as are examples in the prompt (few-shot): they are
priced as cached. What is asked, and passages found for it, are priced in full. A tuned model was trained to do what
instructions and examples ask for, and needs neither; with passages it keeps the instructions, which say how to use
them. With q queries a month, M months to pay off what is paid once, and prices `in`, `cached` and `out` of the
prompted model, `in'` and `out'` of the tuned one:

    prompt         = cached (instructions + examples) + in question + out answer
    c(PROMPTING)   = prompt + cached documents, where all of them fit into the window
    c(RAG)         = prompt + in passages + search
    c(FINE_TUNING) = in' question + out' answer
    c(HYBRID)      = c(FINE_TUNING) + in' (instructions + passages) + search
    index          = reading and embedding the documents (1 / M + churn) + store
    training       = 4 N D FLOPs for LoRA, N parameters and D tokens: 2ND forward, 2ND for the gradients of the
                     activations, and little for those of the frozen weights (6ND in all for full training, Kaplan
                     et al., arXiv:2001.08361); / (peak x utilisation) GPU-hours, where no price is known
    run            = training + examples written anew + evaluation
    F(PROMPTING)   = evaluation set / M + evaluations
    F(RAG)         = F(PROMPTING) + index
    F(FINE_TUNING) = F(PROMPTING) + data / M + runs a month x run + hosting of the adapter
    F(HYBRID)      = F(FINE_TUNING) + index, retrained for new base models, erasures and drift alone: the index takes
                     up what changes
    per month      = F + q c; of a tuned model on machines, F + the larger of their rent and q c
    rent           = GPUs x hours x price of an hour, N / 33e9 GPUs, at least one: day and night where answers are
                     awaited, else an hour a day; c is then what the hours cost that the tokens of an answer take, in
                     proportion to N, and no more than a service asks for those tokens

A month is a twelfth of 365 days. What a fact does not say is assumed. Every figure assumed has ends that four in
five real values lie between. An estimate says what a month costs with each moved to its ends by itself, and between
which ends it lies in four of five guesses that draw all of them at once. The volume and the hosting are not drawn:
they are the user's to state, and an estimate holds for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from advisor.decision.guesses import DRAWN, GUESSES, MOVED, guesses_about, interval
from advisor.decision.hosting import hosting_note
from advisor.decision.known import Known, known_facts
from advisor.decision.prices import FIGURES, dollars
from advisor.decision.pricing import CENTRAL, Bill, bill, monthly, months
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.arrays import Floats
from advisor.knowledge.facts import Row
from backends.counts import counted

__all__ = [
    "COMPARED",
    "LEAST_USD",
    "NOTICED",
    "ApproachCost",
    "Assumption",
    "CostEstimate",
    "Range",
    "break_even",
    "estimate_cost",
]

NOTICED = 0.01
"""Change of a month, as a share, below which an assumption is not worth a line."""
COMPARED = 2
"""Approaches in question: what is taken, and what is expected to do best of the others."""
_FIRST = 1e3
"""More than any logarithm of a change: what moves those in question comes before what moves others."""
_TELLING = 30.0
"""Ends of a break-even that are further apart, as a ratio, tell nothing."""
LEAST_USD = 1e-9
"""US dollars a month below which amounts are not told apart."""
_NOTHING = 1e-15
"""US dollars an answer that are none."""


@dataclass(frozen=True, slots=True)
class Range:
    """A value and the ends of its 80% interval."""

    low: float
    value: float
    high: float


class Assumption(NamedTuple):
    """A value taken for want of a fact.

    Attributes:
        name: What was assumed.
        value: The value, with its unit.
        reason: Why this value.
        source: What the value rests on.
        date: The day on which it was set down, in ISO format.
        low: Low end of its 80% interval, with its unit; empty where it has none.
        high: High end.
        month_at_low: US dollars a month of each approach at the low end; empty where it has none.
        month_at_high: At the high end.
    """

    name: str
    value: str
    reason: str
    source: str = ""
    date: str = ""
    low: str = ""
    high: str = ""
    month_at_low: Sequence[float] = ()
    month_at_high: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class ApproachCost:
    """What one approach costs, in US dollars.

    Attributes:
        approach: The approach.
        possible: Whether it can be carried out.
        per_answer_usd: Of one answer more; 0 where machines have room for it.
        per_month_usd: Of a month, fixed costs included.
        per_month_low_usd: Low end of its 80% interval, at this volume and hosting.
        per_month_high_usd: High end.
        training_run_usd: Of one training run, examples written anew and evaluation included; 0 without training.
        training_runs_per_month: As the knowledge, the schedule, new base models, erasures or drift ask for.
        tokens_per_query: Input and output.
        cached_tokens_per_query: Those of them that repeat at every query.
        prompt: What a prompt holds, in words.
        building_days: Working days until it first answers; not in the dollars.
        over_budget: Whether a month costs more than the budget; False where none is known.
    """

    approach: Approach
    possible: bool
    per_answer_usd: float
    per_month_usd: float
    per_month_low_usd: float
    per_month_high_usd: float
    training_run_usd: float
    training_runs_per_month: float
    tokens_per_query: float
    cached_tokens_per_query: float
    prompt: str
    building_days: Range
    over_budget: bool


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What the approaches cost.

    Attributes:
        approaches: One entry per approach, in the order of `APPROACHES`.
        break_even: Queries a month above which FINE_TUNING is cheaper than RAG; None where one of the two is not
            possible, where a guess in ten at what is assumed leaves no such volume, or where guesses are far apart.
        assumptions: Every value that was assumed rather than given, those first that move most a month of what is
            taken, or of what is expected to do best next.
        queries_per_month: What the costs are for.
        notes: What a reader of the costs should know besides, in sentences.
        summary: The comparison in a sentence, and the notes.
    """

    approaches: tuple[ApproachCost, ...]
    break_even: Range | None
    assumptions: tuple[Assumption, ...]
    queries_per_month: float
    notes: tuple[str, ...]
    summary: str


_PEOPLE = Assumption(
    "building and running the system",
    "not in the dollars",
    "people's work counts only where examples are written and evaluations are made; days of building are told",
)


def estimate_cost(row: Row, possible: Iterable[Approach] = APPROACHES) -> CostEstimate:
    """Estimate what each approach costs; the formulas are in the module's docstring.

    Args:
        row: The facts of a use case, NaN where unknown; see `advisor.knowledge.facts`.
        possible: Approaches that nothing excludes, what is taken first, then by what is expected of them; others are
            neither compared nor named.
    """
    known = known_facts(row)
    among = tuple(each for each in possible if not (each.retrieves and known.corpus_tokens == 0))
    costs, guessed = bill(known, CENTRAL), bill(known, guesses_about(known))
    guesses = monthly(guessed, GUESSES)
    approaches = _approaches(known, costs, guesses, among)
    both = Approach.RAG in among and Approach.FINE_TUNING in among
    volume = _volume(break_even(guessed)) if both else None
    notes = tuple(_notes([each for each in approaches if each.possible], known, costs, volume))
    return CostEstimate(
        approaches,
        volume,
        _assumptions(known, costs, guesses, among),
        costs.queries,
        notes,
        " ".join((_headline(approaches, known, costs), *notes)),
    )


def break_even(costs: Bill) -> Floats:
    """Return the queries a month above which FINE_TUNING is cheaper than RAG; NaN where there is no such point."""
    rag, tuned = Approach.RAG.place, Approach.FINE_TUNING.place
    answer = np.asarray(costs.answers[rag] + costs.search) * 1e-6
    saved = answer - costs.answers[tuned] * 1e-6
    extra = costs.fixed[tuned] - costs.fixed[rag]
    saving, paid = np.where(saved > _NOTHING, saved, np.nan), np.where(answer > _NOTHING, answer, np.nan)
    # A tuned model costs the larger of its machine and its tokens, so RAG has to cost more than with either.
    volume = np.maximum(extra / saving, (extra + costs.hosting.machine) / paid)
    return np.where(volume > 0, volume, np.nan)


def _volume(guessed: Floats) -> Range | None:
    """Return the break-even with its interval; None where a guess in ten has none, or they are far apart."""
    low, high = interval(guessed)
    value = float(guessed[0])
    telling = value > 0 and high <= low * _TELLING
    return Range(min(float(low), value), value, max(float(high), value)) if telling else None


def _approaches(
    known: Known, costs: Bill, guesses: Floats, among: Sequence[Approach]
) -> tuple[ApproachCost, ...]:
    lower, upper = (ends.tolist() for ends in interval(guesses))
    budget, days = known.monthly_budget, _building_days(known)
    found = []
    for approach, month, low, high in zip(APPROACHES, months(costs), lower, upper, strict=True):
        trained, retrieves = approach.trained, approach.retrieves
        repeats, new = _tokens(approach, costs)
        found.append(
            ApproachCost(
                approach,
                approach in among,
                _per_answer(approach, costs),
                month,
                min(low, month),
                max(high, month),
                costs.run[retrieves] if trained else 0.0,
                costs.runs[retrieves] if trained else 0.0,
                repeats + new,
                repeats,
                _prompt_words(approach, costs),
                days[approach.place],
                budget is not None and month > budget,
            )
        )
    return tuple(found)


def _per_answer(approach: Approach, costs: Bill) -> float:
    tokens: float = costs.answers[approach.place]
    has_room = approach.trained and costs.hosting.machine > costs.queries * 1e-6 * tokens
    return 1e-6 * ((0.0 if has_room else tokens) + (costs.search if approach.retrieves else 0.0))


def _tokens(approach: Approach, costs: Bill) -> tuple[float, float]:
    """Return the tokens of a query that repeat at every one, and those that do not."""
    prompt = costs.prompt
    new = prompt.question + prompt.output + (prompt.passages if approach.retrieves else 0.0)
    if approach.trained:
        return 0.0, new + (prompt.instructions if approach.retrieves else 0.0)
    documents = prompt.documents if approach is Approach.PROMPTING else 0.0
    return prompt.instructions + prompt.examples + documents, new


def _prompt_words(approach: Approach, costs: Bill) -> str:
    prompt = costs.prompt
    parts = [("instructions", prompt.instructions)] if approach is not Approach.FINE_TUNING else []
    parts += [("examples", prompt.examples)] if not approach.trained else []
    parts += [("documents", prompt.documents)] if approach is Approach.PROMPTING else []
    parts += [("passages", prompt.passages)] if approach.retrieves else []
    parts += [("question or text", prompt.question)]
    return ", ".join(f"{counted(round(tokens), 'token')} of {name}" for name, tokens in parts if tokens)


def _days(approach: Approach, *, questions: bool) -> Range:
    """Return how long building takes where examples exist: independent errors add up by their squares."""
    parts = [FIGURES["days_prompt"]]
    parts += [FIGURES["days_questions"]] if questions else []
    parts += [FIGURES["days_retrieval"]] if approach.retrieves else []
    parts += [FIGURES["days_training"]] if approach.trained else []
    days = sum(part.value for part in parts)
    down = sum((part.value - part.low) ** 2 for part in parts) ** 0.5
    up = sum((part.high - part.value) ** 2 for part in parts) ** 0.5
    return Range(days - down, days, days + up)


_DAYS = {questions: [_days(each, questions=questions) for each in APPROACHES] for questions in (False, True)}


def _building_days(known: Known) -> list[Range]:
    """Return how long building takes: approaches that contain others take what those take, and more."""
    days = _DAYS[not known.has_evaluation_set]
    missing = max(CENTRAL.examples - (known.labelled_examples or 0.0), 0.0) / CENTRAL.examples_a_day
    return [
        Range(each.low + missing, each.value + missing, each.high + missing) if approach.trained else each
        for approach, each in zip(APPROACHES, days, strict=True)
    ]


_TOLD = tuple(
    (figure.name, figure.text(figure.value), figure.reason, figure.source, figure.date,
     figure.text(figure.low), figure.text(figure.high))
    for figure in map(FIGURES.__getitem__, MOVED)
)  # fmt: skip


def _assumptions(
    known: Known, costs: Bill, guesses: Floats, among: Sequence[Approach]
) -> tuple[Assumption, ...]:
    """Return the figures that move a month of what is possible, those first that move the first two of it most."""
    ends = guesses[:, :DRAWN]
    logs = np.log(np.maximum(ends[[each.place for each in among or APPROACHES]], LEAST_USD))
    changes = np.abs(logs[:, 1:] - logs[:, :1])
    each = np.maximum(changes[:, ::2], changes[:, 1::2])  # shape (approaches, figures)
    moved, first = np.maximum.reduce(each), np.maximum.reduce(each[:COMPARED])
    keys = np.where(first > NOTICED, _FIRST + first, moved)
    order = np.argsort(-keys, kind="stable")[: int((moved > NOTICED).sum())].tolist()
    by_end = ends.T.tolist()
    listed = []
    for place in order:
        name, value, reason, source, date, low, high = _TOLD[place]
        value += _here(MOVED[place], known, costs)
        at_ends = by_end[2 * place + 1], by_end[2 * place + 2]
        listed.append(Assumption(name, value, reason, source, date, low, high, *at_ends))
    return (*listed, _PEOPLE)


_PRICES = {
    "sized_input_price": "input",
    "output_ratio": "output",
    "cached_share": "cached",
    "training_ratio": "training",
    "utilisation": "training",
}
"""Figures that prices follow from, which are told with them."""


def _here(name: str, known: Known, costs: Bill) -> str:
    """Say what a figure comes to in this use case, where that is not the figure itself."""
    if name in _PRICES:
        unit = "" if name == "sized_input_price" else " per million tokens"
        return f", here {dollars(getattr(costs.prices, _PRICES[name]))}{unit}"
    if name == "examples":
        missing = CENTRAL.examples - (known.labelled_examples or 0.0)
        return (
            f", of which {missing:,.0f} are to be written"
            if missing > 1
            else ", of which one is to be written"
        )
    return ""


def _headline(approaches: Sequence[ApproachCost], known: Known, costs: Bill) -> str:
    listed = [
        f"{each.approach} {dollars(each.per_month_usd)}"
        f" ({dollars(each.per_month_low_usd)} to {dollars(each.per_month_high_usd)})"
        for each in approaches
        if each.possible
    ]
    if not listed:
        return "Every approach is excluded, so none is priced."
    assumed = "" if known.queries_per_month is not None else "an assumed "
    asked = counted(round(costs.queries), "query")
    return f"US dollars a month at {assumed}{asked}, and four times in five: {', '.join(listed)}."


def _notes(
    compared: Sequence[ApproachCost], known: Known, costs: Bill, volume: Range | None
) -> Iterable[str]:
    """Yield what exceeds the budget, what machines are priced, when tuning is cheaper, and where documents stand."""
    budget = known.monthly_budget
    if budget is not None and (over := [each for each in compared if each.over_budget]):
        named = [
            f"{each.approach}{', even by the low end' if each.per_month_low_usd > budget else ''}"
            for each in over
        ]
        yield f"Over the budget of {dollars(budget)}: {'; '.join(named)}."
    millions = costs.queries * 1e-6
    tuned = {
        each.approach: (millions * each.tokens_per_query, millions * costs.answers[each.approach.place])
        for each in compared
        if each.approach.trained
    }
    if machines := hosting_note(known, costs.hosting, tuned):
        yield machines
    if volume is not None:
        low, high = (round(float(f"{end:.1g}")) for end in (volume.low, volume.high))
        yield f"FINE_TUNING costs less than RAG above some {low:,} to {counted(high, 'query')} a month."
    if costs.prompt.documents and any(each.approach is Approach.PROMPTING for each in compared):
        yield "All documents fit into the prompt: PROMPTING carries them, cached; what retrieves carries passages."
