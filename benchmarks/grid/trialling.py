"""A task's trials, carried out by a server: what was begun before goes on, what has a result is left alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from advisor.client import Client, OperationFuture
from advisor.errors import AdvisorError, NotFound
from advisor.names import trial_name
from advisor.trials.arms import Arm
from advisor.trials.report import from_json
from advisor.trials.results import ArmState, TrialResult
from advisor.v1 import trial_pb2, use_case_pb2
from backends.base import Example
from benchmarks.grid import results
from benchmarks.grid.making import made
from benchmarks.grid.task import Task
from benchmarks.grid.variations import Trial, Variation, lender_of, trial_of, trials_of

__all__ = ["LONGEST_S", "Runner"]

LONGEST_S = 1200.0
"""Of a trial: then it is cancelled, and what was done counts.

No `max_duration_s` of the trial itself: where that is set, arms that are far behind are asked no more, and a case
needs all its questions from every arm.
"""
_STOP_S = 120.0
_TAKEN = (trial_pb2.Trial.STATE_SUCCEEDED, trial_pb2.Trial.STATE_CANCELLED)


class Runner:
    """Carries out tasks.

    Args:
        client: Of the server.
        tasks: All tasks, by name: one borrows the documents of another.
        say: Takes how far it is.
        longest_s: Seconds that a trial may take.
    """

    def __init__(
        self,
        client: Client,
        tasks: Mapping[str, Task],
        say: Callable[[str], None] = print,
        *,
        longest_s: float = LONGEST_S,
    ) -> None:
        self._client = client
        self._tasks = tasks
        self._say = say
        self._longest_s = longest_s

    def run(self, task: Task) -> dict[str, Any]:
        """Run the trials of a task, and return what is to be kept.

        Raises:
            AdvisorError: The server refuses something.
            ValueError: The task cannot be made here.
        """
        material = made(task)
        borrowed = made(lender_of(task, self._tasks)).documents if task.broken else {}
        trials: dict[str, Any] = {}
        engine: dict[str, Any] = {}
        whole: tuple[Trial, TrialResult] | None = None
        for variation in trials_of(task):
            trial = trial_of(task, variation, material, borrowed)
            result = self._measured(task, trial)
            values = results.measured(trial, result)
            if variation is Variation.MAIN:
                whole = (trial, result)
                names = ("model", "engine", "embedder", "seed", "versions")
                engine = {name: getattr(result, name) for name in names}
            if variation is Variation.CHANGED and whole is not None:
                values["before"] = results.outdated(*whole, trial)
            trials[variation.value] = values
            self._say(f"{task.name} {variation}: {_told(values)}")
        return {**results.described(task, material, engine), "tuning": dict(task.tuning), "trials": trials}

    def again(self, task: Task, arms: Sequence[Arm]) -> dict[str, Any]:
        """Run some arms of a task once more, as answers are given now, and return its result with what they measured.

        Raises:
            AdvisorError: The server refuses something.
            ValueError: The task cannot be made here.
        """
        material = made(task)
        borrowed = made(lender_of(task, self._tasks)).documents if task.broken else {}
        kept = results.read(task.name)
        whole: tuple[Trial, TrialResult] | None = None
        for variation in trials_of(task):
            trial = trial_of(task, variation, material, borrowed)
            trial = replace(trial, arms=tuple(each for each in trial.arms if each in arms))
            if not trial.arms:
                continue
            result = self._measured(task, trial)
            values, into = results.measured(trial, result), kept["trials"][variation.value]
            into["arms"] |= values["arms"]
            if variation is Variation.MAIN:
                whole = (trial, result)
            if variation is Variation.CHANGED and whole is not None:
                into["before"] |= results.outdated(*whole, trial)
            self._say(f"{task.name} {variation} again: {_told(values)}")
        return kept

    def forget(self, task: Task) -> None:
        """Delete the use cases of a task, where there are any."""
        for variation in trials_of(task):
            with suppress(NotFound):
                self._client.delete_use_case(_use_case_id(task, variation))

    def _measured(self, task: Task, trial: Trial) -> TrialResult:
        """Return the result of a trial: run now, gone on with, or as it was kept."""
        use_case, trial_id = _use_case_id(task, trial.variation), _trial_id(task, trial)
        name = trial_name(use_case, trial_id)
        future = next((each for each in self._client.operations("done = false") if each.target == name), None)
        if future is None:
            kept = self._kept(name)
            if kept is not None and not _counts(kept):
                self._client.trials.delete(name)
                kept = None
            if kept is None:
                self._bring_in(task, trial, use_case)
                future = self._begun(task, trial, use_case, trial_id)
        if future is not None:
            self._await(task, trial, future)
        return from_json(self._client.trials.report(name, "JSON").decode())

    def _kept(self, name: str) -> trial_pb2.Trial | None:
        try:
            return self._client.trials.get(name)
        except NotFound:
            return None

    def _bring_in(self, task: Task, trial: Trial, use_case: str) -> None:
        material = trial.material
        facts = results.stated(task, material)
        self._client.create_use_case(use_case, description=task.description, facts=facts, exist_ok=True)
        documents = [
            use_case_pb2.Document(source=source, content=text.encode())
            for source, text in material.documents.items()
        ]
        if documents:
            self._client.import_documents(use_case, documents, mirror=True)
        asked = [_held_out(each) for each in trial.asked]
        self._client.import_examples(use_case, [*material.training, *asked], mirror=True)

    def _begun(
        self, task: Task, trial: Trial, use_case: str, trial_id: str
    ) -> OperationFuture[trial_pb2.Trial]:
        return self._client.trials.run(
            use_case,
            trial_id=trial_id,
            arms=trial.arms,
            held_out=len(trial.asked),
            metric=task.metric,
            tuning=dict(task.tuning),
        )

    def _await(self, task: Task, trial: Trial, future: OperationFuture[trial_pb2.Trial]) -> None:
        """Wait until a trial has ended; cancel it when its time is up."""
        try:
            future.result(self._longest_s)
        except TimeoutError:
            self._say(f"{task.name} {trial.variation}: cancelled after {self._longest_s:.0f} s")
            future.cancel()
            with suppress(AdvisorError, TimeoutError):
                future.result(_STOP_S)


def _counts(kept: trial_pb2.Trial) -> bool:
    """Return whether what a trial measured that is not going on is taken: all of it, or until it was cancelled."""
    return kept.state in _TAKEN and bool(kept.arms)


def _use_case_id(task: Task, variation: Variation) -> str:
    return f"grid-{task.name}-{variation}"


def _trial_id(task: Task, trial: Trial) -> str:
    """Return the trial's id: another one where anything that it measures is another."""
    material = trial.material
    told = [
        task.description,
        *trial.arms,
        *(f"{each.question}\0{each.answer}" for each in (*material.training, *trial.asked)),
        *(f"{source}\0{text}" for source, text in sorted(material.documents.items())),
        json.dumps([task.metric, sorted(task.tuning.items())]),
    ]
    return f"t{hashlib.sha256(chr(1).join(told).encode()).hexdigest()[:16]}"


def _held_out(example: Example) -> Example:
    return Example(example.question, example.answer, example.context, held_out=True)


def _told(values: Mapping[str, Any]) -> str:
    """Return in words what a trial came to."""
    parts = []
    for arm, each in values["arms"].items():
        quality = each.get("quality")
        mark = "" if each["state"] == ArmState.DONE else f" ({each['state'].lower()}: {each.get('reason')})"
        parts.append(f"{arm} {100 * quality[0]:.0f}{mark}" if quality else f"{arm} -{mark}")
    return f"{', '.join(parts)}; {values['seconds']:.0f} s"
