"""Backends are opened once, and never answer from what is no longer there."""

from __future__ import annotations

import gc
import hashlib
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from psycopg_pool import ConnectionPool

from advisor.decision.recommendation import Recommendation, Versions
from advisor.errors import NotFound
from advisor.execution import opening
from advisor.execution.answering import Ask, Execution
from advisor.execution.indexing import ModelIndex
from advisor.execution.loading import ModelLoader, Models
from advisor.execution.opening import ModelBackends
from advisor.knowledge.approaches import Approach
from advisor.knowledge.inventory import NOTHING
from advisor.storage import adapters, documents, imports, records, use_cases
from advisor.storage.database import Database
from advisor.v1 import facts_pb2
from backends.base import Answer, GenerationOptions, ModelError, Passage
from backends.documents.reader import DocumentReader
from backends.training.stores import AdapterFiles
from tests.backends.passages import published
from tests.doubles import FakeGenerator, WordEmbedder, saved_adapter

LIMITS = imports.Limits(10_000, 100_000, 100, 1_000)


class NoAdvice:
    """Decides nothing."""

    def recommend(self, facts, view=None, gathered=NOTHING):
        return Recommendation(None, None, None, (), (), Versions("", "", None))


def instructions_and_shots(messages) -> str:
    """Answer with all that was shown besides the question."""
    return " ".join(message.content for message in messages[:-1])


@pytest.fixture
def generator() -> FakeGenerator:
    return FakeGenerator(instructions_and_shots)


@pytest.fixture
def execution(database: Database, generator: FakeGenerator, tmp_path: Path) -> Iterator[Execution]:
    """Yield what answers, with an empty use case `faq`."""
    loader = ModelLoader(lambda _: Models(generator, WordEmbedder()))
    loader.models(lambda _: None, lambda: False)
    pool: ConnectionPool = database.pool
    use_cases.create(database, "faq", use_cases.Stated("First.", b""))
    with DocumentReader() as reader:
        backends = ModelBackends(database, pool, ModelIndex(database, loader, reader), AdapterFiles(tmp_path))
        yield Execution(database, NoAdvice(), loader, backends)


def answered(execution: Execution, approach: str = "PROMPTING", question: str = "What?") -> Answer:
    ask = Ask(question, GenerationOptions(), "faq", facts_pb2.Facts(), approach=Approach(approach))
    plan = execution.prepare(ask)
    return execution.answer(plan, lambda event: None, lambda: False)


def import_document(database: Database, text: str, source: str = "a.txt") -> None:
    content = text.encode()
    with closing(imports.open_documents(database, "faq", LIMITS)) as upload:
        upload.add(source, "text/plain", content)
        upload.count_passages(source, 1)
        upload.commit(1, hashlib.sha256(content).hexdigest())


def add_adapter(database: Database, data_dir: Path, weights: bytes = b"weights") -> Path:
    folder = "adapters/faq/a"
    with database.transaction() as connection:
        row = records.Adapter("faq", "a", "FINE_TUNING", "echo", "", {}, {}, folder, datetime.now(UTC))
        adapters.insert(connection, row)
    return saved_adapter(data_dir / folder, weights=weights)


def test_an_adapter_in_a_store_answers_on_every_server(database, generator, tmp_path):
    """A server without the files fetches them; deleted elsewhere, they go when it hears of it."""
    store = f"file://{tmp_path / 'store'}"
    loader = ModelLoader(lambda _: Models(generator, WordEmbedder()))
    loader.models(lambda _: None, lambda: False)
    use_cases.create(database, "faq", use_cases.Stated("First.", b""))
    add_adapter(database, tmp_path / "worker")
    worker = AdapterFiles(tmp_path / "worker", store)
    worker.keep("adapters/faq/a")
    files = AdapterFiles(tmp_path / "server", store)
    with DocumentReader() as reader:
        backends = ModelBackends(database, database.pool, ModelIndex(database, loader, reader), files)
        execution = Execution(database, NoAdvice(), loader, backends)
        answered(execution, "FINE_TUNING")
        execution.forget_prompts()
        assert list((tmp_path / "server" / "fetched").rglob("manifest.json"))
        adapters.delete(database, "faq", "a", worker)
        execution.forget_prompts()
    assert not list(tmp_path.rglob("manifest.json"))


def change_description(database: Database) -> None:
    use_cases.update(database, "faq", lambda use_case: use_cases.Stated("Second.", use_case.facts))


def import_second(database: Database) -> None:
    import_document(database, "Second.")


def test_data_is_read_once(execution, database, monkeypatch):
    """The second question reads neither documents nor examples."""
    import_document(database, "Shown.")
    first = answered(execution)
    monkeypatch.setattr(documents, "contents", lambda *_: pytest.fail("read again"))
    assert answered(execution) == first
    assert "Shown." in first.text


@pytest.mark.parametrize("change", [change_description, import_second])
def test_a_change_is_seen_by_the_next_question(execution, database, change):
    """What was opened before the change does not answer after it."""
    import_document(database, "First document.")
    assert "Second." not in answered(execution).text
    change(database)
    assert "Second." in answered(execution).text


