"""Learning again with cases of one's own: what helps is taken, what does not is refused, and little is no ground."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from advisor.decision.gains import load_gains
from advisor.knowledge.approaches import Approach
from advisor.knowledge.cases import Case
from advisor.knowledge.facts import encode_facts, facts_from_mapping
from advisor.knowledge.rulefile import load_default_rules
from advisor.knowledge.rules import RuleSource
from advisor.learning.evaluation import Estimate
from advisor.learning.gains import Variances
from advisor.learning.refit import LEAST_SOURCES, Compared, Refit, lacking, refit, shipped_cases
from advisor.learning.selection import SHIPPED, Choice, Study

FEW = tuple(
    each
    for each in shipped_cases()[0]
    if each.source.id in {"raft-2024", "ovadia-2023", "lara2025", "lawma", "ragtag"}
)
GIVEN = Choice(14.0, Variances(9.0, 7.0), 6.0)
FACTS = {"task": "QUESTION_ANSWERING", "prompted_score": 0.5, "retrieval_hit_rate": 0.9}


def own(name: str, **scores: float) -> Case:
    facts = facts_from_mapping(FACTS)
    best = Approach(max(scores, key=lambda each: scores[each]))
    return Case(
        id=f"useCases/{name}/trials/one",
        source=RuleSource(f"useCases/{name}", name, "here"),
        facts=MappingProxyType(dict(FACTS)),
        row=encode_facts(facts),
        assumed=frozenset(),
        scores=MappingProxyType(scores),
        gains=MappingProxyType({}),
        best=best,
        acceptable=frozenset({best}),
        grade="A",
        read="primary",
        n=100,
        top=None,
        note="",
        collection="own",
    )


def learned(*cases: Case) -> Refit:
    return refit(FEW, cases, load_default_rules(), GIVEN)


def test_what_one_s_own_cases_share_is_learned() -> None:
    """Where tuning makes it worse in every use case of one's own, the others teach what to do in each."""
    found = learned(*(own(f"u{n}", PROMPTING=60 + n, FINE_TUNING=50 + n) for n in range(6)))
    assert found.fault == ""
    assert (found.own.cases, found.own_sources) == (6, 6)
    assert found.own.after.value < found.own.before.value
    assert found.own.log_loss_after < found.own.log_loss_before
    assert found.every.cases == len(FEW) + 6


def test_what_misleads_is_refused() -> None:
    """Where the same facts lead to opposite results, each use case is misjudged by the others."""
    turned = [
        own(f"u{n}", PROMPTING=10, RAG=70 if n % 2 else 20, FINE_TUNING=20 if n % 2 else 70) for n in range(4)
    ]
    found = learned(*turned)
    assert "your own cases would lose" in found.fault


def test_a_use_case_says_nothing_of_itself() -> None:
    """With its own scores turned upside down, what is said of it without it is the same."""
    others = [own(f"u{n}", PROMPTING=60, FINE_TUNING=50) for n in range(1, 3)]
    found = []
    for case in (own("u0", PROMPTING=60, FINE_TUNING=50), own("u0", PROMPTING=5, FINE_TUNING=90)):
        study = Study([*FEW, case, *others], load_default_rules())
        number = study.sources.index("useCases/u0")
        found.append(study.points_without(SHIPPED, (number,), GIVEN)[:, study.source_of_case == number])
    np.testing.assert_array_equal(*found)


def test_the_same_cases_give_the_same_model() -> None:
    """Number for number."""
    cases = [own(f"u{n}", PROMPTING=60, RAG=30) for n in range(2)]
    one, other = learned(*cases), learned(*cases)
    assert one.model == other.model
    np.testing.assert_array_equal(one.model.covariance, other.model.covariance)
    assert one.model.terms[0].curve == load_gains().terms[0].curve


EVEN = Estimate(0.0, -0.5, 0.5)
SAME = Compared(9, Estimate(2.0, 1.0, 3.0), Estimate(2.0, 1.0, 3.0), EVEN, 0, 0.5, 0.5)


@pytest.mark.parametrize(
    ("own_cases", "every", "fault"),
    [
        (SAME, SAME, ""),
        (SAME, replace(SAME, difference=Estimate(0.2, -0.1, 0.5)), ""),
        (SAME, replace(SAME, difference=Estimate(0.2, 0.1, 0.5)), "measurably more points"),
        (replace(SAME, difference=Estimate(0.1, -1, 1)), SAME, "your own cases would lose"),
        (replace(SAME, log_loss_after=0.6), SAME, "less probability"),
        (replace(SAME, log_loss_after=0.6, difference=Estimate(-0.1, -1, 1)), SAME, ""),
    ],
)
def test_when_a_model_is_refused(own_cases: Compared, every: Compared, fault: str) -> None:
    """One's own cases decide; all together only where the difference is more than chance."""
    found = Refit(load_gains(), GIVEN, every, own_cases, 2).fault
    assert (fault in found) if fault else found == ""


@pytest.mark.parametrize("count", range(LEAST_SOURCES + 1))
def test_too_little_to_learn_from_says_what_is_needed(count: int) -> None:
    """Two trials of one use case are one."""
    cases = [own(f"u{n}", PROMPTING=1, RAG=2) for n in range(count)]
    told = lacking([*cases, *cases])
    assert (told == "") == (count == LEAST_SOURCES)
    if told:
        assert "learning takes 2 use cases" in told
        assert ("only useCases/u0 was" if count else "none was") in told
