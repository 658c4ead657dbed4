"""Checks of the knowledge base: each finds the mistake it is for, and ours has none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from advisor.decision.advisor import default_advisor
from advisor.decision.gains import GainModel, Term, load_gains
from advisor.decision.scoring import Scorer
from advisor.knowledge.rulefile import default_rules_paths, load_default_rules, load_rules
from advisor.knowledge.rules import Curve
from advisor.learning.rulecheck import check_rules, run_examples, undecided_share

RULE = """
  - id: {id}
    criterion: freshness
    when: {{{when}}}
    evidence: {{{evidence}}}
    reason: because
    sources: [founding]
    examples: {{fire: [{{{fire}}}], silent: [{{}}]}}
"""


def scorer_with(tmp_path: Path, *rules: dict[str, str], monotonic: str = "") -> Scorer:
    """Return our knowledge base with rules merged over it."""
    text = "version: 1\nrules:\n" + "".join(RULE.format(**rule) for rule in rules)
    path = tmp_path / "more.yaml"
    path.write_text(text + (f"\nmonotonic:\n  - {monotonic}\n" if monotonic else ""))
    return Scorer(load_rules(*default_rules_paths(), path))


def rule(**values: str) -> dict[str, str]:
    return {
        "id": "mine",
        "when": "corpus_tokens: '> 5'",
        "evidence": "RAG: 0.1",
        "fire": "corpus_tokens: 9",
    } | values


def texts(scorer: Scorer) -> str:
    return "\n".join(f"{finding.severity} {finding.place} {finding.text}" for finding in check_rules(scorer))


def learned(points_per_interval: float) -> GainModel:
    """Return a model of one term, the update interval, that raises what retrieves by so much as it grows."""
    curve = Curve("update_interval", ((3_600.0, -1.0), (31_536_000.0, 1.0)))
    term = Term("retrieval", curve, weight=points_per_interval)
    return replace(GainModel.of_rules_alone(), terms=(term,), covariance=np.zeros((2, 2)))


@pytest.mark.parametrize("gains", [None, load_gains(), learned(-8.0)], ids=["none", "shipped", "agreeing"])
def test_the_shipped_knowledge_base_has_no_errors(gains: GainModel | None) -> None:
    """What we ship passes its own checks, with and without the model of gains, and with one that agrees."""
    findings = check_rules(Scorer(load_default_rules(), gains))
    assert [finding for finding in findings if finding.severity == "error"] == []


def test_a_model_that_breaks_a_promise_is_found() -> None:
    """Promises are of rules and model together."""
    errors = [
        each.text
        for each in check_rules(Scorer(load_default_rules(), learned(8.0)))
        if each.severity == "error"
    ]
    assert errors
    assert all("falls against" in text and "update_interval moves to" in text for text in errors)
    assert any("RAG falls against FINE_TUNING" in text for text in errors)


def test_a_rule_that_never_fires_is_found(tmp_path: Path) -> None:
    """A test outside a fact's bounds is an error that points at the rule."""
    found = texts(scorer_with(tmp_path, rule(when="new_knowledge_share: '> 1'")))
    assert "more.yaml:4:5 mine never fires" in found


def test_rules_on_the_same_tests_are_found(tmp_path: Path) -> None:
    """Two rules that say the same are one rule."""
    found = texts(scorer_with(tmp_path, rule(), rule(id="twin")))
    assert "mine fires only where twin" in found


def test_evidence_taken_back_is_found(tmp_path: Path) -> None:
    """Opposite evidence on the same tests is an error."""
    found = texts(scorer_with(tmp_path, rule(), rule(id="opposite", evidence="RAG: -0.2")))
    assert "opposite contradicts mine" in found


def test_an_example_that_lies_is_found(tmp_path: Path) -> None:
    """A rule must fire on the examples that it gives."""
    findings = run_examples(scorer_with(tmp_path, rule(fire="corpus_tokens: 3")))
    assert [finding.text for finding in findings] == [
        "mine does not fire on its example {'corpus_tokens': '3'}"
    ]


@pytest.mark.parametrize(
    ("when", "evidence"),
    [
        ("update_interval: '<= 3d'", "RAG: -0.9"),
        ("update_interval: '(2d..3d]'", "RAG: 0.9"),
        ("update_interval: '<= 3d', must_forget: true", "FINE_TUNING: 0.9"),
    ],
)
def test_a_broken_promise_is_found_with_a_counterexample(tmp_path: Path, when: str, evidence: str) -> None:
    """The proof fails on a rule that breaks monotonicity, alone or with another fact."""
    promise = "{fact: update_interval, direction: decreasing, raises: RAG, against: [FINE_TUNING]}"
    found = texts(scorer_with(tmp_path, rule(when=when, evidence=evidence), monotonic=promise))
    assert "RAG falls against FINE_TUNING as update_interval moves to" in found


def test_a_kept_promise_is_silent(tmp_path: Path) -> None:
    """A ladder of half-line tests passes."""
    promise = "{fact: update_interval, direction: decreasing, raises: RAG, against: [FINE_TUNING]}"
    found = texts(scorer_with(tmp_path, rule(when="update_interval: '<= 3d'"), monotonic=promise))
    assert "update_interval" not in found


def test_the_share_left_undecided_falls_as_more_is_known() -> None:
    """Facts decide: with none everything is open, with all of them little is."""
    scorer = default_advisor().scorer
    shares = [undecided_share(scorer, known, count=1024) for known in (0.0, 0.25, 0.5, 1.0)]
    assert shares[0] == 1
    assert shares[0] > shares[1] > shares[2]
    assert max(shares[2:]) < 0.01


def test_vetoes_of_everything_are_found(tmp_path: Path) -> None:
    """The rules are named, and where they leave nothing."""
    veto = (
        "  - {{id: {id}, criterion: cost, when: {{can_train: {value}}}, excludes: [{excludes}], reason: r,"
        " sources: [founding], examples: {{fire: [{{can_train: {value}}}], silent: [{{}}]}}}}\n"
    )
    path = tmp_path / "more.yaml"
    path.write_text(
        "version: 1\nvetoes:\n"
        + veto.format(id="never", value="true", excludes="PROMPTING, RAG, FINE_TUNING, HYBRID")
        + veto.format(id="not-even", value="false", excludes="PROMPTING, RAG")
    )
    found = texts(Scorer(load_rules(*default_rules_paths(), path)))
    assert (
        f"error {path}:3:5 never leaves no approach where can_train is true, whatever else is known" in found
    )
    assert "training-is-impossible and not-even together leave no approach where can_train is false" in found


def test_more_vetoes_than_can_be_looked_at_are_remarked_on() -> None:
    """A check of very many vetoes ends in good time, and says what it did not prove."""
    knowledge = load_default_rules()
    veto = next(rule for rule in knowledge.rules if rule.kind == "veto")
    many = tuple(replace(veto, id=f"veto-{number}") for number in range(61))
    found = texts(Scorer(replace(knowledge, rules=many, monotonic=())))
    assert "remark  not proved that 61 vetoes leave an approach" in found
