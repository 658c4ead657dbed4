"""What a trial is run with in a worker: models, the data of a use case, a trainer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.execution.loading import Models, load_generator, load_models
from advisor.settings import Settings
from advisor.storage import documents, use_cases
from advisor.storage.records import UseCase
from advisor.trials.contest import Corpus, Trainer
from advisor.work.jobs import Job
from backends.approaches.prompting import may_fit
from backends.base import Generator, Message, Passage, Progress
from backends.documents.reader import DocumentReader
from backends.models import resolve as models
from backends.models.names import RemoteSource, parse_model
from backends.retrieval.embedding import Embedder, open_embedder
from backends.retrieval.index import made_by
from backends.retrieval.reranking import Reranker
from backends.training.adapters import Manifest, TuningSettings

if TYPE_CHECKING:
    from backends.training.run import TuningProgress

__all__ = ["Bench", "open_bench"]

PACKAGES = ("rag-or-tune", "torch", "transformers", "peft", "openvino", "haystack-ai", "scikit-learn")
"""Whose versions a result tells."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Models and data of one use case.

    Attributes:
        job: The operation.
        use_case: The use case.
        generator: What writes.
        trained: What is trained: the generator, or another model where that runs on a server.
        embedder: What made the use case's passages; the server's where there are none.
        reranker: Orders what is found; None without one.
    """

    job: Job
    use_case: UseCase
    generator: Generator
    trained: Generator
    embedder: Embedder
    reranker: Reranker | None = None

    @property
    def corpus(self) -> Corpus:
        """What is retrieved from."""
        return Corpus(self.job.database.pool, self.use_case.id, self._documents, self._named, self.reranker)

    def there_is(self) -> tuple[int, int, bool, str]:
        """Return documents, passages, whether the documents may fit a prompt, and why nothing can be trained."""
        size = documents.size_bytes(self.job.database, self.use_case.id)
        fits = may_fit(size, self.generator.context_tokens)
        untrainable = ""
        if not _trainable(self.job.settings):
            untrainable = (
                f"{self.generator.name} runs on a server, and is not trained here; name a model that is, "
                "by ADVISOR_TRAINABLE"
            )
        return self.use_case.document_count, self.use_case.passage_count, fits, untrainable

    def count_tokens(self, text: str) -> int:
        """Return the tokens of a text."""
        empty = self.generator.count_tokens((Message("user", ""),))
        return self.generator.count_tokens((Message("user", text),)) - empty

    def hashes(self, sources: Sequence[str]) -> Sequence[str]:
        """Return the SHA-256 of documents by their sources."""
        return documents.hashes(self.job.database, self.use_case.id, sources)

    def index_bytes(self) -> int:
        """Return the size of the use case's passages with their indexes: its share of the table's."""
        with self.job.database.transaction() as connection:
            if made_by(connection) is None:
                return 0
            row = connection.execute(
                "SELECT pg_total_relation_size('passages') * (SELECT count(*) FROM passages WHERE collection = %s)"
                " / greatest(1, (SELECT count(*) FROM passages))",
                [self.use_case.id],
            ).fetchone()
        return int(row[0]) if row else 0

    def languages(self) -> dict[str, int]:
        """Return how many passages are in which language."""
        with self.job.database.transaction() as connection:
            if made_by(connection) is None:
                return {}
            rows = connection.execute(
                "SELECT language, passages FROM passage_languages WHERE collection = %s", [self.use_case.id]
            ).fetchall()
        return dict(rows)

    def trainer(
        self, settings: TuningSettings, hybrid: TuningSettings, report: Callable[[TuningProgress], None]
    ) -> Trainer:
        """Return what trains adapters of the model."""
        from backends.training.run import tune

        folder = self._model_folder()
        train = partial(tune, folder, base_model=models.identity(folder)) if folder else _refuse
        return Trainer(
            train,
            self.job.settings.data_dir / "checkpoints" / self.job.operation.id,
            settings,
            hybrid,
            report,
            self.trained,
        )

    def versions(self) -> dict[str, str]:
        """Return the versions of the packages that computed it."""
        found = {}
        for name in PACKAGES:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                continue
        return found

    def _model_folder(self) -> Path | None:
        settings = self.job.settings
        name = _trainable(settings)
        return models.resolve(name, cache=settings.model_cache, report=lambda _: None) if name else None

    def _named(self, name: str) -> Embedder:
        return open_embedder(name, cache=self.job.settings.model_cache, report=lambda _: None)

    def _documents(self) -> Sequence[Passage]:
        found = []
        with DocumentReader() as reader:
            for each in documents.contents(self.job.database, self.use_case.id):
                text = reader.read(each.source, each.media_type, each.content, self.job.cancelled).text
                found.append(Passage(each.source, each.source, 0, len(text.encode()), text))
        return found


def open_bench(job: Job, use_case_id: str) -> Bench:
    """Load the models, and return them with the use case.

    Raises:
        NotFound: The use case does not exist.
        BackendError: A model cannot be loaded.
    """

    def report(progress: Progress) -> None:
        job.report({"stage": "PREPARING", "remaining_s": progress.remaining_s})

    loaded = load_models(job.settings, report)
    with job.database.transaction() as connection:
        made = made_by(connection)
    embedder: Embedder = loaded.embedder
    if made is not None and made.embedder != embedder.name:
        embedder = open_embedder(made.embedder, cache=job.settings.model_cache, report=report)
    use_case = use_cases.get(job.database, use_case_id)
    return Bench(
        job, use_case, loaded.generator, _trained(job.settings, loaded, report), embedder, loaded.reranker
    )


def _trained(settings: Settings, loaded: Models, report: Callable[[Progress], None]) -> Generator:
    """Return what is trained; the generator where nothing can be."""
    name = _trainable(settings)
    if name in ("", settings.generator):
        return loaded.generator
    return load_generator(name, settings, report)


def _trainable(settings: Settings) -> str:
    """Return the name of the model that is trained; empty where none can be."""
    remote = isinstance(parse_model(settings.generator), RemoteSource)
    return settings.trainable if remote else settings.generator


def _refuse(*_: object, **__: object) -> Manifest:
    raise AssertionError("arms that train are not run on a model that cannot be trained")
