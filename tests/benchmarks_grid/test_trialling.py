"""A task carried out, with a client that answers for a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from advisor.client import Client
from advisor.trials.arms import Arm
from advisor.v1 import trial_pb2
from benchmarks.grid import results
from benchmarks.grid.making import made
from benchmarks.grid.trialling import Runner
from tests.benchmarks_grid.grid import LENDER, TASK, TASKS, FakeClient


def runner(client: FakeClient, **settings: Any) -> Runner:
    given: Any = client
    assert hasattr(Client, "import_documents")
    return Runner(given, TASKS, lambda _: None, **settings)


@pytest.fixture(scope="module")
def done() -> tuple[FakeClient, dict[str, Any]]:
    """Return a client, and the result of the task."""
    client = FakeClient()
    return client, runner(client).run(TASK)


def test_each_variation_runs_what_it_affects(done: tuple[FakeClient, dict[str, Any]]) -> None:
    """One trial for each, over documents and examples of its own."""
    client, _ = done
    arms = {name.split("/")[1].removeprefix("grid-ports-"): each["arms"] for name, each in client.ran.items()}
    assert arms["main"] == (
        *(Arm.ZERO_SHOT, Arm.FEW_SHOT, Arm.NEAREST_SHOTS),
        *(Arm.FINE_TUNING, Arm.DOCUMENTS_IN_PROMPT, Arm.RAG, Arm.NAIVE_BOTH, Arm.HYBRID),
    )
    assert arms["broken"] == arms["halved"] == arms["changed"] == (Arm.RAG,)
    assert arms["quarter"] == arms["half"] == (Arm.FEW_SHOT, Arm.NEAREST_SHOTS, Arm.FINE_TUNING)
    learnt = {
        name: sum(not each.held_out for each in case["examples"]) for name, case in client.stored.items()
    }
    assert (learnt["grid-ports-main"], learnt["grid-ports-quarter"], learnt["grid-ports-half"]) == (32, 8, 16)


def test_scores_are_in_the_order_of_the_questions(done: tuple[FakeClient, dict[str, Any]]) -> None:
    """Though the server asks in another, and drifted questions are told apart."""
    _, result = done
    rag = result["trials"]["main"]["arms"]["RAG"]
    assert rag["scores"] == [1] * 40
    assert rag["drifted"] == [1] * 20
    zero = result["trials"]["main"]["arms"]["ZERO_SHOT"]
    wrong = [60 - 1 - number for number in range(0, 60, 9)]
    assert [place for place, score in enumerate(zero["scores"] + zero["drifted"]) if not score] == sorted(
        wrong
    )


def test_search_finds_what_the_documents_hold(done: tuple[FakeClient, dict[str, Any]]) -> None:
    """Nothing where they are another task's, some where half are missing, all that changed where indexed anew."""
    _, result = done
    trials = result["trials"]
    assert sum(trials["broken"]["arms"]["RAG"]["scores"]) == 0
    assert 0 < sum(trials["halved"]["arms"]["RAG"]["scores"]) < 40
    assert trials["changed"]["arms"]["RAG"]["scores"] == [1] * 40


def test_old_answers_are_wrong_where_facts_changed(done: tuple[FakeClient, dict[str, Any]]) -> None:
    """RAG on the old index was always right: now it is right where nothing changed, and nowhere else."""
    _, result = done
    changed = made(TASK).changed
    assert changed is not None
    same = [
        int(old.answer == new.answer) for old, new in zip(made(TASK).held_out, changed.held_out, strict=True)
    ]
    assert result["trials"]["changed"]["before"]["RAG"] == same
    assert 0 < sum(same) < 40


def test_a_result_holds_numbers_and_no_texts(done: tuple[FakeClient, dict[str, Any]], tmp_path: Path) -> None:
    """No question, answer or document is in the file, which reads back as it was."""
    _, result = done
    path = results.write(result, tmp_path)
    text = path.read_text(encoding="utf-8")
    material = made(TASK)
    for each in (*material.held_out, *material.drifted, *material.training):
        assert each.question not in text
        assert str(each.context) not in text
        assert f'"{each.answer}"' not in text
    assert json.loads(text) == json.loads(json.dumps(result)) == results.read_all(tmp_path)[0]
    assert results.has_result("ports", tmp_path)
    assert result["licence"] == TASK.licence
    assert all(trial["complete"] for trial in result["trials"].values())
    assert result["counts"]["training"] == result["facts"]["labelled_examples"] == 32


def test_what_was_measured_is_not_measured_again(done: tuple[FakeClient, dict[str, Any]]) -> None:
    """A second run reads the trials that the first one left."""
    client, result = done
    ran = dict(client.ran)
    client.ran.clear()
    assert runner(client).run(TASK) == result
    assert client.ran == {}
    client.ran.update(ran)


def test_an_arm_is_run_again_and_the_others_stay(
    done: tuple[FakeClient, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every variation that has it, with what it answered before facts changed."""
    _, result = done
    kept = json.loads(json.dumps(result))
    for values in kept["trials"].values():
        for arm in values["arms"].values():
            arm["scores"] = []
    kept["trials"]["changed"]["before"] = {"RAG": [], "ZERO_SHOT": []}
    monkeypatch.setattr(results, "read", lambda _: kept)
    client = FakeClient()
    now = runner(client).again(TASK, [Arm.RAG])
    assert {each["arms"] for each in client.ran.values()} == {(Arm.RAG,)}
    for name, values in now["trials"].items():
        for arm, each in values["arms"].items():
            before = result["trials"][name]["arms"][arm]["scores"]
            assert each["scores"] == (before if arm == "RAG" else [])
    assert now["trials"]["changed"]["before"]["RAG"] == result["trials"]["changed"]["before"]["RAG"]
    assert now["trials"]["changed"]["before"]["ZERO_SHOT"] == []


def test_a_trial_that_goes_on_is_waited_for() -> None:
    """Killed in the middle: the operation is found by what it makes, and another one is not begun."""
    client = FakeClient()
    runner(client).run(LENDER)
    client.states = dict.fromkeys(client.states, trial_pb2.Trial.STATE_RUNNING)
    client.ran.clear()
    runner(client).run(LENDER)
    assert client.ran == {}
    assert set(client.states.values()) == {trial_pb2.Trial.STATE_SUCCEEDED}


def test_a_trial_that_failed_is_run_again() -> None:
    """What it measured before does not count."""
    client = FakeClient()
    runner(client).run(LENDER)
    client.states = dict.fromkeys(client.states, trial_pb2.Trial.STATE_FAILED)
    client.ran.clear()
    runner(client).run(LENDER)
    assert len(client.ran) == 1


def test_a_trial_that_takes_too_long_is_cancelled() -> None:
    """What was measured until then is kept."""
    client = FakeClient(slow=True)
    result = runner(client, longest_s=0.01).run(LENDER)
    assert len(client.cancelled) == 1
    assert result["trials"]["main"]["arms"]["RAG"]["scores"] == [1] * 40


def test_use_cases_are_forgotten(done: tuple[FakeClient, dict[str, Any]]) -> None:
    """Once a result is written, the server keeps nothing of a task."""
    client = FakeClient()
    given = runner(client)
    given.run(LENDER)
    given.forget(LENDER)
    given.forget(LENDER)
    assert client.stored == {}
