"""Scoring: tests and the combination, one row or many."""

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
from advisor.knowledge.rules import QUALITY, Rule
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
    if test.holds is None:
        return math.isnan(number)
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
    assert fired.tolist() == [fires(rule, row) for rule in scorer.rules]


@settings(max_examples=50, deadline=None)
@given(use_cases())
def test_unconsidered_rules_wait_for_facts_and_have_no_false_test(values: dict[str, object]) -> None:
    """A rule is unconsidered where a test is unknown and none is false."""
    scorer = Scorer(load_default_rules())
    row = row_of(**values)
    expected = [
        all(outcome is not False for outcome in outcomes) and any(outcome is None for outcome in outcomes)
        for outcomes in ([holds(test, row) for test in rule.tests] for rule in scorer.rules)
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
    probabilities = scorer.probabilities(scores)[:, 0]
    assert probabilities[2:].tolist() == [0, 0]
    assert probabilities.sum() == pytest.approx(1)


def test_no_facts_leave_the_decision_open(scorer: Scorer) -> None:
    """Without facts nothing fires but for what is unknown, and the outcome is undecided."""
    scores = scorer.score(row_of()[None])
    fired = [rule for rule, on in zip(scorer.rules, scores.fired[:, 0], strict=True) if on]
    assert all(test.holds is None for rule in fired for test in rule.tests)
    assert not scores.known[0]
    assert scores.approach[0] == UNDECIDED


def test_points_are_the_evidence_of_what_fired(scorer: Scorer) -> None:
    """Of quality or of upkeep, by the rule's trade-off, by one slope; upkeep begins with the parts."""
    known = {
        "update_interval": "1d",
        "task": "QUESTION_ANSWERING",
        "must_forget": True,
        "latency_budget": "1s",
    }
    scores = scorer.score(row_of(**known)[None])
    fired = [rule for rule, on in zip(scorer.rules, scores.fired[:, 0], strict=True) if on]
    for index in range(len(APPROACHES)):
        quality = sum(rule.log_odds[index] for rule in fired if rule.criterion in QUALITY)
        upkeep = sum(rule.log_odds[index] for rule in fired if rule.criterion not in QUALITY)
        assert scores.points[index, 0] == pytest.approx(scorer.gains.slope * quality)
        parts = scorer.knowledge.decision.upkeep[index]
        assert scores.upkeep[index, 0] == pytest.approx(parts + scorer.gains.slope * upkeep)
    assert np.ptp(scores.upkeep) > np.ptp(scorer.parts)


PARTS = (0.0, -1.0, -2.0, -3.0)


@pytest.mark.parametrize(
    ("points", "upkeep", "taken"),
    [
        ((0, 1, 2, 3), PARTS, "PROMPTING"),  # all within the tolerance: nothing to keep
        ((0, 10, 2, 12), PARTS, "RAG"),  # HYBRID adds two
        ((0, 10, 2, 14), PARTS, "HYBRID"),
        ((0, 10, 9, 11), PARTS, "RAG"),
        ((0, 10, 9, 11), (0, -3, -2, -4), "FINE_TUNING"),
        ((0, 10, 9, 11), (0, -2, -2, -3), None),  # neither contains the other, and both are as easy to keep
        ((0, 10, 9, 20), (0, -2, -2, -3), "HYBRID"),
        ((0, 10, 9, 11), (0, -2, -2, -1), "HYBRID"),
        ((0, 2, 1, 0), (0, -1, 1.5, -3), "FINE_TUNING"),  # it saves more than it takes
        ((-math.inf, -math.inf, -math.inf, -math.inf), PARTS, None),
        ((0, -math.inf, 10, 12), PARTS, "FINE_TUNING"),
        ((0, 3, 0, 0), PARTS, "PROMPTING"),  # as far as the tolerance is not more than it
    ],
)
def test_of_what_is_close_the_easiest_to_keep_is_taken(
    scorer: Scorer, points: tuple[float, ...], upkeep: tuple[float, ...], taken: str | None
) -> None:
    """More is built only where it is expected to gain more than would be noticed."""
    close = scorer.close(np.array(points, dtype=float)[:, None])
    place = int(scorer.easiest(close, np.array(upkeep, dtype=float)[:, None])[0])
    assert (None if place == UNDECIDED else APPROACHES[place]) == taken


@pytest.mark.parametrize(
    ("enough", "taken"),
    [(-5, "PROMPTING"), (8, "RAG"), (9.5, "RAG"), (15, "HYBRID"), (30, "HYBRID"), (math.inf, "HYBRID")],
)
def test_what_suffices_is_enough(scorer: Scorer, enough: float, taken: str) -> None:
    """Of those that reach it, the one that is easiest to keep is taken."""
    points, upkeep = np.array([[0.0], [10.0], [9.0], [20.0]]), np.array(PARTS)[:, None]
    assert (
        APPROACHES[int(scorer.easiest(scorer.close(points, np.array([float(enough)])), upkeep)[0])] == taken
    )


def test_what_is_surely_over_the_budget_is_not_taken(scorer: Scorer) -> None:
    """Points do not pay for what there is no money for; where nothing is within the budget, it decides nothing."""
    values = {"task": "CLASSIFICATION", "output_form": "LABEL", "labelled_examples": 5000,
              "queries_per_month": 1000, "hosting": "RENTED_GPU", "latency_budget": "2s"}  # fmt: skip
    rows = np.stack([row_of(**values), *(row_of(**values, monthly_budget=each) for each in (1, 300, 10**7))])
    free, nothing, little, much = (APPROACHES[each] for each in scorer.score(rows).approach)
    assert free == nothing == much == "FINE_TUNING"
    assert little == "PROMPTING"


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


def test_no_rows_are_no_decisions(scorer: Scorer) -> None:
    """A batch may be empty."""
    scores = scorer.score(np.empty((0, len(facts()))))
    assert scores.points.shape == (len(APPROACHES), 0)
    assert scores.approach.shape == (0,)
