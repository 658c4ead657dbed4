"""Results as measured cases, in the form of published ones: what could be known before, and what the arms scored."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import yaml

from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.cases import measured_cases_path
from advisor.metrics.paired import SIGNIFICANCE, paired_difference
from advisor.trials.arms import Arm
from advisor.trials.halves import chosen_apart
from benchmarks.grid.variations import Variation

__all__ = ["PROFILE", "MeasuredCase", "cases_of_result", "cases_path", "write_cases"]

PROFILE = 30
"""Questions from which facts are measured: as many as a cheap profile asks before anything is decided."""
_PROMPTED = (Arm.ZERO_SHOT, Arm.FEW_SHOT, Arm.NEAREST_SHOTS)
_PROMPTS = (*_PROMPTED, Arm.DOCUMENTS_IN_PROMPT)
_REFERENCES = (Arm.NEAREST_NEIGHBOURS, Arm.LOGISTIC_REGRESSION)
_KEPT = {
    Variation.BROKEN: (*_PROMPTED, Arm.FINE_TUNING),
    Variation.HALVED: (*_PROMPTED, Arm.FINE_TUNING),
    Variation.QUARTER: (Arm.ZERO_SHOT, Arm.RAG),
    Variation.HALF: (Arm.ZERO_SHOT, Arm.RAG),
}
"""Arms that a variation does not affect, and whose scores it takes from the trial of the task as it is."""

Scores = Mapping[Arm, Sequence[float | None]]


@dataclass(frozen=True, slots=True)
class MeasuredCase:
    """A measured case.

    Attributes:
        id: Name of the task and of the variation.
        task: Name of the task, which is its source.
        facts: What could be known of it before.
        scores: Per cent per approach, and of NAIVE_BOTH where it was measured.
        best: The approach with the highest score, of equal ones the simplest.
        top: Per cent of the best arm, chosen on one half of the questions and scored on the other.
        n: Questions.
        significant: Whether `best` wins against the next approach, in pairs.
        note: What was measured, up to the first semicolon; then remarks.
    """

    id: str
    task: str
    facts: Mapping[str, Any]
    scores: Mapping[str, float]
    best: str
    top: float
    n: int
    significant: bool
    note: str


def cases_path() -> Path:
    """Return where measured cases are kept."""
    return measured_cases_path()


def write_cases(found: Sequence[Mapping[str, Any]], path: Path) -> int:
    """Write the cases of results, and return how many there are.

    Raises:
        ValueError: There is none.
    """
    cases = [case for result in found for case in cases_of_result(result)]
    if not cases:
        raise ValueError("there are no results with two approaches; run python -m benchmarks.grid run")
    kept = {case.task for case in cases}
    sources = {
        f"grid-{result['task']}": {
            "id": f"benchmarks.grid, task {result['task']}",
            "title": f"Trial of {result['task'].replace('-', ' ')}",
            "where": f"benchmarks/grid/results/{result['task']}.json; made from {result['origin']}; "
            f"{result['licence']}",
        }
        for result in found
        if result["task"] in kept
    }
    lines = [_HEAD, "sources:", *(f"  {name}: {_flow(each)}" for name, each in sources.items()), "", "cases:"]
    lines += [f"  - {_flow(_as_values(case))}" for case in cases]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(cases)


def cases_of_result(result: Mapping[str, Any]) -> Iterator[MeasuredCase]:
    """Yield the cases of a task's result: those with two approaches or more."""
    main = result["trials"][Variation.MAIN.value]
    for variation in (Variation.MAIN, *(Variation(name) for name in result["trials"] if name != "main")):
        case = _case(result, variation, _scores_of(result, variation), _found_of(result, variation))
        if case is not None:
            yield case
        if variation is Variation.MAIN and result["counts"]["drifted"]:
            drifted = _rows(main["arms"], "drifted")
            found = main["arms"].get(Arm.RAG, {}).get("found_drifted", ())
            case = _case(result, Variation.DRIFTED, drifted, found)
            if case is not None:
                yield case


