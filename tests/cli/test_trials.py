"""`advisor trial` and `advisor trials` against a real server; a worker's part is done by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from advisor.cli import app
from advisor.client import Client
from advisor.storage import leases, trials
from advisor.trials.arms import Arm
from advisor.trials.codec import arm_to_json, result_to_json
from advisor.trials.conditions import Conditions
from advisor.trials.results import ArmResult, ArmState, Asked, Figure, Prediction
from advisor.trials.summing import Measured, summed_up

EXAMPLES = [{"question": f"q{number}", "answer": f"a{number}"} for number in range(64)]
NAME = "useCases/faq/trials/one"
CONDITIONS = Conditions(
    form="FREE_TEXT",
    metric="holds",
    labels=(),
    max_output_tokens=16,
    guessed=0.0,
    seed=0,
    groups=64,
    facts={},
    vetoes={},
    prediction=Prediction("RAG", {}, {}),
    model="echo",
    embedder="words",
    arms=(Arm.ZERO_SHOT, Arm.FEW_SHOT),
    not_run={"RAG": "the use case has no documents"},
    notes=("Few questions tell little.",),
)


@pytest.fixture
def advisor(server):
    """Return a function that runs a command against the server and returns what it prints."""

    def run(*arguments: str) -> str:
        command = [*arguments, "--server", server.address]
        ended = CliRunner().invoke(app, command, env={"COLUMNS": "200"}, catch_exceptions=False)
        assert ended.exit_code == 0, ended.output
        return ended.output

    return run


def measured(arm: Arm, right: int) -> ArmResult:
    answers = tuple(Asked(number, "said", {"holds": float(number < right)}) for number in range(20))
    quality = Figure(right / 20, right / 20 - 0.1, right / 20 + 0.1, 20)
    return ArmResult(arm, ArmState.DONE, quality=quality, total_s=(0.5, 0.9), answers=answers)


@pytest.fixture
def trial(server):
    """Have a trial that has ended: the plain prompt answers 4 of 20 right, with examples 18."""
    with Client(server.address) as client:
        client.create_use_case("faq")
        client.import_examples("faq", EXAMPLES)
        client.trials.run("faq", trial_id="one")
    claimed = leases.claim(server.database, "w", ["TRIAL"])
    arms = (measured(Arm.ZERO_SHOT, 4), measured(Arm.FEW_SHOT, 18))
    result = summed_up(CONDITIONS, Measured((), 44, arms, "fake", 9.0))
    with server.database.transaction() as connection:
        trials.begin(connection, ("faq", "one"), claimed.id, CONDITIONS.to_json(), held_out=[], training=[])
        for arm in arms:
            trials.add_arm(connection, ("faq", "one"), arm_to_json(arm))
        trials.finish(connection, ("faq", "one"), result_to_json(result))
        leases.succeed(connection, leases.Lease(claimed.id, "w", claimed.attempt), {"name": NAME})


def test_a_trial_is_listed_with_its_verdict(advisor, trial):
    """Name, state, the arm taken, the headline."""
    printed = advisor("trials", "list", "faq")
    assert printed.split("\t")[:3] == [NAME, "succeeded", "same examples"]
    assert "90%" in printed


def test_a_trial_is_shown(advisor, trial):
    """The verdict, each arm with its interval and time, why another was not run, and what to mind."""
    printed = advisor("trials", "show", NAME)
    assert printed.startswith("PROMPTING (same examples): 90%")
    assert "80% to 100%" in printed
    assert "RAG: not run, the use case has no documents" in printed
    assert "Note: Few questions tell little." in printed
    shown = json.loads(advisor("trials", "show", NAME, "--json"))
    assert shown["verdict"]["approach"] == "APPROACH_PROMPTING"


@pytest.mark.parametrize(("suffix", "begins"), [(".html", "<!doctype html>"), (".md", "# "), (".json", "{")])
def test_a_report_is_written_by_its_suffix(advisor, trial, tmp_path: Path, suffix, begins):
    """Standard output stays free."""
    path = tmp_path / f"report{suffix}"
    advisor("trials", "report", NAME, str(path))
    assert path.read_text().lower().startswith(begins)


def test_a_trial_is_deleted(advisor, trial):
    """After that there is none."""
    advisor("trials", "delete", NAME)
    assert "no trials of faq" in advisor("trials", "list", "faq")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a use-case file with the examples."""
    (tmp_path / "examples.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in EXAMPLES))
    path = tmp_path / "use-case.yaml"
    path.write_text("id: faq\nexamples: examples.jsonl\n")
    return path


def measure_one_arm(server) -> str:
    """Do as a worker that gets as far as the first arm, and return the id of the operation."""
    claimed = leases.claim(server.database, "w", ["TRIAL"])
    trial = ("faq", claimed.payload["trial_id"])
    with server.database.transaction() as connection:
        trials.begin(connection, trial, claimed.id, CONDITIONS.to_json(), held_out=[], training=[])
        trials.add_arm(connection, trial, arm_to_json(measured(Arm.ZERO_SHOT, 4)))
    return claimed.id


def end(server, operation_id: str, state: str) -> None:
    with server.database.transaction() as connection:
        connection.execute("UPDATE operations SET state = %s WHERE id = %s", [state, operation_id])


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_trial_that_is_cut_short_leaves_a_report(server, file: Path, monkeypatch, interrupted):
    """Cancelled by somebody, or by Ctrl-C, which stops the trial: what was measured is written all the same."""

    def follow(*_: object) -> None:
        operation_id = measure_one_arm(server)
        if interrupted:
            raise KeyboardInterrupt
        end(server, operation_id, "CANCELLED")

    monkeypatch.setattr("advisor.cli.trials.follow_trial", follow)
    monkeypatch.setattr("advisor.cli.trials.STOP_S", 0.1)
    ended = CliRunner().invoke(app, ["trial", str(file), "--server", server.address])
    assert ended.exit_code != 0
    report = file.with_name("use-case-trial.html")
    assert "20%" in report.read_text()
    with server.database.transaction() as connection:
        (asked,) = connection.execute("SELECT cancel_requested FROM operations").fetchall()
    assert asked[0] is interrupted


def test_a_trial_is_begun_from_a_file(advisor, server, file: Path):
    """The store is brought in step, and the operation is named."""
    printed = advisor("trial", str(file), "--arm", "few-shot", "--max-duration", "15m", "--detach")
    assert printed.strip().splitlines()[-1].startswith("operations/")
    claimed = leases.claim(server.database, "w", ["TRIAL"])
    settings = claimed.payload["settings"]
    assert (settings["arms"], settings["max_duration_s"]) == (["FEW_SHOT"], 900.0)
