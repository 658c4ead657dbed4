"""Trials as long work: the approaches measured against each other on the examples of a use case.

First the examples are split and kept as they are. Then, arm by arm, what is to
be trained is trained, the questions are asked in batches, some are asked once
more one by one for the time they take, and the arm is summed up. Each of these
is a step: an attempt that resumes goes on after the last one that ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, ClassVar

from advisor.decision.recommendation import BASIC
from advisor.errors import AlreadyExists
from advisor.execution.answering import Execution
from advisor.execution.stored_facts import measurement_to_json
from advisor.knowledge.facts import facts_to_mapping
from advisor.names import trial_name, use_case_name
from advisor.storage import examples, measured_cases, profiles, trials, use_cases
from advisor.storage.database import Connection, Database
from advisor.storage.profiles import Origin
from advisor.storage.records import KeptExample, UseCase
from advisor.storage.trials import Trial, TrialExample
from advisor.trials.codec import result_to_json
from advisor.trials.conditions import Conditions
from advisor.trials.contest import Contest
from advisor.trials.costs import Costs
from advisor.trials.facts import as_measurements
from advisor.trials.measured import measured_case
from advisor.trials.preparing import Known, prepare, too_few
from advisor.trials.results import Given, Prediction, TrialResult
from advisor.trials.settings import LEAST_HELD_OUT, LEAST_LEARNED, TrialSettings
from advisor.trials.summing import Measured, summed_up
from advisor.trials.tally import Tally
from advisor.work.bench import Bench, open_bench
from advisor.work.contests import Lab, Race
from advisor.work.jobs import Job, Outcome
from advisor.work.racing import Board, Clock
from backends.base import Example
from backends.counts import counted

__all__ = ["TrialJob", "check_trial", "is_taken", "read_trial", "run_trial", "trial_job"]

_BEGUN = "begun"


@dataclass(frozen=True, slots=True)
class TrialJob:
    """What a trial is asked for.

    Attributes:
        use_case_id: Whose examples, and documents.
        trial_id: Last part of the trial's name.
        settings: How to run it.
        facts: What is known of the use case, as plain values.
        vetoes: Why an approach is out of the question, by its name.
        prediction: What the advisor says before anything is measured.
    """

    kind: ClassVar[str] = "TRIAL"

    use_case_id: str
    trial_id: str
    settings: TrialSettings
    facts: Mapping[str, Any]
    vetoes: Mapping[str, str]
    prediction: Prediction

    @property
    def target(self) -> str:
        """Resource name of the trial."""
        return trial_name(self.use_case_id, self.trial_id)

    def to_payload(self) -> dict[str, Any]:
        """Return the payload of the operation."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> TrialJob:
        """Return what a payload asks for."""
        return cls(
            **{
                **payload,
                "settings": TrialSettings.from_json(payload["settings"]),
                "prediction": Prediction(**payload["prediction"]),
            }
        )


def trial_job(
    database: Database, execution: Execution, use_case_id: str, trial_id: str, settings: TrialSettings
) -> TrialJob:
    """Return what a trial is asked for: with what is known of the use case now, and what the advisor says of it.

    Raises:
        NotFound: The use case does not exist.
    """
    facts, decision = execution.considered(use_cases.get(database, use_case_id), BASIC)
    return TrialJob(
        use_case_id,
        trial_id,
        settings,
        facts_to_mapping(facts),
        {approach.value: veto.reason for veto in decision.vetoes for approach in veto.approaches},
        Prediction(
            decision.approach,
            {score.approach.value: score.probability for score in decision.scores},
            {score.approach.value: score.points for score in decision.scores},
            versions=decision.versions.by_name,
        ),
    )


def check_trial(_asked: TrialJob, use_case: UseCase, _execution: Execution) -> None:
    """Check that a use case has examples enough.

    Raises:
        FailedPrecondition: It has too few to tell anything.
    """
    count = use_case.example_count + use_case.held_out_count
    if count < LEAST_HELD_OUT + LEAST_LEARNED:
        name = use_case_name(use_case.id)
        raise too_few(f"{name} has {counted(count, 'example')}", resource=name)


def is_taken(asked: TrialJob, connection: Connection) -> bool:
    """Return whether the use case has a trial of that name."""
    return trials.exists(connection, asked.use_case_id, asked.trial_id)


