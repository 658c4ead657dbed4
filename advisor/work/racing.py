"""How long a trial has run and may run, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from advisor.trials.arms import Arm
from advisor.trials.results import ArmResult, ArmState, Asked
from advisor.trials.tally import Tally
from advisor.work.jobs import Job

if TYPE_CHECKING:
    from backends.training.run import TuningProgress

__all__ = ["Board", "Clock", "OutOfTime", "engine_of", "spent_s"]

SURE_STEPS = 5
"""Steps of training after which what is left is known well enough."""


Steps = Mapping[str, Mapping[str, Any]]
"""What is kept of the steps of an operation, by their names."""


def spent_s(steps: Steps) -> float:
    """Return the seconds that steps took."""
    return sum(float(step.get("seconds", 0.0)) for step in steps.values())


def engine_of(steps: Steps) -> str:
    """Return what computed the answers, as a step tells it; empty where none was asked for yet."""
    return next((str(step["engine"]) for step in steps.values() if step.get("engine")), "")


class OutOfTime(Exception):
    """The time that the trial may take is up; the message says at what."""


class Clock:
    """Counts what a trial spent, interruptions left out.

    Args:
        job: Its steps say what earlier attempts spent.
        limit_s: Seconds that it may take; no limit where None.
    """

    def __init__(self, job: Job, limit_s: float | None) -> None:
        self._before_s = spent_s(job.operation.steps)
        self._began = time.monotonic()
        self._limit_s = limit_s
        self._expected_s = 0.0

    @property
    def spent_s(self) -> float:
        """Seconds so far."""
        return self._before_s + time.monotonic() - self._began

    def is_up(self) -> bool:
        """Return whether the time is up."""
        return self._limit_s is not None and self.spent_s >= self._limit_s

    def check(self) -> None:
        """Raise OutOfTime where the time is up."""
        if self.is_up():
            raise OutOfTime(f"the {self._limit_s:g} s of the trial were up")

    def expects(self, left_s: float | None) -> None:
        """Take note of how long what is being done will take yet; None where that is not known."""
        self._expected_s = left_s or 0.0

    def stops(self, cancelled: Callable[[], bool]) -> Callable[[], bool]:
        """Return what says whether to stop: as asked, or as the time is up, or will be before this is done."""
        self._expected_s = 0.0
        return lambda: (
            cancelled() or (self._limit_s is not None and self.spent_s + self._expected_s >= self._limit_s)
        )


class Board:
    """Reports how far a trial is: each arm, and the time left by what arms took so far.

    Args:
        report: Takes the progress.
        tally: Has arms and questions.
        clock: Counts the time.
    """

    def __init__(self, report: Callable[[Mapping[str, Any]], None], tally: Tally, clock: Clock) -> None:
        self._report = report
        self._metric = tally.conditions.metric
        self._questions = len(tally.held_out)
        self._clock = clock
        self._arms: dict[Arm, dict[str, Any]] = {
            arm: {"arm": f"ARM_{arm}", "state": "STATE_WAITING"} for arm in tally.conditions.arms
        }
        self._ended = 0
        self._tell("ASKING")

    def trains(self, arm: Arm) -> None:
        """An arm is trained from now on."""
        self._arms[arm]["state"] = "STATE_TRAINING"
        self._tell("TRAINING")

    def training(self, progress: TuningProgress) -> None:
        """Training is so far."""
        if progress.step >= SURE_STEPS:
            self._clock.expects(progress.remaining_s)
        self._tell("TRAINING", more_s=progress.remaining_s)

    def begins(self, arm: Arm) -> None:
        """An arm is asked from now on."""
        self._arms[arm]["state"] = "STATE_ASKING"
        self._tell("ASKING")

    def asked(self, arm: Arm, answers: Sequence[Asked]) -> None:
        """An arm has answered so far."""
        scores = [each.scores[self._metric] for each in answers if self._metric in each.scores]
        self._arms[arm]["answered"] = len(answers)
        if scores:
            self._arms[arm]["quality"] = sum(scores) / len(scores)
        self._tell("ASKING")

    def ended(self, result: ArmResult) -> None:
        """An arm is done, stopped, or will not be run."""
        shown = self._arms[result.arm]
        shown["state"] = f"STATE_{result.state}"
        shown["answered"] = len(result.answers)
        if result.quality is not None:
            shown["quality"] = result.quality.value
        if result.state is not ArmState.NOT_RUN:
            self._ended += 1
        self._tell("ASKING")

    def _tell(self, stage: str, more_s: float | None = None) -> None:
        answered = sum(shown.get("answered", 0) for shown in self._arms.values())
        progress: dict[str, Any] = {
            "stage": stage,
            "step": answered,
            "total_steps": self._questions * len(self._arms),
            "arms": list(self._arms.values()),
        }
        if self._ended:
            each_s = self._clock.spent_s / self._ended
            left = sum(shown["state"] in ("STATE_WAITING", "STATE_TRAINING") for shown in self._arms.values())
            progress["remaining_s"] = max(left * each_s, more_s or 0.0)
        self._report(progress)
