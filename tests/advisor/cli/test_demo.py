"""What the demo leaves behind, however often it runs or is cut short: on a real server, with fakes for the models."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from advisor.cli import demo
from advisor.client import Client
from advisor.errors import NotFound
from advisor.knowledge.usecasefile import UseCaseFile, read_use_case
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import facts_pb2, use_case_pb2
from backends.base import Example

CASE = UseCaseFile(Path("use-case.yaml"), "settings", "Name the group.", facts_pb2.Facts(), (), None)
EXAMPLES = [Example(f"a{number}: b", "c") for number in range(64)]


@pytest.fixture
def client(server) -> Iterator[Client]:
    """Yield a client of a server that has the demo's second use case."""
    with Client(server.address) as client:
        client.create_use_case(CASE.id)
        client.import_examples(CASE.id, EXAMPLES)
        yield client


def adapter(client: Client, generator: str = "model") -> tuple[str, str]:
    """Return the adapter that the demo answers by, and what it printed meanwhile."""
    output = io.StringIO()
    name = demo._adapter(Console(file=output, width=200), client, CASE, EXAMPLES, generator)
    return name, output.getvalue()


def test_an_adapter_is_trained_once(client, trainer):
    """The next run on the same data uses it again, and says so."""
    first, second = adapter(client), adapter(client)
    assert first[0] == second[0]
    assert "used again" in second[1]
    assert [each.name for each in client.adapters(CASE.id)] == [first[0]]


def test_a_run_in_the_making_is_joined(client, until, request):
    """What the server trains already, for a run that was cut short, is not asked for a second time."""
    with ThreadPoolExecutor(2) as runs:
        first = runs.submit(adapter, client)
        until(lambda: list(client.operations()))
        second = runs.submit(adapter, client)
        request.getfixturevalue("trainer")
        assert first.result()[0] == second.result()[0]
    assert len(list(client.operations())) == 1


def test_another_model_has_another_adapter(client, trainer):
    """Weights fit only the model that they were trained for."""
    assert adapter(client, "one")[0] != adapter(client, "other")[0]


def test_a_fresh_start_leaves_nothing(client):
    """What still trains is stopped, and the use case goes with all that it had."""
    future = client.tune(CASE.id)
    demo._forget(client, CASE.id)
    with pytest.raises(NotFound):
        client.get_use_case(CASE.id)
    with pytest.raises(NotFound):
        client.operation(future.name)


def test_the_examples_are_where_the_demo_looks():
    """Both use cases can be read, and their sources tell what the demo shows."""
    for name in (demo.PACKAGES, demo.SETTINGS):
        case, source = read_use_case(demo.examples_folder() / name / "use-case.yaml"), demo.load_source(name)
        assert case.description
        assert source.ORIGIN
        assert Path(str(source.__file__)).parent.name == name


@dataclass
class Run:
    """A training run of four steps that has ended."""

    name: str = "operations/one"

    def progress(self) -> Iterator[execution_pb2.TuneMetadata]:
        for step in range(5):
            yield execution_pb2.TuneMetadata(step=step, total_steps=4, training_loss=1.0)

    def result(self) -> use_case_pb2.Adapter:
        return use_case_pb2.Adapter(name=self.name)


def test_progress_in_a_log_is_a_line_a_quarter_without_control_characters() -> None:
    """What is not a terminal gets plain lines."""
    output = io.StringIO()
    demo._follow(Console(file=output, width=100), Run())  # type: ignore[arg-type]
    assert [line.split(",")[0].strip() for line in output.getvalue().splitlines()[:4]] == [
        f"step {step} of 4" for step in (1, 2, 3, 4)
    ]
    assert "\x1b" not in output.getvalue()
