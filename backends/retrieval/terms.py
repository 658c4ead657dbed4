"""The lexemes of a question: which passages they choose for ranking, and which they rule out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Term", "choosing", "reaching"]

_CANDIDATES = 3_000
"""Rare words choose the passages that are ranked, until together they are in this many."""
_MOST_PAIRED = 16
"""The heaviest terms, by which `reaching` tells passages apart."""


@dataclass(frozen=True, slots=True)
class Term:
    """A lexeme of a question.

    Attributes:
        lexeme: The lexeme.
        weight: The most that it adds to a passage's score.
        passages: In how many passages of the collection it is.
    """

    lexeme: str
    weight: float
    passages: int

    @property
    def query(self) -> str:
        """Return the lexeme as a tsquery is written."""
        escaped = self.lexeme.replace("\\", "\\\\").replace("'", "''")
        return f"'{escaped}'"


def choosing(terms: Sequence[Term], size: int) -> str:
    """Return the tsquery that chooses what is ranked: any rare word, or two common ones together.

    Args:
        terms: One at least, rarest first.
        size: Passages of the collection.
    """
    chosen, passages = [terms[0].query], terms[0].passages
    for term in terms[1:]:
        if passages + term.passages > max(_CANDIDATES, size // 100):
            break
        chosen.append(term.query)
        passages += term.passages
    if terms[0].passages > _CANDIDATES and len(terms) > 1:
        return " | ".join(f"{terms[0].query} & {term.query}" for term in terms[1:3])
    return " | ".join(chosen)


def reaching(terms: Sequence[Term], score: float) -> str:
    """Return a tsquery that holds for every passage whose terms can add up to a score, and for few others.

    Of a passage's terms the heaviest two are looked at: with all that are lighter they must reach the score.

    Returns:
        The tsquery; empty where any passage might reach the score.
    """
    ordered = sorted(terms, key=lambda term: -term.weight)
    heavy = ordered[:_MOST_PAIRED]
    needed = score - sum(term.weight for term in ordered[_MOST_PAIRED:])
    if needed <= 0:
        return ""
    ways = []
    for place, term in enumerate(heavy):
        if term.weight >= needed:
            ways.append(term.query)
            continue
        lighter = heavy[place + 1 :]
        partners = [
            other.query
            for start, other in enumerate(lighter)
            if term.weight + sum(each.weight for each in lighter[start:]) >= needed
        ]
        if partners:
            ways.append(f"{term.query} & ({' | '.join(partners)})")
    return " | ".join(ways)
