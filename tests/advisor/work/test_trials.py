"""Trials as long work, from the examples to the verdict; models and trainer are fakes, the database is real."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

import advisor.work.contests
import advisor.work.trials
from advisor.errors import FailedPrecondition
from advisor.execution.stored_facts import known_facts
from advisor.settings import Settings, read_settings
from advisor.storage import examples, leases, measured_cases, operations, profiles, trials, use_cases
from advisor.storage.database import Database
from advisor.storage.operations import State
from advisor.trials.arms import Arm
from advisor.trials.measured import MeasuredCase
from advisor.trials.probe import PROBE
from advisor.trials.results import ArmState, Prediction, TrialResult
from advisor.trials.settings import TrialSettings
from advisor.v1 import trial_pb2
from advisor.v1.trial_service_pb2 import TrialMetadata
from advisor.wire.operations import operation_to_proto
from advisor.work.racing import Clock
from advisor.work.reporting import report_of, whole_result
from advisor.work.trials import TrialJob, check_trial, run_trial
from advisor.work.worker import perform
from backends.base import Example
from tests.advisor.work.painting import COLOURS, FakeBench, FakeTrainer, Painter, add
from tests.doubles import FakeGenerator


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(data_dir=tmp_path / "data", workers=1)


@pytest.fixture
def bench(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeBench:
    """Return the fakes, and have trials use them; the use case has 90 examples of three colours."""
    use_cases.create(database, "paint", use_cases.Stated("Name the colour.", b""))
    add(database, [Example(f"thing {n} painted {c}", c) for n in range(30) for c in COLOURS])
    made = FakeBench(database, tmp_path, FakeTrainer())
    monkeypatch.setattr(advisor.work.trials, "open_bench", lambda *_: made)
    return made


def ask(database: Database, trial_id: str = "one", facts: dict[str, Any] | None = None, **given: Any) -> None:
    known = {"output_form": "LABEL", **(facts or {})}
    job = TrialJob(
        "paint",
        trial_id,
        TrialSettings(**given),
        known,
        {},
        Prediction("FINE_TUNING", {"FINE_TUNING": 1.0}, {"FINE_TUNING": 9.0}),
    )
    operations.create(
        database,
        kind=job.kind,
        use_case_id="paint",
        target=job.target,
        payload=job.to_payload(),
        queue_limit=9,
    )


def do_next(
    database: Database, settings: Settings, stop: threading.Event | None = None
) -> operations.Operation:
    claimed = leases.claim(database, "w", [TrialJob.kind])
    assert claimed is not None
    perform(database, settings, run_trial, claimed, stop or threading.Event())
    return operations.get(database, claimed.id)


def result_of(database: Database, trial_id: str = "one") -> TrialResult:
    return whole_result(database, trials.get(database, "paint", trial_id))


def quality(result: TrialResult, arm: Arm) -> float:
    found = next(each for each in result.arms if each.arm is arm)
    assert found.quality is not None
    return found.quality.value


def test_every_arm_is_asked_every_question(database: Database, settings: Settings, bench: FakeBench) -> None:
    """What shows examples or is trained is right, the plain prompt is not, and the verdict is the easiest to keep."""
    ask(database, held_out=30)
    ended = do_next(database, settings)
    assert ended.state is State.SUCCEEDED, ended.error
    result = result_of(database)
    assert (result.metric, result.form, len(result.given)) == ("accuracy", "LABEL", 30)
    assert quality(result, Arm.ZERO_SHOT) < 0.6
    assert quality(result, Arm.FEW_SHOT) == quality(result, Arm.FINE_TUNING) == 1.0
    assert [len(each.answers) for each in result.arms if each.state is ArmState.DONE] == [30] * 6
    assert result.verdict.approach == "PROMPTING"
    assert result.prediction is not None
    assert result.prediction.regret == 0.0
    metadata = TrialMetadata()
    assert operation_to_proto(ended).metadata.Unpack(metadata)
    assert [(each.arm, each.answered) for each in metadata.arms][:2] == [
        (trial_pb2.ARM_NEAREST_NEIGHBOURS, 30),
        (trial_pb2.ARM_LOGISTIC_REGRESSION, 30),
    ]
    assert {each.state for each in metadata.arms} == {trial_pb2.ArmResult.STATE_DONE}
    tuned = next(each for each in result.arms if each.arm is Arm.FINE_TUNING)
    assert tuned.training is not None
    held = (tuned.memory_bytes, tuned.training.memory_bytes)
    assert all(each is not None and 10**7 < each < 10**11 for each in held)


def test_what_a_trial_taught_is_kept_until_the_trial_goes(
    database: Database, settings: Settings, bench: FakeBench
) -> None:
    """Scores, versions, no text; a trial of one approach teaches nothing, and a deleted one nothing any more."""
    ask(database, held_out=30, facts={"task": "CLASSIFICATION"})
    ask(database, "two", arms=(Arm.FEW_SHOT,))
    for _ in range(2):
        do_next(database, settings)
    (kept,) = measured_cases.every(database)
    case = MeasuredCase.from_json(kept.measured)
    assert kept.trial == "useCases/paint/trials/one"
    assert {name: each.value for name, each in case.scores.items()} == {"PROMPTING": 100, "FINE_TUNING": 100}
    assert (case.facts["task"], case.advice, case.versions["painter"]) == (
        "CLASSIFICATION",
        "FINE_TUNING",
        "1",
    )
    assert "painted" not in str(kept.measured)
    trials.delete(database, "paint", "one")
    assert list(measured_cases.every(database)) == []


def test_no_question_is_learned_from(database: Database, settings: Settings, bench: FakeBench) -> None:
    """No group of near-duplicates is on both sides."""
    add(database, [Example("Thing 3 painted red!", "red"), Example("thing 3 painted RED", "red")])
    ask(database)
    do_next(database, settings)
    held_out, training = trials.held_out_and_training(database, "paint", "one")
    sides = ["thing 3 painted red" in (each.question or "").lower() for each in (*held_out, *training)]
    assert sum(sides) == 3
    assert sum(sides[: len(held_out)]) in (0, 3)


def test_what_is_held_out_is_what_is_asked(database: Database, settings: Settings, bench: FakeBench) -> None:
    """Where examples are held out by whoever gave them, just these are asked, and none of them is learned from."""
    kept_apart = [Example(f"other {n} painted {c}", c, held_out=True) for n in range(10) for c in COLOURS]
    add(database, kept_apart)
    ask(database, arms=(Arm.FEW_SHOT,))
    do_next(database, settings)
    held_out, training = trials.held_out_and_training(database, "paint", "one")
    assert {each.question for each in held_out} == {each.question for each in kept_apart}
    assert len(training) == 90
    assert not any("other" in (each.question or "") for each in training)


def test_what_cannot_run_says_why(database: Database, settings: Settings, bench: FakeBench) -> None:
    """A use case without documents has no retrieval to measure."""
    ask(database)
    do_next(database, settings)
    left = {each.arm: each.reason for each in result_of(database).arms if each.state is ArmState.NOT_RUN}
    assert set(left) == {Arm.RAG, Arm.HYBRID, Arm.NAIVE_BOTH, Arm.DOCUMENTS_IN_PROMPT}
    assert all("import some with ImportDocuments" in reason for reason in left.values())


def test_what_a_trial_measures_is_known_of_the_use_case(
    database: Database, settings: Settings, bench: FakeBench
) -> None:
    """As facts of its profile, until something measures them again."""
    ask(database, held_out=30)
    do_next(database, settings)
    facts, _ = known_facts(database, use_cases.get(database, "paint"))
    result = result_of(database)
    assert facts.prompted_score == 1.0
    assert facts.closed_book_score == round(quality(result, Arm.ZERO_SHOT), 4)
    assert {each["origin"] for each in profiles.get(database, "paint").measurements} == {"EXAMPLES", "TRIAL"}


def test_what_tuning_forgot_is_told(database: Database, settings: Settings, bench: FakeBench) -> None:
    """Of common questions that the base model answers, the share that the tuned one does not; of prompts nothing."""
    bench.generator.knows = dict(PROBE)  # type: ignore[attr-defined]
    ask(database, held_out=30, arms=(Arm.ZERO_SHOT, Arm.FINE_TUNING))
    do_next(database, settings)
    plain, tuned = (
        next(each for each in result_of(database).arms if each.arm is arm)
        for arm in (Arm.ZERO_SHOT, Arm.FINE_TUNING)
    )
    assert plain.forgotten is None
    assert tuned.forgotten is not None
    assert (tuned.forgotten.value, tuned.forgotten.count) == (1.0, len(PROBE))


def test_what_is_trained_may_be_another_model(
    database: Database, settings: Settings, bench: FakeBench
) -> None:
    """It writes where it was trained, and the report says that the models differ."""
    bench.other, bench.generator = Painter(), FakeGenerator(lambda _: "red", name="on a server")
    ask(database, held_out=30, arms=(Arm.FEW_SHOT, Arm.FINE_TUNING))
    assert do_next(database, settings).state is State.SUCCEEDED
    result = result_of(database)
    assert quality(result, Arm.FEW_SHOT) < 0.6
    assert quality(result, Arm.FINE_TUNING) == 1.0
    assert result.model == "on a server"
    assert any("runs on painter, all else on on a server" in note for note in result.notes)


def test_the_same_seed_gives_the_same(database: Database, settings: Settings, bench: FakeBench) -> None:
    """Questions, texts and scores are the same in a second trial; with another seed they are not."""
    for trial_id, seed in (("one", 0), ("two", 0), ("three", 1)):
        ask(database, trial_id, seed=seed, arms=(Arm.ZERO_SHOT, Arm.FEW_SHOT))
        do_next(database, settings)
    one, two, three = (result_of(database, each) for each in ("one", "two", "three"))
    texts = [[(a.text, a.scores) for arm in each.arms for a in arm.answers] for each in (one, two)]
    assert one.given == two.given != three.given
    assert texts[0] == texts[1]
    assert [each.quality for each in one.arms] == [each.quality for each in two.arms]


def test_a_trial_that_was_stopped_goes_on(database: Database, settings: Settings, bench: FakeBench) -> None:
    """What was answered before is not asked again, and examples that came meanwhile change nothing."""
    bench.training.stop = threading.Event()
    ask(database, held_out=30, arms=(Arm.FEW_SHOT, Arm.FINE_TUNING))
    assert do_next(database, settings, bench.training.stop).state is State.QUEUED
    asked_before = len(bench.generator.asked)
    assert asked_before >= 30
    add(database, [Example(f"late {n} painted red", "red") for n in range(50)])
    assert do_next(database, settings).state is State.SUCCEEDED
    result = result_of(database)
    assert quality(result, Arm.FEW_SHOT) == 1.0
    assert result.training_examples == 60
    assert result.engine == "fake"
    asked = [each for each in bench.generator.asked[asked_before:] if each[0][-1].content not in dict(PROBE)]
    shown = [adapter for _, adapter in asked]
    assert all(adapter is not None for adapter in shown)


def test_what_is_erased_goes_from_the_trial(database: Database, settings: Settings, bench: FakeBench) -> None:
    """Question, right answer and every arm's answer to it go with the example; the scores stay."""
    ask(database, arms=(Arm.FEW_SHOT,))
    do_next(database, settings)
    before = result_of(database)
    (gone,) = [each for each in examples.read(database, "paint") if each.question == before.given[0].question]
    examples.delete(database, "paint", gone.sha256[:32])
    after = result_of(database)
    arm = next(each for each in after.arms if each.answers)
    assert (after.given[0].question, after.given[0].right, arm.answers[0].text) == (None, None, None)
    assert arm.answers[0].scores == {"accuracy": 1.0}
    assert after.given[1:] == before.given[1:]
    assert gone.question not in report_of(database, "paint", "one", "HTML").content.decode()


