"""Flips: the nearest change that changes the approach, true at the value that is told."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.decision.advisor import default_advisor
from advisor.decision.crossings import round_value
from advisor.decision.flips import Flip, FlipFinder
from advisor.decision.scoring import UNDECIDED
from advisor.decision.worlds import Plausible
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.facts import Fact, encode_facts, encode_value, fact, fact_index, facts_from_mapping
from advisor.knowledge.notation import Interval, parse_test
from tests.advisor.strategies import HELP_LINE, use_cases


def taken_at(row: np.ndarray) -> Approach | None:
    place = int(default_advisor().scorer.score(row[None]).approach[0])
    return None if place == UNDECIDED else APPROACHES[place]


def moved(row: np.ndarray, item: Fact, value: float) -> np.ndarray:
    other = row.copy()
    other[fact_index()[item.name]] = value
    return other


def find(values: dict[str, object]) -> tuple[np.ndarray, Approach | None, tuple[Flip, ...]]:
    row = encode_facts(facts_from_mapping(values))
    taken = taken_at(row)
    return row, taken, FlipFinder(default_advisor().scorer).find(row, taken)


def end_of(flip: Flip) -> tuple[float, bool]:
    """Return the value that a flip of a number tells, and whether it lies above what is now."""
    holds = parse_test(flip.change, duration=fact(flip.fact).kind == "duration")
    assert isinstance(holds, Interval)
    return (holds.low, True) if math.isfinite(holds.low) else (holds.high, False)


def ends_of_tests(name: str) -> set[float]:
    """Return the values that tests of rules on a fact name."""
    tests = [test for rule in default_advisor().knowledge.rules for test in rule.tests]
    holds = [test.holds for test in tests if test.subject == name]
    return {end for each in holds if isinstance(each, Interval) for end in (each.low, each.high)}


@settings(max_examples=60, deadline=None)
@given(use_cases())
def test_every_flip_changes_the_approach(values: dict[str, object]) -> None:
    """At the value that is told, the approach that is told is taken; a hair inside where the value is left out."""
    row, taken, flips = find(values)
    for flip in flips:
        item = fact(flip.fact)
        assert taken is not flip.approach
        if item.kind in ("flag", "choice"):
            name = flip.change if item.kind == "choice" else flip.change == "true"
            value = encode_value(item, name)
        else:
            value, above = end_of(flip)
            if "=" not in flip.change:
                value += (1e-7 * abs(value) + 1e-9) * (1 if above else -1)
        assert taken_at(moved(row, item, value)) is flip.approach, flip


@settings(max_examples=60, deadline=None)
@given(use_cases())
def test_no_nearer_value_changes_the_approach(values: dict[str, object]) -> None:
    """Between a known value and its flip no other approach is taken that lasts until a round value."""
    row, taken, flips = find(values)
    for flip in flips:
        item = fact(flip.fact)
        if not flip.current or item.kind in ("flag", "choice"):
            continue
        known = float(row[fact_index()[item.name]])
        told, above = end_of(flip)
        before = round_value(item, told * (0.999 if above else 1.001), up=not above)
        between = [known + (told - known) * share for share in (0.0, 0.3, 0.7, 0.999)]
        for value in (before, *between):
            if known <= value <= before if above else before <= value <= known:
                until = round_value(item, value, up=above)
                assert {taken_at(moved(row, item, each)) for each in (value, until)} & {taken, None}, flip


@settings(max_examples=60, deadline=None)
@given(use_cases())
def test_no_flip_is_told_more_precisely_than_is_known(values: dict[str, object]) -> None:
    """It ends where a test of a rule does, or at two digits and there, too, the approach that is told is taken."""
    _, _, flips = find(values)
    for flip in flips:
        item = fact(flip.fact)
        if item.kind in ("flag", "choice"):
            continue
        told, above = end_of(flip)
        if told not in ends_of_tests(flip.fact):
            assert math.isclose(round_value(item, told, up=above), told), flip
            assert "=" in flip.change


def test_a_flip_names_the_end_that_the_rules_name() -> None:
    """The threshold is the one written in the knowledge base, not a float beside it."""
    facts = {
        "task": "QUESTION_ANSWERING",
        "update_interval": "7d",
        "needs_citations": True,
        "labelled_examples": 800,
    }
    _, _, flips = find(facts)
    by_fact = {flip.fact: flip for flip in flips}
    threshold = float(by_fact["labelled_examples"].change.removeprefix("<").removeprefix("=").strip())
    assert threshold in ends_of_tests("labelled_examples")


def test_known_facts_come_first_and_nearest_first() -> None:
    """The order is what a reader wants."""
    _, _, flips = find({"update_interval": "7d", "task": "QUESTION_ANSWERING", "labelled_examples": 5000})
    known = [flip for flip in flips if flip.current]
    assert list(flips[: len(known)]) == known
    assert [flip.distance for flip in known] == sorted(flip.distance for flip in known)


@pytest.mark.parametrize("name", ["needs_citations", "can_train"])
def test_a_flag_flips_to_its_other_value(name: str) -> None:
    """A flip of a flag is never the value that it has."""
    _, _, flips = find({name: True, "task": "QUESTION_ANSWERING"})
    assert all(flip.change == "false" for flip in flips if flip.fact == name)


@pytest.mark.parametrize(
    ("values", "fact_name"),
    [
        (
            {
                "corpus_tokens": 4_000_000,
                "update_interval": "1d",
                "max_staleness": "1d",
                "needs_citations": True,
            },
            "corpus_tokens",
        ),
        (
            {"task": "EXTRACTION", "output_form": "STRUCTURED", "labelled_examples": 300},
            "new_knowledge_share",
        ),
    ],
)
def test_what_is_not_plausible_is_no_flip(values: dict[str, object], fact_name: str) -> None:
    """Nobody is told about a corpus of no tokens, or about documents where the text is in the input."""
    row, taken, flips = find(values)
    item = fact(fact_name)
    elsewhere = (item.minimum, 1.0, 20_000.0)
    assert any(taken_at(moved(row, item, value)) not in (taken, None) for value in elsewhere)
    assert fact_name not in {flip.fact for flip in flips}


@pytest.mark.parametrize(
    ("values", "name", "words"),
    [
        (
            {
                "task": "QUESTION_ANSWERING",
                "update_interval": "7d",
                "needs_citations": True,
                "labelled_examples": 800,
            },
            "labelled_examples",
            "If labelled examples were fewer than 200 (now 800)",
        ),
        (
            {
                "task": "QUESTION_ANSWERING",
                "update_interval": "7d",
                "needs_citations": True,
                "labelled_examples": 800,
            },
            "distribution_shift",
            "If inputs drift from the examples",
        ),
    ],
)
def test_a_flip_reads_as_a_clause(values: dict[str, object], name: str, words: str) -> None:
    """People are told what would have to be otherwise, and what it is now."""
    _, _, flips = find(values)
    assert {flip.fact: flip.words for flip in flips}[name] == words


@settings(max_examples=80, deadline=None)
@given(use_cases())
def test_nobody_is_told_what_cannot_be_a_reason(values: dict[str, object]) -> None:
    """Not that nothing is trained where nothing can be, nor of a fact with one possible value, nor of far numbers."""
    row, _, flips = find(values)
    plausible = Plausible(default_advisor().knowledge)
    for flip in flips:
        assert flip.fact != "can_train"
        assert len(plausible.values(flip.fact, row.tolist())) > 1
        if flip.current and fact(flip.fact).kind not in ("flag", "choice"):
            assert flip.distance <= 1 / 3


@settings(max_examples=40, deadline=None)
@given(use_cases(), st.floats(0, 1), st.floats(0, 1))
def test_no_flip_lifts_the_bare_model_above_what_bounds_it(
    values: dict[str, object], closed: float, prompted: float
) -> None:
    """A prompt with examples does no worse, and what the model cannot have seen, it does not know."""
    known = {"closed_book_score": closed, "prompted_score": prompted}
    for others in (known, {"closed_book_score": closed, "new_knowledge_share": 1 - prompted}):
        _, _, flips = find({**values, "output_form": "FREE_TEXT", **others})
        for flip in flips:
            if flip.fact == "closed_book_score":
                assert end_of(flip)[0] <= max(closed, prompted + 0.1), flip


@pytest.mark.parametrize("task", ["CLASSIFICATION", "EXTRACTION", "SUMMARIZATION"])
def test_documents_and_new_facts_change_nothing_where_the_text_is_in_the_input(task: str) -> None:
    """Whatever else is known, neither how much is written elsewhere nor how well it is found is a reason."""
    for examples in (5, 60, 300, 3000):
        _, _, flips = find({"task": task, "labelled_examples": examples})
        assert not {"corpus_tokens", "new_knowledge_share", "retrieval_hit_rate"} & {
            flip.fact for flip in flips
        }


@settings(max_examples=80, deadline=None)
@given(use_cases())
def test_two_that_retrieve_are_not_told_apart_by_what_is_retrieved_from(values: dict[str, object]) -> None:
    """Neither how much there is nor how well it is found is a reason for RAG against HYBRID, nor the other way."""
    _, taken, flips = find(values)
    for flip in flips:
        if flip.fact in ("corpus_tokens", "retrieval_hit_rate"):
            assert not (taken is not None and taken.retrieves and flip.approach.retrieves)


@settings(max_examples=40, deadline=None)
@given(use_cases())
def test_where_the_cost_has_no_say_its_facts_flip_nothing(values: dict[str, object]) -> None:
    """To leave them out then changes nothing."""
    row, taken, flips = find({name: value for name, value in values.items() if name != "monthly_budget"})
    scorer = default_advisor().scorer
    alone = scorer.decides_alone(row, scorer.score(row[None]), 0)
    assert flips == FlipFinder(scorer).find(row, taken, alone=alone)


def test_a_count_flips_at_a_whole_number() -> None:
    """Queries do not come in parts: where the cost turns between nine and ten, ten are told."""
    values = {
        "cached_input_price": 45382.0,
        "max_staleness": "0.0s",
        "retrain_interval": "60.0s",
        "corpus_tokens": 0,
        "output_tokens": 0,
        "new_knowledge_share": 0.0,
        "model_parameters": 1000000,
        "queries_per_month": 0,
    }
    row, _, flips = find(values)
    flip = next(flip for flip in flips if flip.fact == "queries_per_month")
    least = float(flip.change.removeprefix(">= "))
    assert taken_at(moved(row, fact("queries_per_month"), least)) is flip.approach


def test_what_was_learned_is_told_to_a_whole_per_cent() -> None:
    """A line crosses the tolerance between two: from the upper on another approach is taken, at the lower it is not."""
    row, taken, flips = find({**HELP_LINE, "closed_book_score": 0.1})
    flip = next(flip for flip in flips if flip.fact == "closed_book_score")
    share = float(flip.change.removeprefix(">= "))
    assert share == round(share, 2)
    assert flip.words == f"If quality without documents were at least {share:.0%} (now 10%)"
    item = fact("closed_book_score")
    assert taken_at(moved(row, item, share)) is flip.approach
    assert taken_at(moved(row, item, share - 0.01)) is taken


def test_where_enough_is_known_is_told_to_a_whole_per_cent() -> None:
    """That search finds so much decides from some share on, which lies between two of them."""
    row, taken, flips = find({"retrieval_hit_rate": 0.75})
    assert taken is None
    flip = next(flip for flip in flips if flip.fact == "retrieval_hit_rate")
    share = float(flip.change.removeprefix(">= "))
    item = fact("retrieval_hit_rate")
    assert share == round(share, 2)
    assert taken_at(moved(row, item, share)) is flip.approach
    assert taken_at(moved(row, item, share - 0.01)) is None
