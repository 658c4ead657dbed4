"""The client in Python, against a real server."""

from __future__ import annotations

import os
import shutil
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest

from advisor import errors
from advisor.client import CallFailed, Client, OperationState
from advisor.storage import adapters, leases, records
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import recommendation_pb2, use_case_pb2
from backends.base import DocumentError, Example, Exchange

EXAMPLES = [{"question": f"q{number}", "answer": "a"} for number in range(64)]


@pytest.fixture
def client(server) -> Iterator[Client]:
    with Client(server.address) as client:
        yield client


def test_recommends_by_plain_values(client):
    """Facts are given as in a use-case file."""
    found = client.recommend({"update_interval": "1d"})
    assert found.approach == recommendation_pb2.APPROACH_RAG
    assert not client.recommend({"update_interval": "1d"}, basic=True).evidence


def test_unknown_facts_are_refused_before_the_call(client):
    """A name that is no fact comes with the nearest that is."""
    with pytest.raises(errors.InvalidInput, match="update_interval"):
        client.recommend({"update_intervall": "1d"})


def test_errors_come_as_the_server_raised_them(client):
    """Errors have their class, reason and fields."""
    with pytest.raises(errors.NotFound) as missing:
        client.recommend("none")
    assert missing.value.resource == "useCases/none"
    with pytest.raises(errors.InvalidInput) as invalid:
        client.get_use_case("Not Valid")
    assert [each.field for each in invalid.value.violations] == ["name"]


def test_many_at_once(client):
    """Many decisions come in order."""
    results = client.recommend_many([{"update_interval": "1d"}, "none"])
    assert [result.WhichOneof("result") for result in results] == ["recommendation", "error"]


def test_lists_go_on_over_pages(client, rules_advisor):
    """Iterating asks for further pages by itself."""
    assert [rule.id for rule in client.rules()] == [rule.id for rule in rules_advisor.knowledge.rules]
    for number in range(60):
        client.create_use_case(f"u{number:02}")
    assert len({each.name for each in client.use_cases()}) == 60


def test_use_cases(client):
    """Created, changed, read and deleted."""
    created = client.create_use_case("faq", description="old", facts={"needs_citations": True})
    changed = client.update_use_case("faq", description="new", facts={"update_interval": "7d"})
    assert (changed.description, changed.facts.needs_citations) == ("new", True)
    assert client.get_use_case(created.name) == changed
    client.delete_use_case("faq")
    with pytest.raises(errors.NotFound):
        client.get_use_case("faq")


def test_documents_from_files_and_memory(client, tmp_path):
    """Paths are read, documents are sent as they are, large ones in chunks."""
    (tmp_path / "a.md").write_text("# A\n\nText.")
    client.create_use_case("faq")
    large = use_case_pb2.Document(source="b.txt", content=b"word " * 250_000)
    result = client.import_documents("faq", [tmp_path / "a.md", large])
    assert result.imported == 2
    assert [each.size_bytes for each in client.documents("faq")] == [10, 1_250_000]


def test_files_that_cannot_be_read(client, tmp_path):
    """A missing file is told before anything is sent."""
    client.create_use_case("faq")
    with pytest.raises(FileNotFoundError):
        client.import_documents("faq", [tmp_path / "none.md"])


def test_a_file_larger_than_any_document_is_not_read(client, tmp_path):
    """A gigabyte is refused by its size, before anything is sent."""
    client.create_use_case("faq")
    (tmp_path / "a.txt").write_text("text")
    os.truncate(shutil.copy(tmp_path / "a.txt", tmp_path / "large.txt"), 1024**3)
    with pytest.raises(
        DocumentError, match=r"large\.txt: 1,073,741,824 bytes are more than the 16,777,216 allowed"
    ):
        client.import_documents("faq", sorted(tmp_path.iterdir()))
    assert list(client.documents("faq")) == []


def test_a_file_that_breaks_off_while_it_is_sent(client, caplog):
    """The error comes to the caller, nothing is stored, and the next import is not held up."""
    client.create_use_case("faq")
    first = use_case_pb2.Document(source="a.txt", content=b"text")
    with pytest.raises(OSError, match="Input/output error"):
        client.import_documents("faq", [first, Path("/proc/self/mem")])
    assert list(client.documents("faq")) == []
    assert client.import_documents("faq", [first]).imported == 1
    assert "Exception iterating requests" not in caplog.text


def test_an_archive_stands_for_the_documents_in_it(client, tmp_path):
    """Under its name and theirs; what is no document is left out."""
    client.create_use_case("faq")
    with zipfile.ZipFile(tmp_path / "guide.zip", "w") as archive:
        for name in ("in/page.html", "a.md", "logo.png"):
            archive.writestr(name, "<p>text" * 200_000)
    assert client.import_documents("faq", [tmp_path / "guide.zip"], root=tmp_path).imported == 2
    sources = [each.source for each in client.documents("faq")]
    assert sources == ["guide.zip/a.md", "guide.zip/in/page.html"]


