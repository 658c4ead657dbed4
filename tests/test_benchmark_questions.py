"""Questions of the benchmark of retrieval on details that its documentation does not tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.retrieval.answers import Answered
from benchmarks.retrieval.corpora import CORPORA
from benchmarks.retrieval.details import SEEN, UNSEEN
from benchmarks.retrieval.questions import OTHER, Question, questions_of
from benchmarks.retrieval.report import print_answered

NAMES = [f"{first}{last}" for first in ("quince", "medlar", "sorrel") for last in "abcdefgh"]


@pytest.fixture
def questions(tmp_path: Path) -> list[Question]:
    """Return the questions on a page of settings of which only the default is told."""
    text = "".join(
        f".. _config_run_{name}:\n\n[run] {name}\n{'.' * 16}\n\n"
        f"(boolean, default False) Whether to measure {name}.\n\n\n"
        for name in NAMES
    )
    (tmp_path / "config.rst").write_text(text)
    corpus = next(each for each in CORPORA if each.name == "coverage")
    return questions_of(corpus, tmp_path)


def test_unseen_details_are_for_reports_alone(questions: list[Question]) -> None:
    """Twelve of them are asked, each of another term, and none in the half for development."""
    other = [each for each in questions if each.aspect == OTHER]
    assert len({each.term for each in other}) == len(other) == 12
    assert not any(each.for_development for each in other)


def test_no_unseen_kind_is_a_seen_one() -> None:
    """The kinds are apart, and there are enough that two corpora ask for different ones."""
    assert len(UNSEEN) == 24
    assert not SEEN.keys() & UNSEEN.keys()


def test_unseen_details_are_counted_in_a_row_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    """Abstentions on them do not count among the others."""
    other = [Question(f"{number}?", "coverage", "Markdown", OTHER) for number in range(3)]
    seen = Question("?", "coverage", "Markdown", "missing")
    abstained = Answered("", abstained=True)
    answered = {seen: abstained, other[0]: abstained, other[1]: abstained, other[2]: Answered("x")}
    print_answered({"ours": answered})
    printed = capsys.readouterr().out
    assert "rightly 1 of 1\nours: abstained where a detail of another kind is missing 2 of 3\n" in printed
