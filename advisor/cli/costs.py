"""Costs for people: a month of what is possible, what it hangs on, and how long it takes to build."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from advisor.decision.cost import COMPARED, LEAST_USD, NOTICED
from advisor.decision.prices import dollars
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.v1 import recommendation_pb2 as pb
from advisor.wire.recommendation import approach_from_proto, approach_values_from_proto
from backends.counts import counted

__all__ = ["cost_view"]

_MOST_ASSUMPTIONS = 3
_NAME = max(map(len, APPROACHES))
"""Characters of an approach's name, which is not broken while there is room."""


def cost_view(message: pb.Recommendation, *, everything: bool = False) -> RenderableType | None:
    """Lay out what the approaches cost; None where nothing is possible, or nothing was priced."""
    cost = message.cost
    if not cost.approaches:
        return None
    said = [*_sentences(cost), *(_prompts(cost.approaches) if everything else ())]
    return Group(
        _table(cost.approaches), *map(Text, said), *_assumed(cost, _ranked(message), everything=everything)
    )


def _table(costs: Iterable[pb.ApproachCost]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", overflow="fold", min_width=_NAME)
    for heading in ("a month", "four in five", "1,000 answers", "days to build"):
        table.add_column(heading, justify="right", overflow="fold")
    table.add_column("", overflow="fold")
    for cost in costs:
        table.add_row(
            _name(cost.approach),
            dollars(cost.per_month_usd),
            f"{dollars(cost.per_month_low_usd)} to {dollars(cost.per_month_high_usd)}",
            dollars(1000 * cost.per_answer_usd) if cost.per_answer_usd else "-",
            f"{cost.building_days_low:.0f} to {cost.building_days_high:.0f}",
            "over budget" if cost.over_budget else "",
        )
    return table


def _sentences(cost: pb.CostEstimate) -> Iterable[str]:
    """Say what the table holds for, and what a reader of it would ask first."""
    asked = counted(round(cost.queries_per_month), "query")
    yield f"A month is one of {asked}, with its share of what is paid once, such as examples."
    trained = [each for each in cost.approaches if each.training_run_usd > 0]
    runs = (
        f"{_name(each.approach)} {_a_year(each.training_runs_per_month)} at {dollars(each.training_run_usd)}"
        for each in trained
    )
    if trained:
        yield f"Training runs, evaluation included: {', '.join(runs)}."
    if any(each.per_answer_usd == 0 for each in trained):
        yield "One answer more costs nothing on a machine that is paid for and has room."
    yield from cost.notes


def _a_year(runs_per_month: float) -> str:
    """Write training runs for people, who make whole ones."""
    runs = 12 * runs_per_month
    about = "" if math.isclose(runs, round(runs), rel_tol=1e-3) else "about "
    return f"{about}{round(runs):,} a year"


def _prompts(costs: Iterable[pb.ApproachCost]) -> Iterable[str]:
    for cost in costs:
        cached = (
            f", {cost.cached_tokens_per_query:,.0f} of them cached" if cost.cached_tokens_per_query else ""
        )
        tokens = counted(round(cost.tokens_per_query), "token")
        yield f"{_name(cost.approach)}: {tokens} a query with the answer{cached}: {cost.prompt}."


def _ranked(message: pb.Recommendation) -> Sequence[Approach]:
    """Return what is priced: what is taken first, then by what is expected of it."""
    priced = {each.approach for each in message.cost.approaches}
    ranked = sorted(message.scores, key=lambda score: score.approach != message.approach)
    found = [approach_from_proto(score.approach) for score in ranked if score.approach in priced]
    return [each for each in found if each is not None]


def _assumed(
    cost: pb.CostEstimate, ranked: Sequence[Approach], *, everything: bool
) -> Iterable[RenderableType]:
    """Say what was assumed, what moves a month of the approaches in question most first, and how far it moves it."""
    listed = cost.assumptions if everything else cost.assumptions[:_MOST_ASSUMPTIONS]
    if not listed:
        return
    yield Text(f"Assumed, what moves a month of {' or '.join(ranked[:COMPARED])} most first:")
    table = Table.grid(padding=(0, 1))
    table.add_column()
    table.add_column(overflow="fold")
    for each in listed:
        table.add_row(
            "•",
            Text.assemble(
                f"{each.name}: {each.value}{_effect(each, ranked)}.", *_why(each, everything=everything)
            ),
        )
    more = len(cost.assumptions) - len(listed)
    if more > 0:
        table.add_row("", Text(f"and {more} more: see --all", style="dim"))
    yield table


def _why(item: pb.CostAssumption, *, everything: bool) -> Iterable[tuple[str, str]]:
    if everything:
        source = f" [{item.source}, {item.date}]" if item.source else ""
        yield f" {item.reason[:1].upper()}{item.reason[1:]}{source}.", "dim"


def _effect(item: pb.CostAssumption, ranked: Sequence[Approach]) -> str:
    """Say what a month of the approach that is moved most, in question if any is, costs at an assumption's ends."""
    if not item.high:
        return ""
    low, high = (approach_values_from_proto(each) for each in (item.month_at_low_usd, item.month_at_high_usd))
    moved = {
        each: abs(math.log(max(high[each.place], LEAST_USD) / max(low[each.place], LEAST_USD)))
        for each in ranked
    }
    most = max(ranked[:COMPARED], key=moved.__getitem__)
    if moved[most] <= NOTICED:
        most = max(ranked, key=moved.__getitem__)
    first, last = _ends(item.low, item.high)
    if item.low == item.value:
        return f"; with {last} {most} costs {dollars(high[most.place])}"
    return f"; with {first} to {last} {most} costs {dollars(low[most.place])} to {dollars(high[most.place])}"


def _ends(low: str, high: str) -> tuple[str, str]:
    """Return the ends of an interval, without the words that both end with."""
    first, last = low.split(" "), high.split(" ")
    while len(first) > 1 and len(last) > 1 and first[-1] == last[-1]:
        first, last = first[:-1], last[:-1]
    return " ".join(first), " ".join(last)


def _name(approach: pb.Approach) -> str:
    return approach_from_proto(approach) or "no approach"