def test_a_deleted_use_case_answers_nothing(execution, database, tmp_path):
    """Deleted, it is not found; created again under its name, it starts anew."""
    import_document(database, "Secret.")
    assert "Secret." in answered(execution).text
    use_cases.delete(database, "faq", AdapterFiles(tmp_path), lambda connection: None)
    with pytest.raises(NotFound):
        answered(execution)
    use_cases.create(database, "faq", use_cases.Stated("Second.", b""))
    assert answered(execution).text.strip() == "Second."


def test_no_thread_sees_what_was_before_its_question(execution, database):
    """While one thread imports, what the others ask after an import shows at least that import."""
    done = 0
    stop = threading.Event()

    def ask() -> list[tuple[int, str]]:
        seen = []
        while not stop.is_set():
            least = done
            seen.append((least, answered(execution).text))
        return seen

    with ThreadPoolExecutor(2) as threads:
        asking = [threads.submit(ask) for _ in range(2)]
        for number in range(1, 21):
            import_document(database, f"version {number} end")
            done = number
        stop.set()
        seen = [each for future in asking for each in future.result()]
    assert seen
    assert all(int(text.split("version ")[1].split()[0]) >= number for number, text in seen if number)


def test_an_adapter_is_verified_once(execution, database, tmp_path, monkeypatch):
    """As long as its files stay as they are, they are not hashed again."""
    add_adapter(database, tmp_path)
    answered(execution, "FINE_TUNING")
    monkeypatch.setattr(opening, "verify_adapter", lambda *_: pytest.fail("hashed again"))
    answered(execution, "FINE_TUNING")


@pytest.mark.parametrize(("form", "label"), [({}, "Passages:"), ({"prompt_form": 1}, "Context:")])
def test_an_adapter_is_asked_as_it_was_trained(execution, database, generator, tmp_path, form, label):
    """One of before the prompts showed outlines is asked without them."""
    import_document(database, "The default of max_connections is 100.")
    folder = "adapters/faq/h"
    with database.transaction() as connection:
        row = records.Adapter("faq", "h", "HYBRID", "echo", "", {}, {}, folder, datetime.now(UTC))
        adapters.insert(connection, row)
    with database.pool.connection() as connection:
        published(connection, WordEmbedder(), collection="faq")
    manifest = saved_adapter(tmp_path / folder) / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | form))
    answered(execution, "HYBRID", "What is the default of max_connections?")
    (chat, _) = generator.asked[-1]
    assert chat[-1].content.startswith(label)


def test_a_replaced_adapter_is_another(execution, database, generator, tmp_path):
    """Deleted and trained again under its name, an adapter is opened anew, and refused where damaged."""
    add_adapter(database, tmp_path)
    answered(execution, "FINE_TUNING")
    adapters.delete(database, "faq", "a", AdapterFiles(tmp_path))
    folder = add_adapter(database, tmp_path, b"others")
    answered(execution, "FINE_TUNING")
    (folder / "adapter_model.safetensors").write_bytes(b"broken")
    with pytest.raises(ModelError, match="the manifest says"):
        answered(execution, "FINE_TUNING")
    assert len(generator.asked) == 2


def test_an_adapter_is_checked_before_the_models_are_there(database, tmp_path):
    """Its hashes need no model: what is damaged is refused without waiting."""
    loader = ModelLoader(lambda _: pytest.fail("nobody waits for models"))
    backends = ModelBackends(
        database, database.pool, ModelIndex(database, loader, DocumentReader()), AdapterFiles(tmp_path)
    )
    use_cases.create(database, "faq", use_cases.Stated("", b""))
    folder = add_adapter(database, tmp_path)
    execution = Execution(database, NoAdvice(), loader, backends)
    ask = Ask("What?", GenerationOptions(), "faq", facts_pb2.Facts(), approach=Approach.FINE_TUNING)
    assert execution.prepare(ask).adapter is not None
    (folder / "adapter_config.json").write_bytes(b"broken")
    with pytest.raises(ModelError, match="the manifest says"):
        execution.prepare(ask)


def test_documents_that_cannot_fit_are_left_out(execution, database, generator):
    """However many there are, they are not dropped in silence."""
    for number in range(9):
        import_document(database, "word " * 1900, f"{number}.txt")
    answer = answered(execution)
    assert "word" not in answer.text
    assert len(answer.notes) == 1
    assert answer.notes[0].startswith(
        "the documents (9 with 85,500 bytes) do not fit the model's 4,096 tokens"
    )


def test_what_is_forgotten_is_not_in_memory(execution, database, generator):
    """Neither what was opened of the use case, nor what the model was asked."""
    import_document(database, "Forget this.")
    assert "Forget this." in answered(execution).text
    execution.forget("faq")
    execution.forget_prompts()
    assert generator.asked == []
    gc.collect()
    kept = [each for each in gc.get_objects() if type(each) is Passage and "Forget" in each.text]
    assert not kept


def test_an_adapter_trained_on_what_is_gone_says_so(execution, database, tmp_path):
    """With every answer that it gives."""
    add_adapter(database, tmp_path)
    assert answered(execution, "FINE_TUNING").notes == ()
    with database.transaction() as connection:
        connection.execute("UPDATE adapters SET erased_examples = 2")
    (note,) = answered(execution, "FINE_TUNING").notes
    assert "examples: 2" in note
    assert "Tune" in note
