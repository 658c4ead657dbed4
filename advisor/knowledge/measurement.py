"""A fact, or a property of the data, as it was measured."""

from __future__ import annotations

from dataclasses import dataclass

from advisor.knowledge.facts import FactValue, encode_value, fact, fact_index

__all__ = ["Measurement"]


@dataclass(frozen=True, slots=True)
class Measurement:
    """A fact or a property of the data, with how it was measured.

    Attributes:
        name: Of the fact, as `advisor.v1.Facts` has it, or of the property.
        value: As use-case files write it: durations such as `7d`, choices by name. None where the data does not tell.
        method: How it was measured, or why it was not told: a clause in words.
        count: On how many examples, passages, pieces or dates.
        low: Lower end of the 95% interval where the value is an estimate, of a duration in seconds; None where it was
            counted, or is no number.
        high: Upper end.
        warning: What to mind of it, in a sentence; empty for nothing.
        concerned: The examples that it is about, by their places from 0; the text of none is kept.

    Raises:
        ValueError: The value is none that the fact may have.
    """

    name: str
    value: FactValue | None
    method: str
    count: int
    low: float | None = None
    high: float | None = None
    warning: str = ""
    concerned: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.is_fact and self.value is not None:
            encode_value(fact(self.name), self.value)

    @property
    def is_fact(self) -> bool:
        """Whether it is a fact that a decision reads."""
        return self.name in fact_index()