def read_trial(asked: TrialJob, database: Database) -> Trial:
    """Return the trial; NotFound where it was deleted since."""
    return trials.get(database, asked.use_case_id, asked.trial_id)


def run_trial(job: Job) -> Outcome:
    """Run a trial as a `TrialJob` asks; its row is written when it begins, its result when the operation ends.

    Raises:
        AlreadyExists: The use case has a trial of that name.
        FailedPrecondition: There are too few examples that differ, or nothing can be compared.
        BackendError: The models cannot be loaded.
    """
    asked = TrialJob.from_payload(job.operation.payload)
    trial = (asked.use_case_id, asked.trial_id)
    bench = open_bench(job, asked.use_case_id)
    if _BEGUN not in job.operation.steps:
        _begin(job, asked, bench)
    kept = trials.get(job.database, *trial)
    conditions = Conditions.from_json(kept.conditions)
    asked_of, learned = trials.held_out_and_training(job.database, *trial)
    clock = Clock(job, asked.settings.max_duration_s)
    held_out = [_example(each) for each in asked_of]
    tally = Tally(conditions, held_out, bench.embedder.embed)
    board = Board(job.report, tally, clock)
    contest = Contest(
        bench.generator,
        bench.embedder,
        conditions,
        bench.use_case.description,
        [_example(each) for each in learned],
        bench.corpus,
        bench.trainer(asked.settings.tuning, asked.settings.hybrid, board.training),
        job.settings.concurrent_answers,
    )
    lab = Lab(contest, tally, Costs(conditions.row), bench.hashes, bench.index_bytes())
    race = Race(job, trial, asked.settings, lab, clock=clock, board=board)
    arms = race.run()
    freshness = race.freshness()
    curve = race.curve()
    measured = Measured(
        tuple(
            Given(each.number, each.question, each.answer, conditions.kind_of(each.answer))
            for each in asked_of
        ),
        len(learned),
        arms,
        race.engine,
        clock.spent_s,
        curve,
        bench.versions(),
        freshness,
    )
    result = summed_up(conditions, measured)
    return Outcome(
        {"name": asked.target}, partial(_finish, trial=trial, conditions=conditions, result=result)
    )


def _finish(
    connection: Connection, trial: tuple[str, str], conditions: Conditions, result: TrialResult
) -> None:
    """Keep what a trial came to, the facts that it measured, and what it teaches where it teaches something."""
    trials.finish(connection, trial, result_to_json(result))
    if (taught := measured_case(conditions, result)) is not None:
        measured_cases.add(connection, trial, taught.to_json())
    told = as_measurements(result.facts, result.metric)
    profiles.keep(connection, trial[0], Origin.TRIAL, [*map(measurement_to_json, told)])


def _begin(job: Job, asked: TrialJob, bench: Bench) -> None:
    """Split the examples, settle the conditions, and keep both."""
    kept = [
        *examples.read(job.database, asked.use_case_id),
        *examples.read(job.database, asked.use_case_id, held_out=True),
    ]
    given = [each.value for each in kept]
    known = Known(
        asked.facts,
        asked.vetoes,
        asked.prediction,
        bench.generator.name,
        bench.embedder.name,
        *bench.there_is(),
        trained=bench.trained.name,
    )
    prepared = prepare(
        given, asked.settings, known, embed=bench.embedder.embed, count_tokens=bench.count_tokens
    )

    def begin(connection: Connection) -> None:
        if is_taken(asked, connection):
            raise AlreadyExists(asked.target)
        trials.begin(
            connection,
            (asked.use_case_id, asked.trial_id),
            job.operation.id,
            prepared.conditions.to_json(),
            held_out=_kept(kept, prepared.held_out),
            training=_kept(kept, prepared.training),
        )

    job.keep(_BEGUN, Outcome({}, begin))


def _kept(kept: Sequence[KeptExample], places: Sequence[int]) -> list[TrialExample]:
    return [
        TrialExample(number, each.sha256, each.question, each.answer, each.context)
        for number, each in enumerate(kept[place] for place in places)
    ]


def _example(kept: TrialExample) -> Example:
    """Return an example as it was; one that was erased since asks for nothing."""
    return Example(kept.question or "", kept.answer or "", kept.context)
