"""The advisor in force."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from advisor.decision.advisor import default_advisor
from advisor.decision.gains import load_gains, save_gains
from advisor.decision.recommendation import BASIC
from advisor.errors import ConfigurationError, RulesError
from advisor.execution.current import CurrentAdvisor, LearnedGains
from advisor.knowledge.cases import default_cases_paths
from advisor.knowledge.inventory import Gathered
from advisor.v1 import facts_pb2

RULE = """version: 1
rules:
  - id: mine
    criterion: specialization
    when: {output_form: LABEL}
    evidence: {FINE_TUNING: 1}
    reason: labels
    sources: [founding]
    examples: {fire: [{output_form: LABEL}], silent: [{output_form: CODE}]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a rule file that is right."""
    path = tmp_path / "mine.yaml"
    path.write_text(RULE)
    return path


def test_without_files_it_is_the_packages_own() -> None:
    """Nothing is read or checked that was not given."""
    assert CurrentAdvisor.open(()).now is default_advisor()


def test_a_reload_takes_the_file_as_it_is_now(file: Path) -> None:
    """The version changes with the file; whoever took the advisor before keeps it as it was."""
    current = CurrentAdvisor.open([file])
    before, version = current.now, current.version
    file.write_text(RULE.replace("FINE_TUNING: 1", "FINE_TUNING: 2"))
    current.reload()
    assert current.version == current.recommend(facts_pb2.Facts()).versions.rules != version
    assert before.recommend({}).versions.rules == version


def test_what_was_decided_is_remembered(file: Path) -> None:
    """Of the same facts and the same data, by the same rules."""
    current = CurrentAdvisor.open([file])
    first = current.recommend(facts_pb2.Facts(needs_citations=True))
    assert current.recommend(facts_pb2.Facts(needs_citations=True)) is first
    assert current.recommend(facts_pb2.Facts(needs_citations=False)) != first
    told = current.recommend(facts_pb2.Facts(needs_citations=True), gathered=Gathered("task"))
    assert told is not first
    basic = current.recommend(facts_pb2.Facts(needs_citations=True), BASIC)
    assert (basic.explanation, first.explanation is None) == (None, False)
    current.reload()
    assert current.recommend(facts_pb2.Facts(needs_citations=True)) is not first


def test_a_model_that_was_learned_decides(tmp_path: Path) -> None:
    """From the start, or from the next reload after it was written; rules of one's own go with it."""
    path = tmp_path / "gains.json"
    current = CurrentAdvisor.open((), LearnedGains(path, named=False))
    assert current.now is default_advisor()
    learned = save_gains(replace(load_gains(), temperature=9.0), path, default_cases_paths(), {"own": 2})
    current.reload()
    assert current.versions["gains"] == learned.digest[:16] != default_advisor().versions.gains
    rules = tmp_path / "mine.yaml"
    rules.write_text(RULE)
    both = CurrentAdvisor.open([rules], LearnedGains(path, named=True))
    assert both.versions["gains"] == learned.digest[:16]
    assert both.version != current.version


@pytest.mark.parametrize(
    ("content", "fault"), [(None, "cannot be read"), ("[]", "is no model"), ('{"terms": []}', "is no model")]
)
def test_a_model_that_does_not_fit_is_told(tmp_path: Path, content: str | None, fault: str) -> None:
    """One that was named is refused; beside the data the shipped one decides in its place, and the log says so."""
    path = tmp_path / "gains.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigurationError, match=fault) as caught:
        CurrentAdvisor.open((), LearnedGains(path, named=True))
    assert "advisor learn" in str(caught.value)
    with capture_logs() as logged:
        assert CurrentAdvisor.open((), LearnedGains(path, named=False)).now is default_advisor()
    assert [fault in each["fault"] for each in logged] == ([True] if content is not None else [])


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ("version: 1\ndisable: [nothing]\n", "mine.yaml:2:11"),
        (RULE.replace("fire: [{output_form: LABEL}]", "fire: [{output_form: CODE}]"), "mine does not fire"),
    ],
)
def test_wrong_files_leave_the_rules_in_force(file: Path, wrong: str, fault: str) -> None:
    """What cannot be read and what `rules check` refuses change nothing."""
    current = CurrentAdvisor.open([file])
    before = current.now
    file.write_text(wrong)
    with pytest.raises(RulesError, match=fault):
        current.reload()
    assert current.now is before