def _scores_of(result: Mapping[str, Any], variation: Variation) -> Scores:
    """Return the scores of a variation: of its own trial, and of the task's for arms that it does not affect."""
    main = _rows(result["trials"][Variation.MAIN.value]["arms"], "scores")
    if variation is Variation.MAIN:
        return main
    trial = result["trials"][variation.value]
    own = _rows(trial["arms"], "scores")
    if variation is Variation.CHANGED:
        before = _whole(trial["before"])
        return {arm: row for arm, row in before.items() if arm in (*_PROMPTED, Arm.FINE_TUNING)} | own
    return {arm: main[arm] for arm in _KEPT[variation] if arm in main} | own


def _found_of(result: Mapping[str, Any], variation: Variation) -> Sequence[int | None]:
    trials = result["trials"]
    main = trials[Variation.MAIN.value]["arms"].get(Arm.RAG, {})
    found: Sequence[int | None] = trials[variation.value]["arms"].get(Arm.RAG, main).get("found", ())
    return found


def _rows(arms: Mapping[str, Any], field: str) -> dict[Arm, Sequence[float | None]]:
    """Return the scores of arms that were asked every question."""
    return _whole({name: each.get(field, ()) for name, each in arms.items()})


def _whole(rows: Mapping[str, Sequence[float | None]]) -> dict[Arm, Sequence[float | None]]:
    return {Arm(name): row for name, row in rows.items() if row and all(score is not None for score in row)}


def _case(
    result: Mapping[str, Any], variation: Variation, scores: Scores, found: Sequence[int | None]
) -> MeasuredCase | None:
    """Return a case; None where fewer than two approaches were measured."""
    by_approach = _by_approach(scores)
    offered = {name: row for name, row in by_approach.items() if name in APPROACHES}
    if len(offered) < 2:
        return None
    count = len(next(iter(scores.values())))
    points = {name: round(100 * _mean(row), 1) for name, row in by_approach.items()}
    order = sorted(offered, key=lambda name: (-points[name], APPROACHES.index(Approach(name))))
    top = _mean(_best_apart({arm: row for arm, row in scores.items() if arm.approach is not None}))
    return MeasuredCase(
        id=f"{result['task']}-{variation}",
        task=result["task"],
        facts=_facts(result, variation, scores, found),
        scores=points,
        best=order[0],
        top=round(100 * top, 1),
        n=count,
        significant=_wins(offered[order[0]], offered[order[1]]),
        note=_note(result, variation, scores),
    )


def _by_approach(scores: Scores) -> dict[str, Sequence[float | None]]:
    """Return the scores of each approach: of PROMPTING, those of the prompt that is best on the other half."""
    prompted = {arm: scores[arm] for arm in _PROMPTS if arm in scores}
    found: dict[str, Sequence[float | None]] = {}
    if prompted:
        found[Approach.PROMPTING.value] = _best_apart(prompted)
    for arm in (Arm.RAG, Arm.FINE_TUNING, Arm.HYBRID, Arm.NAIVE_BOTH):
        if arm in scores:
            found[arm.value] = scores[arm]
    return found


def _best_apart(scores: Scores) -> Sequence[float | None]:
    """Return per question the score of what is best on other questions."""
    numbered = {
        arm: {number: float(score) for number, score in enumerate(row) if score is not None}
        for arm, row in scores.items()
    }
    chosen = chosen_apart(numbered)
    return [chosen[number] for number in sorted(chosen)]


def _facts(
    result: Mapping[str, Any], variation: Variation, scores: Scores, found: Sequence[int | None]
) -> dict[str, Any]:
    """Return what was stated, and what a profile of some questions measures."""
    facts = dict(result["facts"])
    if (parameters := _parameters(result["model"])) is not None:
        facts["model_parameters"] = parameters
    if variation is Variation.DRIFTED:
        facts["distribution_shift"] = True
    if variation in (Variation.QUARTER, Variation.HALF):
        facts["labelled_examples"] = result["trials"][variation.value]["training"]
    if variation in (Variation.BROKEN, Variation.HALVED, Variation.CHANGED):
        facts["corpus_tokens"] = result["trials"][variation.value]["corpus_tokens"]
    if variation is Variation.CHANGED:
        facts["new_knowledge_share"] = round(result["counts"]["changed_share"], 2)
    if Arm.ZERO_SHOT in scores:
        facts["closed_book_score"] = _profiled(scores[Arm.ZERO_SHOT])
    prompted = [_profiled(scores[arm]) for arm in _PROMPTED if arm in scores]
    if prompted:
        facts["prompted_score"] = max(prompted)
    if any(each is not None for each in found):
        facts["retrieval_hit_rate"] = _profiled(found)
    return facts


