"""What rules lose of a held-out source, and which configuration is chosen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from advisor.decision.scoring import Scorer
from advisor.knowledge.cases import load_default_cases
from advisor.knowledge.notation import Interval
from advisor.knowledge.rulefile import load_default_rules
from advisor.knowledge.rules import Knowledge
from advisor.learning.selection import (
    SHIPPED,
    Configuration,
    Family,
    HoldingOut,
    Study,
    _simplest_of_the_best,
    fingerprint,
    ship,
    without_sources,
)

CASES = load_default_cases()


def knowledge(*sources: tuple[str, ...]) -> Knowledge:
    rules = load_default_rules().rules[: len(sources)]
    return replace(
        load_default_rules(),
        rules=tuple(replace(rule, sources=keys) for rule, keys in zip(rules, sources, strict=True)),
    )


@pytest.mark.parametrize(
    ("how", "kept"),
    [("alone", [1.0, None, 1.0, None]), ("shares", [1.0, None, 0.5, None]), ("any", [1.0, None, None, None])],
)
def test_what_rules_lose(how: HoldingOut, kept: list[float | None]) -> None:
    """By each reading, a rule stays, loses the held-out source's share, or goes."""
    whole = knowledge(("b",), ("a:Table 1",), ("a", "b"), ("a", "published-cases"))
    left = {rule.id: rule for rule in without_sources(whole, frozenset({"a"}), how).rules}
    for rule, share in zip(whole.rules, kept, strict=True):
        if share is None:
            assert rule.id not in left
        else:
            assert left[rule.id].log_odds == pytest.approx(tuple(share * value for value in rule.log_odds))


def test_holding_nothing_out_changes_nothing() -> None:
    """Every rule stays where no source is held out."""
    whole = load_default_rules()
    assert without_sources(whole, frozenset(), "any") is whole


def test_the_simplest_within_one_standard_error_is_chosen() -> None:
    """A complicated configuration must be better by more than luck."""
    simple, complicated, bad = (Configuration(weight, 1.0, 1.0) for weight in (0.0, 0.5, 0.75))
    losses = {simple: [1.0, 1.2, 0.9], complicated: [1.05, 0.95, 0.95], bad: [3.0, 3.0, 3.0]}
    assert _simplest_of_the_best(losses, 1.0) == simple
    assert _simplest_of_the_best(losses, 0.0) == complicated
    losses[simple] = [1.3, 1.2, 1.2]
    assert _simplest_of_the_best(losses, 1.0) == complicated


def test_a_temperature_that_helps_every_source_is_chosen() -> None:
    """Rules that are right and timid are sharpened."""
    timid = load_default_rules()
    timid = replace(
        timid, rules=tuple(replace(r, log_odds=tuple(0.3 * v for v in r.log_odds)) for r in timid.rules)
    )
    family = Family("rules", True)
    sharp = Study(CASES, timid, "alone").choose(family).temperature
    assert sharp < Study(CASES, load_default_rules(), "alone").choose(family).temperature


def test_the_study_decides_as_the_scorer_does() -> None:
    """What is evaluated is what is shipped: the same probabilities, and the same abstentions."""
    rules = load_default_rules()
    study = Study(CASES, rules)
    _, classifier, chosen = ship(study)
    classifier = replace(classifier, weight=0.5)
    chosen = chosen._replace(weight=0.5, temperature=1.4)
    decision = replace(rules.decision, temperature=1.4)
    rows = np.stack([case.row for case in CASES])
    scores = Scorer(replace(rules, decision=decision), classifier).score(rows)
    outcome = study.decide(SHIPPED, chosen, frozenset(), rows)
    np.testing.assert_allclose(outcome.probabilities, scores.probabilities, atol=1e-5)
    np.testing.assert_array_equal(outcome.decided, scores.decided)


def test_wording_and_temperature_leave_the_fingerprint() -> None:
    """Only what bears on decisions, and is not chosen, changes it."""
    rules = load_default_rules()
    first, *others = rules.rules
    same = replace(rules, rules=(replace(first, reason="Other words."), *others))
    same = replace(same, decision=replace(rules.decision, temperature=3.0))
    assert fingerprint(same) == fingerprint(rules)
    changed = replace(rules, rules=(replace(first, log_odds=(0.0, 0.0, 0.0, 9.0)), *others))
    assert fingerprint(changed) != fingerprint(rules)


def test_spelling_and_order_leave_the_fingerprint() -> None:
    """How a test is written and where a rule stands do not matter; what the test holds for does."""
    rules = load_default_rules()
    first, *others = rules.rules
    (test,) = first.tests
    spelled = replace(first, criterion="cost", tests=(replace(test, text="otherwise"),))
    assert fingerprint(replace(rules, rules=(*others, spelled))) == fingerprint(rules)
    wider = replace(first, tests=(replace(test, holds=Interval()),))
    assert fingerprint(replace(rules, rules=(wider, *others))) != fingerprint(rules)
