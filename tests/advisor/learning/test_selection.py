"""Choosing by leaving one source out: nothing of a held-out source is seen, and what helps is chosen."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from advisor.knowledge.cases import Case, load_default_cases
from advisor.knowledge.rulefile import load_default_rules
from advisor.learning.selection import FAMILIES, SCALES, SHIPPED, TEMPERATURES, Measured, Study

CASES = load_default_cases()
FEW = tuple(
    each for each in CASES if each.source.id in {"raft-2024", "ovadia-2023", "lara2025", "lawma", "ragtag"}
)


@pytest.fixture(scope="module")
def study() -> Study:
    return Study(FEW, load_default_rules())


def with_scores(case: Case, **scores: float) -> Case:
    return replace(case, scores=MappingProxyType(scores), gains=MappingProxyType({}))


def test_what_is_measured() -> None:
    """Regret is to the best measured arm; NAIVE_BOTH stands in for HYBRID, and only where that is missing."""
    measured = Measured(
        [
            with_scores(CASES[0], PROMPTING=40, RAG=52, NAIVE_BOTH=50),
            with_scores(CASES[0], FINE_TUNING=40, HYBRID=70, NAIVE_BOTH=50),
        ]
    )
    np.testing.assert_array_equal(measured.regret[:, 0], [12, 0, np.nan, 2])
    np.testing.assert_array_equal(measured.acceptable[:, 0], [False, True, False, True])
    np.testing.assert_array_equal(measured.regret[:, 1], [np.nan, np.nan, 30, 0])


def test_the_best_holds_no_luck_where_that_is_told() -> None:
    """What the best arm scored on questions that it was not chosen by is what others are measured against."""
    told = replace(with_scores(CASES[0], PROMPTING=40, RAG=52), top=48.0)
    np.testing.assert_array_equal(Measured([told]).regret[:2, 0], [8, -4])


def test_in_trials_of_our_own_naive_both_is_not_hybrid() -> None:
    """There HYBRID is trained over what is found, or not measured."""
    own = replace(with_scores(CASES[0], FINE_TUNING=50, RAG=52, NAIVE_BOTH=70), read="measured")
    np.testing.assert_array_equal(Measured([own]).regret[:, 0], [np.nan, 0, 2, np.nan])


def test_log_loss_falls_as_points_tell_what_was_measured(study: Study) -> None:
    """Even points give every measured arm the same chance; what was measured leaves no doubt."""
    measured = study.measured
    even = measured.log_loss(np.zeros_like(measured.score), 4.0)
    chance = (measured.acceptable & measured.among).sum(axis=0) / measured.among.sum(axis=0)
    np.testing.assert_allclose(even, -np.log(chance))
    sure = measured.log_loss(np.nan_to_num(measured.score), 0.01)
    assert (sure < 1e-6).all()


@pytest.mark.parametrize("family", FAMILIES, ids=lambda each: each.name)
def test_a_held_out_source_has_no_say(study: Study, family) -> None:
    """With its scores turned upside down, what is said of its own cases is the same."""
    upside = tuple(
        with_scores(each, **{arm: 100 - score for arm, score in each.measured.items()})
        if each.source.id == "raft-2024"
        else each
        for each in FEW
    )
    number = study.sources.index("raft-2024")
    plain, held = study.decide_without(family, (number,))
    turned, _ = Study(upside, load_default_rules()).decide_without(family, (number,))
    np.testing.assert_array_equal(plain[:, held], turned[:, held])


def test_the_outcome_is_made_without_each_source(study: Study) -> None:
    """Leaving one out decides about a source as the others do, with what they chose."""
    outcome, chosen = study.leave_one_out(SHIPPED)
    number = study.sources.index("lawma")
    points, held = study.decide_without(SHIPPED, (number,))
    np.testing.assert_array_equal(outcome.points[:, held], points[:, held])
    assert set(chosen) == set(study.sources)
    assert all(each.scale in SCALES and each.temperature in TEMPERATURES for each in chosen.values())
    assert (outcome.spread[0, 1] > 0).all()
    np.testing.assert_allclose(outcome.spread, outcome.spread.transpose(1, 0, 2))


def test_families_hear_what_they_are_to_hear(study: Study) -> None:
    """Rules alone rank as the rules do; the model alone does not ask them."""
    rules, model, _ = FAMILIES
    points, _ = study.decide_without(rules, (0,))
    np.testing.assert_array_equal(points.argmax(axis=0), study.base.argmax(axis=0))
    silent = replace(load_default_rules(), rules=load_default_rules().rules[:1])
    np.testing.assert_allclose(
        study.decide_without(model, (0,))[0], Study(FEW, silent).decide_without(model, (0,))[0]
    )
