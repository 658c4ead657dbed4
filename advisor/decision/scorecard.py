"""The scorecard: the approaches scored against the documented trade-offs, as sums of the evidence on each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from advisor.decision.cost import CostEstimate
from advisor.decision.evidence import Evidence, summed
from advisor.decision.explanation import Scorecard, ScorecardRow
from advisor.decision.prices import dollars
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.rules import UPKEEP

__all__ = ["cost_evidence", "make_scorecard"]

_PRIOR, _LEARNED = "before any fact is known", "what published cases add"
_TITLES = {
    "freshness": "freshness",
    "specialization": "knowledge against specialization",
    "cost": "cost and latency",
    "retraining": "building, training and training again",
}


def make_scorecard(evidence: Iterable[Evidence]) -> Scorecard:
    """Return evidence, heaviest first, as a scorecard."""
    groups: dict[tuple[str, str | None], list[Evidence]] = {}
    for title, criterion in ((_PRIOR, None), *((title, name) for name, title in _TITLES.items())):
        groups[title, criterion] = []
    for item in evidence:
        criterion = item.criterion
        title = _TITLES[criterion] if criterion else _PRIOR if item.kind == "PRIOR" else _LEARNED
        groups.setdefault((title, criterion), []).append(item)
    rows = [_row(title, criterion, items) for (title, criterion), items in groups.items()]
    return Scorecard(
        quality=tuple(row for row in rows if row.criterion not in UPKEEP),
        upkeep=tuple(row for row in rows if row.criterion in UPKEEP),
    )


def cost_evidence(cost: CostEstimate, points: Sequence[float]) -> Evidence:
    """Return what the estimate counts for.

    Args:
        cost: The estimate.
        points: Of upkeep above PROMPTING, per approach.
    """
    months = [f"{name} {dollars(cost.approaches[name.place].per_month_usd)}" for name in APPROACHES]
    reason = f"A month is estimated to cost {', '.join(months[:-1])} and {months[-1]}."
    return Evidence("COST", "cost-estimate", "cost", tuple(points), reason)


def _row(title: str, criterion: str | None, items: Sequence[Evidence]) -> ScorecardRow:
    points = summed(item.points for item in items)
    return ScorecardRow(title, criterion, points, tuple(item.id for item in items))
