"""The advisor in force."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.decision.advisor import default_advisor
from advisor.errors import RulesError
from advisor.execution.current import CurrentAdvisor

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
    assert current.version == current.recommend({}).versions.rules != version
    assert before.recommend({}).versions.rules == version


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
