"""Passages made anew by another embedder, while questions, imports and deletions go on."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import ClassVar

import pytest

from advisor.execution.indexing import ModelIndex
from advisor.execution.loading import ModelLoader, Models
from advisor.execution.opening import ModelBackends
from advisor.settings import Settings, read_settings
from advisor.storage import documents, imports, leases, operations, use_cases
from advisor.storage.database import Database
from advisor.storage.operations import Operation, State
from advisor.work import reindexing
from advisor.work.jobs import Job, Outcome
from advisor.work.kinds import clean_up
from advisor.work.reindexing import ReindexJob, remake
from advisor.work.worker import perform
from backends.base import ModelError
from backends.documents.reader import DocumentReader
from backends.retrieval.index import made_by
from backends.training.stores import AdapterFiles
from tests.doubles import FakeGenerator, WordEmbedder

LIMITS = imports.Limits(10_000, 100_000, 100, 1_000)
QUESTION = "Which colour has the lamp?"


class Service:
    """What a server does with documents and questions, less the server.

    Args:
        database: Where they are kept.
        embedder: What the server is configured with.
        others: Embedders that it can load besides.
    """

    reader: ClassVar[DocumentReader]

    def __init__(self, database: Database, embedder: WordEmbedder, *others: WordEmbedder) -> None:
        def open_other(name: str) -> WordEmbedder:
            for each in others:
                if each.name == name:
                    return each
            raise ModelError(f"{name} is not there")

        self.models = Models(FakeGenerator(), embedder)
        self.database = database
        loader = ModelLoader(lambda _: self.models)
        self.index = ModelIndex(database, loader, self.reader, open_other)
        self.backends = ModelBackends(database, database.pool, self.index, AdapterFiles(Path()))

    def put(self, texts: dict[str, str], use_case_id: str = "faq") -> None:
        """Import documents."""
        with closing(self.staged(texts, use_case_id)) as upload:
            self.commit(upload, texts, use_case_id)

    def staged(self, texts: dict[str, str], use_case_id: str = "faq") -> imports.DocumentImport:
        """Open an import, and send documents."""
        upload = imports.open_documents(self.database, use_case_id, LIMITS)
        for source, text in texts.items():
            upload.add(source, "text/plain", text.encode())
        return upload

    def commit(self, upload: imports.DocumentImport, texts: dict[str, str], use_case_id: str = "faq") -> None:
        """End an import."""
        self.index.publish(upload, use_case_id, lambda _: None, lambda: False)
        upload.commit(len(texts), hashlib.sha256("".join(texts.values()).encode()).hexdigest())

    def remove(self, source: str) -> None:
        """Delete a document."""
        digest = hashlib.sha256(source.encode()).hexdigest()[:32]
        documents.delete(
            self.database,
            "faq",
            digest,
            lambda *given: self.index.forget_documents(given[0], "faq", given[1]),
        )

    def found(self, question: str = QUESTION, use_case_id: str = "faq") -> dict[str, str]:
        """Return the texts found by a question, by their sources."""
        hits = self.backends.search(use_case_id, self.models, question, 9, None)
        return {hit.passage.source: hit.passage.text for hit in hits}


class Interrupted:
    """An embedder that does something else once, before its first passages.

    Args:
        embedder: Embeds.
        event: What it does.
    """

    def __init__(self, embedder: WordEmbedder, event: Callable[[], object]) -> None:
        self.name = embedder.name
        self.dimensions = embedder.dimensions
        self._embedder = embedder
        self._events = [event]

    def embed(self, texts: Sequence[str]) -> object:
        """Embed, after the event."""
        while self._events:
            self._events.pop()()
        return self._embedder.embed(texts)


@pytest.fixture(scope="module", autouse=True)
def reader() -> Iterator[None]:
    """Have the services read documents, until the last test is done."""
    with DocumentReader() as reader:
        Service.reader = reader
        yield


@pytest.fixture
def database(empty_database_url: str) -> Iterator[Database]:
    """Yield a database of this test's own, with one use case."""
    with Database.open(empty_database_url, connections=4) as database:
        use_cases.create(database, "faq", use_cases.Stated("", b""))
        yield database


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(data_dir=tmp_path, workers=1)


@pytest.fixture
def old(database: Database) -> WordEmbedder:
    """Return the embedder by which two documents are imported."""
    embedder = WordEmbedder("old")
    service = Service(database, embedder)
    service.put({"lamp.txt": "The lamp is red.", "door.txt": "The door is open."})
    return embedder


@pytest.fixture
def new() -> WordEmbedder:
    return WordEmbedder("new", 32)


def ask(database: Database) -> Operation:
    job = ReindexJob("new")
    return operations.create(
        database, kind=job.kind, use_case_id=None, target=job.target, payload=job.to_payload(), queue_limit=9
    )