def test_an_archive_that_is_none(client, tmp_path):
    """It is named, and an archive without documents is as good as none."""
    client.create_use_case("faq")
    (tmp_path / "a.zip").write_bytes(b"PK")
    with pytest.raises(DocumentError, match=r"a\.zip: it is not a \.zip that can be read"):
        client.import_documents("faq", [tmp_path / "a.zip"])
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("logo.png", "x")
    with pytest.raises(errors.InvalidInput, match="none are given"):
        client.import_documents("faq", [tmp_path / "b.zip"])


def test_examples(client):
    """Examples are mappings or values."""
    client.create_use_case("faq")
    assert client.import_examples("faq", [*EXAMPLES, Example("x", "y", "z")]).imported == 65


def test_answers_stream(client):
    """Events come one by one, and what was said is kept."""
    answer = client.answer({}, "one two", approach="PROMPTING", max_output_tokens=8)
    kinds = [type(event).__name__ for event in answer]
    assert kinds == ["Recommendation", "Token", "Token", "AnswerSummary"]
    assert answer.text == "one two "
    assert answer.summary.output_tokens == 2
    assert answer.recommendation is not None


@pytest.mark.parametrize(
    "exchange",
    [{"question": "q", "answer": "a"}, Exchange("q", "a"), execution_pb2.Exchange(question="q", answer="a")],
)
def test_history_goes_along(client, server, exchange):
    """As mappings, values or messages."""
    assert client.answer({}, "one", approach="PROMPTING", history=[exchange]).text == "one "
    chat, _ = server.generator.asked[-1]
    assert [message.content for message in chat[1:]] == ["q", "a", "one"]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"labels": ["yes", "no"]}, "yes"),
        ({"output_schema": {"enum": [{"a": 1}]}}, '{"a": 1}'),
        ({"output_schema": '{"enum": [2]}'}, "2"),
    ],
)
def test_answers_in_a_form(client, form, expected):
    """A schema may be given as JSON or as what it holds."""
    assert client.answer({}, "one", approach="PROMPTING", **form).text == expected


def test_unsupported_sentences(client, server, monkeypatch):
    """They are told by their bytes, or left out where that is asked for."""
    client.create_use_case("faq")
    client.import_documents(
        "faq", [use_case_pb2.Document(source="a.md", content=b"The default is 100 clients.")]
    )
    monkeypatch.setattr(server.generator, "_reply", lambda _: "The default is 100 clients. Or 7.")
    flagged = client.answer("faq", "What is the default?", approach="RAG")
    assert flagged.text == "The default is 100 clients [1]. Or 7."
    (told,) = flagged.summary.unsupported
    assert (flagged.text[told.start_byte : told.end_byte], list(told.missing)) == ("Or 7.", ["7"])
    kept = client.answer("faq", "What is the default?", approach="RAG", unsupported="LEAVE_OUT")
    assert kept.text == "The default is 100 clients [1]."
    with pytest.raises(errors.InvalidInput, match="give FLAG or LEAVE_OUT"):
        client.answer("faq", "What?", unsupported="DROP")


def test_leaving_an_answer_stops_it(client, server):
    """An answer that is not read to its end is cancelled by its context."""
    with client.answer({}, "forever", approach="PROMPTING") as answer:
        for event in answer:
            if isinstance(event, execution_pb2.Token):
                break
    assert server.generator.stopped.wait(5)


def test_deadlines(client):
    """A deadline that passes is a failed call with its code."""
    with pytest.raises(CallFailed) as caught:
        _ = client.answer({}, "forever", approach="PROMPTING", timeout_s=0.3).text
    assert caught.value.code == "DEADLINE_EXCEEDED"


def test_tuning_is_a_future(client, server):
    """A training run tells how far it is, and ends with the adapter."""
    client.create_use_case("faq")
    client.import_examples("faq", EXAMPLES)
    future = client.tune("faq", adapter_id="a", epochs=2)
    with pytest.raises(TimeoutError, match="goes on"):
        future.result(timeout=0.05)
    assert not future.done()
    worker = threading.Thread(target=finish, args=(server,))
    stages = []
    for metadata in future.progress():
        stages.append(execution_pb2.TuneMetadata.Stage.Name(metadata.stage))
        if len(stages) == 1:
            worker.start()
    worker.join()
    assert (stages[0], stages[-1]) == ("STAGE_QUEUED", "STAGE_DONE")
    assert future.result().name == "useCases/faq/adapters/a"
    assert client.operation(future.name).result() == future.result()
    assert [each.name for each in client.adapters("faq")] == ["useCases/faq/adapters/a"]


