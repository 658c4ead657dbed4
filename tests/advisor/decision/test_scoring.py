"""Scoring: tests, criteria and the combination, one row or many."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings

from advisor.decision.gains import load_gains
from advisor.decision.scoring import CHUNK, UNDECIDED, Scorer
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
        np.testing.assert_allclose(together.points[:, index], alone.points[:, 0], rtol=0, atol=1e-12)
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
    assert not scores.known[0]
    assert scores.approach[0] == UNDECIDED


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


def test_points_are_prior_plus_evidence(scorer: Scorer) -> None:
    """Points are the log prior and the evidence of the rules that fired, and nothing else, by one slope."""
    scores = scorer.score(row_of(update_interval="1d", task="QUESTION_ANSWERING")[None])
    fired = [rule for rule, on in zip(scorer.knowledge.rules, scores.fired[:, 0], strict=True) if on]
    for index in range(len(APPROACHES)):
        expected = math.log(scorer.knowledge.decision.prior[index]) + sum(r.log_odds[index] for r in fired)
        assert scores.points[index, 0] == pytest.approx(scorer.gains.slope * expected)


@pytest.mark.parametrize(
    ("points", "taken"),
    [
        ((0, 1, 2, 3), "PROMPTING"),  # all within the tolerance: the simplest
        ((0, 10, 2, 12), "RAG"),  # HYBRID contains it, and adds two
        ((0, 10, 2, 14), "HYBRID"),
        ((0, 10, 9, 11), None),  # neither of two contains the other
        ((0, 10, 9, 20), "HYBRID"),
        ((-math.inf, -math.inf, -math.inf, -math.inf), None),
        ((0, -math.inf, 10, 12), "FINE_TUNING"),
        ((0, 3, 0, 0), "PROMPTING"),  # as far as the tolerance is not more than it
    ],
)
def test_the_simplest_within_the_tolerance_is_taken(
    scorer: Scorer, points: tuple[float, ...], taken: str | None
) -> None:
    """More is built only where it is expected to gain more than would be noticed."""
    place = int(scorer.simplest(np.array(points, dtype=float)[:, None])[0])
    assert (None if place == UNDECIDED else APPROACHES[place]) == taken


@pytest.mark.parametrize(
    ("enough", "taken"),
    [(-5, "PROMPTING"), (8, None), (9.5, "RAG"), (15, "HYBRID"), (30, "HYBRID"), (math.inf, "HYBRID")],
)
def test_what_suffices_is_enough(scorer: Scorer, enough: float, taken: str | None) -> None:
    """Of prompting, two that do not contain each other, and both, the simplest that reaches it is taken."""
    points = np.array([[0.0], [10.0], [9.0], [20.0]])
    place = int(scorer.simplest(points, np.array([float(enough)]))[0])
    assert (None if place == UNDECIDED else APPROACHES[place]) == taken


@settings(max_examples=50, deadline=None)
@given(use_cases())
def test_spreads_are_of_differences(values: dict[str, object]) -> None:
    """Nothing differs from itself, and no difference is known better than sources agree."""
    scorer = Scorer(load_default_rules(), load_gains())
    row = row_of(**values)
    spreads = scorer.spreads(row, scorer.score(row[None]).points[:, 0])
    least = math.sqrt(2 * (scorer.gains.between**2 + scorer.gains.within**2))
    apart = ~np.eye(len(APPROACHES), dtype=bool)
    assert not spreads[~apart].any()
    assert (spreads[apart] >= least - 1e-9).all()
    assert (spreads[apart] < 3 * least).all()
    np.testing.assert_allclose(spreads, spreads.T)