def do(database: Database, settings: Settings, embedder: object, asked: Operation | None = None) -> Operation:
    """Make all passages anew by an embedder, in this process; return how it ended."""
    asked = asked or ask(database)
    claimed = leases.claim(database, "w", ["REINDEX"])
    assert claimed is not None
    perform(database, settings, lambda job: remake(job, embedder), claimed, threading.Event())
    clean_up(database, settings)
    return operations.get(database, asked.id)


def left_over(database: Database) -> bool:
    with database.transaction() as connection:
        return connection.execute("SELECT to_regnamespace('advisor_reindex')").fetchone() != (None,)


def embedder_of(database: Database) -> str:
    with database.transaction() as connection:
        made = made_by(connection)
    assert made is not None
    return made.embedder


def test_questions_are_answered_from_the_old_passages_until_the_switch(database, settings, old, new):
    """The server is configured with the new embedder from the start, and asks by the old one meanwhile."""
    service = Service(database, new, old)
    assert service.found()["lamp.txt"] == "The lamp is red."
    meanwhile = []
    ended = do(database, settings, Interrupted(new, lambda: meanwhile.append(service.found())))
    assert meanwhile[0]["lamp.txt"] == "The lamp is red."
    assert (ended.state, ended.result) == (
        State.SUCCEEDED,
        {"embedder": "new", "documents": 2, "passages": 2, "skipped": 0},
    )
    assert embedder_of(database) == "new"
    old.embedded.clear()
    assert service.found()["lamp.txt"] == "The lamp is red."
    assert old.embedded == []
    assert use_cases.get(database, "faq").passage_count == 2


def test_a_backend_opened_before_answers_after(database, settings, old, new):
    """What is kept open finds the passages by the embedder that they are by now, and none by two."""
    service = Service(database, old, new)
    retriever = service.backends
    assert service.found()
    do(database, settings, new)
    assert retriever.search("faq", service.models, QUESTION, 1, None)[0].passage.source == "lamp.txt"


def test_what_is_imported_changed_and_deleted_meanwhile_is_not_lost(database, settings, old, new):
    """The new passages are those of the documents at the switch."""
    service = Service(database, old, new)
    use_cases.create(database, "gone", use_cases.Stated("", b""))
    service.put({"a.txt": "The lamp is gone."}, "gone")

    def event() -> None:
        service.put({"lamp.txt": "The lamp is blue.", "new.txt": "The lamp shines."})
        service.remove("door.txt")
        use_cases.delete(
            database,
            "gone",
            AdapterFiles(settings.data_dir),
            lambda connection: service.index.forget(connection, "gone"),
        )

    ended = do(database, settings, Interrupted(new, event))
    assert ended.result == {"embedder": "new", "documents": 2, "passages": 2, "skipped": 0}
    assert service.found() == {"lamp.txt": "The lamp is blue.", "new.txt": "The lamp shines."}
    with database.transaction() as connection:
        rows = connection.execute("SELECT DISTINCT collection FROM passages").fetchall()
        size = connection.execute("SELECT sum(passages) FROM passage_languages").fetchone()
    assert (rows, size) == ([("faq",)], (2,))
    assert not left_over(database)


def test_an_import_under_way_is_waited_for(database, settings, old, new, monkeypatch):
    """One that writes passages by the old embedder ends before the switch, which finds its document too."""
    monkeypatch.setattr("advisor.storage.reindexing.LOCK_MS", 50)
    service = Service(database, old, new)
    texts = {"late.txt": "The lamp came late."}
    with ExitStack() as stack:
        upload = stack.enter_context(closing(service.staged(texts)))
        service.index.publish(upload, "faq", lambda _: None, lambda: False)
        seen = []

        def pause(job: Job) -> None:
            seen.append(embedder_of(database))
            upload.commit(1, hashlib.sha256(texts["late.txt"].encode()).hexdigest())

        monkeypatch.setattr(reindexing, "_pause", pause)
        ended = do(database, settings, new)
    assert seen == ["old"]
    assert ended.result["documents"] == 3
    assert service.found()["late.txt"] == "The lamp came late."


def test_an_import_opened_before_the_switch_is_published_by_the_new_embedder(database, settings, old, new):
    """Its documents are sent before, and its passages made after."""
    service = Service(database, old, new)
    texts = {"late.txt": "The lamp came late."}
    with closing(service.staged(texts)) as upload:
        assert do(database, settings, new).state is State.SUCCEEDED
        service.commit(upload, texts)
    assert any("late" in text for text in new.embedded)
    assert service.found()["late.txt"] == "The lamp came late."


