"""The finitely many regions that tests cut facts into, and where vetoes leave nothing.

Whether a test holds changes only at its ends. So one value of each cell between
the ends of the tests on a fact stands for all values of the fact, and what holds
for every combination of cells holds for every use case whose facts are known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.facts import Fact, fact
from advisor.knowledge.notation import Interval
from advisor.knowledge.rules import Rule, Test

__all__ = ["VetoedRegion", "bounds", "cells", "vetoed_regions"]


@dataclass(frozen=True, slots=True)
class VetoedRegion:
    """Where no approach is left, whatever the other facts say.

    Attributes:
        rules: Vetoes that leave nothing together; without one of them something would be left.
        where: A fact and how the vetoes test it, such as `task is CODE`; empty where it is everywhere.
    """

    rules: tuple[Rule, ...]
    where: str


def bounds(subject: str) -> tuple[float, float]:
    """Return the least and greatest value of a fact."""
    item: Fact = fact(subject)
    return item.minimum, item.maximum


def cells(subject: str, tests: Iterable[Test]) -> list[float]:
    """Return, in order, a value of every cell that tests cut a fact into."""
    low, high = bounds(subject)
    if fact(subject).kind in ("flag", "choice"):
        return [float(number) for number in range(int(low), int(high) + 1)]
    values = {low, high}
    for test in tests:
        if test.subject == subject and isinstance(test.holds, Interval):
            values |= {value for value in test.holds.sides() if low <= value <= high}
    return sorted(values)


def vetoed_regions(rules: Iterable[Rule]) -> Iterator[VetoedRegion]:
    """Find the values of single facts, known, at which vetoes leave no approach whatever else is known."""
    vetoes = [rule for rule in rules if rule.kind == "veto"]
    tests = [test for rule in vetoes for test in rule.tests]
    told: set[tuple[str, ...]] = set()
    for subject in dict.fromkeys(test.subject for test in tests):
        for value in cells(subject, tests):
            if not _leave_nothing(vetoes, {subject: value}):
                continue
            needed = _needed(vetoes, {subject: value})
            ids = tuple(rule.id for rule in needed)
            if ids not in told:
                told.add(ids)
                yield VetoedRegion(needed, "" if _leave_nothing(needed, {}) else _where(subject, needed))


def _needed(vetoes: Sequence[Rule], at: Mapping[str, float]) -> tuple[Rule, ...]:
    """Return as few of the vetoes as leave nothing."""
    needed = list(vetoes)
    for rule in vetoes:
        others = [each for each in needed if each is not rule]
        if _leave_nothing(others, at):
            needed = others
    return tuple(needed)


def _where(subject: str, rules: Iterable[Rule]) -> str:
    texts = dict.fromkeys(test.text for rule in rules for test in rule.tests if test.subject == subject)
    return f"{subject} is {' and '.join(texts)}"


def _leave_nothing(vetoes: Sequence[Rule], at: Mapping[str, float]) -> bool:
    """Whether, with some facts at these values, each approach is vetoed at every combination of the others."""
    return all(
        _cover(
            _given(
                [{test.subject: test for test in rule.tests} for rule in vetoes if name in rule.excludes], at
            )
        )
        for name in APPROACHES
    )


def _cover(conjunctions: Sequence[Mapping[str, Test]]) -> bool:
    """Whether at every combination of values all tests of some conjunction hold."""
    if not conjunctions or not all(conjunctions):
        return bool(conjunctions)  # one without tests holds everywhere
    tests = [test for each in conjunctions for test in each.values()]
    subject, _ = Counter(test.subject for test in tests).most_common(1)[0]
    return all(_cover(_given(conjunctions, {subject: value})) for value in cells(subject, tests))


def _given(conjunctions: Sequence[Mapping[str, Test]], at: Mapping[str, float]) -> list[dict[str, Test]]:
    """Return what is left of those conjunctions that can hold with facts at these values."""
    return [
        {subject: test for subject, test in each.items() if subject not in at}
        for each in conjunctions
        if all(_holds(each[subject], value) for subject, value in at.items() if subject in each)
    ]


def _holds(test: Test, value: float) -> bool:
    if isinstance(test.holds, Interval):
        return value in test.holds
    item = fact(test.subject)
    name = ("false", "true")[int(value)] if item.kind == "flag" else item.choices[int(value) - 1]
    return test.holds is not None and name in test.holds
