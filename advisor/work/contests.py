"""A trial as it is run: step by step, with what is measured kept as it comes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from advisor.metrics.proportions import sign_test
from advisor.storage import trials
from advisor.storage.trials import KeptAnswer
from advisor.trials.arms import Arm
from advisor.trials.asking import Reply
from advisor.trials.changing import changes_of, freshness_of, too_few
from advisor.trials.codec import (
    arm_from_json,
    arm_to_json,
    asked_from_json,
    asked_to_json,
    freshness_from_json,
    freshness_to_json,
)
from advisor.trials.comparing import scores_of
from advisor.trials.contest import SHOWN, Answerer, Contest
from advisor.trials.costs import Costs
from advisor.trials.probe import forgotten
from advisor.trials.results import ArmResult, ArmState, Asked, Figure, Freshness, Training
from advisor.trials.settings import TrialSettings
from advisor.trials.tally import Tally, not_run
from advisor.work.jobs import Job, Outcome
from advisor.work.memory import PeakMemory
from advisor.work.racing import Board, Clock, OutOfTime, engine_of
from backends.base import BackendError, Cancelled, ExamplesError
from backends.counts import counted
from backends.memory import give_back
from backends.retrieval.trying import changed

__all__ = ["Lab", "Race"]

_FRESHNESS = "change facts"
BATCH = 32
"""Questions of a step."""
TIMED = 8
"""Questions that are asked once more, one by one, for the time they take."""
LEAST_ASKED = 32
HOPELESS = 0.001
"""An arm is stopped where another wins by so small a p-value, one-sided, and time is short."""


@dataclass(frozen=True, slots=True)
class Lab:
    """What a trial is run with.

    Attributes:
        contest: Opens arms.
        tally: Sums them up.
        costs: Prices them.
        documents: Returns the SHA-256 of documents by their sources.
        index_bytes: Size of the passages with their indexes.
    """

    contest: Contest
    tally: Tally
    costs: Costs
    documents: Callable[[Sequence[str]], Sequence[str]]
    index_bytes: int


class Race:
    """Runs the arms of one trial.

    Args:
        job: The operation; its steps are what is done already.
        trial: Ids of use case and trial.
        settings: How to run it.
        lab: What to run it with.
        clock: Counts the time.
        board: Shows how far it is.
    """

    def __init__(
        self,
        job: Job,
        trial: tuple[str, str],
        settings: TrialSettings,
        lab: Lab,
        *,
        clock: Clock,
        board: Board,
    ) -> None:
        self._job = job
        self._trial = trial
        self._settings = settings
        self._lab = lab
        self._clock = clock
        self._kept = trials.answers(job.database, *trial) if job.operation.steps else {}
        self._done: list[ArmResult] = []
        self._trainings: dict[tuple[Arm, int], Training] = {}
        self._board = board
        self._base_right: list[bool] | None = None
        self._memory: dict[str, int] = {}
        self.engine = engine_of(job.operation.steps)

    def run(self) -> tuple[ArmResult, ...]:
        """Run every arm, and return what was measured of each.

        Raises:
            Cancelled: The operation is to stop.
        """
        for arm in self._lab.tally.conditions.arms:
            kept = self._job.operation.steps.get(arm.value)
            if kept is None:
                result = self._run(arm)
                values = arm_to_json(result)
                add = partial(trials.add_arm, trial=self._trial, result=values)
                self._job.keep(arm.value, Outcome(values, add))
            else:
                result = arm_from_json(kept, self._kept_of(arm.value))
            self._done.append(result)
            self._board.ended(result)
        return tuple(self._done)

    def curve(self) -> dict[int, Figure]:
        """Return the quality of FINE_TUNING on a quarter, half and all of the examples, as far as time goes.

        Raises:
            Cancelled: The operation is to stop.
        """
        whole = self._result_of(Arm.FINE_TUNING)
        if not self._settings.curve or whole is None or whole.quality is None:
            return {}
        total = len(self._lab.contest.training)
        found = {total: whole.quality}
        for examples in (total // 4, total // 2):
            try:
                self._trained(Arm.FINE_TUNING, examples)
                name = f"{Arm.FINE_TUNING}-{examples}"
                answers, _ = self._asked(Arm.FINE_TUNING, name, self._lab.contest.open_tuned(examples))
            except OutOfTime:
                break
            except ExamplesError:
                continue  # too few to train on
            quality = self._lab.tally.quality(answers)
            if quality is not None:
                found[examples] = quality
        return dict(sorted(found.items()))

    def freshness(self) -> Freshness | None:
        """Return how answers follow facts that are changed in the passages; None where that cannot be told, or in time.

        Raises:
            Cancelled: The operation is to stop.
        """
        rag = self._result_of(Arm.RAG)
        if rag is None or rag.state is not ArmState.DONE or self._clock.is_up():
            return None
        kept = self._job.step(_FRESHNESS, self._change)
        return freshness_from_json(kept["freshness"]) if kept["freshness"] else None

    def _change(self) -> Outcome:
        """Change facts where only this trial sees it, and ask again."""
        began = time.monotonic()
        contest, tally = self._lab.contest, self._lab.tally
        found = changes_of(
            tally.held_out,
            contest.training,
            lambda question: contest.search(question, SHOWN),
            tally.conditions.seed,
        )
        told = None
        if not too_few(found):
            pairs = [(each.before, each.after) for each in found]
            indexing = time.monotonic()
            with changed(contest.corpus.pool, contest.corpus.collection, contest.embedder, pairs) as pool:
                index_s = (time.monotonic() - indexing) / len(found)
                answerer = contest.over(pool).open(Arm.RAG)
                questions = [each.example.question for each in found]
                replies = answerer(questions, self._job.cancelled)
            told = freshness_to_json(freshness_of(found, replies, self._done, tally, index_s))
        return Outcome({"seconds": time.monotonic() - began, "freshness": told})

    def _result_of(self, arm: Arm) -> ArmResult | None:
        return next((each for each in self._done if each.arm is arm), None)

    def _run(self, arm: Arm) -> ArmResult:
        training = None
        try:
            self._clock.check()
            if (trained := arm.trained_as) is not None:
                training = self._trained(trained, len(self._lab.contest.training))
            self._board.begins(arm)
            answerer = self._lab.contest.open(arm)
            answers, why = self._asked(arm, arm.value, answerer)
            timed = self._timed(arm, answerer)
            lost = self._forgotten(arm)
        except (OutOfTime, BackendError) as error:
            if isinstance(error, Cancelled):
                raise
            return not_run(arm, str(error))
        left = len(self._lab.tally.held_out) - len(answers)
        result = self._lab.tally.arm(
            arm,
            answers,
            timed=timed,
            training=training,
            index_bytes=self._lab.index_bytes if arm.retrieves else None,
            stopped=f"{why}: {counted(left, 'question')} not asked" if left else "",
        )
        return self._lab.costs.of(replace(result, forgotten=lost, memory_bytes=self._memory.get(arm.value)))

    def _forgotten(self, arm: Arm) -> Figure | None:
        """Return what the adapter that was trained for an arm has forgotten; None of arms without one of their own."""
        if arm.trained_as is not arm:
            return None

        def probe(tuned: Arm | None) -> Outcome:
            began = time.monotonic()
            right = self._lab.contest.probe(tuned, self._job.cancelled)
            return Outcome({"seconds": time.monotonic() - began, "right": right})

        if self._base_right is None:
            self._base_right = self._job.step("probe base", partial(probe, None))["right"]
        return forgotten(self._base_right, self._job.step(f"probe {arm}", partial(probe, arm))["right"])

    def _trained(self, arm: Arm, examples: int) -> Training:
        """Return what it took to train an adapter, on the first so many examples."""

        def train() -> Outcome:
            stop = self._clock.stops(self._job.cancelled)
            try:
                with PeakMemory() as memory:
                    training = self._lab.contest.train(arm, examples, stop)
            except Cancelled:
                if self._job.cancelled():
                    raise
                raise OutOfTime("the time was up while it was trained") from None
            give_back()
            return Outcome({**asdict(training), "memory_bytes": memory.bytes})

        if (arm, examples) not in self._trainings:
            self._board.trains(arm)
            kept = self._job.step(f"train {arm} {examples}", train)
            self._trainings[arm, examples] = Training(**kept)
        return self._trainings[arm, examples]

    def _asked(self, arm: Arm, name: str, answerer: Answerer) -> tuple[list[Asked], str]:
        """Return an arm's answers, batch by batch, and why there are fewer than there are questions."""
        questions = [example.question for example in self._lab.tally.held_out]
        answers: list[Asked] = []
        for start in range(0, len(questions), BATCH):
            batch = questions[start : start + BATCH]
            step = f"ask {name} {start}"
            if step in self._job.operation.steps:
                kept = self._kept_of(name)
                answers += kept[start : start + len(batch)]
                self._note_memory(name, self._job.operation.steps[step])
                continue
            if start and (why := self._ended(answers)):
                return answers, why
            asked: list[Asked] = []

            def work(start: int = start, batch: list[str] = batch, asked: list[Asked] = asked) -> Outcome:
                began = time.monotonic()
                with PeakMemory() as memory:
                    replies = answerer(batch, self._job.cancelled)
                self.engine = next((each.engine for each in replies if each.engine), self.engine)
                asked += self._lab.tally.score(replies, start)
                kept = [
                    KeptAnswer(each.number, each.text, asked_to_json(each), self._documents(reply))
                    for each, reply in zip(asked, replies, strict=True)
                ]
                add = partial(trials.add_answers, trial=self._trial, arm=name, kept=kept)
                values = {"seconds": time.monotonic() - began, "engine": self.engine}
                return Outcome({**values, "memory_bytes": memory.bytes}, add)

            self._note_memory(name, self._job.step(step, work))
            answers += asked
            self._board.asked(arm, answers)
        return answers, ""

    def _timed(self, arm: Arm, answerer: Answerer) -> list[tuple[float, float]]:
        """Return the seconds to the first token and to the end of some questions, asked one by one."""

        def work() -> Outcome:
            began = time.monotonic()
            replies = [
                answerer([example.question], self._job.cancelled)[0]
                for example in self._lab.tally.held_out[:TIMED]
            ]
            times = [[each.first_token_s, each.total_s] for each in replies]
            return Outcome({"seconds": time.monotonic() - began, "times": times})

        kept = self._job.step(f"time {arm}", work)
        return [(first, total) for first, total in kept["times"]]

    def _ended(self, answers: Sequence[Asked]) -> str:
        """Return why an arm is asked no more; empty where it is."""
        if self._clock.is_up():
            return "the time of the trial was up"
        return "it cannot win any more" if self._is_hopeless(answers) else ""

    def _is_hopeless(self, answers: Sequence[Asked]) -> bool:
        """Return whether another arm is so far ahead that this one cannot win, where time is short."""
        if self._settings.max_duration_s is None or len(answers) < LEAST_ASKED:
            return False
        metric = self._lab.tally.conditions.metric
        ours = {each.number: each.scores[metric] for each in answers if metric in each.scores}
        for rival in self._done:
            theirs = scores_of(rival, metric)
            both = set(ours) & set(theirs)
            wins = sum(theirs[each] > ours[each] for each in both)
            losses = sum(theirs[each] < ours[each] for each in both)
            if wins > losses and sign_test(wins, losses) / 2 < HOPELESS:
                return True
        return False

    def _note_memory(self, name: str, step: Mapping[str, Any]) -> None:
        """Note how much memory a step of asking took at most."""
        if (seen := step.get("memory_bytes")) is not None:
            self._memory[name] = max(self._memory.get(name, 0), seen)

    def _documents(self, reply: Reply) -> list[str]:
        return list(self._lab.documents(reply.sources)) if reply.sources else []

    def _kept_of(self, name: str) -> list[Asked]:
        return [asked_from_json(each.measured, each.text) for each in self._kept.get(name, ())]
