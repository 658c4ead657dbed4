"""The evaluation: figures mean what they are called, and what was not measured is never right."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.cases import Case, load_default_cases
from advisor.knowledge.facts import encode_facts, facts_from_mapping
from advisor.knowledge.rulefile import load_default_rules
from advisor.learning.evaluation import (
    NOT_MEASURED,
    Resampling,
    always,
    coverage,
    first_steps,
    followed,
    leading,
    learning_curve,
    of_rule,
    rule_of_thumb,
    taking,
)
from advisor.learning.references import REFERENCES, leave_one_out
from advisor.learning.selection import Measured, Outcome, Study

CASES = load_default_cases()
FEW = tuple(
    each for each in CASES if each.source.id in {"raft-2024", "ovadia-2023", "lara2025", "lawma", "ragtag"}
)


@pytest.fixture(scope="module")
def study() -> Study:
    return Study(FEW, load_default_rules())


def with_scores(**scores: float) -> Case:
    return replace(CASES[0], scores=MappingProxyType(scores), gains=MappingProxyType({}))


def test_a_choice_that_was_not_measured_is_neither_scored_nor_right() -> None:
    """Nothing is known of it."""
    measured = Measured([with_scores(RAG=50, PROMPTING=48), with_scores(RAG=50, PROMPTING=40)])
    choices = followed(measured, np.array([Approach.HYBRID.place, Approach.RAG.place]))
    np.testing.assert_array_equal(choices.regret, [np.nan, 0])
    assert choices.right.tolist() == [False, True]
    assert choices.scored.tolist() == [False, True]
    nothing = followed(measured, np.array([NOT_MEASURED, Approach.PROMPTING.place]))
    np.testing.assert_array_equal(nothing.regret, [np.nan, 10])
    assert nothing.right.tolist() == [False, False]


def test_the_leader_is_among_what_was_measured(study: Study) -> None:
    """An approach that a case lacks is not chosen for it, however many points it has."""
    points = np.zeros((len(APPROACHES), len(FEW)))
    points[Approach.HYBRID.place] = 100
    choices = leading(study, points)
    assert choices.scored.all()
    with_hybrid = study.measured.among[Approach.HYBRID.place]
    assert (choices.places[with_hybrid] == Approach.HYBRID.place).all()


def test_the_simplest_is_taken_among_what_was_measured_or_among_all(study: Study) -> None:
    """Where two points part them, the one with less to build is taken."""
    points = np.tile(np.array([[0.0], [2.0], [2.0], [2.5]]), len(FEW))
    assert (taking(study, points, among_measured=False).places == Approach.PROMPTING.place).all()
    among = taking(study, points, among_measured=True)
    prompted = study.measured.among[Approach.PROMPTING.place]
    assert (among.places[prompted] == Approach.PROMPTING.place).all()


def test_resampling_draws_sources_whole() -> None:
    """The interval of a figure that differs only between sources is wide; a constant has none."""
    sources = ["a"] * 20 + ["b"] * 20
    resampling = Resampling(sources)
    found = resampling.mean(np.array([0.0] * 20 + [1.0] * 20))
    assert (found.value, found.low, found.high) == (0.5, 0.0, 1.0)
    assert str(resampling.mean(np.ones(40))) == "1.00 [1.00, 1.00]"
    assert resampling.mean(np.array([np.nan] * 39 + [3.0])).value == 3


def test_coverage_counts_differences_in_their_interval(study: Study) -> None:
    """With the truth as points all lie within, with a spread of nothing and points of nothing none does."""
    truth = np.nan_to_num(study.measured.score)
    shape = (len(APPROACHES), len(APPROACHES), len(FEW))
    temperature = np.ones(len(FEW))
    assert np.nanmin(coverage(study, Outcome(truth, temperature, np.ones(shape)))) == 1
    assert np.nanmax(coverage(study, Outcome(truth * 0, temperature, np.zeros(shape)))) == 0


def test_fixed_baselines(study: Study) -> None:
    """Always the same is scored where it was measured."""
    choices = of_rule(study, always(Approach.RAG))
    np.testing.assert_array_equal(choices.scored, study.measured.among[Approach.RAG.place])
    np.testing.assert_array_equal(choices.regret, study.measured.regret[Approach.RAG.place])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, Approach.RAG),
        ({"closed_book_score": 0.8}, Approach.PROMPTING),
        ({"can_train": False}, Approach.PROMPTING),
        ({"can_train": False, "update_interval": "7d"}, Approach.RAG),
        ({"labelled_examples": 10, "new_knowledge_share": 0.4}, Approach.RAG),
        ({"labelled_examples": 500, "output_form": "LABEL"}, Approach.FINE_TUNING),
        ({"labelled_examples": 500, "output_form": "LABEL", "needs_citations": True}, Approach.RAG),
    ],
)
def test_the_rule_of_thumb(values: dict[str, object], expected: Approach) -> None:
    """It says what many guides come down to."""
    assert rule_of_thumb(encode_facts(facts_from_mapping(values))) is expected


def test_a_learning_curve_measures_what_was_not_learned_from(study: Study) -> None:
    """Each number of sources has a regret and a share right."""
    found = learning_curve(study, (2, 3), draws=2)
    assert set(found) == {2, 3}
    assert all(regret >= 0 and 0 <= right <= 1 for regret, right in found.values())


@pytest.mark.parametrize("name", REFERENCES)
def test_references_learn_from_other_sources_alone(study: Study, name: str) -> None:
    """With a source's scores turned upside down, what is said of its own cases is the same."""
    upside = tuple(
        replace(each, scores=MappingProxyType({arm: 100 - score for arm, score in each.scores.items()}))
        if each.source.id == "raft-2024"
        else each
        for each in FEW
    )
    held = np.array([each.source.id == "raft-2024" for each in FEW])
    plain = leave_one_out(study, REFERENCES[name])
    turned = leave_one_out(Study(upside, load_default_rules()), REFERENCES[name])
    np.testing.assert_allclose(plain[:, held], turned[:, held])
    assert not np.allclose(plain[:, ~held], turned[:, ~held])


def test_the_first_step_is_contained_in_the_leader(study: Study) -> None:
    """A plan begins with a part of what it ends with."""
    count = len(study.cases)
    points = np.repeat(np.array([[0.0], [9.0], [4.0], [20.0]]), count, axis=1)
    outcome = Outcome(points, np.ones(count), np.full((4, 4, count), 10.0))
    steps = first_steps(study, outcome)
    chosen = steps.places[steps.places != NOT_MEASURED]
    assert chosen.size
    assert set(chosen.tolist()) <= {0, 1, 2}
    assert (Approach.RAG.place in chosen) or (Approach.PROMPTING.place in chosen)
