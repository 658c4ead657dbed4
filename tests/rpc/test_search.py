"""Search finds passages as RAG does, and says how well each fits."""

from __future__ import annotations

import grpc
import pytest

from advisor.client import Client
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import execution_service_pb2_grpc as execution_grpc
from advisor.v1 import recommendation_pb2 as pb
from advisor.v1 import use_case_pb2

PAGE = "<title>Limits</title><h2 id='most'>Most</h2><p>The setting max_connections limits clients.</p>"


@pytest.fixture
def stub(channel: grpc.Channel) -> execution_grpc.ExecutionServiceStub:
    return execution_grpc.ExecutionServiceStub(channel)


@pytest.fixture
def faq(server) -> None:
    """Store a use case with two documents, and another with one."""
    with Client(server.address) as client:
        for use_case, page in (("faq", PAGE), ("other", PAGE.replace("clients", "secrets"))):
            client.create_use_case(use_case)
            pages = [("limits.html", page), ("b.txt", f"Text of {use_case} on other matters.")]
            documents = [use_case_pb2.Document(source=name, content=text.encode()) for name, text in pages]
            client.import_documents(use_case, documents)


def test_passages_are_found_with_scores_and_places(stub, faq):
    """The best is first, numbered from 1, and a person can find it in its document."""
    request = execution_pb2.SearchRequest(use_case="useCases/faq", question="What is max_connections?")
    found = stub.Search(request).references
    assert [each.number for each in found] == [1, 2]
    best = found[0]
    assert (best.source, best.place, best.heading) == ("limits.html", "#most", "Limits")
    assert best.score > found[1].score
    assert best.word_score > 1
    assert 0 < best.similarity <= 1
    assert "clients" in best.text


def test_the_limit_is_kept(stub, faq):
    """No more passages come than were asked for."""
    request = execution_pb2.SearchRequest(use_case="useCases/faq", question="text", limit=1)
    assert len(stub.Search(request).references) == 1


def test_other_use_cases_are_not_seen(stub, faq):
    """Neither their passages nor their words count."""
    request = execution_pb2.SearchRequest(use_case="useCases/faq", question="secrets of other")
    found = stub.Search(request).references
    assert not any("secrets" in each.text or "of other on" in each.text for each in found)


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("source = limits.html", ["limits.html"]),
        ("source != limits.html", ["b.txt"]),
        ("source = '*.txt'", ["b.txt"]),
        ("source = '*'", ["b.txt", "limits.html"]),
        ("source = '%'", []),
        ("media_type = text/html", ["limits.html"]),
        ("media_type != text/html AND source = 'b*'", ["b.txt"]),
        ("media_type = text/html AND source = 'b*'", []),
    ],
)
def test_a_filter_lets_through_some_documents(stub, faq, text, sources):
    """By source and media type, whatever the question; nothing of another use case comes in."""
    request = execution_pb2.SearchRequest(
        use_case="useCases/faq", question="max_connections, secrets of other matters", filter=text
    )
    found = stub.Search(request).references
    assert sorted(each.source for each in found) == sources
    assert not any("secrets" in each.text or "of other on" in each.text for each in found)


def test_an_answer_reads_what_its_filter_lets_through(stub, faq):
    """Its references are of those documents; without any there is no evidence."""

    def read(text: str) -> list[str]:
        request = execution_pb2.AnswerRequest(use_case="useCases/faq", question="What is max_connections?")
        request.approach = pb.APPROACH_RAG
        request.options.filter = text
        events = list(stub.Answer(request))
        if not any(event.HasField("references") for event in events):
            assert events[-1].summary.finish_reason == execution_pb2.AnswerSummary.FINISH_REASON_NO_EVIDENCE
        return [each.source for event in events for each in event.references.references]

    assert "limits.html" in read("")
    assert read("media_type = text/html") == ["limits.html"]
    assert read("source = none") == []


def test_a_filter_is_not_passed_over(stub, faq, failure):
    """An approach that reads no passages would answer from all that it knows."""
    request = execution_pb2.AnswerRequest(
        use_case="useCases/faq", question="q", approach=pb.APPROACH_PROMPTING
    )
    request.options.filter = "source = limits.html"
    found = failure(lambda: list(stub.Answer(request)))
    assert (found.code, found.fields) == ("INVALID_ARGUMENT", ("options.filter",))
    assert "PROMPTING would answer; ask for RAG" in found.message
    request.options.filter = "source > a"
    found = failure(lambda: list(stub.Answer(request)))
    assert (found.code, found.fields) == ("INVALID_ARGUMENT", ("options.filter",))


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"use_case": "faq", "question": "q"}, "use_case", "useCases/"),
        ({"use_case": "useCases/faq", "question": " "}, "question", "is empty"),
        ({"use_case": "useCases/faq", "question": "q" * 9_000}, "question", "at most 8,000"),
        ({"use_case": "useCases/faq", "question": "q", "limit": 101}, "limit", "1 to 100"),
        ({"use_case": "useCases/faq", "question": "q", "limit": -1}, "limit", "1 to 100"),
        ({"use_case": "useCases/faq", "question": "q", "filter": "path = a"}, "filter", "source, media_type"),
        (
            {"use_case": "useCases/faq", "question": "q", "filter": "media_type = x"},
            "filter",
            "or text/html or",
        ),
    ],
)
def test_wrong_requests_are_refused(stub, failure, fields, field, says):
    """The field at fault is named, with what is allowed."""
    found = failure(lambda: stub.Search(execution_pb2.SearchRequest(**fields)))
    assert (found.code, found.fields) == ("INVALID_ARGUMENT", (field,))
    assert says in found.message


def test_a_use_case_without_documents_is_refused(stub, server, failure):
    """There is nothing to search, and the next step is named; an unknown use case is not found."""
    with Client(server.address) as client:
        client.create_use_case("empty")
    request = execution_pb2.SearchRequest(use_case="useCases/empty", question="q")
    found = failure(lambda: stub.Search(request))
    assert (found.code, found.reason) == ("FAILED_PRECONDITION", "NO_DOCUMENTS")
    assert "ImportDocuments" in found.message
    request.use_case = "useCases/none"
    assert failure(lambda: stub.Search(request)).code == "NOT_FOUND"
