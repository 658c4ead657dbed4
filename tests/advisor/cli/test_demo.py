"""The demo's way with adapters: reuse what was trained, join what is in the making, else train."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from google.longrunning import operations_pb2
from rich.console import Console

from advisor import names
from advisor.cli import demo
from advisor.errors import AlreadyExists, NotFound
from advisor.knowledge.usecasefile import UseCaseFile
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import facts_pb2, use_case_pb2
from advisor.v1 import use_case_service_pb2 as use_cases_pb2
from backends.base import Example

CASE = UseCaseFile("settings", "Name the group.", facts_pb2.Facts(), (), None)
EXAMPLES = [Example("a: b", "c")]


@dataclass
class FakeFuture:
    name: str
    target: str = ""
    cancelled: bool = False
    operation: operations_pb2.Operation = field(default_factory=operations_pb2.Operation)
    stage: str = "training"

    def progress(self) -> Iterator[execution_pb2.TuneMetadata]:
        for step in range(5):
            yield execution_pb2.TuneMetadata(step=step, total_steps=4, training_loss=1.0)

    def result(self) -> use_case_pb2.Adapter:
        return use_case_pb2.Adapter(name=self.name)

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class FakeClient:
    """Knows the adapters it has, those in the making, and what it was asked to do."""

    trained: bool = False
    in_the_making: bool = False
    calls: list[str] = field(default_factory=list)
    stored: set[str] = field(default_factory=set)
    futures: list[FakeFuture] = field(default_factory=list)

    def get_adapter(self, name: str) -> use_case_pb2.Adapter:
        if not self.trained:
            raise NotFound(name)
        return use_case_pb2.Adapter(name=name)

    def tune(self, use_case: str, *, adapter_id: str, **settings: Any) -> FakeFuture:
        if self.in_the_making:
            raise AlreadyExists(names.adapter_name(use_case, adapter_id), operation="operations/old")
        self.calls.append(f"tune {sorted(settings)}")
        return FakeFuture("operations/new")

    def operations(self) -> Iterator[FakeFuture]:
        for target in (adapter_name(), names.adapter_name("other", "a")):
            self.futures.append(FakeFuture("operations/old", target))
            yield self.futures[-1]

    def operation(self, name: str) -> FakeFuture:
        self.calls.append(f"join {name}")
        return FakeFuture(name)

    def import_examples(self, use_case: str, examples: list[Example]) -> use_cases_pb2.ImportExamplesResponse:
        self.stored |= {each.question for each in examples}
        return use_cases_pb2.ImportExamplesResponse(imported=len(examples))

    def get_use_case(self, use_case: str) -> use_case_pb2.UseCase:
        return use_case_pb2.UseCase(example_count=len(self.stored))

    def create_use_case(self, use_case: str, **_: Any) -> None:
        self.calls.append(f"create {use_case}")

    def delete_use_case(self, use_case: str) -> None:
        self.calls.append(f"delete {use_case}")
        self.stored.clear()


def adapter_name(client: FakeClient | None = None, generator: str = "model") -> str:
    console = Console(file=io.StringIO())
    return demo._adapter(console, client or FakeClient(trained=True), CASE, EXAMPLES, generator)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("client", "calls"),
    [
        (FakeClient(trained=True), []),
        (FakeClient(), ["tune ['batch_size', 'epochs', 'learning_rate']"]),
        (FakeClient(in_the_making=True), ["join operations/old"]),
    ],
    ids=["used again", "trained", "joined"],
)
def test_an_adapter_is_trained_only_where_there_is_none(client: FakeClient, calls: list[str]) -> None:
    """The same data and settings have one adapter, however often the demo runs or is cut short."""
    assert adapter_name(client) == adapter_name()
    assert client.calls == calls


def test_another_model_has_another_adapter() -> None:
    """Weights fit only the model that they were trained for."""
    assert adapter_name(generator="one") != adapter_name(generator="other")


def test_a_fresh_start_stops_what_still_trains_before_it_deletes() -> None:
    """A use case cannot be deleted while an operation on it runs."""
    client = FakeClient()
    demo._forget(client, CASE.id)  # type: ignore[arg-type]
    assert client.calls == ["delete settings"]
    assert [each.cancelled for each in client.futures] == [True, False]


@pytest.mark.parametrize(("before", "started_again"), [(set(), False), ({"a: b"}, False), ({"old"}, True)])
def test_rows_of_an_earlier_version_are_not_trained_on(before: set[str], *, started_again: bool) -> None:
    """One of them may be held out now, so the use case gets exactly the examples of this version."""
    client = FakeClient(stored=set(before))
    demo._import_examples(client, CASE.id, "", CASE, EXAMPLES)  # type: ignore[arg-type]
    assert client.stored == {"a: b"}
    assert ("delete settings" in client.calls) is started_again


def test_progress_in_a_log_is_a_line_a_quarter_without_control_characters() -> None:
    """What is not a terminal gets plain lines."""
    output = io.StringIO()
    demo._follow(Console(file=output, width=100), FakeFuture("operations/new"))  # type: ignore[arg-type]
    assert [line.split(",")[0].strip() for line in output.getvalue().splitlines()[:4]] == [
        f"step {step} of 4" for step in (1, 2, 3, 4)
    ]
    assert "\x1b" not in output.getvalue()
