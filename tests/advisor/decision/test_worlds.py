"""Worlds: robustness and expected information gain."""

from __future__ import annotations

import math

import numpy as np
import pytest

from advisor.decision.scoring import Scorer
from advisor.decision.worlds import WORLDS, Plausible, Worlds
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.facts import encode_facts, fact_index, facts, facts_from_mapping
from advisor.knowledge.rulefile import load_default_rules


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(load_default_rules())


@pytest.fixture(scope="module")
def worlds(scorer: Scorer) -> Worlds:
    return Worlds(scorer.knowledge)


def row_of(**values: object) -> np.ndarray:
    return encode_facts(facts_from_mapping(values))


def test_known_facts_are_the_same_in_every_world(worlds: Worlds) -> None:
    """Only what is unknown is drawn."""
    rows = worlds.fill(row_of(update_interval="7d"))
    assert (rows[:, fact_index()["update_interval"]] == 7 * 86400).all()
    assert len(np.unique(rows[:, fact_index()["closed_book_score"]])) > 1


def test_draws_follow_the_stated_priors(scorer: Scorer, worlds: Worlds) -> None:
    """Each value comes up in its proportion, to within one world."""
    rows = worlds.fill(row_of())
    for name, values in scorer.knowledge.worlds.items():
        if name in {given.fact for given in scorer.knowledge.given}:
            continue
        for value, share in values:
            drawn = (rows[:, fact_index()[name]] == value).sum()
            assert abs(drawn - share * WORLDS) <= 1.0001, name


def test_draws_depend_on_what_is_given(worlds: Worlds) -> None:
    """A classification has labels and hardly ever asks for sources; a known value is never redrawn."""
    rows = worlds.fill(row_of(task="CLASSIFICATION"))
    label = facts()[fact_index()["output_form"]].choices.index("LABEL") + 1
    assert (rows[:, fact_index()["output_form"]] == label).mean() > 0.8
    assert (rows[:, fact_index()["needs_citations"]] == 1).mean() < 0.1
    asked = worlds.fill(row_of(task="CLASSIFICATION", needs_citations=True))
    assert (asked[:, fact_index()["needs_citations"]] == 1).all()


def test_everything_known_is_one_world(scorer: Scorer, worlds: Worlds) -> None:
    """With no fact unknown the leader always stays, and nothing is worth asking."""
    row = worlds.fill(row_of())[0]
    outlook = worlds.look(scorer, row)
    leader = int(scorer.score(row[None]).order[0, 0])
    assert outlook.shares[leader] == 1
    assert outlook.gains == ()


def test_gain_is_the_mutual_information_with_the_best_approach(scorer: Scorer, worlds: Worlds) -> None:
    """The arrays agree with the definition, fact by fact."""
    row = row_of(task="QUESTION_ANSWERING")
    rows = worlds.fill(row)
    p = scorer.score(rows).probabilities

    def entropy(q: np.ndarray) -> float:
        return -sum(float(x) * math.log(x) for x in q if x > 0)

    for name, gain in worlds.look(scorer, row).gains[:5]:
        column = rows[:, fact_index()[name]]
        left = sum((column == v).mean() * entropy(p[:, column == v].mean(axis=1)) for v in np.unique(column))
        assert gain == pytest.approx(entropy(p.mean(axis=1)) - left, abs=1e-9)


def test_gains_are_sorted_and_never_negative(scorer: Scorer, worlds: Worlds) -> None:
    """The first question is the best one."""
    gains = [gain for _, gain in worlds.look(scorer, row_of()).gains]
    assert gains == sorted(gains, reverse=True)
    assert min(gains) >= 0
    assert len(gains) == len(facts())


def test_shares_cover_every_world(scorer: Scorer, worlds: Worlds) -> None:
    """Some approach leads in each world."""
    assert sum(worlds.look(scorer, row_of()).shares) == pytest.approx(1)
    assert len(worlds.look(scorer, row_of()).shares) == len(APPROACHES)


def test_plausible_values_follow_what_is_known(scorer: Scorer) -> None:
    """A prior given other facts counts where its tests hold by known facts, and only there."""
    plausible = Plausible(scorer.knowledge)
    assert set(plausible.values("needs_citations", row_of(task="CLASSIFICATION").tolist())) == {0.0}
    assert set(plausible.values("needs_citations", row_of().tolist())) == {0.0, 1.0}


def test_a_single_value_is_no_question(scorer: Scorer, worlds: Worlds) -> None:
    """What means nothing to a task is neither asked for nor a source of doubt."""
    gains = dict(worlds.look(scorer, row_of(task="CLASSIFICATION")).gains)
    assert gains["retrieval_hit_rate"] == pytest.approx(0, abs=1e-9)
    assert gains["labelled_examples"] > 0.01
