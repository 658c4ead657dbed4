"""Whatever clients do, and however often the server is killed: what was acknowledged is there, once, and nothing else.

`ADVISOR_SOAK_RUNS` sets how many histories are tried; each starts a server of its own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from google.longrunning import operations_pb2
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from advisor.client import Client
from advisor.client.calls import translated
from advisor.errors import AlreadyExists, Conflict, FailedPrecondition, NotFound, Unavailable
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import execution_service_pb2_grpc as execution_grpc
from advisor.v1 import trial_service_pb2 as trial_pb2
from advisor.v1 import trial_service_pb2_grpc as trial_grpc
from advisor.v1 import use_case_pb2
from advisor.v1 import use_case_service_pb2 as use_cases_pb2
from advisor.v1 import use_case_service_pb2_grpc as use_cases_grpc
from tests.rpc.server_process import ServerProcess, server_process

RUNS = int(os.environ.get("ADVISOR_SOAK_RUNS") or 1)
STEPS = 30
ENOUGH = 64
"""Examples that a trial can be run on, and an adapter trained."""

IDS = st.sampled_from(["red", "blue"])
SOURCES = st.sampled_from(["a.md", "b.md", "c.txt"])
TEXTS = st.sampled_from(["One two.", "Three four.", "# Five\n\nSix."])
DOCUMENTS = st.dictionaries(SOURCES, TEXTS, max_size=3)


@dataclass
class UseCase:
    """What there should be of a use case."""

    description: str
    documents: dict[str, str] = field(default_factory=dict)
    examples: int = 0
    held_out: int = 0


class Histories(RuleBasedStateMachine):
    """Histories of a server, told to it and to a model of it."""

    url: str
    folder: Path
    until: Callable[..., None]

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._use_cases: dict[str, UseCase] = {}
        self._operations: dict[str, tuple[str, str]] = {}
        """Target and state of each, by its name."""
        self._created: dict[str, tuple[str, str]] = {}
        """Of each request that created something: its id, and what it said."""

    @initialize()
    def begin(self) -> None:
        self._start()
        for each in self._client.use_cases():  # of the history before
            self._cancel_all()
            self._client.delete_use_case(each.name)
        for each in self._client.operations():
            each.delete()

    def teardown(self) -> None:
        self._stack.close()

    def _start(self) -> None:
        self._served: ServerProcess = self._stack.enter_context(
            server_process(self.url, self.folder, type(self).until)
        )
        self._client = self._stack.enter_context(Client(self._served.address))
        self._channel = self._stack.enter_context(grpc.insecure_channel(self._served.address))

    def _cancel_all(self) -> None:
        for each in self._client.operations("done = false"):
            each.cancel()

    # What clients do

    @rule(use_case=IDS, description=TEXTS)
    def create(self, use_case: str, description: str) -> None:
        request_id = str(uuid.uuid4())
        if use_case in self._use_cases:
            with pytest.raises(AlreadyExists):
                self._create(use_case, description, request_id)
            return
        self._create(use_case, description, request_id)
        self._use_cases[use_case] = UseCase(description)
        self._created[request_id] = (use_case, description)

    @precondition(lambda self: self._created)
    @rule(data=st.data())
    def create_again(self, data: st.DataObject) -> None:
        """The same request once more: it does nothing, and returns what it made, if that is there."""
        request_id = data.draw(st.sampled_from(sorted(self._created)))
        use_case, description = self._created[request_id]
        if use_case in self._use_cases:
            assert self._create(use_case, description, request_id).name == f"useCases/{use_case}"
        else:
            with pytest.raises(NotFound):
                self._create(use_case, description, request_id)

    @rule(use_case=IDS, description=TEXTS, stale=st.booleans())
    def update(self, use_case: str, description: str, *, stale: bool) -> None:
        if use_case not in self._use_cases:
            with pytest.raises(NotFound):
                self._client.update_use_case(use_case, description=description)
            return
        etag = "0" * 16 if stale else self._client.get_use_case(use_case).etag
        with pytest.raises(Conflict) if stale else contextlib.nullcontext():
            self._client.update_use_case(use_case, description=description, etag=etag)
            self._use_cases[use_case].description = description

    @rule(use_case=IDS, documents=DOCUMENTS, mirror=st.booleans())
    def import_documents(self, use_case: str, documents: dict[str, str], *, mirror: bool) -> None:
        if use_case not in self._use_cases:
            with pytest.raises(NotFound):
                self._import(use_case, documents, mirror=mirror)
            return
        self._import(use_case, documents, mirror=mirror)
        self._take(use_case, documents, mirror=mirror)

    @precondition(lambda self: self._use_cases)
    @rule(data=st.data(), documents=DOCUMENTS)
    def begin_an_import_and_leave(self, data: st.DataObject, documents: dict[str, str]) -> None:
        """Without its commit, nothing of it is kept."""
        use_case = data.draw(st.sampled_from(sorted(self._use_cases)))

        def messages() -> Iterator[use_cases_pb2.ImportDocumentsRequest]:
            header = use_cases_pb2.ImportHeader(use_case=f"useCases/{use_case}", mirror=True)
            yield use_cases_pb2.ImportDocumentsRequest(header=header)
            for each in _messages(documents):
                yield use_cases_pb2.ImportDocumentsRequest(document=each)

        with pytest.raises(grpc.RpcError):
            list(use_cases_grpc.UseCaseServiceStub(self._channel).ImportDocuments(messages()))

    @rule(use_case=IDS, number=st.sampled_from([3, ENOUGH]), held_out=st.sampled_from([0, 30]))
    def import_examples(self, use_case: str, number: int, held_out: int) -> None:
        pairs = [{"question": f"q{place}", "answer": f"a{place % 7}"} for place in range(number)]
        pairs += [
            {"question": f"h{place}", "answer": f"a{place % 7}", "held_out": True}
            for place in range(held_out)
        ]
        if use_case not in self._use_cases:
            with pytest.raises(NotFound):
                self._client.import_examples(use_case, pairs)
            return
        self._client.import_examples(use_case, pairs)
        known = self._use_cases[use_case]
        known.examples, known.held_out = max(known.examples, number), max(known.held_out, held_out)

    @rule(use_case=IDS)
    def delete(self, use_case: str) -> None:
        if use_case not in self._use_cases:
            with pytest.raises(NotFound):
                self._client.delete_use_case(use_case)
        elif any(self._is_active(name, use_case) for name in self._operations):
            with pytest.raises(FailedPrecondition):
                self._client.delete_use_case(use_case)
        else:
            self._client.delete_use_case(use_case)
            del self._use_cases[use_case]
            self._operations = {
                name: (target, state)
                for name, (target, state) in self._operations.items()
                if not target.startswith(f"useCases/{use_case}/")
            }

    @rule(use_case=IDS, kind=st.sampled_from(["adapters", "trials"]), twice=st.booleans())
    def begin_long_work(self, use_case: str, kind: str, *, twice: bool) -> None:
        """Once means once: the same request again is the same operation, and another one finds the name taken."""
        known = self._use_cases.get(use_case)
        request_id = str(uuid.uuid4())
        if known is None or known.examples < ENOUGH or (kind == "trials" and known.held_out == 0):
            with pytest.raises((NotFound, FailedPrecondition)):
                self._begin(use_case, kind, request_id)
            return
        target = f"useCases/{use_case}/{kind}/x"
        if any(found == target and state == "queued" for found, state in self._operations.values()):
            with pytest.raises(AlreadyExists):
                self._begin(use_case, kind, request_id)
            return
        operation = self._begin(use_case, kind, request_id)
        if twice:
            assert self._begin(use_case, kind, request_id).name == operation.name
        self._operations[operation.name] = (target, "queued")

    @precondition(lambda self: self._operations)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self._operations)))
        self._client.operation(name).cancel()
        self._operations[name] = (self._operations[name][0], "cancelled")

    @rule(use_case=IDS)
    def recommend(self, use_case: str) -> None:
        if use_case in self._use_cases:
            assert self._client.recommend(use_case).summary
        else:
            with pytest.raises(NotFound):
                self._client.recommend(use_case)

    # What happens to the server

    @rule()
    def kill(self) -> None:
        self._served.process.kill()
        self._served.process.wait()
        self._start()

    @precondition(lambda self: self._use_cases)
    @rule(data=st.data(), documents=DOCUMENTS, after_ms=st.integers(0, 60))
    def kill_during_an_import(self, data: st.DataObject, documents: dict[str, str], after_ms: int) -> None:
        """It is there whole, which it has to be where it was acknowledged, or not at all."""
        use_case = data.draw(st.sampled_from(sorted(self._use_cases)))
        acknowledged = []

        def work() -> None:
            with contextlib.suppress(Unavailable):
                self._import(use_case, documents, mirror=True)
                acknowledged.append(True)

        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(after_ms / 1000)
        self.kill()
        thread.join()
        before = dict(self._use_cases[use_case].documents)
        self._take(use_case, documents, mirror=True)
        if not acknowledged and self._stored(use_case) != documents:
            self._use_cases[use_case].documents = before

    # What must hold

    @invariant()
    def what_was_acknowledged_is_there(self) -> None:
        if not hasattr(self, "_served"):
            return
        found = {each.name.removeprefix("useCases/"): each for each in self._client.use_cases()}
        assert found.keys() == self._use_cases.keys()
        for use_case, known in self._use_cases.items():
            seen = found[use_case]
            assert (seen.description, seen.example_count, seen.held_out_count) == (
                known.description,
                known.examples,
                known.held_out,
            )
            assert seen.document_count == len(known.documents)
            assert self._stored(use_case) == known.documents
        operations = {each.name: (each.target, str(each.state)) for each in self._client.operations()}
        assert operations == self._operations

    # How it is told

    def _create(self, use_case: str, description: str, request_id: str) -> use_case_pb2.UseCase:
        request = use_cases_pb2.CreateUseCaseRequest(
            use_case_id=use_case,
            use_case=use_case_pb2.UseCase(description=description),
            request_id=request_id,
        )
        with translated():
            return use_cases_grpc.UseCaseServiceStub(self._channel).CreateUseCase(request)

    def _begin(self, use_case: str, kind: str, request_id: str) -> operations_pb2.Operation:
        parent = f"useCases/{use_case}"
        if kind == "adapters":
            tune = execution_pb2.TuneRequest(parent=parent, adapter_id="x", request_id=request_id)
            with translated():
                return execution_grpc.ExecutionServiceStub(self._channel).Tune(tune)
        trial = trial_pb2.RunTrialRequest(parent=parent, trial_id="x", request_id=request_id)
        with translated():
            return trial_grpc.TrialServiceStub(self._channel).RunTrial(trial)

    def _import(self, use_case: str, documents: dict[str, str], *, mirror: bool) -> None:
        self._client.import_documents(use_case, _messages(documents), mirror=mirror)

    def _take(self, use_case: str, documents: dict[str, str], *, mirror: bool) -> None:
        known = self._use_cases[use_case]
        known.documents = dict(documents) if mirror else {**known.documents, **documents}

    def _stored(self, use_case: str) -> dict[str, str]:
        return {
            each.source: self._client.get_document(each.name).content.decode()
            for each in self._client.documents(use_case)
        }

    def _is_active(self, name: str, use_case: str) -> bool:
        target, state = self._operations[name]
        return state == "queued" and target.startswith(f"useCases/{use_case}/")


def _messages(documents: dict[str, str]) -> list[use_case_pb2.Document]:
    return [use_case_pb2.Document(source=source, content=text.encode()) for source, text in documents.items()]


@pytest.mark.timeout(3600)
def test_any_history(empty_database_url: str, tmp_path: Path, until: Callable[..., None]) -> None:
    """Imports, commits, kills, restarts, long work, cancellations, and requests sent again."""
    folder = Path(tempfile.mkdtemp(dir=tmp_path))

    class Here(Histories):
        url = empty_database_url

    Here.folder, Here.until = folder, staticmethod(until)
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    shutil.rmtree(folder)
