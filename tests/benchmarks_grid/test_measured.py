"""Results as cases: read back by the advisor, with facts that could be known before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from advisor.knowledge.approaches import Approach
from advisor.knowledge.cases import Case, default_cases_paths, load_cases, measured_cases_path
from benchmarks.grid.measured import PROFILE, cases_of_result, write_cases
from benchmarks.grid.report import report
from benchmarks.grid.variations import cases_of
from tests.benchmarks_grid.grid import TASK
from tests.benchmarks_grid.test_trialling import FakeClient, runner


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    """Return the result of a task with every variation."""
    return runner(FakeClient()).run(TASK)


@pytest.fixture(scope="module")
def cases(result: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    """Return its cases, written and loaded."""
    path = tmp_path_factory.mktemp("cases") / "measured.yaml"
    assert write_cases([result], path) == len(cases_of(TASK))
    return {case.id.removeprefix("ports-"): case for case in load_cases(path)}


def test_every_variation_becomes_a_case(cases: dict[str, Case]) -> None:
    """Of one source, so that they are left out together."""
    assert set(cases) == {str(each) for each in cases_of(TASK)}
    assert {case.source.id for case in cases.values()} == {"grid-ports"}
    assert {case.collection for case in cases.values()} == {"measured"}
    assert {case.read for case in cases.values()} == {"measured"}


def test_a_case_has_the_scores_of_all_approaches(cases: dict[str, Case]) -> None:
    """The best prompt stands for PROMPTING, and NAIVE_BOTH is no approach."""
    main = cases["main"]
    assert main.best is Approach.RAG
    assert main.measured["RAG"] == 100
    assert main.measured["PROMPTING"] == pytest.approx(90, abs=3)
    assert set(main.measured) == {"PROMPTING", "RAG", "FINE_TUNING", "HYBRID", "NAIVE_BOTH"}
    assert main.n == 40
    assert main.top == pytest.approx(100, abs=2)


def test_a_variation_takes_what_it_does_not_affect(cases: dict[str, Case]) -> None:
    """Where search is broken, prompting and tuning score as before; what retrieves and was not run is left out."""
    broken, main = cases["broken"], cases["main"]
    assert broken.measured["RAG"] == 0
    assert broken.measured["FINE_TUNING"] == main.measured["FINE_TUNING"]
    assert set(broken.measured) == {"PROMPTING", "RAG", "FINE_TUNING"}
    assert broken.best is Approach.PROMPTING


def test_what_learned_before_is_wrong_where_facts_changed(
    cases: dict[str, Case], result: dict[str, Any]
) -> None:
    """RAG is indexed again, and right."""
    changed = cases["changed"]
    assert changed.measured["RAG"] == 100
    assert changed.measured["FINE_TUNING"] < 60
    assert f"RAG on the old index {100 * (1 - result['counts']['changed_share']):.1f}" in changed.note
    assert changed.facts["new_knowledge_share"] == pytest.approx(0.5, abs=0.3)


def test_facts_are_what_could_be_known(cases: dict[str, Case], result: dict[str, Any]) -> None:
    """What is stated, what the first questions tell, and what the variation changes."""
    facts = cases["main"].facts
    zero = result["trials"]["main"]["arms"]["ZERO_SHOT"]["scores"][:PROFILE]
    assert facts["closed_book_score"] == pytest.approx(sum(zero) / len(zero), abs=0.01)
    assert facts["retrieval_hit_rate"] == 1
    assert facts["model_parameters"] == 135_000_000
    assert facts["update_interval"] == "7d"
    assert facts["distribution_shift"] is False
    assert cases["drifted"].facts["distribution_shift"] is True
    assert cases["broken"].facts["retrieval_hit_rate"] == 0
    assert cases["quarter"].facts["labelled_examples"] == 8
    assert cases["quarter"].facts["corpus_tokens"] == facts["corpus_tokens"]
    assert float(str(cases["halved"].facts["corpus_tokens"])) < 0.7 * float(str(facts["corpus_tokens"]))


def test_an_arm_that_was_cut_short_is_no_part_of_a_case(result: dict[str, Any]) -> None:
    """Its score would be of other questions."""
    rag = result["trials"]["main"]["arms"]["RAG"]
    cut = {**rag, "scores": [*rag["scores"][:32], *[None] * 8]}
    changed = result["trials"]["changed"]
    before = {**changed["before"], "FINE_TUNING": [1, *[None] * 39]}
    trials = {
        "main": {**result["trials"]["main"], "arms": {**result["trials"]["main"]["arms"], "RAG": cut}},
        "changed": {**changed, "before": before},
    }
    main, _, after = cases_of_result({**result, "trials": trials})
    assert "RAG" not in main.scores
    assert "FINE_TUNING" not in after.scores


def test_a_task_with_one_approach_is_no_case(result: dict[str, Any]) -> None:
    """There is nothing to compare."""
    arms = {name: each for name, each in result["trials"]["main"]["arms"].items() if name == "ZERO_SHOT"}
    trials = {"main": {**result["trials"]["main"], "arms": arms}}
    assert list(cases_of_result({**result, "trials": trials})) == []
    with pytest.raises(ValueError, match="no results"):
        write_cases([], Path("nowhere"))


def test_the_report_has_a_row_for_each_case(result: dict[str, Any]) -> None:
    """With what wins under which variation."""
    text = report([result])
    assert f"{len(cases_of(TASK))} cases of 1 task" in text
    assert "| broken | 1 | PROMPTING 1 |" in text


def test_measured_cases_are_loaded_where_they_are_there() -> None:
    """After the published ones, and only once they are written."""
    assert (measured_cases_path() in default_cases_paths()) is measured_cases_path().is_file()
