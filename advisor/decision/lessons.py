"""What published comparisons teach about a use case, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.decision.evidence import Factor
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.facts import Row, fact, fact_index, value_to_text
from backends.counts import counted

__all__ = ["lesson"]

_MOST = 2
"""Facts that are named."""
_LEAST_SHARE = 0.25
"""Of what the heaviest fact weighs, what another weighs to be named beside it."""


def lesson(factors: Sequence[Factor], row: Row, comparisons: int) -> str:
    """Say which approaches gained more or less than usual, going by which facts and their values.

    Args:
        factors: What each fact contributes, heaviest first.
        row: The use case, in which these facts are known.
        comparisons: How many comparisons it was learned from.
    """
    heavy = [
        factor for factor in factors[:_MOST] if abs(_most(factor)) >= _LEAST_SHARE * abs(_most(factors[0]))
    ]
    told = "; ".join(_told(factor, row) for factor in heavy)
    return f"In {counted(comparisons, 'published comparison')} {told}."


def _most(factor: Factor) -> float:
    """Return what a fact adds to the approach that it tells most of, or takes from it."""
    return max(factor.points, key=abs)


def _told(factor: Factor, row: Row) -> str:
    item, most = fact(factor.fact), _most(factor)
    named = [
        approach for approach, points in zip(APPROACHES, factor.points, strict=True) if points / most >= 0.5
    ]
    words = " and ".join((", ".join(named[:-1]), named[-1]) if named[1:] else named)
    value = value_to_text(item, row[fact_index()[item.name]])
    return f"{words} gained {'more' if most > 0 else 'less'} than usual, going by {item.about} ({value})"
