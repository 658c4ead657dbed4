"""What was measured of the data of a use case, as values: facts, and properties that are no facts."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import TypeVar

from advisor.knowledge.facts import FactValue
from advisor.knowledge.measurement import Measurement
from advisor.metrics.proportions import wilson
from backends.counts import counted

__all__ = ["Profile", "agreeing", "mean_of", "share_of", "spread", "student"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Profile:
    """What was measured, in the order in which it is told.

    Attributes:
        measurements: Each name once.
    """

    measurements: tuple[Measurement, ...] = ()

    @property
    def facts(self) -> Mapping[str, FactValue]:
        """The facts that were told, by name, as `advisor.knowledge.facts.facts_from_mapping` takes them."""
        told = (each for each in self.measurements if each.is_fact)
        return {each.name: each.value for each in told if each.value is not None}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to mind, a sentence each, in order."""
        return tuple(each.warning for each in self.measurements if each.warning)

    def get(self, name: str) -> Measurement | None:
        """Return what was measured under a name; None where nothing was."""
        return next((each for each in self.measurements if each.name == name), None)


def agreeing(number: int, noun: str, verb: str) -> str:
    """Return a number of things with what they do, which is given in the plural.

    >>> agreeing(1, "example", "are"), agreeing(2, "label", "have"), agreeing(1, "document", "seem")
    ('1 example is', '2 labels have', '1 document seems')
    """
    singular = {"are": "is", "have": "has"}.get(verb, f"{verb}s")
    return f"{counted(number, noun)} {singular if number == 1 else verb}"


def share_of(name: str, number: int, count: int, method: str, warning: str = "") -> Measurement:
    """Return the share that `number` is of `count`, above 0, with Wilson's 95% interval."""
    low, high = wilson(number, count)
    return Measurement(name, number / count, method, count, low, high, warning)


def mean_of(name: str, values: Sequence[float], method: str, *, of_all: int | None = None) -> Measurement:
    """Return the mean of values, one at least, as a whole number with Student's 95% interval.

    Args:
        name: Of the fact or the property.
        values: What was measured.
        method: How.
        of_all: How many there are where the values are a sample of them.
    """
    middle = mean(values)
    if len(values) < 2:
        return Measurement(name, round(middle), method, len(values))
    half = student(len(values) - 1) * stdev(values) / math.sqrt(len(values))
    counted_all = "" if of_all in (None, len(values)) else f", of a sample of {len(values):,}"
    return Measurement(
        name, round(middle), method + counted_all, len(values), max(0.0, middle - half), middle + half
    )


def spread(things: Sequence[_T], most: int) -> Sequence[_T]:
    """Return at most so many of some things, drawn at random but the same each time, in their order.

    Every n-th would tell nothing of things that come in turns.

    >>> spread("abcdefg", 3), spread("ab", 3)
    (['d', 'f', 'g'], 'ab')
    """
    if len(things) <= most:
        return things
    return [things[place] for place in sorted(random.Random(0).sample(range(len(things)), most))]  # noqa: S311


def student(freedom: int) -> float:
    """Return the 97.5% quantile of Student's t with so many degrees of freedom, 1 at least.

    Exact for 1 and 2; from 3 by the expansion of Abramowitz and Stegun 26.7.5, within 0.2%.

    >>> [round(student(each), 2) for each in (1, 2, 3, 5, 10, 30)]
    [12.71, 4.3, 3.18, 2.57, 2.23, 2.04]
    """
    if freedom <= 2:
        return (12.706205, 4.302653)[freedom - 1]
    z = 1.959964
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return math.fsum(term / float(freedom) ** power for power, term in enumerate(terms))
