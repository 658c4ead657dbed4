"""Similar cases: those that agree in what both know."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from advisor.decision.similar import MIN_SIMILARITY, CaseIndex, Difference
from advisor.knowledge.cases import load_default_cases
from advisor.knowledge.facts import Row, encode_facts, facts_from_mapping
from tests.advisor.strategies import use_cases


def row_of(**values: object) -> Row:
    return encode_facts(facts_from_mapping(values))


def test_the_case_itself_is_nearest() -> None:
    """The facts of a published case find that case, or one with the same facts, first."""
    cases = load_default_cases()
    index = CaseIndex(cases)
    for case in cases:
        first = next(index.nearest(case.row))
        assert not first.differing
        shared = len(first.matching)
        assert first.similarity == pytest.approx(shared / (shared + 1), abs=0.05)


def test_what_matches_and_what_differs_is_named() -> None:
    """Shared facts are sorted into those that agree and those that do not; others are left out."""
    row = row_of(
        task="CODE", output_form="CODE", labelled_examples=7000, distribution_shift=True, update_interval="7d"
    )
    near = list(CaseIndex(load_default_cases()).nearest(row))
    found = {item.case.id: item for item in near}
    shifted, other = found["spider-sql-7b-shifted"], found["spider-sql-7b"]
    assert near[0] is shifted
    assert shifted.matching == ("task", "output_form", "labelled_examples", "distribution_shift")
    assert other.differing == (Difference("distribution_shift", "no", "yes"),)
    assert [item.similarity for item in near] == sorted((item.similarity for item in near), reverse=True)
    assert near[-1].similarity >= MIN_SIMILARITY


def test_nothing_is_similar_to_nothing() -> None:
    """Without shared facts there is no similar case, and without cases neither."""
    index = CaseIndex(load_default_cases())
    assert list(index.nearest(row_of())) == []
    assert list(index.nearest(row_of(update_interval="7d"))) == []
    assert list(CaseIndex(()).nearest(row_of(task="CODE"))) == []


def test_few_shared_facts_make_a_case_less_similar() -> None:
    """One more fact that agrees raises the similarity."""
    index = CaseIndex(load_default_cases())
    one = next(index.nearest(row_of(task="CODE"))).similarity
    two = next(index.nearest(row_of(task="CODE", output_form="CODE"))).similarity
    assert np.allclose((one, two), (1 / 2, 2 / 3))


@settings(max_examples=60, deadline=None)
@given(use_cases())
def test_only_cases_of_the_same_task_are_similar(values: dict[str, object]) -> None:
    """What did best at another task is noise; every fact that both know is told as alike or as different."""
    for similar in CaseIndex(load_default_cases()).nearest(row_of(**values)):
        assert values.get("task") in (None, similar.case.facts["task"])
        told = [*similar.matching, *(each.fact for each in similar.differing)]
        assert sorted(told) == sorted(similar.case.facts.keys() & values.keys())


def test_a_task_that_no_case_has_has_no_similar_case() -> None:
    """A dialogue is not shown beside an extraction, however much else agrees."""
    row = row_of(task="DIALOGUE", output_form="STYLE", labelled_examples=1000, can_train=True)
    assert list(CaseIndex(load_default_cases()).nearest(row)) == []


def test_differences_are_told_in_words() -> None:
    """Both values are there as a person reads them."""
    row = row_of(task="CODE", output_form="CODE", model_parameters=500_000_000, labelled_examples=7000)
    found = {item.case.id: item for item in CaseIndex(load_default_cases()).nearest(row)}
    assert found["spider-sql-7b"].differing == (Difference("model_parameters", "7 billion", "500 million"),)


def test_cases_without_two_scores_are_no_comparisons() -> None:
    """A case that names a winner alone teaches nothing about differences."""
    cases = load_default_cases()
    silent = [case for case in cases if len(case.measured) < 2]
    assert silent
    assert CaseIndex(cases).comparisons == len(cases) - len(silent)
