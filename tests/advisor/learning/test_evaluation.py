"""The evaluation: baselines, metrics and the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from advisor.decision.classifier import load_classifier
from advisor.decision.scoring import Scorer
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.cases import Case, load_default_cases
from advisor.knowledge.facts import encode_facts, facts_from_mapping
from advisor.knowledge.rulefile import load_default_rules
from advisor.learning.evaluation import (
    always,
    as_method,
    difference,
    evaluate,
    hide_in_worlds,
    leave_one_source_out,
    majority,
    rule_of_thumb,
    thumb,
)
from advisor.learning.selection import FAMILIES, Outcome, Study, fingerprint

CASES = load_default_cases()
REPORT = Path(__file__).resolve().parents[3] / "docs" / "evaluation.md"
RULES = FAMILIES[1]


def certain(cases: tuple[Case, ...], names: list[str]) -> Outcome:
    chances = np.array([[float(name == said) for said in names] for name in APPROACHES])
    return Outcome(chances, np.ones(len(cases), dtype=np.bool_))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "RAG"),
        ({"can_train": False}, "PROMPTING"),
        ({"can_train": False, "new_knowledge_share": 0.31}, "RAG"),
        ({"labelled_examples": 49, "update_interval": "30d"}, "RAG"),
        ({"labelled_examples": 49, "update_interval": "31d"}, "PROMPTING"),
        ({"labelled_examples": 50, "output_form": "LABEL"}, "FINE_TUNING"),
        ({"output_form": "STYLE", "update_interval": "30d"}, "RAG"),
        ({"output_form": "CODE", "needs_citations": True}, "RAG"),
        ({"output_form": "STRUCTURED", "new_knowledge_share": 0.5}, "FINE_TUNING"),
        ({"output_form": "STRUCTURED", "new_knowledge_share": 0.51}, "RAG"),
        ({"output_form": "FREE_TEXT", "closed_book_score": 0.71}, "PROMPTING"),
        ({"output_form": "FREE_TEXT", "closed_book_score": 0.7}, "RAG"),
    ],
)
def test_the_rule_of_thumb(given: dict[str, object], said: str) -> None:
    """It says what the design says, and a test on an unknown fact is false."""
    assert rule_of_thumb(encode_facts(facts_from_mapping(given))) == said


def test_a_method_never_sees_the_source_it_decides_about() -> None:
    """Training and test cases share no source, and every case is decided about once."""
    seen: list[str] = []

    def spy(train: object, test: object) -> Outcome:
        assert not {case.source.id for case in train} & {case.source.id for case in test}  # type: ignore[attr-defined]
        seen.extend(case.id for case in test)  # type: ignore[attr-defined]
        return always("RAG")(train, test)  # type: ignore[arg-type]

    leave_one_source_out(CASES, spy)
    assert sorted(seen) == sorted(case.id for case in CASES)


def test_what_is_chosen_does_not_depend_on_the_held_out_source() -> None:
    """Turning the outcomes of a source around changes no decision about it."""
    import dataclasses

    other = tuple(
        dataclasses.replace(case, best="PROMPTING", acceptable=frozenset({"PROMPTING"}))
        if case.source.id == "traffic-law"
        else case
        for case in CASES
    )
    test = [index for index, case in enumerate(CASES) if case.source.id == "traffic-law"]
    found = []
    for cases in (CASES, other):
        method = as_method(Study(cases, load_default_rules()), RULES, "shares")
        found.append(leave_one_source_out(cases, method).probabilities[:, test])
    np.testing.assert_array_equal(*found)


def test_being_right_for_certain_is_perfect() -> None:
    """Every metric of an oracle is at its end."""
    figures = evaluate(CASES, certain(CASES, [case.best for case in CASES]))
    assert [figures[name].value for name in ("best", "best or within 3", "decided")] == [1, 1, 1]
    assert [figures[name].value for name in ("log loss", "Brier", "ECE")] == [0, 0, 0]


def test_being_wrong_for_certain_is_as_bad_as_can_be() -> None:
    """Certainty that is never right costs all that it can."""
    wrong = [next(name for name in APPROACHES if name not in case.acceptable) for case in CASES]
    figures = evaluate(CASES, certain(CASES, wrong))
    assert figures["best or within 3"].value == 0
    assert figures["Brier"].value == 2
    assert figures["ECE"].value == 1
    assert figures["log loss"].value == pytest.approx(-np.log(1e-6))


def test_figures_of_a_known_mixture() -> None:
    """Half probabilities on the winner and another give the losses of the textbook."""
    other = [next(name for name in APPROACHES if name != case.best) for case in CASES]
    first = certain(CASES, [case.best for case in CASES]).probabilities
    chances = 0.51 * first + 0.49 * certain(CASES, other).probabilities
    decided = np.arange(len(CASES)) % 2 == 0
    figures = evaluate(CASES, Outcome(chances, decided))
    assert figures["log loss"].value == pytest.approx(-np.log(0.51))
    assert figures["Brier"].value == pytest.approx(2 * 0.49**2)
    assert figures["ECE"].value == pytest.approx(0.49)
    assert figures["decided"].value == pytest.approx(0.5)
    assert figures["right where decided"].value == 1


def test_intervals_hold_the_figure_and_resample_sources() -> None:
    """An interval lies around its figure, and a difference of a method from itself is 0."""
    outcome = leave_one_source_out(CASES, thumb())
    for name in ("best", "best or within 3", "log loss"):
        figure = evaluate(CASES, outcome)[name]
        assert figure.low < figure.value < figure.high
    assert str(difference(CASES, outcome, outcome)) == "0.00 [0.00, 0.00]"


def test_baselines_say_their_label() -> None:
    """A label leads, with the share of training cases that it is right about."""
    assert set(leave_one_source_out(CASES, always("RAG")).leaders) == {"RAG"}
    assert leave_one_source_out(CASES, thumb()).leaders == tuple(rule_of_thumb(case.row) for case in CASES)
    most = majority()(CASES, CASES[:1])
    assert most.leaders == ("RAG",)
    assert most.probabilities[:, 0].sum() == pytest.approx(1)


def test_a_hidden_fact_is_hidden() -> None:
    """Hiding the hit rate makes the two cases that differ in it alone alike."""
    method = as_method(Study(CASES, load_default_rules()), RULES, "shares", "retrieval_hit_rate")
    outcome = leave_one_source_out(CASES, method)
    pair = [index for index, case in enumerate(CASES) if case.source.id == "traffic-law"]
    np.testing.assert_array_equal(*outcome.probabilities[:, pair].T)


def test_no_single_fact_decides_most_worlds() -> None:
    """With any one fact hidden, most leaders stay: decisions degrade gracefully."""
    found = hide_in_worlds(Scorer(load_default_rules()))
    assert found
    assert max(item.change for item in found) < 0.3


def test_the_page_is_of_this_knowledge_base_and_classifier() -> None:
    """After a change to either, the command has been run again."""
    text = REPORT.read_text(encoding="utf-8")
    again = "run `python benchmarks/evaluate_decision.py`"
    assert f"`{fingerprint(load_default_rules())[:16]}`" in text, again
    assert f"`{load_classifier().digest[:16]}`" in text, again


def test_the_page_tells_what_the_rules_do() -> None:
    """The figures of the rules alone are those that evaluating again gives."""
    outcome = leave_one_source_out(CASES, as_method(Study(CASES, load_default_rules()), RULES, "shares"))
    figures = " | ".join(str(figure) for figure in evaluate(CASES, outcome).values())
    assert f"| rules | {figures} |" in REPORT.read_text(encoding="utf-8")


def test_the_rules_beat_every_baseline() -> None:
    """Leaving one source out of the rules' evidence, they are right more often than each baseline."""
    ours = leave_one_source_out(CASES, as_method(Study(CASES, load_default_rules()), RULES, "shares"))
    for method in (always("RAG"), majority(), thumb()):
        assert difference(CASES, ours, leave_one_source_out(CASES, method)).value > 0