def test_too_few_examples_are_refused(database: Database, settings: Settings, bench: FakeBench) -> None:
    """Before it is queued by their number, and in the worker by how many differ."""
    with database.transaction() as connection:
        connection.execute("DELETE FROM examples WHERE use_case_id = 'paint' AND position > 27")
        use_cases.recount(connection, "paint")
    job = TrialJob("paint", "one", TrialSettings(), {}, {}, Prediction(None, {}, {}))
    with pytest.raises(FailedPrecondition, match="a trial needs at least 28"):
        check_trial(job, use_cases.get(database, "paint"), None)  # type: ignore[arg-type]


def test_one_label_is_nothing_to_tell_apart(database: Database, settings: Settings, bench: FakeBench) -> None:
    """All examples with one answer end the trial before it begins."""
    with database.transaction() as connection:
        connection.execute("UPDATE examples SET answer = 'red' WHERE use_case_id = 'paint'")
    ask(database)
    ended = do_next(database, settings)
    assert ended.error is not None
    assert ended.error.reason == "ONE_LABEL"
    assert trials.list_page(database, "paint").items == ()


def test_the_time_is_kept(database: Database, settings: Settings, bench: FakeBench) -> None:
    """Where the time is up nothing more is begun, and each arm left says so."""
    ask(database, max_duration_s=0.0, held_out=30)
    ended = do_next(database, settings)
    assert ended.state is State.SUCCEEDED
    result = result_of(database)
    assert {each.state for each in result.arms} == {ArmState.NOT_RUN}
    assert any("were up" in each.reason for each in result.arms)
    assert result.verdict.approach is None


