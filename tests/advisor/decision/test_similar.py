"""Similar cases: those that agree in what both know."""

from __future__ import annotations

import numpy as np
import pytest

from advisor.decision.similar import MIN_SIMILARITY, CaseIndex
from advisor.knowledge.cases import load_default_cases
from advisor.knowledge.facts import Row, encode_facts, facts_from_mapping


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
    assert other.differing == ("distribution_shift",)
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
