"""Fakes for trials and profiles: a model that knows colours once it was shown or trained, over a real database."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from advisor.names import example_content
from advisor.storage import use_cases
from advisor.storage.database import Database
from advisor.storage.imports import Limits, open_examples
from advisor.trials.contest import Corpus, Trainer
from backends.base import Cancelled, Example, GenerationOptions, Message, Passage
from backends.retrieval.asking import no_other
from backends.training.adapters import (
    Manifest,
    TrainingExample,
    TuningMetrics,
    TuningSettings,
    data_sha256,
    write_adapter,
)
from tests.doubles import FakeGenerator, WordEmbedder

COLOURS = ("red", "green", "blue")


def colour_of(question: str) -> str:
    return next(colour for colour in COLOURS if colour in question)


def twist(colour: str) -> str:
    return COLOURS[(COLOURS.index(colour) + 1) % 3]


class Painter(FakeGenerator):
    """Says the colour that the question names where it was trained, or shown examples; else always red.

    What it knows beside that it forgets where it was trained.
    """

    def __init__(self) -> None:
        super().__init__(self._say, name="painter")
        self.trained = threading.local()
        self.knows: dict[str, str] = {}

    def generate(self, messages: Sequence[Message], *, options: GenerationOptions, **given: Any) -> Any:
        self.trained.now = given.get("adapter") is not None
        said = super().generate(messages, options=replace(options, labels=()), **given)
        return replace(said, engine="fake")

    def _say(self, messages: Sequence[Message]) -> str:
        question = messages[-1].content
        if question in self.knows:
            return "red" if self.trained.now else self.knows[question]
        told = self.trained.now or len(messages) > 2
        return colour_of(question) if told and "painted" in question else "red"


@dataclass
class FakeTrainer:
    """Writes an adapter without training; the first time it stops the worker where one is given to stop."""

    stop: threading.Event | None = None
    runs: list[int] = field(default_factory=list)

    def tune(
        self,
        examples: Sequence[TrainingExample],
        settings: TuningSettings,
        *,
        output: Path,
        cancelled: Callable[[], bool],
        approach: str,
        **_: Any,
    ) -> Manifest:
        self.runs.append(len(examples))
        if self.stop is not None and not self.stop.is_set():
            self.stop.set()
            raise Cancelled("the worker stops")
        metrics = TuningMetrics(len(examples), 0, 0.5, 0.4, 1000, 2, stopped_early=False)
        manifest = Manifest(
            "painter",
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


@dataclass
class FakeBench:
    """Fakes for the models of a trial, and a real database."""

    database: Database
    folder: Path
    training: FakeTrainer
    generator: FakeGenerator = field(default_factory=Painter)
    embedder: WordEmbedder = field(default_factory=WordEmbedder)
    other: FakeGenerator | None = None

    @property
    def trained(self) -> FakeGenerator:
        return self.other or self.generator

    @property
    def use_case(self) -> Any:
        return use_cases.get(self.database, "paint")

    @property
    def corpus(self) -> Corpus:
        return Corpus(self.database.pool, "paint", tuple[Passage, ...], no_other)

    def there_is(self) -> tuple[int, int, bool, str]:
        return 0, 0, True, ""

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def hashes(self, sources: Sequence[str]) -> Sequence[str]:
        return ()

    def index_bytes(self) -> int:
        return 0

    def languages(self) -> dict[str, int]:
        return {}

    def trainer(
        self, settings: TuningSettings, hybrid: TuningSettings, report: Callable[..., None]
    ) -> Trainer:
        return Trainer(self.training.tune, self.folder, settings, hybrid, report, self.trained)

    def versions(self) -> dict[str, str]:
        return {"painter": "1"}


def add(database: Database, given: Sequence[Example], use_case_id: str = "paint") -> None:
    """Import examples."""
    limits = Limits(document_bytes=99, use_case_bytes=99, use_case_examples=999, example_bytes=999)
    with closing(open_examples(database, use_case_id, limits)) as upload:
        upload.add(given)
        upload.commit(len(given), hashlib.sha256(b"".join(map(_sent, given))).hexdigest())


def _sent(each: Example) -> bytes:
    return example_content(each.question, each.answer, "", held_out=each.held_out)
