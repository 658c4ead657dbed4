"""`advisor profile` against a real server; a worker's part is done by hand."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from advisor.cli import app
from advisor.execution.stored_facts import measurement_to_json
from advisor.knowledge.measurement import Measurement
from advisor.storage import leases, profiles
from advisor.storage.profiles import Origin

MEASURED = (
    Measurement("prompted_score", 0.25, "the best of three prompts", 40, 0.14, 0.4),
    Measurement("update_interval", "7d", "4 changes", 4),
    Measurement("task", None, "too few to tell", 3),
    Measurement(
        "near_duplicates", 2, "the same in other words", 60, warning="2 ask the same.", concerned=(3, 9)
    ),
)


@pytest.fixture
def advisor(server):
    """Return a function that runs a command against the server and returns what it prints."""

    def run(*arguments: str) -> str:
        command = [*arguments, "--server", server.address]
        ended = CliRunner().invoke(app, command, env={"COLUMNS": "200"}, catch_exceptions=False)
        assert ended.exit_code == 0, ended.output
        return ended.stdout

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a use-case file with sixty examples."""
    lines = (json.dumps({"question": f"thing {n}", "answer": ("red", "blue")[n % 2]}) for n in range(60))
    (tmp_path / "examples.jsonl").write_text("\n".join(lines))
    path = tmp_path / "use-case.yaml"
    path.write_text("id: faq\nexamples: examples.jsonl\n")
    return path


@pytest.fixture
def worker(server, until):
    """Have somebody do as a worker does, once."""

    def work() -> None:
        claimed = []
        until(lambda: claimed.append(leases.claim(server.database, "w", ["PROFILE"])) or claimed[-1])
        with server.database.transaction() as connection:
            profiles.keep(connection, "faq", Origin.MODEL, [*map(measurement_to_json, MEASURED)])
            lease = leases.Lease(claimed[-1].id, "w", claimed[-1].attempt)
            leases.succeed(connection, lease, {"name": "useCases/faq/profile"})

    thread = threading.Thread(target=work)
    thread.start()
    yield
    thread.join()


def test_a_profile_is_shown(advisor, file, worker):
    """Facts with interval and method, what is not told, what else was measured, what to mind with its places."""
    printed = advisor("profile", str(file))
    rows = [line.split("\t") for line in printed.splitlines()]
    assert ["prompted_score", "25%", "14% to 40%", "the best of three prompts"] in rows
    assert ["update_interval", "7 days", "", "4 changes"] in rows
    assert ["task", "not told", "", "too few to tell"] in rows
    assert ["near_duplicates", "2", "", "the same in other words"] in rows
    assert "Mind: 2 ask the same. (examples 3, 9, from 0)" in printed


def test_a_profile_as_json(advisor, file, worker):
    """As the message has it."""
    found = json.loads(advisor("profile", str(file), "--json"))
    assert found["name"] == "useCases/faq/profile"
    assert {each["name"] for each in found["measurements"]} > {"prompted_score", "near_duplicates"}


def test_only_the_data_is_read_where_nothing_is_to_be_asked(advisor, server, file):
    """0 reaches the worker as 0; it is not waited for."""
    printed = advisor("profile", str(file), "--ask", "0", "--detach")
    assert printed.strip().splitlines()[-1].startswith("operations/")
    assert leases.claim(server.database, "w", ["PROFILE"]).payload["asked"] == 0