def _profiled(row: Sequence[float | None]) -> float:
    return round(_mean(row[:PROFILE]), 2)


def _mean(row: Sequence[float | None]) -> float:
    return mean(float(each) for each in row if each is not None)


def _parameters(model: str) -> float | None:
    """Return how many parameters a model has, as its name tells."""
    match = re.search(r"(\d+(?:\.\d+)?)([MB])\b", model)
    return round(float(match[1]) * {"M": 1e6, "B": 1e9}[match[2]]) if match else None


def _wins(best: Sequence[float | None], other: Sequence[float | None]) -> bool:
    paired = paired_difference(best, other)
    return paired is not None and paired.difference.value > 0 and paired.p < SIGNIFICANCE


def _note(result: Mapping[str, Any], variation: Variation, scores: Scores) -> str:
    main = result["trials"][Variation.MAIN.value]
    count = len(next(iter(scores.values())))
    parts = [f"{main['metric']} on {result['task'].replace('-', ' ')}, n={count}", _CONDITIONS[variation]]
    if variation is Variation.DRIFTED:
        parts.append(f"asked: {result['drift']}")
    if variation is Variation.CHANGED and Arm.RAG in (
        before := _whole(result["trials"]["changed"]["before"])
    ):
        parts.append(f"RAG on the old index {100 * _mean(before[Arm.RAG]):.1f}")
    single = [f"{arm} {100 * _mean(scores[arm]):.1f}" for arm in _PROMPTS if arm in scores]
    parts.append(f"prompts alone: {', '.join(single)}")
    references = [f"{arm} {100 * _mean(scores[arm]):.1f}" for arm in _REFERENCES if arm in scores]
    if references:
        parts.append(f"no language model: {', '.join(references)}")
    return "; ".join(part for part in parts if part)


def _as_values(case: MeasuredCase) -> dict[str, Any]:
    return {
        "id": case.id,
        "source": f"grid-{case.task}",
        "grade": "A" if case.significant else "B",
        "read": "measured",
        "n": case.n,
        "facts": dict(case.facts),
        "scores": dict(case.scores),
        "best": case.best,
        "top": case.top,
        "note": case.note,
    }


def _flow(values: Mapping[str, Any]) -> str:
    """Return a mapping as YAML on one line."""
    shown: str = yaml.safe_dump(
        dict(values), default_flow_style=True, width=10**9, sort_keys=False, allow_unicode=True
    )
    return shown.strip()


_CONDITIONS = {
    Variation.MAIN: "",
    Variation.DRIFTED: "inputs drifted from what was learned from",
    Variation.BROKEN: "the documents hold none of the answers",
    Variation.HALVED: "half of the documents are missing",
    Variation.CHANGED: "facts changed: documents were indexed again, nothing was trained again",
    Variation.QUARTER: "a quarter of the examples",
    Variation.HALF: "half of the examples",
}

_HEAD = """\
# Measured cases: this project's own trials, in the form of published.yaml; `python -m benchmarks.grid cases` writes it.
# Every arm ran on the same base model and the same questions, as benchmarks/grid says; its results hold every score.
# `facts` hold what was stated before, and what the first 30 questions tell: closed_book_score, prompted_score,
# retrieval_hit_rate. PROMPTING is the best of the prompts, chosen on one half of the questions and scored on the
# other, over 20 halvings; `top` is the best arm of all, chosen and scored so: regrets from it hold no luck of the draw.
# `grade`: A where the best approach wins against the next in a paired test at 5%, else B.
# Cases of one source are variations of one task, and not independent.
"""
