"""What a worker opens for a trial: which model is trained."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import advisor.work.bench
import backends.generation.local
from advisor.execution.loading import Models
from advisor.settings import Settings, read_settings
from advisor.storage import use_cases
from advisor.storage.database import Database
from advisor.work.bench import Bench, open_bench
from tests.backends.random_models import save_random_model
from tests.doubles import FakeGenerator, WordEmbedder

SERVED = "openai:http://127.0.0.1:9/v1#large"


@pytest.fixture
def opened(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what opens a bench with given settings; models are fakes that are called by their names."""
    use_cases.create(database, "paint", use_cases.Stated("Name the colour.", b""))

    def load(settings: Settings, _report: object) -> Models:
        return Models(FakeGenerator(name=settings.generator), WordEmbedder())

    monkeypatch.setattr(advisor.work.bench, "load_models", load)
    monkeypatch.setattr(
        backends.generation.local, "open_generator", lambda name, **_: FakeGenerator(name=name)
    )

    def open_with(**given: str) -> Bench:
        settings = read_settings(data_dir=tmp_path, **given)
        job = SimpleNamespace(
            settings=settings, database=database, report=lambda _: None, operation=SimpleNamespace(id="one")
        )
        return open_bench(job, "paint")  # type: ignore[arg-type]

    return open_with


def test_the_generator_is_trained(opened: Any, tmp_path: Path) -> None:
    """Where it runs here; another that is named for it is not even looked at."""
    save_random_model(tmp_path / "model")
    save_random_model(tmp_path / "other")
    bench = opened(generator=str(tmp_path / "model"), trainable=str(tmp_path / "other"))
    assert bench.trained is bench.generator
    assert bench.there_is()[-1] == ""


def test_a_model_on_a_server_is_not_trained(opened: Any) -> None:
    """It says what to do."""
    bench = opened(generator=SERVED)
    assert bench.trained is bench.generator
    assert "name a model that is, by ADVISOR_TRAINABLE" in bench.there_is()[-1]


def test_another_is_trained_in_its_place(opened: Any, tmp_path: Path) -> None:
    """The one named."""
    save_random_model(tmp_path / "model")
    bench = opened(generator=SERVED, trainable=str(tmp_path / "model"))
    assert (bench.generator.name, bench.trained.name) == (SERVED, str(tmp_path / "model"))
    assert bench.there_is()[-1] == ""


def test_what_is_trained_cannot_be_on_a_server(tmp_path: Path) -> None:
    """It is refused when the server starts."""
    with pytest.raises(Exception, match="ADVISOR_TRAINABLE"):
        read_settings(data_dir=tmp_path, trainable=SERVED)
