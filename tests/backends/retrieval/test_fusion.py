"""Rankings joined as the literature and the library do."""

from __future__ import annotations

import pytest
from haystack import Document
from haystack.components.joiners import DocumentJoiner
from hypothesis import given
from hypothesis import strategies as st

from backends.base import Hit, Passage
from backends.retrieval.fusion import fuse

NAMES = st.lists(st.sampled_from([f"p{number}" for number in range(30)]), unique=True, max_size=20)


def ranking(names: list[str]) -> list[Hit]:
    """Return a ranking of passages by their ids."""
    return [Hit(Passage(name, "a.md", 0, 1, name), 0.5) for name in names]


def test_what_all_rank_first_scores_one() -> None:
    """First in both is 1, first in one of them is its share of the weights."""
    hits = fuse([ranking(["a"]), ranking(["a"])], (1, 2), 9)
    assert [hit.score for hit in hits] == [pytest.approx(1)]
    hits = fuse([ranking(["a"]), ranking(["b"])], (1, 2), 9)
    assert [(hit.passage.id, hit.score) for hit in hits] == [
        ("b", pytest.approx(2 / 3)),
        ("a", pytest.approx(1 / 3)),
    ]


def test_nothing_found_is_nothing() -> None:
    """Empty rankings fuse to an empty one."""
    assert fuse([[], []], (1, 2), 3) == ()


@given(first=NAMES, second=NAMES, limit=st.integers(1, 40))
def test_order_and_scores_are_those_of_the_library(first: list[str], second: list[str], limit: int) -> None:
    """Haystack's joiner, given the same lists, returns the same passages with the same scores."""
    joiner = DocumentJoiner("reciprocal_rank_fusion", weights=[1.0, 2.0])
    lists = [[Document(id=name, content=name) for name in names] for names in (first, second)]
    expected = joiner.run(lists, top_k=limit)["documents"]
    hits = fuse([ranking(first), ranking(second)], (1, 2), limit)
    assert [hit.passage.id for hit in hits] == [document.id for document in expected]
    assert [hit.score for hit in hits] == pytest.approx([document.score for document in expected])
