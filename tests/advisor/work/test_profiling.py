"""Profiles as long work: what data tells, what a model is asked; the model is a fake, the database is real."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import advisor.work.profiling
from advisor.errors import FailedPrecondition
from advisor.execution.stored_facts import known_facts
from advisor.settings import Settings, read_settings
from advisor.storage import leases, operations, profiles, use_cases
from advisor.storage.database import Database
from advisor.storage.operations import State
from advisor.wire.profiles import profile_to_proto
from advisor.work.profiling import ProfileJob, check_profile, run_profile
from advisor.work.worker import perform
from backends.base import Example
from tests.advisor.work.painting import COLOURS, FakeBench, FakeTrainer, add


@pytest.fixture
def bench(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeBench:
    """Return the fakes, and have profiles use them; the use case has 90 examples of three colours."""
    use_cases.create(database, "paint", use_cases.Stated("Name the colour.", b""))
    add(database, [Example(f"thing {n} painted {c}", c) for n in range(30) for c in COLOURS])
    made = FakeBench(database, tmp_path, FakeTrainer())
    monkeypatch.setattr(advisor.work.profiling, "open_bench", lambda *_: made)
    return made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(data_dir=tmp_path / "data", workers=1)


def measure(
    database: Database, settings: Settings, asked: int = 30, stop: threading.Event | None = None
) -> operations.Operation:
    job = ProfileJob("paint", asked)
    operations.create(
        database,
        kind=job.kind,
        use_case_id="paint",
        target=job.target,
        payload=job.to_payload(),
        queue_limit=9,
    )
    claimed = leases.claim(database, "w", [job.kind])
    assert claimed is not None
    perform(database, settings, run_profile, claimed, stop or threading.Event())
    return operations.get(database, claimed.id)


def values(database: Database) -> dict[str, object]:
    return {each["name"]: each["value"] for each in profiles.get(database, "paint").measurements}


def test_data_and_model_are_measured(database: Database, settings: Settings, bench: FakeBench) -> None:
    """Labels of the examples; a model that knows nothing alone, and all once it is shown examples."""
    ended = measure(database, settings)
    assert ended.state is State.SUCCEEDED, ended.error
    told = values(database)
    assert (told["label_count"], told["near_duplicates"], told["contradictions"]) == (3, 0, 0)
    assert told["closed_book_score"] < 0.6  # type: ignore[operator]
    assert told["prompted_score"] == 1.0
    facts, gathered = known_facts(database, use_cases.get(database, "paint"))
    assert facts.prompted_score == 1.0
    assert "prompted_score 100% [" in gathered.taken
    assert bench.training.runs == []


def test_each_has_method_sample_and_interval(
    database: Database, settings: Settings, bench: FakeBench
) -> None:
    """As messages that clients read; of properties that are no facts it is said so."""
    measure(database, settings)
    message = profile_to_proto(profiles.get(database, "paint"))
    by_name = {each.name: each for each in message.measurements}
    prompted = by_name["prompted_score"]
    assert (prompted.fact, prompted.count, prompted.value.number_value) == (True, 30, 1.0)
    assert 0.5 < prompted.low < prompted.high
    assert "best of three prompts" in prompted.method
    assert by_name["near_duplicates"].fact is False
    assert message.name == "useCases/paint/profile"


def test_contradictions_name_their_places_and_no_text(
    database: Database, settings: Settings, bench: FakeBench
) -> None:
    """So that the user finds them."""
    add(database, [Example("thing 3 painted red", "blue")])
    measure(database, settings, asked=0)
    (found,) = [
        each for each in profiles.get(database, "paint").measurements if each["name"] == "contradictions"
    ]
    assert found["value"] == 1
    assert found["concerned"] == [9, 90]
    assert "painted" not in str(found)


def test_the_model_is_left_alone_where_it_is_not_to_be_asked(
    database: Database, settings: Settings, bench: FakeBench
) -> None:
    """Of none only the data is read."""
    measure(database, settings, asked=0)
    assert bench.generator.asked == []
    assert "prompted_score" not in values(database)


def test_too_few_to_ask_are_told(database: Database, settings: Settings, bench: FakeBench) -> None:
    """What the data tells is kept, and why nothing was asked."""
    with database.transaction() as connection:
        connection.execute("DELETE FROM examples WHERE use_case_id = 'paint' AND position > 12")
        use_cases.recount(connection, "paint")
    assert measure(database, settings).state is State.SUCCEEDED
    (found,) = [
        each for each in profiles.get(database, "paint").measurements if each["name"] == "prompted_score"
    ]
    assert found["value"] is None
    assert "needs at least 28" in found["method"]


def test_a_profile_of_nothing_is_refused(database: Database) -> None:
    """With what to do."""
    use_cases.create(database, "empty", use_cases.Stated("", b""))
    with pytest.raises(FailedPrecondition, match="neither documents nor examples; import some"):
        check_profile(ProfileJob("empty"), use_cases.get(database, "empty"), None)  # type: ignore[arg-type]


def test_a_profile_that_was_stopped_goes_on(
    database: Database, settings: Settings, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was asked before is not asked again."""
    stop = threading.Event()
    ask = advisor.work.profiling._Asking.scores

    def stopping(self: object, arm: object) -> dict[int, float]:
        found = ask(self, arm)  # type: ignore[arg-type]
        stop.set()
        return found

    monkeypatch.setattr(advisor.work.profiling._Asking, "scores", stopping)
    assert measure(database, settings, stop=stop).state is State.QUEUED
    asked = len(bench.generator.asked)
    monkeypatch.setattr(advisor.work.profiling._Asking, "scores", ask)
    claimed = leases.claim(database, "w", [ProfileJob.kind])
    assert claimed is not None
    perform(database, settings, run_profile, claimed, threading.Event())
    assert operations.get(database, claimed.id).state is State.SUCCEEDED
    assert len(bench.generator.asked) == 3 * asked
