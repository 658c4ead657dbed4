"""Tuning as long work: the examples of a use case make an adapter of it.

A run keeps its training examples beside its checkpoint, so that an attempt
that resumes it trains on the same ones, whatever was imported or deleted since:
the adapter says how many of them are gone.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import structlog

from advisor.decision.recommendation import BASIC
from advisor.errors import AlreadyExists, FailedPrecondition
from advisor.execution.answering import Execution, refuse_vetoed
from advisor.knowledge.approaches import Approach
from advisor.names import adapter_name, use_case_name
from advisor.settings import Settings
from advisor.storage import adapters, documents, examples
from advisor.storage.database import Connection, Database
from advisor.storage.records import Adapter, UseCase
from advisor.work.jobs import Job, Outcome
from backends.base import Cancelled, Example, ExamplesError, Message, Passage, Progress
from backends.counts import counted
from backends.models import resolve as models
from backends.training.adapters import Manifest, TrainingExample, TuningSettings, storage_error, write_file
from backends.training.schedule import MIN_TRAINING_EXAMPLES, least_examples
from backends.training.stores import AdapterFiles

if TYPE_CHECKING:
    from backends.training.run import TuningProgress

__all__ = ["TuneJob", "check_tune", "clean_checkpoints", "is_taken", "read_adapter", "run_tune"]

LEAST_EXAMPLES = 10
"""Fewer are not trained on: what the veto `fewer-than-10-examples` says of those that are counted or stated."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TuneJob:
    """What a tuning run is asked for.

    Attributes:
        use_case_id: Whose examples, and documents, to train on.
        adapter_id: Last part of the adapter's name.
        approach: FINE_TUNING or HYBRID.
        settings: How to train.
    """

    kind: ClassVar[str] = "TUNE"

    use_case_id: str
    adapter_id: str
    approach: Approach
    settings: TuningSettings

    @property
    def target(self) -> str:
        """Resource name of the adapter to be."""
        return adapter_name(self.use_case_id, self.adapter_id)

    def to_payload(self) -> dict[str, Any]:
        """Return the payload of the operation."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> TuneJob:
        """Return what a payload asks for."""
        return cls(
            **{
                **payload,
                "approach": Approach(payload["approach"]),
                "settings": TuningSettings(**payload["settings"]),
            }
        )


def check_tune(asked: TuneJob, use_case: UseCase, execution: Execution) -> None:
    """Check that a use case has what training needs.

    Raises:
        FailedPrecondition: There is not enough to learn from, or a veto excludes the approach.
    """
    name = use_case_name(use_case.id)
    needed = max(LEAST_EXAMPLES, least_examples(asked.settings.held_out_share))
    if use_case.example_count < needed:
        raise FailedPrecondition(
            "TOO_FEW_EXAMPLES",
            f"{name} has {counted(use_case.example_count, 'example')}, and training needs {needed}, "
            "those held out among them; import more with ImportExamples",
            metadata={"resource": name},
        )
    refuse_vetoed(execution.recommend_use_case(use_case, BASIC), asked.approach)
    if asked.approach.retrieves and use_case.passage_count == 0:
        raise FailedPrecondition(
            "NO_DOCUMENTS",
            f"HYBRID learns to answer from retrieved passages, and {name} has no documents; "
            "import some with ImportDocuments, or tune for FINE_TUNING",
            metadata={"resource": name},
        )


def is_taken(asked: TuneJob, connection: Connection) -> bool:
    """Return whether the use case has an adapter of that name."""
    return adapters.exists(connection, asked.use_case_id, asked.adapter_id)


def read_adapter(asked: TuneJob, database: Database) -> Adapter:
    """Return the adapter that was made; NotFound where it was deleted since."""
    return adapters.get(database, asked.use_case_id, asked.adapter_id)


def run_tune(job: Job) -> Outcome:
    """Train an adapter as a `TuneJob` asks; its row is written when the operation ends.

    Raises:
        AlreadyExists: The use case has an adapter of that name.
        BackendError: What `backends.training.run.tune` and `backends.models.resolve.resolve` raise.
    """
    asked = TuneJob.from_payload(job.operation.payload)
    with job.database.transaction() as connection:
        if is_taken(asked, connection):
            raise AlreadyExists(asked.target)
    model = models.resolve(
        job.settings.generator,
        cache=job.settings.model_cache,
        report=lambda progress: job.report(_preparation(progress)),
    )
    checkpoints = _checkpoints(job.settings) / job.operation.id
    from backends.training.run import tune

    files = AdapterFiles(job.settings.data_dir, job.settings.adapter_store)
    folder = files.folder_of(asked.use_case_id, asked.adapter_id, job.operation.id)
    training_examples, lineage = _training_examples(job, asked, checkpoints / "examples.json")
    manifest = tune(
        model,
        training_examples,
        asked.settings,
        output=files.made(folder),
        checkpoints=checkpoints,
        base_model=models.identity(model),
        approach=asked.approach,
        report=lambda progress: job.report(_training(progress)),
        cancelled=job.cancelled,
    )
    files.keep(folder)
    adapter = _adapter(asked, folder, manifest)

    def record(connection: Connection) -> None:
        adapters.insert(connection, adapter, lineage)

    return Outcome({"name": asked.target}, record)


def clean_checkpoints(database: Database, settings: Settings) -> None:
    """Remove the checkpoints of operations that have ended, however they did."""
    folder = _checkpoints(settings)
    if not folder.is_dir():
        return
    with database.transaction() as connection:
        rows = connection.execute("SELECT id FROM operations WHERE state IN ('QUEUED', 'RUNNING')").fetchall()
    needed = {row[0] for row in rows}
    for each in folder.iterdir():
        if each.name not in needed:
            shutil.rmtree(each, ignore_errors=True)  # what stays is tried again after the next operation


def _checkpoints(settings: Settings) -> Path:
    return settings.data_dir / "checkpoints"


def _training_examples(
    job: Job, asked: TuneJob, kept: Path
) -> tuple[Sequence[TrainingExample], adapters.Lineage]:
    """Return the examples that the first attempt made, or make them; and what they were made of."""
    if kept.exists():
        found = json.loads(kept.read_bytes())
        return [_example_from_json(value) for value in found["examples"]], adapters.Lineage(
            **found["lineage"]
        )
    made, lineage = _make_examples(job, asked)
    values = {"examples": [asdict(example) for example in made], "lineage": asdict(lineage)}
    content = json.dumps(values, ensure_ascii=False).encode()
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_file(kept, content)
    except OSError as error:
        raise storage_error(kept, error, len(content)) from error
    return made, lineage


def _make_examples(job: Job, asked: TuneJob) -> tuple[Sequence[TrainingExample], adapters.Lineage]:
    from backends.training.examples import NO_PASSAGE, hybrid_examples, is_short, plain_examples

    kept = examples.read(job.database, asked.use_case_id)
    hashes = tuple(each.sha256 for each in kept)
    given = [each.value for each in kept]
    if not asked.approach.retrieves:
        return plain_examples(given), adapters.Lineage(hashes)
    seen: set[str] = set()
    left_out: list[Example] = []
    search = _search(job, asked.use_case_id, seen)
    made = hybrid_examples(given, search, seed=asked.settings.seed, leave_out=left_out.append)
    if len(made) < MIN_TRAINING_EXAMPLES and left_out:
        raise ExamplesError(
            f"of {counted(len(given), 'example')} only {len(made)} can be trained on with passages, and "
            f"{MIN_TRAINING_EXAMPLES} are needed: for the others {NO_PASSAGE}; "
            "give them a context, import the documents that hold their answers, or tune for FINE_TUNING"
        )
    if left_out:
        log.info(
            "examples left out",
            operation=job.operation.id,
            left_out=len(left_out),
            of=len(given),
            with_short_answers=sum(map(is_short, left_out)),
            why=f"without a context, {NO_PASSAGE}",
        )
    return made, adapters.Lineage(hashes, documents.hashes(job.database, asked.use_case_id, sorted(seen)))


def _search(job: Job, use_case_id: str, seen: set[str]) -> Callable[[str, int], Sequence[Passage]]:
    """Return the search by which the use case's questions will be answered; `seen` takes the sources found."""
    from backends.retrieval.embedding import LocalEmbedder, open_embedder
    from backends.retrieval.index import made_by
    from backends.retrieval.reranking import open_reranker
    from backends.retrieval.search import PassageRetriever

    def named(name: str) -> LocalEmbedder:
        return open_embedder(
            name,
            cache=job.settings.model_cache,
            report=lambda progress: job.report(_preparation(progress)),
        )

    with job.database.transaction() as connection:
        made = made_by(connection)
    embedder = named(made.embedder if made else job.settings.embedder)
    reranker = open_reranker(
        job.settings.reranker,
        cache=job.settings.model_cache,
        report=lambda progress: job.report(_preparation(progress)),
    )
    retriever = PassageRetriever(job.database.pool, use_case_id, embedder, named, reranker)
    job.report(_preparation(Progress("Finding passages for the examples")))

    def search(question: str, limit: int) -> Sequence[Passage]:
        if job.cancelled():
            raise Cancelled("tuning was cancelled before it began")
        passages = [hit.passage for hit in retriever.search(question, limit)]
        seen.update(passage.source for passage in passages)
        return passages

    return search


def _example_from_json(value: dict[str, Any]) -> TrainingExample:
    return TrainingExample(**{**value, "messages": tuple(Message(**each) for each in value["messages"])})


def _adapter(asked: TuneJob, folder: str, manifest: Manifest) -> Adapter:
    return Adapter(
        use_case_id=asked.use_case_id,
        id=asked.adapter_id,
        approach=asked.approach,
        base_model=manifest.base_model,
        data_sha256=manifest.data_sha256,
        settings=asdict(manifest.settings),
        metrics=asdict(manifest.metrics),
        folder=folder,
        create_time=datetime.now(UTC),
    )


def _preparation(progress: Progress) -> dict[str, Any]:
    return {"stage": "PREPARING", "activity": progress.activity, "remaining_s": progress.remaining_s}


def _training(progress: TuningProgress) -> dict[str, Any]:
    return {**asdict(progress), "stage": progress.stage.value}
