"""Profiles as long work: documents and examples read as a whole, then the model and search asked on some of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from advisor.errors import FailedPrecondition
from advisor.execution.answering import Execution
from advisor.execution.stored_facts import known_facts, measurement_to_json
from advisor.knowledge.facts import facts_to_mapping
from advisor.knowledge.inventory import observed_changes
from advisor.knowledge.measurement import Measurement
from advisor.names import profile_name, use_case_name
from advisor.profiling.documents import Document, profile_documents
from advisor.profiling.examples import profile_examples
from advisor.profiling.measured import share_of
from advisor.storage import documents, examples, profiles
from advisor.storage.database import Connection, Database
from advisor.storage.profiles import KeptProfile, Origin
from advisor.storage.records import UseCase
from advisor.trials.arms import Arm
from advisor.trials.contest import SHOWN, Contest
from advisor.trials.facts import PROMPTS, as_measurements, facts_told
from advisor.trials.preparing import Known, Prepared, prepare
from advisor.trials.results import Figure, Prediction
from advisor.trials.settings import TrialSettings
from advisor.trials.tally import Tally, found_in
from advisor.work.bench import Bench, open_bench
from advisor.work.jobs import Job, Outcome
from backends.base import Example
from backends.documents.reader import DocumentReader
from backends.training.adapters import TuningSettings

__all__ = ["ASKED", "ProfileJob", "check_profile", "read_profile", "run_profile"]

ASKED = 60
"""Examples that the model and search are asked where nobody says."""
BATCH = 16
HITS = (1, 5)
"""Passages beside those that are usually shown, among which an answer is looked for."""


@dataclass(frozen=True, slots=True)
class ProfileJob:
    """What is to be measured.

    Attributes:
        use_case_id: Of which use case.
        asked: Most examples that the model and search are asked; 0 to read the data alone.
        seed: Chooses them.
    """

    kind: ClassVar[str] = "PROFILE"

    use_case_id: str
    asked: int = ASKED
    seed: int = 0

    @property
    def target(self) -> str:
        """Resource name of the profile."""
        return profile_name(self.use_case_id)

    def to_payload(self) -> dict[str, Any]:
        """Return the payload of the operation."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> ProfileJob:
        """Return what a payload asks for."""
        return cls(**payload)


def check_profile(_asked: ProfileJob, use_case: UseCase, _execution: Execution) -> None:
    """Check that there is something to measure.

    Raises:
        FailedPrecondition: There is not.
    """
    if not (use_case.document_count or use_case.example_count or use_case.held_out_count):
        name = use_case_name(use_case.id)
        raise FailedPrecondition(
            "NOTHING_TO_MEASURE",
            f"{name} has neither documents nor examples; import some with ImportDocuments or ImportExamples",
            metadata={"resource": name},
        )


def read_profile(asked: ProfileJob, database: Database) -> KeptProfile:
    """Return the profile; NotFound where the use case was deleted since."""
    return profiles.get(database, asked.use_case_id)


def run_profile(job: Job) -> Outcome:
    """Measure what a `ProfileJob` asks for; each part is kept as it comes.

    Raises:
        Cancelled: The operation is to stop.
        BackendError: The models cannot be loaded.
    """
    asked = ProfileJob.from_payload(job.operation.payload)
    bench = open_bench(job, asked.use_case_id)
    measuring = _Measuring(job, asked, bench)
    job.step("documents", measuring.documents)
    job.step("examples", measuring.examples)
    if asked.asked:
        measuring.ask()
    return Outcome({"name": asked.target})