def test_an_arm_that_the_time_cuts_says_so(
    database: Database, settings: Settings, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was asked by then counts, and it is not said to be beaten."""
    monkeypatch.setattr(advisor.work.contests, "BATCH", 10)
    monkeypatch.setattr(Clock, "is_up", lambda _: len(bench.generator.asked) >= 20)
    ask(database, arms=(Arm.ZERO_SHOT,), held_out=30, max_duration_s=60.0)
    do_next(database, settings)
    (arm,) = [each for each in result_of(database).arms if each.arm is Arm.ZERO_SHOT]
    assert (arm.state, len(arm.answers)) == (ArmState.STOPPED, 20)
    assert arm.reason == "the time of the trial was up: 10 questions not asked"


def test_any_metric_may_count(database: Database, settings: Settings, bench: FakeBench) -> None:
    """Also the one that compares by the embedder."""
    ask(database, arms=(Arm.ZERO_SHOT, Arm.FEW_SHOT), metric="similarity")
    assert do_next(database, settings).state is State.SUCCEEDED
    assert quality(result_of(database), Arm.FEW_SHOT) == pytest.approx(1.0)


@pytest.mark.parametrize(("form", "begins"), [("HTML", "<!doctype html>"), ("MARKDOWN", "# "), ("JSON", "{")])
def test_a_report_is_written(
    database: Database, settings: Settings, bench: FakeBench, form: str, begins: str
) -> None:
    """In each form, of what was kept."""
    ask(database, arms=(Arm.ZERO_SHOT, Arm.FEW_SHOT))
    do_next(database, settings)
    content = report_of(database, "paint", "one", form).content.decode()
    assert content.lower().startswith(begins)
    assert "few" in content.lower()
