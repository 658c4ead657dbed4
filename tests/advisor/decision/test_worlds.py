"""Worlds: robustness and expected information gain."""

from __future__ import annotations

import numpy as np
import pytest

from advisor.decision.gains import load_gains
from advisor.decision.scoring import UNDECIDED, Scorer
from advisor.decision.worlds import WORLDS, Plausible, Worlds
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.facts import encode_facts, fact_index, facts, facts_from_mapping
from advisor.knowledge.rulefile import load_default_rules
from tests.advisor.strategies import HELP_LINE


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


@pytest.mark.parametrize(
    "known", [{}, {"corpus_tokens": 3_000_000}, {"new_knowledge_share": 0.7}, {"prompted_score": 0.5}]
)
def test_what_bounds_the_bare_model_does_so_in_nearly_every_world(
    worlds: Worlds, known: dict[str, object]
) -> None:
    """It does no better than a prompt with examples, and what is new to it, it does not know."""
    rows = worlds.fill(row_of(task="QUESTION_ANSWERING", **known))
    closed, prompted, new = (
        rows[:, fact_index()[name]] for name in ("closed_book_score", "prompted_score", "new_knowledge_share")
    )
    assert (closed <= prompted + 0.05).all()
    assert (closed + new <= 1.11).mean() > 0.97


@pytest.mark.parametrize(("corpus_tokens", "most"), [(3_000_000, 0.2), (50_000, 0.95)])
def test_a_prompt_reaches_much_more_only_where_the_documents_fit(
    scorer: Scorer, worlds: Worlds, corpus_tokens: int, most: float
) -> None:
    """A model that knows a tenth answers little more by a prompt that cannot hold the documents."""
    row = row_of(task="QUESTION_ANSWERING", closed_book_score=0.1, corpus_tokens=corpus_tokens)
    assert worlds.fill(row)[:, fact_index()["prompted_score"]].max() == most
    assert max(Plausible(scorer.knowledge).values("prompted_score", row.tolist())) == most


@pytest.mark.parametrize(
    ("known", "most"),
    [
        ({"prompted_score": 0.7}, 0.6),
        ({"prompted_score": 0.5}, 0.4),
        ({"new_knowledge_share": 0.85}, 0.2),
        ({"prompted_score": 0.7, "new_knowledge_share": 0.85}, 0.2),
        ({"prompted_score": 0.5, "new_knowledge_share": 0.4}, 0.4),
        ({"prompted_score": 0.2, "new_knowledge_share": 0.1}, 0.1),
    ],
)
def test_the_tightest_bound_on_the_bare_model_counts(
    scorer: Scorer, known: dict[str, object], most: float
) -> None:
    """Whichever of the two it comes from."""
    values = Plausible(scorer.knowledge).values("closed_book_score", row_of(**known).tolist())
    assert max(values) == most


def test_everything_known_is_one_world(scorer: Scorer, worlds: Worlds) -> None:
    """With no fact unknown the decision always stays, and nothing is worth asking."""
    rows = worlds.fill(row_of())
    row = rows[np.flatnonzero(scorer.score(rows).approach != UNDECIDED)[0]]
    outlook = worlds.look(scorer, row)
    assert outlook.shares[int(scorer.score(row[None]).approach[0])] == 1
    assert outlook.saved == ()


def test_what_is_saved_is_the_value_of_knowing(scorer: Scorer, worlds: Worlds) -> None:
    """The arrays agree with the definition, fact by fact: the best choice for each value against the best for all."""
    row = row_of(task="QUESTION_ANSWERING")
    rows = worlds.fill(row)
    scores = scorer.score(rows)
    parts = np.array([0, 1, 1, 2])[:, None]
    worth = np.minimum(scores.points, scores.enough) - 3 * parts
    for world in range(len(rows)):  # what is excluded leaves the worst of the others, and costs time
        feasible = scores.feasible[:, world]
        worth[~feasible, world] = worth[feasible, world].min(initial=worth.max()) - 3
    for name, points in worlds.look(scorer, row).saved[:5]:
        column = rows[:, fact_index()[name]]
        informed = sum(
            (column == v).mean() * worth[:, column == v].mean(axis=1).max() for v in np.unique(column)
        )
        assert points == pytest.approx(informed - worth.mean(axis=1).max(), abs=1e-9)


def test_questions_are_sorted_and_never_negative(scorer: Scorer, worlds: Worlds) -> None:
    """The first question is the best one."""
    saved = [points for _, points in worlds.look(scorer, row_of()).saved]
    assert saved == sorted(saved, reverse=True)
    assert min(saved) >= 0
    assert len(saved) == len(scorer.knowledge.worlds)


def test_where_nothing_is_saved_the_first_foretells_best_what_is_taken(worlds: Worlds) -> None:
    """Guessed by how often each approach is taken where the fact has a value, the outcome is guessed right most."""
    learned = Scorer(load_default_rules(), load_gains())
    row = row_of(**HELP_LINE)
    saved = worlds.look(learned, row).saved
    assert {points for _, points in saved} == {0.0}
    rows = worlds.fill(row)
    taken = learned.score(rows).approach

    def foretold(name: str) -> float:
        column = rows[:, fact_index()[name]]
        groups = [taken[column == value] for value in np.unique(column)]
        return sum(
            float((np.unique(group, return_counts=True)[1] ** 2).sum()) / len(group) for group in groups
        )

    told = [foretold(name) for name, _ in saved]
    assert told == pytest.approx(sorted(told, reverse=True))
    assert told[0] > told[-1]


def test_shares_cover_every_world(scorer: Scorer, worlds: Worlds) -> None:
    """Some approach is taken in each world, or none."""
    undecided = (scorer.score(worlds.fill(row_of())).approach == UNDECIDED).mean()
    assert sum(worlds.look(scorer, row_of()).shares) == pytest.approx(1 - undecided)
    assert len(worlds.look(scorer, row_of()).shares) == len(APPROACHES)


def test_plausible_values_follow_what_is_known(scorer: Scorer) -> None:
    """A prior given other facts counts where its tests hold by known facts, and only there."""
    plausible = Plausible(scorer.knowledge)
    assert set(plausible.values("needs_citations", row_of(task="CLASSIFICATION").tolist())) == {0.0}
    assert set(plausible.values("needs_citations", row_of().tolist())) == {0.0, 1.0}


def test_a_single_value_is_no_question(scorer: Scorer, worlds: Worlds) -> None:
    """What means nothing to a task is neither asked for nor a source of doubt."""
    saved = dict(
        worlds.look(
            Scorer(scorer.knowledge, load_gains()), row_of(task="CLASSIFICATION", can_train=True)
        ).saved
    )
    assert saved["retrieval_hit_rate"] == pytest.approx(0, abs=1e-9)
    assert saved["labelled_examples"] > 0.1
