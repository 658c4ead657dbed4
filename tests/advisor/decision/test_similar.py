"""Similar cases: those that agree in what both know."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from advisor.decision.similar import ALIKE, METRICS, CaseIndex, Difference, counts_answers
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
        like = len({*first.matching} - {"task", "output_form", "can_train"}) >= 2
        assert first.similarity == pytest.approx(shared / (shared + 1) * (1 if like else 0.5), abs=0.05)
        assert (first.similarity >= ALIKE) == like


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
    assert near[-1].similarity >= ALIKE / 2


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
    assert np.allclose((one, two), (1 / 4, 1 / 3))


@settings(max_examples=60, deadline=None)
@given(use_cases())
def test_only_cases_of_the_same_task_are_similar(values: dict[str, object]) -> None:
    """What did best at another task is noise; every fact that both know is told as alike or as different."""
    for similar in CaseIndex(load_default_cases()).nearest(row_of(**values)):
        assert values.get("task") in (None, similar.case.facts["task"])
        told = [*similar.matching, *(each.fact for each in similar.differing)]
        scored = set() if counts_answers(similar.case.note) else {"prompted_score"}
        assert sorted(told) == sorted((similar.case.facts.keys() & values.keys()) - scored)


def test_a_task_that_no_case_has_has_no_similar_case() -> None:
    """A dialogue is not shown beside an extraction, however much else agrees."""
    row = row_of(task="DIALOGUE", output_form="STYLE", labelled_examples=1000, can_train=True)
    assert list(CaseIndex(load_default_cases()).nearest(row)) == []


def test_differences_are_told_in_words() -> None:
    """Both values are there as a person reads them."""
    row = row_of(task="CODE", output_form="CODE", model_parameters=500_000_000, labelled_examples=7000)
    found = {item.case.id: item for item in CaseIndex(load_default_cases()).nearest(row)}
    assert found["spider-sql-7b"].differing == (Difference("model_parameters", "7 billion", "500 million"),)


LIKE = {
    "task": "CLASSIFICATION",
    "output_form": "LABEL",
    "prompted_score": 0.87,
    "labelled_examples": 8000,
    "label_count": 77,
    "distribution_shift": False,
}
"""A use case that is like a published one, `banking77-full-longicl`."""


@pytest.mark.parametrize(
    ("changed", "alike"),
    [
        ({}, True),
        ({"prompted_score": 0.7}, True),
        ({"prompted_score": 0.66}, False),
        ({"labelled_examples": 1000}, True),
        ({"labelled_examples": 800}, False),
        ({"label_count": 700}, True),
        ({"label_count": 800}, False),
        ({"distribution_shift": True}, False),
        ({"stronger_prompted_model": True}, True),
        ({"output_form": "STRUCTURED"}, False),
        ({"task": None}, False),
    ],
    ids=str,
)
def test_a_case_that_differs_in_what_matters_is_not_like_the_use_case(
    changed: dict[str, object], alike: bool
) -> None:
    """A fifth of a quality, a factor of ten, or another choice make it unlike, however much else agrees."""
    found = {item.case.id: item for item in CaseIndex(load_default_cases()).nearest(row_of(**LIKE | changed))}
    assert (found["banking77-full-longicl"].similarity >= ALIKE) == alike


def test_how_many_labels_there_are_has_to_be_known() -> None:
    """A case that does not say is not like a use case that does; without, it is."""
    index = CaseIndex(load_default_cases())
    near = {item.case.id: item for item in index.nearest(row_of(**LIKE))}
    without = {item.case.id: item for item in index.nearest(row_of(**LIKE | {"label_count": None}))}
    assert near["wdc-products-gpt4omini"].similarity < ALIKE <= without["wdc-products-gpt4omini"].similarity
    assert "label_count" in near["banking77-full-longicl"].matching


def test_little_in_common_does_not_make_a_case_alike() -> None:
    """That documents are as long says little of whether search or the whole of them does better."""
    row = row_of(
        task="QUESTION_ANSWERING", output_form="FREE_TEXT", corpus_tokens=26_000, new_knowledge_share=0.8
    )
    found = {item.case.id: item for item in CaseIndex(load_default_cases()).nearest(row)}
    assert found["locomo-gpt4o-mini"].similarity < ALIKE
    assert not found["locomo-gpt4o-mini"].differing


def test_cases_like_the_use_case_come_first_and_what_differs_most_is_told_first() -> None:
    """An unlike case never stands before one that is like it."""
    near = list(CaseIndex(load_default_cases()).nearest(row_of(**LIKE | {"model_parameters": 500_000_000})))
    found = {item.case.id: item for item in near}
    assert [each.fact for each in found["trec6-128-longicl"].differing] == [
        "labelled_examples",
        "label_count",
        "model_parameters",
    ]
    assert [item.similarity for item in near] == sorted((item.similarity for item in near), reverse=True)


def test_a_score_that_is_no_share_of_right_answers_is_not_compared() -> None:
    """ROUGE of 24% is neither like nor unlike 24% of answers right; what the remarks name was not the measure."""
    cases = load_default_cases()
    for metric in METRICS:
        assert any(metric in case.note for case in cases if not counts_answers(case.note))
    assert counts_answers("accuracy, n=100; BLEU and COMET agree; chrF too")
    row = row_of(task="SUMMARIZATION", output_form="STYLE", prompted_score=0.25)
    (found,) = [each for each in CaseIndex(cases).nearest(row) if "plos" in each.case.id]
    assert found.matching == ("task", "output_form")
    assert not found.differing
