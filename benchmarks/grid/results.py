"""What is kept of a task's trials: numbers in a file, never a question, an answer or a passage."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from advisor.metrics.choosing import metric_named
from advisor.metrics.outputs import Output
from advisor.trials.results import ArmResult, ArmState, Asked, Figure, TrialResult
from benchmarks.grid.task import Material, Task
from benchmarks.grid.variations import Trial

__all__ = ["FOLDER", "described", "has_result", "measured", "outdated", "read", "read_all", "write"]

FOLDER = Path(__file__).parent / "results"
_DECIMALS = 4
_SECONDS = 3


def described(task: Task, material: Material, engine: Mapping[str, Any]) -> dict[str, Any]:
    """Return the head of a task's result: what it is, what is stated of it, and what it was made of."""
    return {
        "task": task.name,
        "description": task.description,
        "origin": task.origin,
        "licence": task.licence,
        "drift": task.drift,
        "facts": stated(task, material),
        "counts": {
            "training": len(material.training),
            "held_out": len(material.held_out),
            "drifted": len(material.drifted),
            "labels": len(material.labels) if task.output_form == "LABEL" else 0,
            "documents": len(material.documents),
            "characters": sum(map(len, material.documents.values())),
            "changed_share": material.changed.share if material.changed else 0.0,
        },
        **engine,
    }


def stated(task: Task, material: Material) -> dict[str, Any]:
    """Return what is true of a task before anything is measured, as a use-case file states it."""
    facts: dict[str, Any] = {
        "task": task.task,
        "output_form": task.output_form,
        "labelled_examples": len(material.training),
        "distribution_shift": False,
        "synthetic_examples": False,
        "has_evaluation_set": True,
        "stronger_prompted_model": False,
        "can_train": True,
        **task.facts,
    }
    if task.output_form == "LABEL":
        facts["label_count"] = len(material.labels)
    if task.documents:
        facts |= {"corpus_tokens": _tokens(material), "examples_include_context": True}
    return facts


def measured(trial: Trial, result: TrialResult) -> dict[str, Any]:
    """Return what a trial measured, without texts: per arm, the score of each question in the order of the material.

    Args:
        trial: What was run.
        result: What came of it.
    """
    places = {each.question: place for place, each in enumerate(trial.asked)}
    numbers = {each.number: places[each.question] for each in result.given if each.question in places}
    return {
        "metric": result.metric,
        "training": result.training_examples,
        "documents": len(trial.material.documents),
        "corpus_tokens": _tokens(trial.material),
        "complete": all(each.state is ArmState.DONE for each in result.arms if each.arm in trial.arms),
        "seconds": round(result.seconds, 1),
        "arms": {
            each.arm.value: _arm(each, result.metric, numbers, trial)
            for each in result.arms
            if each.arm in trial.arms
        },
    }


def outdated(main: Trial, result: TrialResult, now: Trial) -> dict[str, list[float | None]]:
    """Return how the answers of a trial score once facts have changed: per arm, in the order of the held-out questions.

    Args:
        main: The trial before.
        result: What came of it, with its texts.
        now: The same questions with what is right since.
    """
    metric = metric_named(result.metric)
    rights = {each.question: each for each in now.material.held_out}
    asked = {each.number: rights[each.question] for each in result.given if each.question in rights}
    places = {each.question: place for place, each in enumerate(now.material.held_out)}
    found = {}
    for arm in result.arms:
        answers = [each for each in arm.answers if each.number in asked]
        outputs = [
            Output(
                each.text or "",
                asked[each.number].answer,
                each.refused,
                context=asked[each.number].context,
                question=asked[each.number].question,
            )
            for each in answers
        ]
        row: list[float | None] = [None] * len(places)
        for each, score in zip(answers, metric.scores(outputs), strict=True):
            row[places[asked[each.number].question]] = _rounded(score)
        if answers and arm.arm in main.arms:
            found[arm.arm.value] = row
    return found


def write(result: Mapping[str, Any], folder: Path = FOLDER) -> Path:
    """Write a task's result, whole or not at all; lists of scores take a line each."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result['task']}.json"
    partial = path.with_suffix(".partial")
    partial.write_text(_shown(result), encoding="utf-8")
    return partial.replace(path)


def has_result(task: str, folder: Path = FOLDER) -> bool:
    """Return whether a task has a result."""
    return (folder / f"{task}.json").is_file()


def read(task: str, folder: Path = FOLDER) -> dict[str, Any]:
    """Return a task's result."""
    found: dict[str, Any] = json.loads((folder / f"{task}.json").read_text(encoding="utf-8"))
    return found


def read_all(folder: Path = FOLDER) -> list[dict[str, Any]]:
    """Return all results, by the names of their tasks."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def _shown(value: Any, indent: str = "") -> str:
    """Return JSON with a line for each value of an object, and lists on a line."""
    if not isinstance(value, Mapping) or not value:
        return json.dumps(value, ensure_ascii=False)
    inner = indent + " "
    lines = (f"{inner}{json.dumps(name)}: {_shown(each, inner)}" for name, each in value.items())
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}" + ("\n" if not indent else "")


def _arm(arm: ArmResult, metric: str, numbers: Mapping[int, int], trial: Trial) -> dict[str, Any]:
    if arm.state is ArmState.NOT_RUN:
        return {"state": arm.state.value, "reason": arm.reason}
    by_place = {numbers[each.number]: each for each in arm.answers if each.number in numbers}
    ordered = [by_place.get(place) for place in range(len(trial.asked))]
    count = len(trial.material.held_out)
    values: dict[str, Any] = {
        "state": arm.state.value,
        "quality": _figure(arm.quality),
        "scores": _scores(ordered[:count], metric),
        "input_tokens": round(arm.input_tokens, 1),
        "output_tokens": round(arm.output_tokens, 1),
        "first_token_s": _times(arm.first_token_s),
        "total_s": _times(arm.total_s),
    }
    if arm.reason:
        values["reason"] = arm.reason
    if ordered[count:]:
        values["drifted"] = _scores(ordered[count:], metric)
    if arm.arm.retrieves:
        values["found"] = _found(ordered[:count])
        if ordered[count:]:
            values["found_drifted"] = _found(ordered[count:])
        values["index_bytes"] = arm.index_bytes
    if arm.training:
        training = arm.training
        values["tuning"] = {
            "examples": training.examples,
            "tokens": training.tokens,
            "seconds": round(training.seconds, 1),
            "held_out_loss": _rounded(training.held_out_loss),
        }
    return values


def _tokens(material: Material) -> int:
    """Return the size of the documents, as the fact corpus_tokens is measured."""
    return round(sum(len(text.split()) for text in material.documents.values()) / 0.75)


def _scores(answers: Sequence[Asked | None], metric: str) -> list[float | None]:
    return [_rounded(each.scores.get(metric)) if each else None for each in answers]


def _found(answers: Sequence[Asked | None]) -> list[int | None]:
    return [int(each.found) if each and each.found is not None else None for each in answers]


def _figure(figure: Figure | None) -> list[float] | None:
    if figure is None:
        return None
    return [*(round(each, _DECIMALS) for each in (figure.value, figure.low, figure.high)), figure.count]


def _times(times: tuple[float, float] | None) -> list[float] | None:
    return [round(each, _SECONDS) for each in times] if times else None


def _rounded(value: float | None) -> float | None:
    if value is None:
        return None
    rounded = round(value, _DECIMALS)
    return int(rounded) if rounded in (0, 1) else rounded
