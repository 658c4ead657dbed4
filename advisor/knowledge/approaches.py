"""The approaches: what can be recommended and carried out."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

__all__ = ["APPROACHES", "Approach"]


class Approach(StrEnum):
    """A way to put a language model to work.

    The order of the members is the order of every array and tuple over approaches.

    Example:
        >>> Approach.HYBRID.contains(Approach.RAG)
        True
        >>> Approach.RAG.contains(Approach.FINE_TUNING)
        False
    """

    PROMPTING = "PROMPTING"
    RAG = "RAG"
    FINE_TUNING = "FINE_TUNING"
    HYBRID = "HYBRID"

    @property
    def place(self) -> int:
        """Index in `APPROACHES`, and so in every array over approaches."""
        return APPROACHES.index(self)

    @property
    def retrieves(self) -> bool:
        """Whether answers rest on passages that are found for the question."""
        return _TRAITS[self].retrieves

    @property
    def trained(self) -> bool:
        """Whether weights are trained before it can answer."""
        return _TRAITS[self].trained

    @property
    def parts(self) -> int:
        """How many of retrieval and training it has."""
        return self.retrieves + self.trained

    def contains(self, other: Approach) -> bool:
        """Return whether everything that the other does is part of this one; each contains itself."""
        return self.retrieves >= other.retrieves and self.trained >= other.trained


class _Traits(NamedTuple):
    retrieves: bool
    trained: bool


_TRAITS = {
    Approach.PROMPTING: _Traits(retrieves=False, trained=False),
    Approach.RAG: _Traits(retrieves=True, trained=False),
    Approach.FINE_TUNING: _Traits(retrieves=False, trained=True),
    Approach.HYBRID: _Traits(retrieves=True, trained=True),
}

APPROACHES = tuple(Approach)
