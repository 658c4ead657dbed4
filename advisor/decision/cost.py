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

from dataclasses import dataclass

from advisor.decision.prices import Assumption
from advisor.decision.pricing import Plan, Pricing, price
from advisor.knowledge.approaches import Approach
from advisor.knowledge.facts import Row
from backends.counts import counted

__all__ = ["ApproachCost", "CostEstimate", "break_even", "estimate_cost"]


@dataclass(frozen=True, slots=True)
class ApproachCost:
    """What one approach costs, in US dollars.

    Attributes:
        approach: The approach.
        per_answer_usd: Of an answer, fixed costs left aside.
        per_month_usd: Of a month, fixed costs included.
        training_run_usd: Of one training run; 0 without training.
        training_runs_per_month: As the knowledge or the schedule asks for.
        tokens_per_query: Input and output.
        over_budget: Whether a month costs more than the budget; False where none is known.
    """

    approach: Approach
    per_answer_usd: float
    per_month_usd: float
    training_run_usd: float
    training_runs_per_month: float
    tokens_per_query: float
    over_budget: bool


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What the approaches cost.

    Attributes:
        approaches: One entry per approach, in the order of `APPROACHES`.
        break_even_queries_per_month: Volume above which FINE_TUNING is cheaper than RAG; None where it
            never is, or always is.
        assumptions: Every value that was assumed rather than given.
        summary: The comparison in a sentence.
    """

    approaches: tuple[ApproachCost, ...]
    break_even_queries_per_month: float | None
    assumptions: tuple[Assumption, ...]
    summary: str


def estimate_cost(row: Row) -> CostEstimate:
    """Estimate what each approach costs; the formulas are in the module's docstring.

    Args:
        row: The facts of a use case, NaN where unknown; see `advisor.knowledge.facts`.
    """
    pricing = price(row)
    rag, tuned = (pricing.plans[each.place] for each in (Approach.RAG, Approach.FINE_TUNING))
    volume = break_even(rag.fixed, rag.per_answer, tuned.fixed, tuned.per_answer)
    costs = tuple(_cost(plan, pricing) for plan in pricing.plans)
    return CostEstimate(costs, volume, pricing.assumptions, _summary(costs, pricing, volume))


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


def _cost(plan: Plan, pricing: Pricing) -> ApproachCost:
    per_month = plan.per_month(pricing.queries)
    return ApproachCost(
        approach=plan.approach,
        per_answer_usd=plan.per_answer,
        per_month_usd=per_month,
        training_run_usd=plan.run,
        training_runs_per_month=plan.runs_per_month,
        tokens_per_query=plan.tokens,
        over_budget=pricing.budget is not None and per_month > pricing.budget,
    )


def _summary(costs: tuple[ApproachCost, ...], pricing: Pricing, volume: float | None) -> str:
    """Say in a sentence what a month costs, and where FINE_TUNING and RAG cost the same."""
    assumed = "" if pricing.volume_known else "an assumed "
    prompting, rag, tuned, hybrid = (_dollars(cost.per_month_usd) for cost in costs)
    over = ", ".join(cost.approach for cost in costs if cost.over_budget)
    budget = pricing.budget
    beyond = f" (over the budget of {_dollars(budget)}: {over})" if budget is not None and over else ""
    # An answer without passages always costs less, so without a break-even FINE_TUNING wins everywhere.
    most = None if volume is None else counted(round(float(f"{volume:.2g}")), "query")
    where = "at any volume" if most is None else f"above about {most} a month"
    asked = counted(round(pricing.queries), "query")
    return (
        f"At {assumed}{asked} a month, PROMPTING costs about {prompting}, RAG {rag}, "
        f"FINE_TUNING {tuned} and HYBRID {hybrid}{beyond}; FINE_TUNING is cheaper than RAG {where}."
    )


def _dollars(amount: float) -> str:
    """Write an amount for people: to the cent below 10 dollars, else to three significant digits."""
    if amount < 10:
        return f"${amount:.2f}"
    return f"${float(f'{amount:.3g}'):,.0f}"
