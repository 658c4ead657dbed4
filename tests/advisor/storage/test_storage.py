"""What is kept, and what is left as it was."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from advisor.errors import (
    AdvisorError,
    AlreadyExists,
    ConfigurationError,
    Conflict,
    FailedPrecondition,
    InvalidInput,
    NotFound,
    ResourceExhausted,
    Unavailable,
)
from advisor.names import example_content, source_hash
from advisor.storage import adapters, documents, examples, imports, operations, use_cases
from advisor.storage.database import HEAD, Database, migrate
from advisor.storage.imports import Limits, open_documents, open_examples
from advisor.storage.records import Adapter, ImportResult, Request, UseCase
from backends.base import DocumentError, Example
from backends.training.stores import AdapterFiles
from tests.backends.passages import by_meaning, published
from tests.doubles import WordEmbedder

LIMITS = Limits(document_bytes=100, use_case_bytes=150, use_case_examples=3, example_bytes=50)


def new_use_case(database: Database, use_case_id: str = "faq") -> UseCase:
    return use_cases.create(database, use_case_id, use_cases.Stated("Answers.", b"\x0a\x00"))


def sha256(*contents: bytes) -> str:
    return hashlib.sha256(b"".join(contents)).hexdigest()


def examples_sha256(*examples: Example) -> str:
    contents = (example_content(e.question, e.answer, e.context or "", held_out=e.held_out) for e in examples)
    return sha256(*contents)


def import_documents(database: Database, texts: dict[str, bytes], request_id: str = "") -> ImportResult:
    with closing(open_documents(database, "faq", LIMITS)) as upload:
        for source, content in texts.items():
            upload.add(source, "text/plain", content)
        for document in upload.changed():
            upload.count_passages(document.source, len(document.content.split()))
        return upload.commit(len(texts), sha256(*texts.values()), request_id)


def sources(database: Database) -> dict[str, bytes]:
    return {each.source: each.content for each in documents.contents(database, "faq")}


# The schema.


def test_the_schema_is_made_once_and_is_the_newest(empty_database_url: str) -> None:
    """Two processes that migrate at once end up with one schema, the newest in the folder."""
    threads = [threading.Thread(target=migrate, args=[empty_database_url]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Database.open(empty_database_url) as database, database.transaction() as connection:
        row = connection.execute("SELECT version_num FROM advisor_schema_version").fetchall()
    versions = Path(use_cases.__file__).parent / "migrations" / "versions"
    assert row == [(HEAD,)]
    assert max(path.name for path in versions.glob("*.py")).startswith(HEAD)


def test_deaths_are_counted_from_the_attempts_that_were(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work that waits or runs while the server is renewed keeps what it had left."""
    monkeypatch.setattr("advisor.storage.database.HEAD", "0003")
    migrate(empty_database_url)
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("INSERT INTO use_cases (id, description, facts) VALUES ('faq', '', '')")
        for state, attempt in (("QUEUED", 2), ("RUNNING", 2), ("SUCCEEDED", 2)):
            connection.execute(
                "INSERT INTO operations (id, kind, use_case_id, target, state, payload, attempt)"
                " VALUES (%s, 'TUNE', 'faq', %s, %s, '{}', %s)",
                [state, state, state, attempt],
            )
    monkeypatch.undo()
    migrate(empty_database_url)
    with psycopg.connect(empty_database_url) as connection:
        found = dict(connection.execute("SELECT id, deaths FROM operations").fetchall())
    assert found == {"QUEUED": 2, "RUNNING": 1, "SUCCEEDED": 0}


FORM = """
SELECT format_type(atttypid, atttypmod), attstorage, col_description(attrelid, attnum), reloptions, indexdef
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid, pg_indexes
WHERE attrelid = 'passages'::regclass AND attname = 'embedding' AND indexname = 'passages_embedding'
"""


