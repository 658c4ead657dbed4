"""Use cases, documents and examples over the wire."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Iterable, Iterator
from functools import partial

import grpc
import pytest
from google.protobuf import field_mask_pb2

from advisor.storage import imports
from advisor.v1 import facts_pb2, use_case_pb2
from advisor.v1 import use_case_service_pb2 as service_pb2
from advisor.v1 import use_case_service_pb2_grpc as service_grpc

MIB = 1024 * 1024
MIRROR = service_pb2.ImportHeader(use_case="useCases/faq", mirror=True)
STRICT = service_pb2.ImportHeader(use_case="useCases/faq", strict=True)
HEADER = service_pb2.ImportHeader(use_case="useCases/faq")


def document(source: str, text: str) -> use_case_pb2.Document:
    return use_case_pb2.Document(source=source, content=text.encode())


def upload(
    *parts: use_case_pb2.Document | bytes, header: service_pb2.ImportHeader = HEADER, **commit: object
) -> Iterator[service_pb2.ImportDocumentsRequest]:
    """Yield a whole import, with the right commit unless `commit` says otherwise."""
    yield service_pb2.ImportDocumentsRequest(header=header)
    content, count = b"", 0
    for part in parts:
        if isinstance(part, bytes):
            content += part
            yield service_pb2.ImportDocumentsRequest(chunk=part)
        else:
            content, count = content + part.content, count + 1
            yield service_pb2.ImportDocumentsRequest(document=part)
    right = {"count": count, "sha256": hashlib.sha256(content).hexdigest()}
    yield service_pb2.ImportDocumentsRequest(commit=service_pb2.ImportCommit(**{**right, **commit}))


def imported(stub, *parts: use_case_pb2.Document | bytes, **given) -> service_pb2.ImportDocumentsResult:
    """Import documents, and return what changed: the last event."""
    *progress, last = stub.ImportDocuments(upload(*parts, **given))
    assert all(each.HasField("progress") for each in progress)
    return last.result


def examples(
    pairs: Iterable[tuple[str, str]], *, header: service_pb2.ImportHeader = HEADER, **commit: object
) -> Iterator[service_pb2.ImportExamplesRequest]:
    pairs = list(pairs)
    yield service_pb2.ImportExamplesRequest(header=header)
    made = [use_case_pb2.Example(question=question, answer=answer) for question, answer in pairs]
    yield service_pb2.ImportExamplesRequest(batch=service_pb2.ExampleBatch(examples=made))
    content = "".join(f"{question}\0{answer}\0\0" for question, answer in pairs).encode()
    right = {"count": len(made), "sha256": hashlib.sha256(content).hexdigest()}
    yield service_pb2.ImportExamplesRequest(commit=service_pb2.ImportCommit(**{**right, **commit}))


@pytest.fixture
def stub(channel: grpc.Channel) -> service_grpc.UseCaseServiceStub:
    return service_grpc.UseCaseServiceStub(channel)


@pytest.fixture
def faq(stub) -> use_case_pb2.UseCase:
    """Return a stored use case."""
    return stub.CreateUseCase(service_pb2.CreateUseCaseRequest(use_case_id="faq"))


def get(stub, name: str = "useCases/faq") -> use_case_pb2.UseCase:
    return stub.GetUseCase(service_pb2.GetUseCaseRequest(name=name))


def test_create_and_get(stub):
    """A use case comes back as it was stored."""
    given = use_case_pb2.UseCase(description="Answers.", facts=facts_pb2.Facts(needs_citations=True))
    created = stub.CreateUseCase(service_pb2.CreateUseCaseRequest(use_case=given, use_case_id="faq"))
    assert (created.name, created.facts.needs_citations) == ("useCases/faq", True)
    assert get(stub) == created


def test_the_server_chooses_an_id(stub):
    """Without an id the server makes one that can be named."""
    created = stub.CreateUseCase(service_pb2.CreateUseCaseRequest())
    assert get(stub, created.name) == created


def test_request_id_makes_creating_repeatable(stub, failure):
    """The same request twice gives the first result; the same id for another request is refused."""
    request = service_pb2.CreateUseCaseRequest(request_id=str(uuid.uuid4()))
    first = stub.CreateUseCase(request)
    assert stub.CreateUseCase(request) == first
    request.use_case.description = "other"
    assert failure(lambda: stub.CreateUseCase(request)).reason == "REQUEST_ID_REUSED"


def test_taken_id(stub, faq, failure):
    """An id that is taken is refused."""
    found = failure(lambda: stub.CreateUseCase(service_pb2.CreateUseCaseRequest(use_case_id="faq")))
    assert (found.code, found.metadata) == ("ALREADY_EXISTS", {"resource": "useCases/faq"})


def test_a_change_that_nobody_saw_is_not_lost(stub, faq, failure):
    """With the etag of what was read, a later change of it is noticed, also one of its documents."""
    changed = use_case_pb2.UseCase(name=faq.name, description="Mine.", etag=faq.etag)
    request = service_pb2.UpdateUseCaseRequest(use_case=changed)
    mine = stub.UpdateUseCase(request)
    assert mine.etag != faq.etag
    found = failure(lambda: stub.UpdateUseCase(request))
    assert (found.code, found.reason) == ("ABORTED", "ETAG_MISMATCH")
    assert found.metadata == {"resource": faq.name}
    imported(stub, document("a.md", "One."))
    stale = service_pb2.DeleteUseCaseRequest(name=faq.name, etag=mine.etag)
    assert failure(lambda: stub.DeleteUseCase(stale)).reason == "ETAG_MISMATCH"
    now = get(stub)
    assert (now.description, now.document_count) == ("Mine.", 1)
    whole = service_pb2.UpdateUseCaseRequest(use_case=now)
    whole.update_mask.paths.extend(field.name for field in now.DESCRIPTOR.fields if field.name != "name")
    assert stub.UpdateUseCase(whole).description == "Mine."
    stub.DeleteUseCase(service_pb2.DeleteUseCaseRequest(name=faq.name, etag=get(stub).etag))


def test_what_is_only_looked_at_is_not_done(stub, faq, failure):
    """The answer is that of the call itself, and so is the refusal."""
    key = str(uuid.uuid4())
    request = service_pb2.CreateUseCaseRequest(use_case_id="new", request_id=key, validate_only=True)
    assert stub.CreateUseCase(request).name == "useCases/new"
    assert failure(lambda: get(stub, "useCases/new")).code == "NOT_FOUND"
    request.use_case_id = "faq"
    assert failure(lambda: stub.CreateUseCase(request)).code == "ALREADY_EXISTS"
    request.use_case_id, request.validate_only = "new", False
    assert stub.CreateUseCase(request) == get(stub, "useCases/new")
    changed = use_case_pb2.UseCase(name=faq.name, description="Changed.")
    updated = stub.UpdateUseCase(service_pb2.UpdateUseCaseRequest(use_case=changed, validate_only=True))
    assert updated.description == "Changed."
    stub.DeleteUseCase(service_pb2.DeleteUseCaseRequest(name=faq.name, validate_only=True))
    assert get(stub) == faq


def test_create_reports_all_faults(stub, failure):
    """Id, request id, description and facts are checked in one go."""
    bad = service_pb2.CreateUseCaseRequest(
        use_case=use_case_pb2.UseCase(
            description="x" * 4001, facts=facts_pb2.Facts(new_knowledge_share=-1, monthly_budget=-1)
        ),
        use_case_id="Not An Id",
        request_id="7",
    )
    assert failure(lambda: stub.CreateUseCase(bad)).fields == (
        "use_case_id",
        "request_id",
        "use_case.description",
        "use_case.facts.new_knowledge_share",
        "use_case.facts.monthly_budget",
    )


@pytest.mark.parametrize(
    ("mask", "description", "share", "citations"),
    [
        ([], "new", 0.5, True),
        (["description"], "new", None, True),
        (["facts"], "old", 0.5, None),
        (["facts.new_knowledge_share"], "old", 0.5, True),
        (["facts.needs_citations"], "old", None, None),
        (["*"], "new", 0.5, None),
        (["description", "create_time", "example_count"], "new", None, True),
        (["update_time"], "old", None, True),
    ],
)
def test_update_changes_what_the_mask_names(stub, mask, description, share, citations):
    """Only the paths of the mask change; without a mask, all that is set does; `*` replaces the whole."""
    old = use_case_pb2.UseCase(description="old", facts=facts_pb2.Facts(needs_citations=True))
    stub.CreateUseCase(service_pb2.CreateUseCaseRequest(use_case=old, use_case_id="faq"))
    new = use_case_pb2.UseCase(
        name="useCases/faq", description="new", facts=facts_pb2.Facts(new_knowledge_share=0.5)
    )
    request = service_pb2.UpdateUseCaseRequest(use_case=new, update_mask=field_mask_pb2.FieldMask(paths=mask))
    updated = stub.UpdateUseCase(request)
    facts = {field.name: value for field, value in updated.facts.ListFields()}
    assert (updated.description, facts.get("new_knowledge_share")) == (description, share)
    assert facts.get("needs_citations") == citations


def test_update_refuses_unknown_paths(stub, faq, failure):
    """A path that cannot be changed is refused with the nearest that can, and with all that can."""
    request = service_pb2.UpdateUseCaseRequest(use_case=faq)
    request.update_mask.paths.extend(["facts.needs_citation", "name", "*"])
    found = failure(lambda: stub.UpdateUseCase(request))
    assert found.fields == ("update_mask",) * 3
    assert 'did you mean "facts.needs_citations"? allowed: *, description, facts, ' in found.message
    assert "or a part such as facts.update_interval" in found.message
    assert "send it alone" in found.message


def test_update_refuses_masks_without_end(stub, faq, failure):
    """A mask of more paths than there are is refused as a whole: looking into it would take minutes."""
    request = service_pb2.UpdateUseCaseRequest(use_case=faq)
    request.update_mask.paths.extend(["facts.tusk"] * 250_000)
    call = partial(stub.UpdateUseCase, request, timeout=30)
    assert "has 250,000 paths; at most" in failure(call).message


def test_list_comes_in_pages(stub):
    """All use cases are listed once, by name."""
    for name in ("b", "a", "c"):
        stub.CreateUseCase(service_pb2.CreateUseCaseRequest(use_case_id=name))
    first = stub.ListUseCases(service_pb2.ListUseCasesRequest(page_size=2))
    rest = stub.ListUseCases(service_pb2.ListUseCasesRequest(page_token=first.next_page_token))
    assert [each.name for each in (*first.use_cases, *rest.use_cases)] == [
        f"useCases/{name}" for name in "abc"
    ]
    assert rest.next_page_token == ""


def test_delete(stub, faq, failure):
    """A deleted use case is gone, with its passages."""
    imported(stub, document("a.txt", "Some text."))
    stub.DeleteUseCase(service_pb2.DeleteUseCaseRequest(name="useCases/faq"))
    assert failure(lambda: get(stub)).code == "NOT_FOUND"


def test_import_documents(stub, faq, server):
    """Documents are split, embedded, counted and listed."""
    result = imported(stub, document("a.md", "# A\n\nSome text."), document("b.txt", "More."))
    assert (result.imported, result.unchanged, result.passages) == (2, 0, 2)
    listed = stub.ListDocuments(service_pb2.ListDocumentsRequest(parent="useCases/faq")).documents
    assert [(each.source, each.media_type, each.passage_count) for each in listed] == [
        ("a.md", "text/markdown", 1),
        ("b.txt", "text/plain", 1),
    ]
    assert get(stub).passage_count == 2


def test_unchanged_documents_are_not_embedded_again(stub, faq, server):
    """Byte for byte the same documents cost nothing."""
    imported(stub, document("a.txt", "Same."), document("b.txt", "Old."))
    server.embedder.embedded.clear()
    result = imported(stub, document("a.txt", "Same."), document("b.txt", "New."))
    assert (result.imported, result.unchanged) == (1, 1)
    assert len(server.embedder.embedded) == 1


def test_chunks_are_joined(stub, faq):
    """A document larger than a message arrives whole."""
    text = ("word " * (MIB // 5 + 100)).encode()
    result = imported(stub, document("a.txt", text[:MIB].decode()), text[MIB:])
    listed = stub.ListDocuments(service_pb2.ListDocumentsRequest(parent="useCases/faq")).documents
    assert result.imported == 1
    assert listed[0].sha256 == hashlib.sha256(text).hexdigest()


@pytest.mark.parametrize(
    ("messages", "field", "expected"),
    [
        ([], "messages[0]", "expected a header"),
        ([service_pb2.ImportDocumentsRequest(chunk=b"x")], "messages[0]", "is chunk; expected a header"),
        ([service_pb2.ImportDocumentsRequest(header=HEADER)], "commit", "the stream ended"),
        (list(upload())[:1] * 2, "messages[1]", "is header; expected a document"),
        ([*list(upload())[:1], service_pb2.ImportDocumentsRequest(chunk=b"x")], "messages[1]", "is chunk"),
        ([*upload(), *list(upload())[-1:]], "messages[2]", "expected the end of the stream"),
        (list(upload(document("a.txt", "x" * (MIB + 1)))), "chunk", "at most 1,048,576"),
        (
            list(upload(document("a.txt", "x"), *[b"x" * MIB] * 4)),
            "document.content",
            "4,000,000 bytes allowed",
        ),
        (list(upload(document("a.txt", "x"), count=2)), "commit.count", "is 2, but 1 arrived"),
        (list(upload(document("a.txt", "x"), sha256="0")), "commit.sha256", "does not match"),
        (list(upload(document("a.exe", "x"), header=STRICT)), "document", "suffix '.exe'"),
        (list(upload(document("a.txt", " "), header=STRICT)), "document", "holds no text"),
        (list(upload(document("a.txt", ""))), "documents[0].content", "is empty"),
        (list(upload(document("a.txt", "x"), document("a.txt", "y"))), "documents[1].source", "came before"),
    ],
)
def test_refused_imports_keep_nothing(stub, faq, failure, messages, field, expected):
    """Whatever is wrong with an import is told, and the use case stays as it was."""
    found = failure(lambda: list(stub.ImportDocuments(iter(messages))))
    assert (found.code, found.fields[0]) == ("INVALID_ARGUMENT", field)
    assert expected in found.message
    assert get(stub) == faq


def test_what_cannot_be_read_is_skipped_and_told(stub, faq, server):
    """The rest is imported, and what was stored under the same source stays as it was."""
    imported(stub, document("a.txt", "One."), document("b.txt", "Two."))
    result = imported(stub, document("a.txt", " "), document("b.exe", "x"), document("c.txt", "Three."))
    assert (result.imported, result.unchanged, result.skipped) == (1, 0, 2)
    assert {each.source for each in result.skipped_documents} == {"a.txt", "b.exe"}
    assert "holds no text" in " ".join(each.reason for each in result.skipped_documents)
    assert {each.source: each.size_bytes for each in listed(stub)} == {"a.txt": 4, "b.txt": 4, "c.txt": 6}
    assert passages(server) == ["a.txt", "b.txt", "c.txt"]


def test_skipped_documents_are_not_deleted_by_a_mirroring_import(stub, faq, server):
    """They were sent: that they cannot be read is no reason to forget what they said."""
    imported(stub, document("a.txt", "One."), document("b.txt", "Two."))
    result = imported(stub, document("a.txt", " "), header=MIRROR)
    assert (result.skipped, result.deleted) == (1, 1)
    assert passages(server) == ["a.txt"]


def test_cut_upload_keeps_nothing(stub, faq, server, until):
    """A client that dies in the middle of an upload leaves no trace, and the next import works."""
    cut = threading.Event()

    def half() -> Iterator[service_pb2.ImportDocumentsRequest]:
        yield from list(upload(document("a.txt", "Half.")))[:-1]
        cut.wait(60)  # the client says no more, but does not close the stream either

    call = stub.ImportDocuments(half())
    until(lambda: importing(server))
    call.cancel()
    cut.set()
    with pytest.raises(grpc.RpcError, match="CANCELLED"):
        list(call)
    until(lambda: not importing(server))  # it ends a moment after its client has
    assert imported(stub, document("b.txt", "Whole.")).imported == 1
    assert [each.source for each in listed(stub)] == ["b.txt"]


def listed(stub) -> list[service_pb2.DocumentSummary]:
    return list(stub.ListDocuments(service_pb2.ListDocumentsRequest(parent="useCases/faq")).documents)


def test_two_imports_at_once(stub, faq, server, failure, until):
    """The second import into a use case is refused while the first runs, and the first goes through."""
    go_on = threading.Event()

    def slow() -> Iterator[service_pb2.ImportDocumentsRequest]:
        messages = list(upload(document("a.txt", "First.")))
        yield from messages[:2]
        go_on.wait(60)
        yield messages[-1]

    first = stub.ImportDocuments(slow())
    until(lambda: importing(server))
    assert failure(lambda: imported(stub)).code == "ABORTED"
    go_on.set()
    assert list(first)[-1].result.imported == 1


def test_an_import_cancelled_while_it_opens_is_closed(stub, faq, server, until, monkeypatch):
    """What a thread opened for a client that has gone by then holds the use case no longer."""
    opened, hold, kept = threading.Event(), threading.Event(), []
    open_documents = imports.open_documents

    def slowly(*args: object, **settings: object) -> imports.DocumentImport:
        kept.append(open_documents(*args, **settings))
        opened.set()
        hold.wait(60)
        return kept[0]

    monkeypatch.setattr(imports, "open_documents", slowly)
    call = stub.ImportDocuments(iter(upload(document("a.txt", "Half."))))
    assert opened.wait(60)
    call.cancel()
    with pytest.raises(grpc.RpcError, match="CANCELLED"):
        list(call)
    hold.set()
    until(lambda: not importing(server))
    assert kept[0].connection.closed


def importing(server) -> bool:
    """Return whether an import holds its use case, in the database of these tests alone."""
    locked = (
        "SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
        " WHERE locktype = 'advisory' AND granted AND datname = current_database()"
    )
    with server.database.transaction() as connection:
        return connection.execute(locked).fetchone() is not None


def test_a_batch_that_is_all_wrong(stub, faq, failure):
    """Of very many faults the first are told; the others take neither time nor memory."""
    request = service_pb2.ImportExamplesRequest(batch=service_pb2.ExampleBatch())
    request.batch.examples.extend([use_case_pb2.Example()] * 1_000_000)
    header = service_pb2.ImportExamplesRequest(header=HEADER)
    found = failure(lambda: stub.ImportExamples(iter([header, request]), timeout=30))
    assert found.fields[:2] == ("examples[0].question", "examples[0].answer")
    assert found.code == "INVALID_ARGUMENT"


def test_an_import_after_one_that_was_refused(stub, faq, failure):
    """The refusal gives the use case free: the next import may come at once, however often."""
    header = service_pb2.ImportExamplesRequest(header=HEADER)
    codes = {failure(lambda: stub.ImportExamples(iter([header, header]))).code for _ in range(100)}
    assert codes == {"INVALID_ARGUMENT"}


def test_repeated_import(stub, faq):
    """An import repeated under the same request id gives the first result."""
    header = service_pb2.ImportHeader(use_case="useCases/faq", request_id=str(uuid.uuid4()))
    first = imported(stub, document("a.txt", "Text."), header=header)
    assert imported(stub, document("a.txt", "Text."), header=header) == first


def test_import_into_nothing(stub, failure):
    """An import into a use case that does not exist is refused."""
    assert failure(lambda: imported(stub)).code == "NOT_FOUND"


def test_import_examples(stub, faq):
    """Examples are counted once."""
    assert stub.ImportExamples(examples([("a", "1"), ("b", "2")])).imported == 2
    again = stub.ImportExamples(examples([("b", "2"), ("c", "3")]))
    assert (again.imported, again.unchanged) == (1, 1)
    assert get(stub).example_count == 3


def test_examples_at_fault_are_all_named(stub, faq, failure):
    """Every example without question or answer is named, and none is kept."""
    found = failure(lambda: stub.ImportExamples(examples([("a", ""), ("b", "2"), (" ", "3")])))
    assert found.fields == ("examples[0].answer", "examples[2].question")
    assert get(stub).example_count == 0


def test_a_refused_import_is_over_when_its_client_hears_of_it(stub, faq, failure):
    """Trying again at once is not ABORTED, however often."""
    for _ in range(20):
        assert failure(lambda: imported(stub, document("a.txt", "Text."), count=2)).code == "INVALID_ARGUMENT"
    assert imported(stub, document("a.txt", "Text.")).imported == 1


def test_an_import_tells_how_far_it_is(stub, faq):
    """Passages are counted, the share ends at 1, and then there is no time left."""
    text = "\n\n".join("word " * 60 for _ in range(200))
    *progress, last = stub.ImportDocuments(upload(document("a.txt", text)))
    assert len(progress) > 1
    assert progress[-1].progress.fraction == 1
    assert progress[-1].progress.activity.endswith(f"{last.result.passages} of {last.result.passages}")
    assert progress[-1].progress.remaining.ToTimedelta().total_seconds() == 0


def test_a_mirroring_import_leaves_what_it_sent(stub, faq, server):
    """Documents that are not sent go, with their passages; so do examples."""
    imported(stub, document("a.txt", "One."), document("b.txt", "Two."))
    result = imported(stub, document("b.txt", "Two."), header=MIRROR)
    assert (result.imported, result.unchanged, result.deleted) == (0, 1, 1)
    stub.ImportExamples(examples([("a", "1"), ("b", "2")]))
    changed = stub.ImportExamples(examples([("b", "3")], header=MIRROR))
    assert (changed.imported, changed.unchanged, changed.deleted) == (1, 0, 2)
    assert (get(stub).document_count, get(stub).passage_count, get(stub).example_count) == (1, 1, 1)
    assert passages(server) == ["b.txt"]


def test_a_document_is_shown_and_deleted_by_its_name(stub, faq, server, failure):
    """With its passages; afterwards it cannot be found."""
    imported(stub, document("a.txt", "One."), document("b.txt", "Two."))
    name = listed(stub)[0].name
    found = stub.GetDocument(service_pb2.GetDocumentRequest(name=name))
    assert (found.source, found.content, found.name) == ("a.txt", b"One.", name)
    stub.DeleteDocument(service_pb2.DeleteDocumentRequest(name=name))
    assert passages(server) == ["b.txt"]
    assert (get(stub).document_count, get(stub).passage_count) == (1, 1)
    for call in (stub.GetDocument, stub.DeleteDocument):
        request = (
            service_pb2.GetDocumentRequest if call is stub.GetDocument else service_pb2.DeleteDocumentRequest
        )
        assert failure(lambda call=call, request=request: call(request(name=name))).code == "NOT_FOUND"


def test_examples_are_listed_in_pages_and_deleted_by_name(stub, faq, failure):
    """In the order they came."""
    stub.ImportExamples(examples([("b", "1"), ("a", "2"), ("c", "3")]))
    first = stub.ListExamples(service_pb2.ListExamplesRequest(parent="useCases/faq", page_size=2))
    rest = stub.ListExamples(
        service_pb2.ListExamplesRequest(parent="useCases/faq", page_token=first.next_page_token)
    )
    found = [*first.examples, *rest.examples]
    assert [each.question for each in found] == ["b", "a", "c"]
    assert stub.GetExample(service_pb2.GetExampleRequest(name=found[1].name)) == found[1]
    stub.DeleteExample(service_pb2.DeleteExampleRequest(name=found[1].name))
    assert get(stub).example_count == 2
    gone = failure(lambda: stub.GetExample(service_pb2.GetExampleRequest(name=found[1].name)))
    assert (gone.code, "ListExamples" in gone.message) == ("NOT_FOUND", True)


@pytest.mark.parametrize("name", ["useCases/faq/documents/a.txt", "useCases/faq", "x"])
def test_names_of_documents_and_examples(stub, failure, name):
    """What is none is refused with where to find one."""
    found = failure(lambda: stub.GetDocument(service_pb2.GetDocumentRequest(name=name)))
    assert (found.code, found.fields) == ("INVALID_ARGUMENT", ("name",))
    assert "ListDocuments" in found.message


def test_long_examples_make_short_pages(stub, faq):
    """A page has no more than clients accept."""
    stub.ImportExamples(examples([(f"{number} {'x' * 200_000}", "a") for number in range(3)]))
    stub.ImportExamples(examples([(f"{number} {'y' * 200_000}", "a") for number in range(12)]))
    page = stub.ListExamples(service_pb2.ListExamplesRequest(parent="useCases/faq"))
    assert 1 < len(page.examples) < 15
    assert page.ByteSize() < 3 * MIB
    assert page.next_page_token


def test_origins_are_kept(stub, failure):
    """Where a use case is kept in step from can be told and changed."""
    made = use_case_pb2.UseCase(origins=["here:/a.yaml"])
    stub.CreateUseCase(service_pb2.CreateUseCaseRequest(use_case=made, use_case_id="faq"))
    made.MergeFrom(use_case_pb2.UseCase(name="useCases/faq", origins=["there:/a.yaml"]))
    assert list(stub.UpdateUseCase(service_pb2.UpdateUseCaseRequest(use_case=made)).origins) == made.origins
    made.origins.extend(["", "x" * 1001])
    found = failure(lambda: stub.UpdateUseCase(service_pb2.UpdateUseCaseRequest(use_case=made)))
    assert found.fields == ("use_case.origins[2]", "use_case.origins[3]")


def passages(server) -> list[str]:
    """Return the sources of all passages."""
    with server.database.transaction() as connection:
        return [row[0] for row in connection.execute("SELECT source FROM passages ORDER BY source")]


def test_an_import_that_is_cancelled_while_it_embeds_keeps_nothing(stub, faq, server, until):
    """The work stops between two batches, and the use case is free again."""
    text = "\n\n".join("word " * 60 for _ in range(2_000))
    call = stub.ImportDocuments(upload(document("a.txt", text)))
    assert next(iter(call)).HasField("progress")
    call.cancel()
    until(lambda: not importing(server))
    assert get(stub) == faq
    assert imported(stub, document("b.txt", "Text.")).imported == 1