class _Measuring:
    """Measures one use case part by part."""

    def __init__(self, job: Job, asked: ProfileJob, bench: Bench) -> None:
        self._job = job
        self._asked = asked
        self._bench = bench
        self._given = [
            each.value
            for is_held_out in (False, True)
            for each in examples.read(job.database, asked.use_case_id, held_out=is_held_out)
        ]

    def documents(self) -> Outcome:
        """Read the documents."""
        database, use_case = self._job.database, self._bench.use_case
        self._job.report({"stage": "READING"})
        now = datetime.now(UTC)
        since, times = documents.change_times(database, use_case.id)
        found = profile_documents(
            self._read(),
            count_tokens=self._bench.count_tokens,
            now=now,
            passages=use_case.passage_count,
            languages=self._bench.languages(),
            changes=observed_changes(times, since or use_case.create_time, now),
        )
        return self._kept(Origin.DOCUMENTS, found.measurements)

    def examples(self) -> Outcome:
        """Read the examples, and look for their answers in the documents."""
        self._job.report({"stage": "READING"})
        with self._job.database.transaction() as connection:
            version = profiles.examples_version(connection, self._asked.use_case_id)
        has_documents = self._bench.use_case.document_count > 0
        found = profile_examples(
            self._given,
            count_tokens=self._bench.count_tokens,
            embed=self._bench.embedder.embed,
            passages=(each.text for each in self._read()) if has_documents else None,
        )
        return self._kept(Origin.EXAMPLES, found.measurements, version)

    def ask(self) -> None:
        """Ask the model, and search, on some of the examples; where they are too few, say so."""
        try:
            prepared = self._prepared()
        except FailedPrecondition as error:
            told = [Measurement("prompted_score", None, f"not asked: {error}", len(self._given))]
            self._job.step("asked", lambda: self._kept(Origin.MODEL, told))
            return
        asked = _Asking(self._job, self._bench, prepared, self._given)
        scores = {arm: asked.scores(arm) for arm in PROMPTS}
        found = asked.found() if self._bench.use_case.passage_count else {}
        told = [*as_measurements(asked.facts(scores, found), prepared.conditions.metric)]
        for count in HITS:
            told_of = [each for each in found.get(count, {}).values() if each is not None]
            if told_of:
                method = f"questions of which a passage that answers them is among the best {count}"
                told.append(share_of(f"hits_at_{count}", sum(told_of), len(told_of), method))
        self._job.step("asked", lambda: self._kept(Origin.MODEL, told))

    def _prepared(self) -> Prepared:
        facts, _ = known_facts(self._job.database, self._bench.use_case)
        known = Known(
            facts_to_mapping(facts),
            {},
            Prediction(None, {}, {}),
            self._bench.generator.name,
            self._bench.embedder.name,
            *self._bench.there_is(),
        )
        settings = TrialSettings(arms=PROMPTS, held_out=self._asked.asked, seed=self._asked.seed)
        return prepare(
            self._given,
            settings,
            known,
            embed=self._bench.embedder.embed,
            count_tokens=self._bench.count_tokens,
        )

    def _read(self) -> Iterator[Document]:
        with DocumentReader() as reader:
            for each in documents.contents(self._job.database, self._asked.use_case_id):
                text = reader.read(each.source, each.media_type, each.content, self._job.cancelled).text
                yield Document(each.source, text, size=len(each.content))

    def _kept(self, origin: Origin, found: Sequence[Measurement], version: str | None = None) -> Outcome:
        values = [*map(measurement_to_json, found)]

        def record(connection: Connection) -> None:
            profiles.keep(connection, self._asked.use_case_id, origin, values, version=version)

        return Outcome({}, record)


class _Asking:
    """Asks the model and search; each is a step of its own."""

    def __init__(self, job: Job, bench: Bench, prepared: Prepared, given: Sequence[Example]) -> None:
        self._job = job
        self._held_out = [given[place] for place in prepared.held_out]
        self._conditions = prepared.conditions
        self._tally = Tally(prepared.conditions, self._held_out, bench.embedder.embed)
        self._contest = Contest(
            bench.generator,
            bench.embedder,
            prepared.conditions,
            bench.use_case.description,
            [given[place] for place in prepared.training],
            bench.corpus,
            bench.trainer(TuningSettings(), TuningSettings(), lambda _: None),
            job.settings.concurrent_answers,
        )
        self._done = 0
        self._began = time.monotonic()

    def scores(self, arm: Arm) -> dict[int, float]:
        """Return the scores of the questions that count, by their numbers."""

        def work() -> Outcome:
            answerer, scores = self._contest.open(arm), {}
            for start in range(0, len(self._held_out), BATCH):
                batch = self._held_out[start : start + BATCH]
                replies = answerer([each.question for each in batch], self._job.cancelled)
                for each in self._tally.score(replies, start):
                    if self._conditions.metric in each.scores:
                        scores[str(each.number)] = each.scores[self._conditions.metric]
                self._tell(len(batch))
            return Outcome({"scores": scores})

        kept = self._job.step(f"ask {arm}", work)
        return {int(number): score for number, score in kept["scores"].items()}

    def found(self) -> dict[int, dict[int, bool | None]]:
        """Return whether passages answer the questions: by how many of the best, then by number; None is not told."""

        def work() -> Outcome:
            found: dict[str, dict[str, bool | None]] = {str(count): {} for count in (*HITS, SHOWN)}
            for number, example in enumerate(self._held_out):
                texts = [each.text for each in self._contest.search(example.question, max(*HITS, SHOWN))]
                for count, told in found.items():
                    told[str(number)] = found_in(texts[: int(count)], example)
                self._tell(1)
            return Outcome({"found": found})

        kept = self._job.step("search", work)
        return {
            int(count): {int(number): told for number, told in of_all.items()}
            for count, of_all in kept["found"].items()
        }

    def facts(
        self, scores: Mapping[Arm, Mapping[int, float]], found: Mapping[int, Mapping[int, bool | None]]
    ) -> dict[str, Figure]:
        """Return the facts that this comes to."""
        shown = found.get(SHOWN, {})
        return facts_told(
            {arm: self._tally.share([*given.values()]) for arm, given in scores.items()},
            self._tally.share([None if each is None else float(each) for each in shown.values()]),
            shown,
            scores[PROMPTS[0]],
            self._conditions.form,
        )

    def _tell(self, asked: int) -> None:
        self._done += asked
        total = len(self._held_out) * (len(PROMPTS) + 1)
        each_s = (time.monotonic() - self._began) / self._done
        self._job.report(
            {
                "stage": "ASKING",
                "step": self._done,
                "total_steps": total,
                "remaining_s": each_s * (total - self._done),
            }
        )
