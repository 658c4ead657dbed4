"""Checks of a knowledge base, beyond what reading it already refuses.

A finding is an error, which makes the knowledge base wrong, or a remark, which
a knowledge engineer should look at. Monotonicity is proved, not sampled: see
`advisor.learning.promises`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from advisor.decision.scoring import READ_BESIDE_RULES, UNDECIDED, RuleTests, Scorer
from advisor.decision.worlds import Worlds
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.facts import encode_facts, facts, facts_from_mapping
from advisor.knowledge.notation import Interval
from advisor.knowledge.rules import Monotonicity, Rule, Test
from advisor.learning.promises import prove
from advisor.learning.regions import bounds, vetoed_regions

__all__ = ["Finding", "check_rules", "run_examples", "undecided_share"]

_MOST_VETOES = 60  # on several facts each, they take half a second; the time grows faster than their number


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found in a knowledge base.

    Attributes:
        severity: "error" where the knowledge base is wrong.
        place: File, line and column; empty where it is about the whole.
        text: What was found, and what to do.
    """

    severity: Literal["error", "remark"]
    place: str
    text: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.severity, self.text) if part)


def check_rules(scorer: Scorer) -> tuple[Finding, ...]:
    """Return all findings, errors first."""
    knowledge = scorer.knowledge
    findings = [
        *_never_firing(knowledge.rules),
        *_contained(knowledge.rules),
        *_contradicting(knowledge.rules),
        *_leaving_nothing(knowledge.rules),
        *_unread(scorer),
        *(finding for promise in knowledge.monotonic for finding in _broken_promise(scorer, promise)),
        *run_examples(scorer),
    ]
    return tuple(sorted(findings, key=lambda finding: finding.severity != "error"))


def run_examples(scorer: Scorer) -> tuple[Finding, ...]:
    """Return an error for each example of a rule that does not behave as it says."""
    rules = scorer.knowledge.rules
    examples = [
        (index, example, expected)
        for index, rule in enumerate(rules)
        for expected, group in ((True, rule.fire), (False, rule.silent))
        for example in group
    ]
    rows = np.array([encode_facts(facts_from_mapping(example)) for _, example, _ in examples])
    fired = RuleTests(rules).fired(rows.T)
    return tuple(
        Finding(
            "error",
            str(rules[index].place),
            f"{rules[index].id} {'does not fire' if expected else 'fires'} on its example {dict(example)}",
        )
        for position, (index, example, expected) in enumerate(examples)
        if bool(fired[index, position]) is not expected
    )


def undecided_share(scorer: Scorer, known_share: float, count: int = 4096) -> float:
    """Return the share of plausible use cases left undecided.

    Args:
        scorer: What decides.
        known_share: Share of the facts that are known, the rest being hidden at random.
        count: Use cases drawn from the worlds of the knowledge base.
    """
    rows = Worlds(scorer.knowledge, count, seed=1).fill(np.full(len(facts()), np.nan))
    hidden = np.random.default_rng(2).random(rows.shape) >= known_share
    taken = scorer.score(np.where(hidden, np.nan, rows)).approach
    return float((taken == UNDECIDED).mean())


def _never_firing(rules: Sequence[Rule]) -> Iterable[Finding]:
    for rule in rules:
        for test in rule.tests:
            if not isinstance(test.holds, Interval):
                continue
            low, high = test.holds.closed()
            least, most = bounds(test.subject)
            if high < least or low > most:
                text = f"{rule.id} never fires: {test.subject} is never {test.text}; mend or remove the test"
                yield Finding("error", str(rule.place), text)


def _contained(rules: Sequence[Rule]) -> Iterable[Finding]:
    """Find rules that say again what another says whenever they fire."""
    for one, other in itertools.permutations(rules, 2):
        if one.kind != other.kind or not _implies(one, other):
            continue
        same = _implies(other, one)
        if one.kind == "evidence" and not (same and _about_the_same(one, other)):
            continue  # a step of a ladder, or what one fact says of other approaches: each adds
        if same and one.place.line > other.place.line:
            continue  # report a pair once
        if one.kind == "veto" and not one.excludes <= other.excludes:
            continue
        if one.kind == "advice" or (one.kind == "warning" and not same):
            continue
        text = f"{one.id} fires only where {other.id} ({other.place.line}) does; merge or remove one"
        yield Finding("remark", str(one.place), text)


def _about_the_same(one: Rule, other: Rule) -> bool:
    """Whether both are evidence for or against an approach."""
    return any(x and y for x, y in zip(one.log_odds, other.log_odds, strict=True))


def _contradicting(rules: Sequence[Rule]) -> Iterable[Finding]:
    """Find evidence taken back on the very same tests; a narrower exception is no contradiction."""
    evidence = [rule for rule in rules if rule.kind == "evidence"]
    for one, other in itertools.combinations(evidence, 2):
        if not (_implies(one, other) and _implies(other, one)):
            continue
        opposed = [
            name for name, x, y in zip(APPROACHES, one.log_odds, other.log_odds, strict=True) if x * y < 0
        ]
        if opposed:
            text = f"{other.id} contradicts {one.id} ({one.place.line}) about {', '.join(opposed)}; keep one"
            yield Finding("error", str(other.place), text)


def _leaving_nothing(rules: Sequence[Rule]) -> Iterable[Finding]:
    """Find vetoes that leave no approach, whatever else is known."""
    count = sum(rule.kind == "veto" for rule in rules)
    if count > _MOST_VETOES:
        text = f"not proved that {count:,} vetoes leave an approach: at most {_MOST_VETOES} are looked at"
        yield Finding("remark", "", text)
        return
    for region in vetoed_regions(rules):
        ids = [rule.id for rule in region.rules]
        alone = len(ids) == 1
        named = f"{ids[0]} leaves" if alone else f"{', '.join(ids[:-1])} and {ids[-1]} together leave"
        where = f"where {region.where}, whatever else is known" if region.where else "whatever is known"
        text = f"{named} no approach {where}; let {'it' if alone else 'one of them'} spare an approach"
        yield Finding("error", str(region.rules[-1].place), text)


def _unread(scorer: Scorer) -> Iterable[Finding]:
    read = {test.subject for rule in scorer.knowledge.rules for test in rule.tests}
    read |= {curve.subject for curve in scorer.gains.curves} | set(READ_BESIDE_RULES)
    for item in facts():
        if item.name not in read:
            yield Finding("remark", "", f"no rule and no feature reads {item.name}")


def _broken_promise(scorer: Scorer, promise: Monotonicity) -> Iterable[Finding]:
    """Say what breaks a promise, or why it is not proved."""
    if found := prove(scorer, promise):
        severity, text = found
        yield Finding(severity, str(promise.place), text)


def _implies(one: Rule, other: Rule) -> bool:
    """Whether `other` fires wherever `one` does."""
    mine = {test.subject: test for test in one.tests}
    return all(test.subject in mine and _within(mine[test.subject], test) for test in other.tests)


def _within(inner: Test, outer: Test) -> bool:
    if isinstance(inner.holds, frozenset) and isinstance(outer.holds, frozenset):
        return inner.holds <= outer.holds
    if inner.holds is None or outer.holds is None:
        return inner.holds is outer.holds
    if isinstance(inner.holds, Interval) and isinstance(outer.holds, Interval):
        (low, high), (least, most) = inner.holds.closed(), outer.holds.closed()
        return least <= low and high <= most
    return False