def test_killed_on_the_way_it_goes_on(database, settings, old, new, monkeypatch):
    """The old passages answer, and what was made before is not made again."""
    monkeypatch.setattr(reindexing, "BATCH_PASSAGES", 1)
    asked = ask(database)
    claimed = leases.claim(database, "w", ["REINDEX"])
    made = []

    class Killed(BaseException):
        pass

    def embed(texts: Sequence[str]) -> object:
        if made:
            raise Killed
        made.extend(texts)
        return new.embed(texts)

    dying = Interrupted(new, lambda: None)
    dying.embed = embed
    with pytest.raises(Killed):
        perform(database, settings, lambda job: remake(job, dying), claimed, threading.Event())
    clean_up(database, settings)
    service = Service(database, new, old)
    assert service.found()["lamp.txt"] == "The lamp is red."
    leases.release_worker(database, "w")
    new.embedded.clear()
    ended = do(database, settings, new, asked)
    assert (ended.state, ended.attempt, ended.result["documents"]) == (State.SUCCEEDED, 2, 2)
    assert set(new.embedded).isdisjoint(made)
    assert service.found()["lamp.txt"] == "The lamp is red."


@pytest.mark.parametrize("how", ["cancelled", "failed"])
def test_given_up_it_leaves_nothing(database, settings, old, new, until, how):
    """The old passages stay, and of the new ones nothing."""
    asked = ask(database)

    def job(given: Job) -> Outcome:
        def end() -> None:
            if how == "failed":
                raise ModelError("the model is broken")
            operations.request_cancel(database, asked.id)
            until(given.cancelled)

        return remake(given, Interrupted(new, end))

    claimed = leases.claim(database, "w", ["REINDEX"])
    perform(database, settings, job, claimed, threading.Event())
    clean_up(database, settings)
    assert operations.get(database, asked.id).state == (
        State.CANCELLED if how == "cancelled" else State.FAILED
    )
    assert not left_over(database)
    assert Service(database, old).found()["lamp.txt"] == "The lamp is red."


def test_passages_up_to_date_are_not_made_again(database, settings, old):
    """Nothing is embedded, and the operation says so."""
    old.embedded.clear()
    ended = do(database, settings, old)
    assert (ended.state, ended.result, old.embedded) == (State.SUCCEEDED, {"embedder": "old"}, [])


def test_a_newer_form_makes_passages_anew(database, settings, old, monkeypatch):
    """The embedder may be the same."""
    monkeypatch.setattr(reindexing, "FORM", 2)
    assert do(database, settings, old).result["documents"] == 2
    with database.transaction() as connection:
        assert made_by(connection).form == 2


def test_documents_whose_passages_were_dropped_have_some_again(database, settings, old):
    """What an older version left without passages is complete after it, and unchanged for the next import."""
    with database.transaction() as connection:
        connection.execute("DROP TABLE passages, passage_words, passage_languages")
        connection.execute("UPDATE documents SET sha256 = '', passage_count = 0")
    assert do(database, settings, old).result["documents"] == 2
    service = Service(database, old)
    assert service.found()["lamp.txt"] == "The lamp is red."
    old.embedded.clear()
    service.put({"lamp.txt": "The lamp is red."})
    assert old.embedded == []


def test_a_document_that_cannot_be_read_any_more_is_told(database, settings, old, new):
    """The others are made anew, and it has no passages."""
    with database.transaction() as connection:
        connection.execute("UPDATE documents SET media_type = 'application/pdf' WHERE source = 'door.txt'")
    ended = do(database, settings, new)
    assert (ended.result["documents"], ended.result["skipped"]) == (2, 1)
    assert use_cases.get(database, "faq").passage_count == 1


def test_an_embedder_that_is_gone_is_named_with_the_next_step(database, settings, old, new):
    """Questions fail until passages are made anew, which needs the new embedder alone."""
    service = Service(database, new)
    with pytest.raises(
        ModelError, match=r"embedded by 'old', which cannot be loaded \(old is not there\).*Reindex"
    ):
        service.found()
    assert do(database, settings, new).state is State.SUCCEEDED
    assert service.found()["lamp.txt"] == "The lamp is red."


def test_two_at_a_time_are_refused(database):
    """The second is told which is at it."""
    from advisor.errors import AlreadyExists

    first = ask(database)
    with pytest.raises(AlreadyExists, match=first.id):
        ask(database)


def test_what_was_replaced_on_the_way_is_cleared_from_the_new_table(
    database, settings, old, new, monkeypatch
):
    """Its old text lies in pages of the table otherwise; where nothing was, the table is as small as can be."""
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(Database, "erase_soon", lambda self, *tables: asked.append(tables))
    service = Service(database, old, new)
    do(database, settings, new)
    assert asked == []
    newest = WordEmbedder("newest", 16)
    change = lambda: service.put({"lamp.txt": "The lamp is blue."})  # noqa: E731
    batches = Interrupted(newest, lambda: None)
    made = []

    def embed(texts: Sequence[str]) -> object:
        made.extend(texts)
        if len(made) == 2:
            change()
        return newest.embed(texts)

    batches.embed = embed
    do(database, settings, batches)
    assert asked == [("passages",)]
