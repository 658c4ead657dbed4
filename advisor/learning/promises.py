"""Proofs of promises: that moving one fact never lowers one approach against another.

Points are sums over rules and curves, and all values of a fact between the ends of tests fire the same rules. So a
promise is proved by scoring a value of every cell. Rules that have no fact in common but the promised one and one more,
the hub, rise and fall apart from each other: for each value of the hub the worst of each group is found alone, and the
worst are summed, which is exact.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from advisor.decision.gains import GainModel
from advisor.decision.scoring import Scorer
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.arrays import Floats
from advisor.knowledge.facts import Row, Rows, fact, fact_index, facts, value_to_notation
from advisor.knowledge.rules import Knowledge, Monotonicity, Rule, Test
from advisor.learning.regions import cells

__all__ = ["prove"]

_MOST_CELLS = 2_000_000
_TOLERANCE = 1e-9


def prove(scorer: Scorer, promise: Monotonicity) -> tuple[Literal["error", "remark"], str] | None:
    """Prove a promise; return what breaks it, or why it is not proved, and None where it is kept."""
    reading = [rule for rule in scorer.rules if any(test.subject == promise.fact for test in rule.tests)]
    if not reading and not any(curve.subject == promise.fact for curve in scorer.gains.curves):
        return "remark", f"{promise.fact}: nothing reads it, so there is nothing to promise"
    rules = [rule for rule in reading if _tells_apart(rule, promise)]
    tests = [test for rule in rules for test in rule.tests]
    steps = _steps(promise, tests, scorer)
    hub, groups = _independent(rules, promise.fact)
    values = {name: [*cells(name, tests), math.nan] for name in {test.subject for test in tests}}
    subjects = [_subjects(group, {promise.fact, hub}) for group in groups]
    hub_values = values[hub] if hub else [math.nan]
    sizes = [math.prod(len(values[name]) for name in each) for each in subjects]
    count = sum(sizes) * len(hub_values) * len(steps)
    if count > _MOST_CELLS:
        return "remark", f"{promise.fact}: not proved, since {count:,} combinations are too many"
    curves = np.full((len(steps), len(facts())), np.nan)
    curves[:, fact_index()[promise.fact]] = steps
    learned = np.diff(
        _leads(scorer.knowledge, scorer.gains, (), curves, promise)
    )  # the same for every value of the hub
    worst: Floats = np.repeat(learned[:, None], len(hub_values), axis=1)
    found = []
    alone = replace(scorer.gains, terms=())
    for group, names, size in zip(groups, subjects, sizes, strict=True):
        order = [*([hub] if hub else []), *names]
        rows = _combinations(order, [values[name] for name in order], promise.fact, steps)
        leads = _leads(scorer.knowledge, alone, group, rows, promise)
        leads = leads.reshape(2, len(hub_values), size, len(steps))
        rises: Floats = np.diff(leads, axis=3)
        worst += rises.min(axis=2)
        found.append((rows.reshape(len(hub_values), size, len(steps), -1), rises.argmin(axis=2)))
    if (worst >= -_TOLERANCE).all():
        return None
    side, place, step = (int(index) for index in np.argwhere(worst < -_TOLERANCE)[0])
    row = np.full(len(facts()), np.nan)
    row[fact_index()[promise.fact]] = steps[step]
    for scored, lowest in found:
        at = scored[place, lowest[side, place, step], step]
        row = np.where(np.isnan(row), at, row)
    return "error", _counterexample(promise, row, steps[step + 1])


def _tells_apart(rule: Rule, promise: Monotonicity) -> bool:
    raised, against = (APPROACHES.index(name) for name in (promise.raises, promise.against))
    return rule.log_odds[raised] != rule.log_odds[against]


def _independent(rules: Sequence[Rule], name: str) -> tuple[str, list[list[Rule]]]:
    """Return the fact, beside one, that most rules test, and the rules in groups that share neither of the others."""
    counts = Counter(subject for rule in rules for subject in _subjects([rule], {name}))
    hub = counts.most_common(1)[0][0] if counts else ""
    groups: list[tuple[set[str], list[Rule]]] = []
    for rule in rules:
        subjects = set(_subjects([rule], {name, hub}))
        joined = [group for group in groups if subjects & group[0]]
        groups = [group for group in groups if group not in joined]
        groups.append(
            (
                subjects.union(*(each for each, _ in joined)),
                [*itertools.chain(*(of for _, of in joined)), rule],
            )
        )
    return hub, [group for _, group in groups]


def _subjects(rules: Iterable[Rule], but: Container[str]) -> list[str]:
    """Return the facts that rules test, but some."""
    return sorted({test.subject for rule in rules for test in rule.tests if test.subject not in but})


def _leads(
    knowledge: Knowledge, gains: GainModel, rules: Sequence[Rule], rows: Rows, promise: Monotonicity
) -> Floats:
    """Return by how much one approach leads in quality and in upkeep by some rules alone, shape (2, n)."""
    scores = Scorer(replace(knowledge, rules=tuple(rules)), gains).score(rows)
    both = np.stack((scores.points, scores.upkeep))
    leads: Floats = both[:, APPROACHES.index(promise.raises)] - both[:, APPROACHES.index(promise.against)]
    return leads


def _steps(promise: Monotonicity, tests: Sequence[Test], scorer: Scorer) -> list[float]:
    """Return a value of every cell of the fact, in the direction of the promise."""
    steps = set(cells(promise.fact, tests))
    steps |= {x for curve in scorer.gains.curves if curve.subject == promise.fact for x, _ in curve.points}
    return sorted(steps, reverse=promise.direction == "decreasing")


def _combinations(
    names: Sequence[str], values: Sequence[Sequence[float]], name: str, steps: Sequence[float]
) -> Rows:
    """Return a row for every combination of the values of facts, and within it for every step of one more."""
    grid = np.array(list(itertools.product(*values, steps)), dtype=np.float64)
    rows = np.full((len(grid), len(facts())), np.nan)
    rows[:, [fact_index()[each] for each in (*names, name)]] = grid
    return rows


def _counterexample(promise: Monotonicity, row: Row, after: float) -> str:
    known = {
        item.name: value_to_notation(item, float(value))
        for item, value in zip(facts(), row, strict=True)
        if not math.isnan(value)
    }
    moved = value_to_notation(fact(promise.fact), after)
    return (
        f"{promise.raises} falls against {promise.against} as {promise.fact} moves to {moved} from {known}; "
        "change the evidence of the rules that read it"
    )
