"""Training of the model of gains: it finds what is there, keeps its signs, and is not led by one source."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from advisor.decision.gains import load_gains
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.arrays import Floats
from advisor.knowledge.cases import Case, load_default_cases
from advisor.knowledge.facts import encode_facts, facts_from_mapping
from advisor.knowledge.rulefile import load_default_rules
from advisor.knowledge.rules import RuleSource
from advisor.learning.gains import TERMS, Comparisons, Variances, estimate_variances, parameters, train_gains
from advisor.learning.selection import Choice, Study

VARIANCES = Variances(2.0, 1.0)
CASES = load_default_cases()


def case(source: str, scores: dict[str, float], **facts: object) -> Case:
    message = facts_from_mapping(facts)
    return replace(
        CASES[0],
        id=f"{source}-{scores}",
        source=RuleSource(source, "", ""),
        row=encode_facts(message),
        facts=MappingProxyType(dict(facts)),
        scores=MappingProxyType(scores),
        gains=MappingProxyType({}),
        grade="A",
    )


def compared(cases: list[Case], base: Floats | None = None) -> Comparisons:
    return Comparisons(cases, np.zeros((len(APPROACHES), len(cases))) if base is None else base)


def trained(cases: list[Case], base: Floats | None = None, scale: float = 50.0):
    comparisons = compared(cases, base)
    return train_gains(comparisons, (), scale=scale, variances=VARIANCES)


def test_what_every_source_shows_is_learned() -> None:
    """Retrieval gains ten points, training four, together fourteen; how hard a case is does not matter."""
    cases = [
        case(f"s{n}", {"PROMPTING": easy, "RAG": easy + 10, "FINE_TUNING": easy + 4, "HYBRID": easy + 14})
        for n, easy in enumerate((5, 20, 40, 60, 80, 30, 50, 10))
    ]
    model = trained(cases)
    assert model.offsets["retrieval"] == pytest.approx(10, abs=0.7)
    assert model.offsets["training"] == pytest.approx(4, abs=0.7)
    assert model.offsets["both"] == pytest.approx(0, abs=0.7)


def test_a_fact_that_matters_gets_a_weight_of_the_promised_sign() -> None:
    """The better search finds, the more retrieval gains; the other way round is not learned."""
    hits = [0.1, 0.3, 0.5, 0.7, 0.9, 1.0]
    index = next(n for n, (term, _) in enumerate(TERMS) if term.curve.subject == "retrieval_hit_rate")
    rising = [
        case(f"s{n}", {"PROMPTING": 30, "RAG": 30 + 20 * h}, retrieval_hit_rate=h) for n, h in enumerate(hits)
    ]
    falling = [
        case(f"s{n}", {"PROMPTING": 50, "RAG": 50 - 20 * h}, retrieval_hit_rate=h) for n, h in enumerate(hits)
    ]
    assert trained(rising).terms[index].weight == pytest.approx(20, rel=0.2)
    assert trained(falling).terms[index].weight == 0


def test_weights_are_the_best_that_their_signs_allow() -> None:
    """No weight can be moved, on its side of 0, to a smaller sum of squares and of the prior."""
    study = Study(CASES, load_default_rules())
    choice = Choice(14.0, Variances(9.0, 7.0), 6.0)
    comparisons = Comparisons(study.cases, study.base)
    sums = comparisons.without((), choice.variances)
    deviations = np.array([6.0] * 5 + [14.0] * len(TERMS))
    model = train_gains(comparisons, (), scale=choice.scale, variances=choice.variances)
    weights = parameters(model)
    naive = 1 + len(model.offsets)  # its offset is not offered: the best for the others is told

    def loss(given: Floats) -> float:
        gram = np.delete(np.delete(sums.gram, naive, 0), naive, 1)
        cross, moment = np.delete(sums.gram[naive], naive), np.delete(sums.moment, naive)
        moved = np.delete(given, naive)
        moved[0] -= 8.0
        own = (sums.moment[naive] - cross @ moved) / (sums.gram[naive, naive] + 1 / 36)
        scaled = moved / np.delete(deviations, naive)
        fit = moved @ gram @ moved - 2 * moment @ moved
        return float(fit - own**2 * (sums.gram[naive, naive] + 1 / 36) + scaled @ scaled)

    least = loss(weights)
    signs = [0] * (naive + 1) + [sign for _, sign in TERMS]
    for place, sign in enumerate(signs):
        for step in (-0.05, 0.05):
            moved = weights.copy()
            moved[place] += step
            if place != naive and (not sign or moved[place] * sign >= 0):
                assert loss(moved) > least, (place, step)


def test_the_slope_turns_the_rules_evidence_into_points() -> None:
    """Where scores follow the rules, a nat is worth what the scores say."""
    nats = np.linspace(-2, 2, 9)
    base = np.zeros((len(APPROACHES), 9))
    base[1] = nats
    cases = [case(f"s{n}", {"PROMPTING": 40, "RAG": 40 + 6 * nat}) for n, nat in enumerate(nats)]
    assert trained(cases, base).slope == pytest.approx(6, abs=0.3)


def test_a_source_with_many_cases_counts_for_little_more_than_one() -> None:
    """Twelve cases of one author do not outvote four of others."""
    many = [case("one", {"PROMPTING": 10, "RAG": 40}) for _ in range(12)]
    others = [case(f"s{n}", {"PROMPTING": 10, "RAG": 10}) for n in range(4)]
    comparisons = compared([*many, *others])
    model = train_gains(comparisons, (), scale=1.0, variances=Variances(2.0, 10.0))
    assert model.offsets["retrieval"] < 10


def test_naive_both_informs_hybrid_through_an_offset() -> None:
    """Given passages that it was not trained on, a model does worse by what HYBRID alone can show."""
    pairs = [case(f"p{n}", {"PROMPTING": 20, "HYBRID": 50, "NAIVE_BOTH": 30}) for n in range(4)]
    naive = [case(f"n{n}", {"PROMPTING": 20, "NAIVE_BOTH": 30}) for n in range(4)]
    model = trained([*pairs, *naive])
    assert model.approach_offsets[3] == pytest.approx(30, abs=9)  # each offset is drawn towards 0
    assert trained(naive).approach_offsets[3] < 12


def test_a_case_with_one_arm_teaches_nothing() -> None:
    """Of a score without another there is no difference."""
    several = [case(f"s{n}", {"PROMPTING": 10, "RAG": 20}) for n in range(3)]
    alone = case("alone", {"RAG": 99})
    assert trained(several).offsets == trained([*several, alone]).offsets


def test_variances_are_found() -> None:
    """What was drawn with a standard deviation is given about that one."""
    rng = np.random.default_rng(1)
    cases = []
    for source in range(40):
        own = rng.normal(0, 9, 2)
        for _ in range(4):
            scores = rng.uniform(20, 60) + own + rng.normal(0, 6, 2)
            cases.append(case(f"s{source}", {"PROMPTING": scores[0], "RAG": scores[1]}))
    comparisons = compared(cases)
    found = estimate_variances(comparisons, ())
    assert found.within in (5.0, 6.0, 7.0)
    assert found.between in (7.0, 9.0, 11.0)


def test_signs_are_those_of_the_promises() -> None:
    """What a weight may do is what the knowledge base promises: checked for whatever weights come out."""
    for (term, sign), shipped in zip(TERMS, load_gains().terms, strict=True):
        assert shipped.weight * sign >= 0
        assert (shipped.component, shipped.curve.subject) == (term.component, term.curve.subject)
        # To the last digit logarithms differ between processors.
        for point, wanted in zip(shipped.curve.points, term.curve.points, strict=True):
            assert point == pytest.approx(wanted, rel=1e-12)


def test_the_shipped_model_is_what_the_command_makes() -> None:
    """Training again on all cases, with what was chosen, gives the shipped weights."""
    shipped = load_gains()
    study = Study(CASES, load_default_rules())
    chosen = Choice(shipped.scale, Variances(shipped.within, shipped.between), shipped.temperature)
    made = study.train(chosen)
    np.testing.assert_allclose(parameters(made), parameters(shipped), atol=2e-4)
    np.testing.assert_allclose(made.covariance, shipped.covariance, atol=2e-3)
