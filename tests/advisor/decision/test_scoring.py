"""Scoring: tests, criteria and the combination, one row or many."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings

from advisor.decision.scoring import CHUNK, Scorer
from advisor.decision.worlds import Worlds
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.facts import encode_facts, fact_index, facts, facts_from_mapping
from advisor.knowledge.notation import Interval
from advisor.knowledge.rulefile import load_default_rules
from advisor.knowledge.rules import CRITERIA, Rule
from advisor.knowledge.rules import Test as UnaryTest
from tests.advisor.strategies import use_cases


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(load_default_rules())


def row_of(**values: object) -> np.ndarray:
    return encode_facts(facts_from_mapping(values))


def holds(test: UnaryTest, row: np.ndarray) -> bool | None:
    """Decide a test on a fact the slow and obvious way."""
    number = float(row[fact_index()[test.subject]])
    if math.isnan(number):
        return None
    if isinstance(test.holds, Interval):
        return number in test.holds
    item = facts()[fact_index()[test.subject]]
    names = ("false", "true") if item.kind == "flag" else ("", *item.choices)
    return names[int(number)] in test.holds


def fires(rule: Rule, row: np.ndarray) -> bool:
    return all(holds(test, row) is True for test in rule.tests)


@settings(max_examples=100, deadline=None)
@given(use_cases())
def test_rules_fire_exactly_where_all_their_tests_hold(values: dict[str, object]) -> None:
    """The arrays agree with a plain reading of every rule."""
    scorer = Scorer(load_default_rules())
    row = row_of(**values)
    fired = scorer.score(row[None]).fired[:, 0]
    assert fired.tolist() == [fires(rule, row) for rule in scorer.knowledge.rules]


@settings(max_examples=50, deadline=None)
@given(use_cases())
def test_unconsidered_rules_wait_for_facts_and_have_no_false_test(values: dict[str, object]) -> None:
    """A rule is unconsidered where a test is unknown and none is false."""
    scorer = Scorer(load_default_rules())
    row = row_of(**values)
    expected = [
        all(outcome is not False for outcome in outcomes) and any(outcome is None for outcome in outcomes)
        for outcomes in ([holds(test, row) for test in rule.tests] for rule in scorer.knowledge.rules)
    ]
    assert scorer.unconsidered(row[None])[:, 0].tolist() == expected


def test_many_rows_score_as_each_alone(scorer: Scorer) -> None:
    """Chunking and batching change nothing."""
    rows = Worlds(scorer.knowledge, CHUNK + 7).fill(np.full(len(facts()), np.nan))
    together = scorer.score(rows)
    for index in (0, CHUNK - 1, CHUNK, CHUNK + 6):
        alone = scorer.score(rows[index : index + 1])
        np.testing.assert_allclose(together.log_odds[:, index], alone.log_odds[:, 0], rtol=0, atol=1e-12)
        assert together.order[:, index].tolist() == alone.order[:, 0].tolist()


def test_probabilities_are_a_softmax_over_what_is_feasible(scorer: Scorer) -> None:
    """Vetoed approaches have no probability; the others sum to one."""
    scores = scorer.score(row_of(can_train=False)[None])
    assert scores.feasible[:, 0].tolist() == [True, True, False, False]
    assert scores.probabilities[2:, 0].tolist() == [0, 0]
    assert scores.probabilities[:, 0].sum() == pytest.approx(1)


def test_no_facts_leave_the_decision_open(scorer: Scorer) -> None:
    """Without facts nothing fires and the outcome is undecided."""
    scores = scorer.score(row_of()[None])
    assert not scores.fired.any()
    assert not scores.decided[0]


@settings(max_examples=50, deadline=None)
@given(use_cases())
def test_criteria_stay_within_what_unknown_facts_allow(values: dict[str, object]) -> None:
    """A criterion's value lies between its ends, which meet where everything is known."""
    criteria = Scorer(load_default_rules()).criteria(row_of(**values)[None])
    known = ~np.isnan(criteria.value[:, 0])
    lower, upper, value = (part[known, 0] for part in (criteria.lower, criteria.upper, criteria.value))
    assert len(criteria.value) == len(CRITERIA)
    assert (lower <= upper + 1e-12).all()
    assert (value >= -1e-12).all()
    assert (value <= 1 + 1e-12).all()


def test_log_odds_are_prior_plus_evidence(scorer: Scorer) -> None:
    """Z is the log prior and the evidence of the rules that fired, and nothing else."""
    scores = scorer.score(row_of(update_interval="1d", task="QUESTION_ANSWERING")[None])
    fired = [rule for rule, on in zip(scorer.knowledge.rules, scores.fired[:, 0], strict=True) if on]
    for index in range(len(APPROACHES)):
        expected = math.log(scorer.knowledge.decision.prior[index]) + sum(r.log_odds[index] for r in fired)
        assert scores.log_odds[index, 0] == pytest.approx(expected)
