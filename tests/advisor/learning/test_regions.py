"""Regions where vetoes leave nothing: found where they are, and nowhere else."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.facts import fact
from advisor.knowledge.notation import parse_test
from advisor.knowledge.rules import Rule
from advisor.knowledge.rules import Test as RuleTest
from advisor.knowledge.yamltree import Place
from advisor.learning.regions import vetoed_regions

ALL = tuple(APPROACHES)
TRAINED, OTHERS = ("FINE_TUNING", "HYBRID"), ("PROMPTING", "RAG")


def veto(identifier: str, excludes: Sequence[str], **when: str) -> Rule:
    """Return a veto."""
    return Rule(
        id=identifier, kind="veto", criterion=None, tests=tuple(read(*each) for each in when.items()),
        about=tuple(when),
        log_odds=(0.0,) * 4, excludes=frozenset(excludes), reason="", sources=(), fire=(), silent=(),
        place=Place("rules.yaml", 1, 1),
    )  # fmt: skip


def read(subject: str, text: str) -> RuleTest:
    item = fact(subject)
    choices = ("true", "false") if item.kind == "flag" else item.choices
    return RuleTest(subject, text, parse_test(text, choices=choices))


def found(*rules: Rule) -> list[tuple[tuple[str, ...], str]]:
    return [(tuple(rule.id for rule in region.rules), region.where) for region in vetoed_regions(rules)]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([veto("a", ALL, can_train="true"), veto("b", ALL, can_train="false")], (("a", "b"), "")),
        ([veto("a", ALL, retrieval_hit_rate=">= 0")], (("a",), "")),
        (
            [veto("a", ALL, new_knowledge_share="<= 0.5"), veto("b", ALL, new_knowledge_share="> 0.5")],
            (("a", "b"), ""),
        ),
        (
            [
                veto("a", TRAINED, can_train="false"),
                veto("b", OTHERS, labelled_examples="< 10"),
                veto("c", OTHERS, labelled_examples=">= 10"),
            ],
            (("a", "b", "c"), "can_train is false"),
        ),
        (
            [
                veto("a", ALL, task="CODE", can_train="true"),
                veto("b", ALL, task="not(DIALOGUE)", can_train="false"),
            ],
            (("a", "b"), "task is CODE and not(DIALOGUE)"),
        ),
    ],
    ids=["a flag", "one rule", "a share", "a ladder", "a choice"],
)
def test_vetoes_that_leave_nothing_are_found(
    rules: list[Rule], expected: tuple[tuple[str, ...], str]
) -> None:
    """With the rules that it takes, and none besides."""
    spare = veto("spare", ("RAG",), needs_citations="true")
    assert expected in found(spare, *rules)
    assert all("spare" not in ids for ids, _ in found(spare, *rules))


@pytest.mark.parametrize(
    "rules",
    [
        [veto("a", OTHERS, new_knowledge_share="< 0.5"), veto("b", TRAINED, new_knowledge_share="> 0.5")],
        [veto("a", ALL, can_train="true", needs_citations="true")],
        [veto("a", OTHERS, can_train="true"), veto("b", TRAINED, can_train="false")],
    ],
    ids=["halves", "two facts", "one after the other"],
)
def test_vetoes_that_leave_something_are_not(rules: list[Rule]) -> None:
    """What is impossible for some use cases may be true of the world."""
    assert found(*rules) == []


TESTS = {
    "can_train": ["true", "false"],
    "task": ["CODE", "not(CODE)"],
    "labelled_examples": ["< 10", ">= 10"],
}
WHEN = st.dictionaries(st.sampled_from(sorted(TESTS)), st.integers(0, 1), min_size=1)


@given(st.lists(st.tuples(WHEN, st.sets(st.sampled_from(ALL), min_size=1)), max_size=8))
def test_it_is_what_trying_all_values_tells(drawn: list[tuple[Mapping[str, int], set[str]]]) -> None:
    """A region is found exactly where at one value of one fact nothing is left at every value of the others."""
    rules = [
        veto(str(number), sorted(excludes), **{name: TESTS[name][side] for name, side in when.items()})
        for number, (when, excludes) in enumerate(drawn)
    ]
    empty = np.zeros((2, 2, 2), dtype=bool)
    for sides in itertools.product((0, 1), repeat=3):
        at = dict(zip(TESTS, sides, strict=True))
        fired = [out for when, out in drawn if all(at[name] == side for name, side in when.items())]
        empty[sides] = set().union(*fired) == set(ALL)
    expected = any(np.take(empty, side, axis).all() for axis in range(3) for side in (0, 1))
    assert bool(found(*rules)) == expected
