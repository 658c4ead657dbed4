"""What was measured, as a table to read."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from advisor.knowledge.approaches import APPROACHES
from backends.counts import counted
from benchmarks.grid.measured import MeasuredCase, cases_of_result

__all__ = ["report"]

_COLUMNS = (*APPROACHES, "NAIVE_BOTH")


def report(found: Sequence[Mapping[str, Any]]) -> str:
    """Return the cases with the scores of each approach, and what wins under which variation, in Markdown."""
    cases = [case for result in found for case in cases_of_result(result)]
    seconds = sum(trial["seconds"] for result in found for trial in result["trials"].values())
    lines = [
        f"{counted(len(cases), 'case')} of {counted(len(found), 'task')}; {seconds / 3600:.1f} hours of trials.",
        "",
        f"| case | n | {' | '.join(_COLUMNS)} | best | chosen apart |",
        f"| --- | ---: | {' | '.join('---:' for _ in _COLUMNS)} | --- | ---: |",
        *map(_row, cases),
        "",
        "| variation | cases | best, where told from the next |",
        "| --- | ---: | --- |",
        *_wins(cases),
    ]
    return "\n".join(lines)


def _row(case: MeasuredCase) -> str:
    scores = " | ".join(f"{case.scores[name]:.1f}" if name in case.scores else "" for name in _COLUMNS)
    return (
        f"| {case.id} | {case.n} | {scores} | {case.best}{'' if case.significant else '?'} | {case.top:.1f} |"
    )


def _wins(cases: Sequence[MeasuredCase]) -> list[str]:
    groups: defaultdict[str, list[MeasuredCase]] = defaultdict(list)
    for case in cases:
        groups[case.id.removeprefix(f"{case.task}-")].append(case)
    rows = []
    for name, members in groups.items():
        counts = Counter(case.best for case in members if case.significant)
        told = ", ".join(f"{best} {count}" for best, count in counts.most_common())
        rows.append(f"| {name} | {len(members)} | {told or 'none'} |")
    return rows
