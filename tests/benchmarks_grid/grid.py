"""A small task, and a client that answers for a server: arms that are right about a known share of the questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from advisor.errors import AlreadyExists, NotFound
from advisor.metrics.choosing import metric_named
from advisor.metrics.outputs import Output
from advisor.names import trial_name
from advisor.trials.arms import Arm
from advisor.trials.report import to_json
from advisor.trials.results import ArmResult, ArmState, Asked, Figure, Given, TrialResult, Verdict
from advisor.v1 import trial_pb2
from backends.base import Example
from benchmarks.grid.task import Item, Task

RIGHT = {Arm.ZERO_SHOT: 9, Arm.FEW_SHOT: 5, Arm.NEAREST_SHOTS: 3, Arm.FINE_TUNING: 3}
"""An arm is wrong about every so many-th question."""


def items() -> Iterator[Item]:
    """Yield the ports of made-up services."""
    for number in range(160):
        name = f"service{chr(97 + number % 26)}{chr(97 + number // 26)}{number}"
        yield Item(
            f"Which port has {name}?",
            f"{9000 + number}",
            f"{name} listens on {9000 + number}.",
            f"{name}?",
            name,
        )


TASK = Task(
    "ports",
    "Answer with the number of the port alone.",
    items,
    "made up for tests",
    "none",
    "QUESTION_ANSWERING",
    "FREE_TEXT",
    training=32,
    documents=True,
    facts={"update_interval": "7d"},
    drift="in one word",
    held_out=40,
    drifted=20,
    spare=0,
    hybrid=True,
    curve=True,
    broken=True,
    halved=True,
    changes=True,
)
LENDER = Task(
    "words",
    "Answer.",
    lambda: (
        Item(f"What is word {number}?", "w", f"Word {number} stands here alone.") for number in range(80)
    ),
    "made up elsewhere",
    "none",
    "QUESTION_ANSWERING",
    "FREE_TEXT",
    training=20,
    held_out=40,
    documents=True,
)
TASKS = {TASK.name: TASK, LENDER.name: LENDER}


class FakeClient:
    """What the runner asks of a client, without a server.

    Args:
        slow: Whether operations never end by themselves.
    """

    def __init__(self, *, slow: bool = False) -> None:
        self.stored: dict[str, dict[str, Any]] = {}
        self.ran: dict[str, dict[str, Any]] = {}
        self.results: dict[str, TrialResult] = {}
        self.states: dict[str, int] = {}
        self.cancelled: list[str] = []
        self.slow = slow
        self.trials = SimpleNamespace(get=self._get, run=self._run, report=self._report, delete=self._delete)

    def create_use_case(self, use_case_id: str, **given: Any) -> None:
        self.stored[use_case_id] = {**given, "documents": [], "examples": []}

    def import_documents(self, use_case: str, documents: Sequence[Any], *, mirror: bool) -> None:
        assert mirror
        self.stored[use_case]["documents"] = list(documents)

    def import_examples(self, use_case: str, examples: Sequence[Example], *, mirror: bool) -> None:
        assert mirror
        self.stored[use_case]["examples"] = list(examples)

    def delete_use_case(self, use_case: str) -> None:
        if use_case not in self.stored:
            raise NotFound(use_case)
        del self.stored[use_case]

    def operations(self, filter: str) -> Iterator[Any]:  # noqa: A002 - as in the API
        assert filter == "done = false"
        running = trial_pb2.Trial.STATE_RUNNING
        return iter([self._future(name) for name, state in self.states.items() if state == running])

    def _get(self, name: str) -> trial_pb2.Trial:
        if name not in self.states:
            raise NotFound(name)
        arms = [trial_pb2.ArmResult()] if name in self.results else []
        return trial_pb2.Trial(name=name, state=self.states[name], arms=arms)

    def _delete(self, name: str) -> None:
        del self.states[name]

    def _run(self, use_case: str, *, trial_id: str, arms: Sequence[Arm], **settings: Any) -> Any:
        name = trial_name(use_case, trial_id)
        if name in self.states:
            raise AlreadyExists(name)
        self.ran[name] = {"arms": tuple(arms), **settings}
        self.results[name] = self._answered(use_case, arms)
        self.states[name] = trial_pb2.Trial.STATE_RUNNING
        return self._future(name)

    def _future(self, name: str) -> Any:
        def result(timeout: float) -> None:
            if self.slow and name not in self.cancelled:
                raise TimeoutError
            self.states[name] = trial_pb2.Trial.STATE_SUCCEEDED

        return SimpleNamespace(target=name, result=result, cancel=lambda: self.cancelled.append(name))

    def _report(self, name: str, form: str) -> bytes:
        assert form == "JSON"
        return to_json(self.results[name]).encode()

    def _answered(self, use_case: str, arms: Sequence[Arm]) -> TrialResult:
        stored = self.stored[use_case]
        asked = [each for each in stored["examples"] if each.held_out][::-1]
        texts = [each.content.decode() for each in stored["documents"]]
        given = tuple(Given(number, each.question, each.answer) for number, each in enumerate(asked))
        return TrialResult(
            metric="holds",
            form="FREE_TEXT",
            model="Fake-135M-Instruct",
            engine="none",
            embedder="none",
            seed=0,
            training_examples=len(stored["examples"]) - len(asked),
            groups=0,
            given=given,
            arms=tuple(_arm(arm, asked, texts) for arm in arms),
            comparisons=(),
            verdict=Verdict(None, None, ""),
            seconds=1.0,
        )


def _arm(arm: Arm, asked: Sequence[Example], texts: Sequence[str]) -> ArmResult:
    found = [any((each.context or "") in text for text in texts) for each in asked]
    right = [
        bool(number % RIGHT.get(arm, 2)) if arm is not Arm.RAG else found[number]
        for number in range(len(asked))
    ]
    answers = [
        each.answer if good else "I do not know the port" for each, good in zip(asked, right, strict=True)
    ]
    outputs = [Output(text, each.answer) for text, each in zip(answers, asked, strict=True)]
    scores: Mapping[int, Any] = dict(enumerate(metric_named("holds").scores(outputs)))
    rows = tuple(
        Asked(number, text, {"holds": scores[number]}, found=found[number] if arm.retrieves else None)
        for number, text in enumerate(answers)
    )
    quality = sum(scores.values()) / len(scores)
    return ArmResult(arm, ArmState.DONE, quality=Figure(quality, quality, quality, len(rows)), answers=rows)