def finish(server) -> None:
    """Do what a worker does with a tuning run, less the training."""
    claimed = leases.claim(server.database, "w", ["TUNE"])
    assert claimed is not None
    adapter = records.Adapter(
        "faq", "a", "FINE_TUNING", "echo", "", claimed.payload["settings"], {}, "f", datetime.now(UTC)
    )
    with server.database.transaction() as connection:
        adapters.insert(connection, adapter)
        leases.succeed(connection, leases.Lease(claimed.id, "w", claimed.attempt), {})


def test_cancelled_tuning(client):
    """A cancelled run ends with CANCELLED."""
    client.create_use_case("faq")
    client.import_examples("faq", EXAMPLES)
    future = client.tune("faq")
    future.cancel()
    with pytest.raises(CallFailed) as caught:
        future.result(timeout=10)
    assert (caught.value.code, caught.value.reason) == ("CANCELLED", "OPERATION_CANCELLED")
    assert [each.name for each in client.operations()] == [future.name]


def test_failed_work(client, server):
    """What failed raises the error of the work."""
    client.create_use_case("faq")
    client.import_examples("faq", EXAMPLES)
    future = client.tune("faq")
    claimed = leases.claim(server.database, "w", ["TUNE"])
    with server.database.transaction() as connection:
        failure = errors.Failure("RESOURCE_EXHAUSTED", "DISK_FULL", "the disk is full")
        leases.fail(connection, leases.Lease(claimed.id, "w", claimed.attempt), failure)
    with pytest.raises(errors.ResourceExhausted, match="the disk is full") as caught:
        future.result(timeout=10)
    assert caught.value.reason == "DISK_FULL"


def test_what_is_in_the_making_is_joined(client):
    """The error names the operation, by which another client waits for it."""
    client.create_use_case("faq")
    client.import_examples("faq", EXAMPLES)
    future = client.tune("faq", adapter_id="a")
    with pytest.raises(errors.AlreadyExists, match="is being made by") as caught:
        client.tune("faq", adapter_id="a")
    assert client.operation(caught.value.operation).name == future.name


def test_long_work_is_listed_whatever_its_kind(client, server):
    """Each operation has its kind, its state and what it makes."""
    client.create_use_case("faq")
    client.import_examples("faq", EXAMPLES)
    cancelled, running, queued = (client.tune("faq", adapter_id=name) for name in "abc")
    cancelled.cancel()
    leases.claim(server.database, "w", ["TUNE"])
    assert [(each.name, each.kind, each.state, each.target) for each in client.operations()] == [
        (queued.name, "tune", OperationState.QUEUED, "useCases/faq/adapters/c"),
        (running.name, "tune", OperationState.RUNNING, "useCases/faq/adapters/b"),
        (cancelled.name, "tune", OperationState.CANCELLED, "useCases/faq/adapters/a"),
    ]


def test_no_server():
    """Where nothing listens, the error says so and when to try again."""
    with Client("127.0.0.1:1") as client, pytest.raises(errors.Unavailable) as caught:
        client.recommend({})
    assert caught.value.reason == "UNREACHABLE"


def test_unavailable_is_tried_again(server):
    """GRPC itself repeats calls that failed with UNAVAILABLE, by the service config."""
    calls = []

    class Flaky(grpc.GenericRpcHandler):
        def service(self, details):
            return grpc.unary_unary_rpc_method_handler(self.call)

        def call(self, request, context):
            calls.append(request)
            if len(calls) < 3:
                context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
            return b""

    with ThreadPoolExecutor(2) as threads:
        flaky = grpc.server(threads, handlers=[Flaky()])
        port = flaky.add_insecure_port("127.0.0.1:0")
        flaky.start()
        with Client(f"127.0.0.1:{port}") as client:
            client.recommend({})
        flaky.stop(0).wait()
    assert len(calls) == 3


def test_an_import_of_nothing_is_a_mistake(client):
    """As by a pattern that matches no file; to mirror nothing is to empty the use case."""
    client.create_use_case("faq")
    with pytest.raises(errors.InvalidInput, match="none are given"):
        client.import_documents("faq", Path("nowhere").glob("*.md"))
    client.import_documents("faq", [use_case_pb2.Document(source="a.txt", content=b"Text.")])
    assert client.import_documents("faq", [], mirror=True).deleted == 1


def test_a_use_case_may_exist(client):
    """What is given is taken over, the rest stays."""
    client.create_use_case("faq", description="First.", facts={"needs_citations": True})
    assert client.create_use_case("faq", exist_ok=True).description == "First."
    changed = client.create_use_case("faq", facts={"can_train": True}, exist_ok=True)
    assert changed.description == "First."
    assert not changed.facts.HasField("needs_citations")
    with pytest.raises(errors.AlreadyExists):
        client.create_use_case("faq")
