"""Long work of a kind that only the table knows, from the queue to the client."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import grpc
import pytest
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf.duration_pb2 import Duration

from advisor.client import Client, OperationFuture
from advisor.errors import AlreadyExists, FailedPrecondition, Unavailable
from advisor.names import use_case_name
from advisor.rpc import operations as operations_module
from advisor.rpc.endings import Endings
from advisor.rpc.lanes import Lane
from advisor.storage import leases
from advisor.storage.operations import Operation
from advisor.v1 import use_case_service_pb2 as use_cases_pb2
from advisor.work.jobs import Job, Outcome
from advisor.work.kinds import KINDS, Kind
from advisor.work.submission import WorkQueue
from advisor.work.worker import perform


@dataclass(frozen=True)
class CountJob:
    """Counts two piles, a step each."""

    kind: ClassVar[str] = "COUNT"

    use_case_id: str
    piles: tuple[int, int]

    @property
    def target(self) -> str:
        return use_case_name(self.use_case_id)

    def to_payload(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> CountJob:
        return cls(payload["use_case_id"], tuple(payload["piles"]))


def check_piles(asked: CountJob, *_: object) -> None:
    if min(asked.piles) < 0:
        raise FailedPrecondition("NO_PILE", "a pile is missing; make one")


def count(job: Job) -> Outcome:
    first, second = CountJob.from_payload(job.operation.payload).piles
    job.report({"stage": "PREPARING", "step": 1, "total_steps": 2, "unknown": "left out"})
    one = job.step("first", lambda: Outcome({"n": first}))
    other = job.step("second", lambda: Outcome({"n": second}))
    return Outcome({"imported": one["n"], "unchanged": other["n"]})


@pytest.fixture
def client(server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """Yield a client of a server that knows one kind more."""
    kind = Kind(
        request=CountJob,
        check=check_piles,
        taken=lambda *_: False,
        run=count,
        read=None,
        metadata="advisor.v1.TuneMetadata",
        response="advisor.v1.ImportExamplesResponse",
    )
    monkeypatch.setitem(KINDS, "COUNT", kind)  # type: ignore[arg-type]
    with Client(server.address) as client:
        client.create_use_case("faq")
        yield client


def submit(server, *piles: int) -> Operation:
    return WorkQueue(server.database, None, limit=9).submit(CountJob("faq", piles))  # type: ignore[arg-type]


def do_next(server) -> None:
    claimed = leases.claim(server.database, "w", list(KINDS))
    assert claimed is not None
    perform(server.database, server.settings, KINDS[claimed.kind].run, claimed, threading.Event())


def test_one_entry_makes_a_kind(client, server):
    """It is checked, queued, done, followed and returned, with no line of its own anywhere else."""
    future: OperationFuture[use_cases_pb2.ImportExamplesResponse] = client.operation(
        submit(server, 3, 4).name
    )
    assert (future.state, future.target) == ("queued", "useCases/faq")
    do_next(server)
    assert future.result(timeout=10) == use_cases_pb2.ImportExamplesResponse(imported=3, unchanged=4)
    assert (future.state, future.metadata.step, future.metadata.total_steps) == ("done", 1, 2)


def test_what_cannot_begin_is_not_queued(client, server):
    """The kind's own check comes first, then what is in the making."""
    with pytest.raises(FailedPrecondition, match="make one"):
        submit(server, -1, 1)
    assert list(client.operations()) == []
    making = submit(server, 1, 1)
    with pytest.raises(AlreadyExists, match=f"being made by {making.name}"):
        submit(server, 2, 2)


@pytest.mark.parametrize(
    "timeout", [Duration(seconds=-1), Duration(seconds=1, nanos=-1), Duration(seconds=2**62)], ids=str
)
def test_waits_that_cannot_be(client, channel, failure, server, timeout):
    """A time below zero, or one that is no time, is refused."""
    request = operations_pb2.WaitOperationRequest(name=submit(server, 1, 1).name, timeout=timeout)
    found = failure(lambda: operations_pb2_grpc.OperationsStub(channel).WaitOperation(request))
    assert (found.code, found.fields) == ("INVALID_ARGUMENT", ("timeout",))


def test_waiting_ends_with_the_operation(client, channel, server):
    """Each call that waits is told within a moment, and one whose time is up how far it is."""
    stub = operations_pb2_grpc.OperationsStub(channel)
    name = submit(server, 1, 1).name
    short = operations_pb2.WaitOperationRequest(name=name, timeout=Duration(nanos=1))
    assert not stub.WaitOperation(short).done
    request = operations_pb2.WaitOperationRequest(name=name)
    waiting = [stub.WaitOperation.future(request, timeout=60) for _ in range(3)]
    with pytest.raises(grpc.FutureTimeoutError):
        waiting[0].result(timeout=0.5)
    do_next(server)
    assert [each.result().done for each in waiting] == [True] * 3
    assert stub.WaitOperation(request).done


def test_only_so_many_calls_wait(server, failure, monkeypatch, session_parts, run_server):
    """They take places of the server's, which others need."""
    monkeypatch.setattr(operations_module, "WAITS", 1)
    with (
        run_server(session_parts) as address,
        Client(address) as client,
        grpc.insecure_channel(address) as channel,
    ):
        client.create_use_case("faq")
        client.import_examples("faq", [{"question": f"q{number}", "answer": "a"} for number in range(64)])
        asked = client.tune("faq")
        stub = operations_pb2_grpc.OperationsStub(channel)
        request = operations_pb2.WaitOperationRequest(name=asked.name)
        first = stub.WaitOperation.future(request)
        with pytest.raises(grpc.FutureTimeoutError):
            first.result(timeout=0.5)
        found = failure(lambda: stub.WaitOperation(request))
        asked.cancel()
        assert first.result().done
    assert (found.code, found.reason) == ("UNAVAILABLE", "OVERLOADED")


async def test_without_a_database_nobody_waits(server):
    """The calls end with what is wrong, and later ones wait again."""

    class Broken:
        def transaction(self):
            raise Unavailable("DATABASE", "the database is away", retry_s=1)

    lane = Lane("tests", running=1, waiting=1)
    endings = Endings(Broken(), lane)
    with pytest.raises(Unavailable, match="away"):
        await endings.wait("x", 60)
    endings._database = server.database
    await endings.wait("x", 60)
    lane.close()


def test_lists_are_filtered(client, channel, server, failure):
    """The filter reaches the list; of every field at fault the name is told."""
    name = submit(server, 1, 1).name
    stub = operations_pb2_grpc.OperationsStub(channel)

    def found(text: str) -> list[str]:
        request = operations_pb2.ListOperationsRequest(filter=text)
        return [each.name for each in stub.ListOperations(request).operations]

    assert found("kind = count AND done = false") == [name]
    assert found("kind = tune") == []
    wrong = operations_pb2.ListOperationsRequest(name="projects/1", filter="kind = x", page_size=-1)
    assert failure(lambda: stub.ListOperations(wrong)).fields == ("name", "filter", "page_size")
    if "return_partial_success" in operations_pb2.ListOperationsRequest.DESCRIPTOR.fields_by_name:
        partial = operations_pb2.ListOperationsRequest(return_partial_success=True)
        assert failure(lambda: stub.ListOperations(partial)).code == "UNIMPLEMENTED"
