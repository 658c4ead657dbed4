"""Tuning as long work: what it leaves, and what it never touches. The trainer is a fake one."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

import backends.training.run
from advisor.decision.advisor import default_advisor
from advisor.settings import Settings, read_settings
from advisor.storage import adapters, examples, leases, operations, use_cases
from advisor.storage.database import Database
from advisor.storage.imports import Limits, open_examples
from advisor.storage.operations import Operation, State
from advisor.work.tuning import LEAST_EXAMPLES, TuneJob, clean_checkpoints, run_tune
from advisor.work.worker import perform
from backends.base import Cancelled, Example, Passage, TuningError
from backends.training.adapters import (
    Manifest,
    TrainingExample,
    TuningMetrics,
    TuningSettings,
    data_sha256,
    read_manifest,
    write_adapter,
)
from backends.training.run import TuningProgress, TuningStage
from backends.training.stores import AdapterFiles


@dataclass
class FakeTrainer:
    """Writes an adapter without training, or ends as told.

    Attributes:
        error: Raised instead.
        seen: The examples of each run.
    """

    error: Exception | None = None
    seen: list[Sequence[TrainingExample]] = field(default_factory=list)

    def tune(
        self,
        model_folder: Path,
        examples: Sequence[TrainingExample],
        settings: TuningSettings,
        *,
        output: Path,
        checkpoints: Path,
        base_model: str,
        approach: str,
        report: Callable[[TuningProgress], None],
        cancelled: Callable[[], bool],
    ) -> Manifest:
        self.seen.append(examples)
        checkpoints.mkdir(parents=True, exist_ok=True)
        report(TuningProgress(TuningStage.TRAINING, step=1, total_steps=2, training_loss=0.5))
        if self.error is not None:
            raise self.error
        metrics = TuningMetrics(len(examples), 0, 0.5, None, 10, 2, stopped_early=False)
        manifest = Manifest(
            base_model,
            approach,
            data_sha256(examples),
            settings,
            metrics,
            weights_sha256="",
            config_sha256="",
            versions={},
            precision="float32",
            created=datetime.now(UTC),
        )
        write_adapter(output, manifest, config=b"{}", weights=b"")
        return manifest


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> FakeTrainer:
    fake = FakeTrainer()
    monkeypatch.setattr(backends.training.run, "tune", fake.tune)
    return fake


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings with a base model that nobody reads but for its hash."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"")
    return read_settings(data_dir=tmp_path / "data", generator=str(model))


@pytest.fixture
def database(database: Database) -> Database:
    """Return the database with a use case that has one example."""
    use_cases.create(database, "faq", use_cases.Stated("Answers.", b""))
    add_example(database, Example("q1", "a1"))
    return database


def add_example(database: Database, example: Example) -> None:
    content = f"{example.question}\0{example.answer}\0\0".encode()
    limits = Limits(document_bytes=99, use_case_bytes=99, use_case_examples=9, example_bytes=99)
    with closing(open_examples(database, "faq", limits)) as upload:
        upload.add([example])
        upload.commit(1, hashlib.sha256(content).hexdigest())


def ask(
    database: Database, adapter_id: str = "one", approach: str = "FINE_TUNING", **settings: Any
) -> Operation:
    job = TuneJob("faq", adapter_id, approach, TuningSettings(**settings))
    return operations.create(
        database,
        kind=job.kind,
        use_case_id="faq",
        target=job.target,
        payload=job.to_payload(),
        queue_limit=9,
    )


def do_next(database: Database, settings: Settings, *, stopping: bool = False) -> Operation:
    """Do the next operation as a worker does, and return how it ended."""
    claimed = leases.claim(database, "w", [TuneJob.kind])
    assert claimed is not None
    stop = threading.Event()
    if stopping:
        stop.set()
    perform(database, settings, run_tune, claimed, stop)
    clean_checkpoints(database, settings)
    return operations.get(database, claimed.id)


def test_a_payload_is_read_as_it_was_written() -> None:
    """What is asked for survives the queue."""
    job = TuneJob("faq", "one", "HYBRID", TuningSettings(epochs=2, learning_rate=0.01))
    assert TuneJob.from_payload(job.to_payload()) == job


def test_an_adapter_has_its_folder_and_its_row(
    database: Database, settings: Settings, trainer: FakeTrainer
) -> None:
    """The row says what the manifest says, the operation names the adapter, no checkpoint is left."""
    ask(database, epochs=2)
    ended = do_next(database, settings)
    adapter = adapters.get(database, "faq", "one")
    manifest = read_manifest(settings.data_dir / adapter.folder)
    assert ended.result == {"name": "useCases/faq/adapters/one"}
    assert (ended.progress["stage"], ended.progress["total_steps"]) == ("TRAINING", 2)
    assert (adapter.data_sha256, adapter.settings["epochs"]) == (manifest.data_sha256, 2)
    assert list((settings.data_dir / "checkpoints").iterdir()) == []


def test_with_a_store_every_server_finds_the_adapter(
    database: Database, settings: Settings, trainer: FakeTrainer, tmp_path: Path
) -> None:
    """The row is written once the store has it, and nothing of it stays with the worker."""
    shared = settings.model_copy(update={"adapter_store": f"file://{tmp_path / 'store'}"})
    ask(database)
    ended = do_next(database, shared)
    adapter = adapters.get(database, "faq", "one")
    assert adapter.folder == f"adapters/faq/one/{ended.id}"
    elsewhere = AdapterFiles(tmp_path / "elsewhere", shared.adapter_store)
    assert read_manifest(elsewhere.local(adapter.folder)).data_sha256 == adapter.data_sha256
    assert not list(settings.data_dir.rglob("manifest.json"))


def test_a_store_that_is_away_fails_the_run(
    database: Database, settings: Settings, trainer: FakeTrainer, tmp_path: Path
) -> None:
    """There is no adapter that nobody could fetch."""
    (tmp_path / "file").write_text("no folder")
    ask(database)
    ended = do_next(database, settings.model_copy(update={"adapter_store": f"file://{tmp_path / 'file'}"}))
    assert ended.error is not None
    assert "cannot be written" in ended.error.message
    assert not adapters.list_page(database, "faq").items


def test_a_taken_name_fails_and_leaves_the_adapter(
    database: Database, settings: Settings, trainer: FakeTrainer
) -> None:
    """Nothing is trained, and the adapter that was there is as before."""
    ask(database)
    do_next(database, settings)
    before = adapters.get(database, "faq", "one")
    ask(database, epochs=9)
    ended = do_next(database, settings)
    assert ended.error is not None
    assert ended.error.reason == "RESOURCE_EXISTS"
    assert adapters.get(database, "faq", "one") == before
    assert read_manifest(settings.data_dir / before.folder).settings.epochs is None


def test_a_resumed_run_trains_on_the_same_examples(
    database: Database, settings: Settings, trainer: FakeTrainer
) -> None:
    """What is imported between two attempts does not change the run."""
    ask(database)
    trainer.error = Cancelled("the worker stops")
    assert do_next(database, settings, stopping=True).state is State.QUEUED
    add_example(database, Example("q2", "a2"))
    trainer.error = None
    assert do_next(database, settings).state is State.SUCCEEDED
    assert [[example.completion for example in run] for run in trainer.seen] == [["a1"], ["a1"]]
    assert list(trainer.seen[0]) == list(trainer.seen[1])


@pytest.mark.parametrize("error", [TuningError("the loss diverged"), Cancelled("stopped")])
def test_a_run_that_ends_badly_leaves_nothing(
    database: Database, settings: Settings, trainer: FakeTrainer, error: Exception
) -> None:
    """Neither checkpoint nor adapter; the earlier adapter is still there."""
    ask(database)
    do_next(database, settings)
    trainer.error = error
    ask(database, "two")
    ended = do_next(database, settings)
    assert ended.state is (State.CANCELLED if isinstance(error, Cancelled) else State.FAILED)
    assert [each.id for each in adapters.list_page(database, "faq").items] == ["one"]
    assert list((settings.data_dir / "checkpoints").iterdir()) == []
    assert [each.name for each in (settings.data_dir / "adapters" / "faq").iterdir()] == ["one"]


def test_an_adapter_says_what_of_its_examples_is_gone(database, settings, trainer):
    """Deleted while it was trained, an example is counted; deleted afterwards too."""
    add_example(database, Example("q2", "a2"))
    first, second = (each.sha256[:32] for each in examples.read(database, "faq"))
    ask(database)
    real = trainer.tune

    def tune_while_deleting(*given: Any, **options: Any) -> Manifest:
        examples.delete(database, "faq", first)
        return real(*given, **options)

    backends.training.run.tune = tune_while_deleting  # undone with the fake itself
    assert do_next(database, settings).state == "SUCCEEDED"
    assert adapters.get(database, "faq", "one").erased_examples == 1
    examples.delete(database, "faq", second)
    assert adapters.get(database, "faq", "one").erased_examples == 2


def test_examples_without_a_passage_are_counted(database, settings, trainer, monkeypatch):
    """Trained on passages, an example needs one that holds its answer: how many have none is told, with the remedy."""
    add_example(database, Example("q2", "twenty-eight days"))
    passage = Passage("p", "a.md", 0, 27, "Leave is twenty-eight days.")
    monkeypatch.setattr("advisor.work.tuning._search", lambda *_: lambda question, limit: [passage])
    ask(database, approach="HYBRID")
    ended = do_next(database, settings)
    assert ended.state == "FAILED"
    assert "of 2 examples only 1 can be trained on" in str(ended.error)
    assert "context" in str(ended.error)
    assert trainer.seen == []


def test_the_log_tells_how_many_examples_were_left_out(database, settings, trainer, monkeypatch):
    """Where enough have a passage the rest is not missed without a word: the log counts them and says why."""
    for number in range(7):
        add_example(database, Example(f"answered {number}", "twenty-eight days"))
    add_example(database, Example("q2", "a2"))  # of two without a passage, one is trained on
    passage = Passage("p", "a.md", 0, 27, "Leave is twenty-eight days.")
    monkeypatch.setattr("advisor.work.tuning._search", lambda *_: lambda question, limit: [passage])
    ask(database, approach="HYBRID")
    with capture_logs() as logged:
        assert do_next(database, settings).state == "SUCCEEDED"
    (told,) = (each for each in logged if each["event"] == "examples left out")
    assert (told["left_out"], told["of"], told["with_short_answers"]) == (1, 9, 1)
    assert "fewer than 4 characters" in told["why"]
    assert len(trainer.seen[0]) == 8


def test_training_needs_as_many_examples_as_the_rules_ask_for() -> None:
    """One fewer is vetoed where it is known, so that both name the same number."""
    vetoed = [
        [veto.id for veto in default_advisor().recommend({"labelled_examples": number}).vetoes]
        for number in (LEAST_EXAMPLES - 1, LEAST_EXAMPLES)
    ]
    assert vetoed == [["fewer-than-10-examples"], []]