def test_passages_of_single_precision_are_kept(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their table gets the form of one that is made now, and what was found is found."""
    monkeypatch.setattr("advisor.storage.database.HEAD", "0005")
    migrate(empty_database_url)
    embedder = WordEmbedder()
    with psycopg.connect(empty_database_url) as connection:
        published(connection, embedder)
        form = connection.execute(FORM).fetchall()
        connection.execute(
            "DROP INDEX passages_embedding;"
            "ALTER TABLE passages ALTER embedding TYPE vector(64), RESET (toast_tuple_target);"
            "CREATE INDEX passages_embedding ON passages USING hnsw (embedding vector_cosine_ops)"
        )
        assert connection.execute(FORM).fetchall() != form
    monkeypatch.undo()
    migrate(empty_database_url)
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute(FORM).fetchall() == form
        found = by_meaning(connection, "docs", embedder.embed(["how many clients connect"])[0], 3)
    assert found[0].passage.source == "limits.md"


def test_a_newer_schema_is_refused(empty_database_url: str) -> None:
    """A program older than its database says so and changes nothing."""
    migrate(empty_database_url)
    with Database.open(empty_database_url) as database, database.transaction() as connection:
        connection.execute("UPDATE advisor_schema_version SET version_num = '9999'")
    with pytest.raises(ConfigurationError, match="newer version"):
        migrate(empty_database_url)


def test_a_database_out_of_reach_is_unavailable(tmp_path: Path) -> None:
    """Nobody listens: the error says to try again, without the connection string."""
    with pytest.raises(Unavailable) as caught:
        migrate(f"postgresql://user:secret@/none?host={tmp_path}")
    assert "secret" not in str(caught.value)


# Use cases.


def test_a_use_case_is_kept_as_it_was_given(database: Database) -> None:
    """What was created is what is read."""
    created = new_use_case(database)
    assert use_cases.get(database, "faq") == created
    assert (created.description, created.facts, created.document_count) == ("Answers.", b"\x0a\x00", 0)


def test_a_taken_id_is_refused(database: Database) -> None:
    """The first use case stays as it was."""
    created = new_use_case(database)
    with pytest.raises(AlreadyExists, match="useCases/faq"):
        use_cases.create(database, "faq", use_cases.Stated("Other.", b""))
    assert use_cases.get(database, "faq") == created


def test_a_text_that_cannot_be_kept_is_invalid(database: Database) -> None:
    """PostgreSQL takes no U+0000 in text."""
    with pytest.raises(InvalidInput, match="U\\+0000"):
        use_cases.create(database, "faq", use_cases.Stated("a\0b", b""))


def test_a_repeated_request_gives_the_first_result(database: Database) -> None:
    """The same request creates once; another request under its id is an error."""
    request = Request("7b1c", "fingerprint")
    first = use_cases.create(database, "faq", use_cases.Stated("Answers.", b""), request=request)
    again = use_cases.create(database, "other", use_cases.Stated("Answers.", b""), request=request)
    assert again == first
    with pytest.raises(FailedPrecondition) as caught:
        use_cases.create(database, "b", use_cases.Stated("", b""), request=Request("7b1c", "different"))
    assert caught.value.reason == "REQUEST_ID_REUSED"


def test_a_failed_request_is_forgotten(database: Database) -> None:
    """A request that failed may be repeated when its cause is gone."""
    new_use_case(database)
    request = Request("7b1c", "fingerprint")
    with pytest.raises(AlreadyExists):
        use_cases.create(database, "faq", use_cases.Stated("", b""), request=request)
    assert use_cases.create(database, "b", use_cases.Stated("", b""), request=request).id == "b"


def test_updates_at_once_lose_nothing(database: Database) -> None:
    """Each update sees the one before."""
    new_use_case(database)

    def append() -> None:
        use_cases.update(database, "faq", lambda old: use_cases.Stated(old.description + "x", old.facts))

    threads = [threading.Thread(target=append) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert use_cases.get(database, "faq").description == "Answers." + 8 * "x"


def test_pages_shift_with_no_change_in_between(database: Database) -> None:
    """Every use case is listed once, though others come and go between the pages."""
    for name in "abcde":
        new_use_case(database, name)
    first = use_cases.list_page(database, size=2)
    use_cases.delete(database, "a", AdapterFiles(Path("/nonexistent")), lambda _: None)
    new_use_case(database, "aa")
    second = use_cases.list_page(database, size=2, token=first.next_page_token)
    third = use_cases.list_page(database, size=2, token=second.next_page_token)
    assert [[each.id for each in page.items] for page in (first, second, third)] == [
        ["a", "b"],
        ["c", "d"],
        ["e"],
    ]
    assert third.next_page_token == ""


@pytest.mark.parametrize("token", ["nonsense", "W10=", "WyJvdGhlciIsICJhIl0=", "\xe9"])
def test_a_foreign_page_token_is_invalid(database: Database, token: str) -> None:
    """Neither nonsense nor the token of another list starts a page."""
    with pytest.raises(InvalidInput, match="page_token"):
        use_cases.list_page(database, token=token)


def test_a_negative_page_size_is_invalid(database: Database) -> None:
    """The error names the value and what is allowed."""
    with pytest.raises(InvalidInput, match="-1 is negative"):
        use_cases.list_page(database, size=-1)


def test_deleting_a_use_case_takes_everything_along(database: Database, tmp_path: Path) -> None:
    """Documents, examples, adapters, their folders and the passages go together."""
    new_use_case(database)
    import_documents(database, {"a": b"text"})
    new_adapter(database, "one", tmp_path)
    forgotten = []
    use_cases.delete(database, "faq", AdapterFiles(tmp_path), forgotten.append)
    assert len(forgotten) == 1
    assert not (tmp_path / "adapters" / "faq").exists()
    with pytest.raises(NotFound):
        use_cases.get(database, "faq")
    assert sources(database) == {}


def test_a_use_case_with_an_operation_is_not_deleted(database: Database, tmp_path: Path) -> None:
    """The error names the operation to wait for."""
    new_use_case(database)
    operation = operations.create(
        database, kind="TUNE", use_case_id="faq", target="t", payload={}, queue_limit=9
    )
    with pytest.raises(FailedPrecondition, match=operation.name):
        use_cases.delete(database, "faq", AdapterFiles(tmp_path), lambda _: None)
    assert use_cases.get(database, "faq").id == "faq"


@pytest.mark.parametrize(
    "call",
    [
        lambda database: use_cases.get(database, "no"),
        lambda database: use_cases.update(database, "no", lambda old: use_cases.Stated("", b"")),
        lambda database: use_cases.delete(database, "no", AdapterFiles(Path("/nonexistent")), lambda _: None),
        lambda database: documents.list_page(database, "no"),
        lambda database: examples.read(database, "no"),
        lambda database: adapters.list_page(database, "no"),
        lambda database: adapters.get(database, "no", "a"),
        lambda database: adapters.delete(database, "no", "a", AdapterFiles(Path("/nonexistent"))),
        lambda database: open_documents(database, "no", LIMITS),
        lambda database: open_examples(database, "no", LIMITS),
    ],
)
def test_what_does_not_exist_is_named(database: Database, call: Callable[[Database], Any]) -> None:
    """Every call on a use case that is not there says which."""
    with pytest.raises(NotFound, match="useCases/no"):
        call(database)


# Imports.


def test_documents_are_published_by_the_commit(database: Database) -> None:
    """Nobody sees them before, everybody after; the counts are kept with the use case."""
    before = new_use_case(database)
    with closing(open_documents(database, "faq", LIMITS)) as upload:
        assert upload.add("a", "text/plain", b"one two")
        assert sources(database) == {}
        upload.count_passages("a", 2)
        assert upload.commit(1, sha256(b"one two")) == ImportResult(1, 0, 2)
    after = use_cases.get(database, "faq")
    assert sources(database) == {"a": b"one two"}
    assert (after.document_count, after.passage_count) == (1, 2)
    assert after.update_time > before.update_time


def test_an_import_that_is_cut_leaves_everything(database: Database) -> None:
    """Without a commit, documents that were replaced are as before."""
    new_use_case(database)
    import_documents(database, {"a": b"old"})
    with closing(open_documents(database, "faq", LIMITS)) as upload:
        upload.add("a", "text/plain", b"new")
        upload.add("b", "text/plain", b"more")
    assert sources(database) == {"a": b"old"}


def test_many_small_documents_are_read_together(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """They come in the order sent, and no more than a few at a time; each skipped one leaves the others."""
    monkeypatch.setattr(imports, "BATCH_DOCUMENTS", 3)
    monkeypatch.setattr(imports, "BATCH_BYTES", 10)
    new_use_case(database)
    texts = {name: b"x" * size for name, size in zip("hgfedcba", (1, 2, 8, 20, 1, 1, 1, 1), strict=True)}
    with closing(open_documents(database, "faq", LIMITS)) as upload:
        for source, content in texts.items():
            upload.add(source, "text/plain", content)
        found = upload.changed()
        assert [next(found).source, next(found).source] == ["h", "g"]
        upload.skip("g", DocumentError("g: no"))
        assert [each.source for each in found] == ["f", "e", "d", "c", "b", "a"]
        result = upload.commit(len(texts), sha256(*texts.values()))
    assert (result.imported, result.skipped) == (7, 1)
    assert sources(database) == {name: content for name, content in texts.items() if name != "g"}


def test_only_what_changed_is_imported(database: Database) -> None:
    """A document that is there byte for byte stays with its passages; another one replaces its elder."""
    new_use_case(database)
    import_documents(database, {"a": b"one two", "b": b"old"})
    assert import_documents(database, {"a": b"one two", "b": b"1 2 3"}) == ImportResult(1, 1, 3)
    page = documents.list_page(database, "faq")
    assert [(each.source, each.size_bytes, each.passage_count) for each in page.items] == [
        ("a", 7, 2),
        ("b", 5, 3),
    ]


def changes(database: Database) -> list[tuple[str, int]]:
    """Return the documents with the number of changes that are kept."""
    found = documents.list_page(database, "faq").items
    assert all((each.changes == 0) == (each.change_time is None) for each in found)
    return [(each.source, each.changes) for each in found]


def test_changes_of_contents_are_kept(database: Database, tmp_path: Path) -> None:
    """One time for each import that replaced a text; what is new, or the same, is no change."""
    new_use_case(database)
    import_documents(database, {"a": b"one", "b": b"one"})
    import_documents(database, {"a": b"two", "b": b"two", "c": b"new"})
    import_documents(database, {"a": b"two", "b": b"three"})
    assert changes(database) == [("a", 1), ("b", 2), ("c", 0)]
    since, times = documents.change_times(database, "faq")
    assert (since, len(times)) == (None, 2)
    documents.delete(database, "faq", source_hash("b"), lambda *_: None)
    assert len(documents.change_times(database, "faq")[1]) == 1
    use_cases.delete(database, "faq", AdapterFiles(tmp_path), lambda _: None)
    with database.transaction() as connection:
        assert connection.execute("SELECT count(*) FROM document_changes").fetchone() == (0,)


def test_the_last_changes_alone_are_kept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the oldest on all are known, of every document."""
    new_use_case(database)
    for number in range(documents.MOST_CHANGES + 3):
        import_documents(database, {"a": f"{number}".encode(), "b": b"old" if number < 2 else b"new"})
    assert changes(database) == [("a", documents.MOST_CHANGES), ("b", 1)]
    since, times = documents.change_times(database, "faq")
    assert since is not None
    assert len(times) == documents.MOST_CHANGES - 1
    assert since < times[0]


def test_a_change_that_cannot_be_read_is_none(database: Database) -> None:
    """What was stored stays, and so did its content."""
    new_use_case(database)
    import_documents(database, {"a": b"one"})
    with closing(open_documents(database, "faq", LIMITS)) as upload:
        upload.add("a", "text/plain", b"two")
        upload.skip("a", DocumentError("cannot be read"))
        upload.commit(1, sha256(b"two"))
    assert (changes(database), sources(database)) == ([("a", 0)], {"a": b"one"})


def test_a_repeated_import_gives_the_first_result(database: Database) -> None:
    """A client that missed the answer sends all again and learns what the first import did."""
    new_use_case(database)
    first = import_documents(database, {"a": b"text"}, request_id="7b1c")
    assert import_documents(database, {"a": b"text"}, request_id="7b1c") == first
    with pytest.raises(FailedPrecondition):
        import_documents(database, {"a": b"other"}, request_id="7b1c")
    assert sources(database) == {"a": b"text"}


def test_the_second_import_at_once_is_refused(database: Database) -> None:
    """It fails at once, as does the deletion of the use case; the first one goes on."""
    new_use_case(database)
    with closing(open_documents(database, "faq", LIMITS)) as upload:
        upload.add("a", "text/plain", b"text")
        with pytest.raises(Conflict):
            open_examples(database, "faq", LIMITS)
        with pytest.raises(Conflict):
            use_cases.delete(database, "faq", AdapterFiles(Path("/nonexistent")), lambda _: None)
        upload.commit(1, sha256(b"text"))
    assert sources(database) == {"a": b"text"}


@pytest.mark.parametrize(
    ("source", "content", "field"),
    [
        ("", b"text", "documents[1].source"),
        ("a\0b", b"text", "documents[1].source"),
        ("x" * 1001, b"text", "documents[1].source"),
        ("b", b"", "documents[1].content"),
        ("b", b"x" * 101, "documents[1].content"),
        ("a", b"again", "documents[1].source"),
    ],
)
def test_a_document_at_fault_is_named(database: Database, source: str, content: bytes, field: str) -> None:
    """The violation has the document's position and field."""
    new_use_case(database)
    with closing(open_documents(database, "faq", LIMITS)) as upload:
        upload.add("a", "text/plain", b"fine")
        with pytest.raises(InvalidInput) as caught:
            upload.add(source, "text/plain", content)
    assert [each.field for each in caught.value.violations] == [field]


def test_a_commit_that_does_not_match_publishes_nothing(database: Database) -> None:
    """Count and checksum are both named."""
    new_use_case(database)
    with closing(open_documents(database, "faq", LIMITS)) as upload:
        upload.add("a", "text/plain", b"text")
        with pytest.raises(InvalidInput) as caught:
            upload.commit(2, sha256(b"other"))
    assert [each.field for each in caught.value.violations] == ["commit.count", "commit.sha256"]
    assert sources(database) == {}


def test_documents_above_the_limit_are_refused(database: Database) -> None:
    """The limit counts what is there already, and what is there stays."""
    new_use_case(database)
    import_documents(database, {"a": b"x" * 90})
    with pytest.raises(ResourceExhausted, match="150 bytes"):
        import_documents(database, {"b": b"x" * 90})
    assert list(sources(database)) == ["a"]


def test_examples_are_kept_once_and_in_order(database: Database) -> None:
    """An example that is there already, or twice in one import, is not added again."""
    new_use_case(database)
    one, two = Example("q1", "a1"), Example("q2", "a2", "passage")
    with closing(open_examples(database, "faq", LIMITS)) as upload:
        upload.add([two])
        assert upload.commit(1, examples_sha256(two)) == ImportResult(1, 0)
    with closing(open_examples(database, "faq", LIMITS)) as upload:
        upload.add([one, two, one])
        assert upload.commit(3, examples_sha256(one, two, one)) == ImportResult(1, 2)
    assert [each.question for each in examples.read(database, "faq")] == [two.question, one.question]
    assert use_cases.get(database, "faq").example_count == 2


def test_what_is_held_out_is_read_and_counted_apart(database: Database) -> None:
    """It is no example to learn from; the same one that is not held out is another."""
    new_use_case(database)
    one, kept_apart = Example("q1", "a1"), Example("q1", "a1", held_out=True)
    with closing(open_examples(database, "faq", LIMITS)) as upload:
        upload.add([one, kept_apart])
        assert upload.commit(2, examples_sha256(one, kept_apart)) == ImportResult(2, 0)
    assert [each.value for each in examples.read(database, "faq")] == [one]
    assert [each.value for each in examples.read(database, "faq", held_out=True)] == [kept_apart]
    stored = use_cases.get(database, "faq")
    assert (stored.example_count, stored.held_out_count) == (1, 1)


@pytest.mark.parametrize(
    ("example", "field"),
    [
        (Example("", "a"), "examples[0].question"),
        (Example("q", " "), "examples[0].answer"),
        (Example("q", "a", "x\0"), "examples[0]"),
        (Example("q", "a" * 50), "examples[0]"),
    ],
)
def test_an_example_at_fault_is_named(database: Database, example: Example, field: str) -> None:
    """The violation has the example's position and field."""
    new_use_case(database)
    with closing(open_examples(database, "faq", LIMITS)) as upload, pytest.raises(InvalidInput) as caught:
        upload.add([example])
    assert [each.field for each in caught.value.violations] == [field]


def test_examples_above_the_limit_are_refused(database: Database) -> None:
    """The import fails as a whole."""
    new_use_case(database)
    upload = open_examples(database, "faq", LIMITS)
    with closing(upload), pytest.raises(ResourceExhausted, match="3 examples"):
        upload.add([Example(f"q{n}", "a") for n in range(4)])
    assert examples.read(database, "faq") == ()


# Adapters.


def new_adapter(
    database: Database, adapter_id: str, data_dir: Path, approach: str = "FINE_TUNING"
) -> Adapter:
    folder = f"adapters/faq/{adapter_id}"
    (data_dir / folder).mkdir(parents=True)
    adapter = Adapter(
        use_case_id="faq",
        id=adapter_id,
        approach=approach,
        base_model="base@1",
        data_sha256="d" * 64,
        settings={"epochs": 3},
        metrics={"training_loss": 0.5, "held_out_loss": None},
        folder=folder,
        create_time=datetime.now(UTC),
    )
    with database.transaction() as connection:
        adapters.insert(connection, adapter)
    return adapter


def test_adapters_are_listed_newest_first(database: Database, tmp_path: Path) -> None:
    """Pages go on where the one before ended; the newest of an approach is found."""
    new_use_case(database)
    for name, approach in (("c", "FINE_TUNING"), ("a", "HYBRID"), ("b", "FINE_TUNING")):
        new_adapter(database, name, tmp_path, approach)
    first = adapters.list_page(database, "faq", size=2)
    second = adapters.list_page(database, "faq", size=2, token=first.next_page_token)
    assert [each.id for each in first.items + second.items] == ["b", "a", "c"]
    newest = adapters.newest(database, "faq", "HYBRID")
    assert newest is not None
    assert newest.id == "a"
    assert adapters.newest(database, "faq", "RAG") is None


def test_an_adapter_is_kept_as_it_was_given(database: Database, tmp_path: Path) -> None:
    """Settings and metrics come back, absent values as None."""
    new_use_case(database)
    given = new_adapter(database, "one", tmp_path)
    kept = adapters.get(database, "faq", "one")
    assert (kept.settings, kept.metrics, kept.folder) == (given.settings, given.metrics, given.folder)


def test_deleting_an_adapter_removes_its_folder(database: Database, tmp_path: Path) -> None:
    """The row goes, then the folder."""
    new_use_case(database)
    adapter = new_adapter(database, "one", tmp_path)
    adapters.delete(database, "faq", "one", AdapterFiles(tmp_path))
    assert not (tmp_path / adapter.folder).exists()
    with pytest.raises(NotFound):
        adapters.get(database, "faq", "one")


def test_every_error_names_its_reason(database: Database) -> None:
    """What storage raises can be told to clients."""
    with pytest.raises(AdvisorError) as caught:
        use_cases.get(database, "no")
    assert (caught.value.code, caught.value.reason) == ("NOT_FOUND", "RESOURCE_NOT_FOUND")
    assert caught.value.metadata == {"resource": "useCases/no"}


# Erasure.


def import_examples(database: Database, *given: Example, mirror: bool = False) -> ImportResult:
    with closing(open_examples(database, "faq", LIMITS, mirror=mirror)) as upload:
        upload.add(given)
        return upload.commit(len(given), examples_sha256(*given))


def erased(database: Database, adapter_id: str) -> tuple[int, int]:
    adapter = adapters.get(database, "faq", adapter_id)
    return adapter.erased_examples, adapter.erased_documents


def test_an_adapter_knows_what_it_was_trained_on_and_is_gone(database: Database, tmp_path: Path) -> None:
    """Deleted or replaced, examples and documents are counted once; their hashes are forgotten."""
    new_use_case(database)
    import_examples(database, Example("a", "1"), Example("b", "2"))
    import_documents(database, {"a.txt": b"One.", "b.txt": b"Two."})
    kept = examples.read(database, "faq")
    hashes = documents.hashes(database, "faq", ["a.txt", "b.txt"])
    row = replace(new_adapter(database, "bare", tmp_path), id="one")
    with database.transaction() as connection:
        adapters.insert(connection, row, adapters.Lineage([each.sha256 for each in kept], hashes))
    assert erased(database, "one") == (0, 0)
    examples.delete(database, "faq", kept[0].sha256[:32])
    assert erased(database, "one") == (1, 0)
    import_examples(database, Example("b", "3"), mirror=True)
    import_documents(database, {"a.txt": b"Other."})
    documents.delete(database, "faq", source_hash("b.txt"), lambda *_: None)
    assert erased(database, "one") == (2, 2)
    assert erased(database, "bare") == (0, 0)
    with database.transaction() as connection:
        assert connection.execute("SELECT count(*) FROM trained_on").fetchone() == (0,)


def test_what_is_deleted_during_training_is_counted_at_its_end(database: Database, tmp_path: Path) -> None:
    """The adapter comes after the deletion, and says so all the same."""
    new_use_case(database)
    row = replace(new_adapter(database, "bare", tmp_path), id="late")
    with database.transaction() as connection:
        adapters.insert(connection, row, adapters.Lineage(["e" * 64], ["d" * 64]))
    assert erased(database, "late") == (1, 1)


def test_an_import_that_goes_on_locks_out_deletion(database: Database) -> None:
    """Deleting waits a moment for an import, and is refused then."""
    new_use_case(database)
    import_documents(database, {"a.txt": b"One."})
    with closing(open_documents(database, "faq", LIMITS)), pytest.raises(Conflict, match="under way"):
        documents.delete(database, "faq", source_hash("a.txt"), lambda *_: None)
    documents.delete(database, "faq", source_hash("a.txt"), lambda *_: None)
