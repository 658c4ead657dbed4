"""`advisor operations` against a real server."""

from __future__ import annotations

import json
import threading

import pytest
from typer.testing import CliRunner

from advisor.cli import app
from advisor.client import Client, OperationFuture
from advisor.errors import Failure
from advisor.storage import adapters, leases, operations, records
from advisor.storage.leases import Lease

EXAMPLES = [{"question": f"q{number}", "answer": "a"} for number in range(64)]


@pytest.fixture
def client(server):
    with Client(server.address) as client:
        client.create_use_case("faq")
        client.import_examples("faq", EXAMPLES)
        yield client


@pytest.fixture
def advisor(server):
    """Return a function that runs a command against the server and returns what it prints."""

    def run(*arguments: str) -> str:
        command = [*arguments, "--server", server.address]
        ended = CliRunner().invoke(app, command, env={"COLUMNS": "200"}, catch_exceptions=False)
        assert ended.exit_code == 0
        return ended.output

    return run


def claim(server) -> Lease:
    claimed = leases.claim(server.database, "w", ["TUNE"])
    return Lease(claimed.id, "w", claimed.attempt)


def finish(server, lease: Lease) -> None:
    """Do what a worker does with a tuning run, less the training."""
    asked = operations.get(server.database, lease.operation_id)
    metrics = {"training_examples": 58, "steps": 7, "training_loss": 0.25}
    adapter = records.Adapter(
        "faq", asked.payload["adapter_id"], "FINE_TUNING", "echo", "", {}, metrics, "f", asked.create_time
    )
    with server.database.transaction() as connection:
        adapters.insert(connection, adapter)
        leases.succeed(connection, lease, {"name": asked.target})


def fail(server, lease: Lease) -> None:
    with server.database.transaction() as connection:
        leases.fail(connection, lease, Failure("INTERNAL", "TUNING", "the loss [diverged]"))


def row(listing: str, future: OperationFuture) -> list[str]:
    """Return the cells of an operation in a listing, less its name."""
    (line,) = (line for line in listing.splitlines() if line.startswith(future.name))
    return [each.strip() for each in line.removeprefix(future.name).split("\t") if each.strip()]


def test_every_state_is_listed(client, server, advisor):
    """A row for each operation; what was cancelled has not failed."""
    done = client.tune("faq", adapter_id="done")
    finish(server, claim(server))
    failed = client.tune("faq", adapter_id="failed")
    fail(server, claim(server))
    cancelled = client.tune("faq", adapter_id="cancelled")
    cancelled.cancel()
    running = client.tune("faq", adapter_id="running")
    with server.database.transaction() as connection:
        leases.renew(connection, claim(server), {"stage": "TRAINING", "step": 3, "total_steps": 1200})
    queued = client.tune("faq", adapter_id="queued")
    listing = advisor("operations", "list")
    target = "useCases/faq/adapters/"
    assert row(listing, done) == ["tune", "done", f"{target}done"]
    assert row(listing, failed) == ["tune", "failed", f"{target}failed", "the loss [diverged]"]
    assert row(listing, cancelled) == ["tune", "cancelled", f"{target}cancelled"]
    assert row(listing, running) == ["tune", "running", f"{target}running", "training, 3 of 1,200 steps"]
    assert row(listing, queued) == ["tune", "queued", f"{target}queued"]


def test_the_listing_as_json(client, advisor):
    """One message a line."""
    future = client.tune("faq")
    (line,) = advisor("operations", "list", "--json").splitlines()
    assert json.loads(line)["name"] == future.name


def test_nothing_to_list(client, advisor):
    """An empty list says so."""
    assert advisor("operations", "list").strip() == "no operations"


def test_waiting_shows_what_came_out(client, server, advisor):
    """Of a training run, what it measured."""
    future = client.tune("faq", adapter_id="a")
    worker = threading.Thread(target=finish, args=(server, claim(server)))
    worker.start()
    shown = advisor("operations", "wait", future.name)
    worker.join()
    assert "useCases/faq/adapters/a: 58 examples, 7 steps, loss 0.250" in shown


def test_cancelling(client, advisor):
    """What waits ends at once."""
    future = client.tune("faq")
    advisor("operations", "cancel", future.name)
    assert future.done()
    assert future.state == "cancelled"
