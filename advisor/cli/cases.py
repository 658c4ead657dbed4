"""Published cases near to a use case, for people: what was measured, what is alike, and where it stands."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from advisor.decision.similar import ALIKE, counts_answers
from advisor.knowledge.cases import MARGIN_POINTS
from advisor.knowledge.facts import fact
from advisor.v1 import recommendation_pb2 as pb
from advisor.wire.recommendation import approach_from_proto

__all__ = ["told_cases"]

_NAIVE = {"NAIVE_BOTH": "both together (tuned without passages)"}
"""The arm that is measured and is none of the approaches, in words."""
_ROUNDING = 1e-9
_SAMPLE = re.compile(r"\bn(?:=| about )(\d+(?:,\d{3})*)")
_STANDARD_ERRORS = 2.0
"""Of the difference of two shares, below which nothing shows that one is better."""
_UNTOLD = "can_train"
"""Of what agrees, what says nothing of a result."""


def told_cases(cases: Iterable[pb.SimilarCase], *, everything: bool) -> Iterator[Text]:
    """Yield similar cases of a recommendation, each in some lines; with everything, also their remarks."""
    for case in cases:
        measured, _, remarks = case.note.partition("; ")
        introduction, compared = _compared(case)
        outcome = _outcome(case) + (f" ({measured})." if measured else ".")
        lines = [
            *(f"{_sentence(each)}." for each in compared),
            f"{case.source.title}: {case.source.reference}.",
        ]
        if everything and remarks:
            lines.append(f"Remarks: {remarks}.")
        yield Text.assemble(
            _sentence(introduction + outcome), ("".join(f"\n{line}" for line in lines), "dim")
        )


def _outcome(case: pb.SimilarCase) -> str:
    """Say which of the arms that were measured did best, and the scores."""
    if not case.scores:
        winner = approach_from_proto(case.best)
        near = [name for name in map(approach_from_proto, case.acceptable) if name and name != winner]
        return f"{winner} did best{f', {_listed(near)} close to it' if near else ''}; no scores are recorded"
    over = " over the base model" if case.scores[0].gain else ""
    scores = ", ".join(f"{_arm(score)} {_number(score)}" for score in case.scores)
    return f"{_winners(case)}: {scores}{over}"


def _winners(case: pb.SimilarCase) -> str:
    """Say which arms did best, with those that are within the margin of the first or may be behind it by chance."""
    top, sample = max(score.value for score in case.scores), _sample(case)
    best = [_arm(score) for score in case.scores if top - score.value < MARGIN_POINTS - _ROUNDING]
    every, some = "{} were {}", "{} did best, {}"
    close = f"within {MARGIN_POINTS:g} points"
    if sample:
        size = int(sample[1].replace(",", ""))
        equal = [_arm(score) for score in case.scores if top - score.value <= _chance(top, score.value, size)]
        if len(equal) >= len(best):
            best, close = equal, f"no difference that {sample[0]} could show"
            every, some = "between {} there was {}", "{} did best, with {}"
    if len(best) == 1:
        return f"{best[0]} did best"
    return (every if len(best) == len(case.scores) else some).format(_listed(best), close)


def _sample(case: pb.SimilarCase) -> re.Match[str] | None:
    """Return how many answers were counted, as the note says it; None where it does not, or no answers were."""
    counted = counts_answers(case.note) and not case.scores[0].gain
    return _SAMPLE.search(case.note.partition("; ")[0]) if counted else None


def _chance(score: float, other: float, size: int) -> float:
    """Return how far apart two scores in per cent may be by chance, in points, each of so many answers."""
    share = (score + other) / 200
    return 100 * _STANDARD_ERRORS * math.sqrt(2 * share * (1 - share) / size)


def _arm(score: pb.CaseScore) -> str:
    return _NAIVE.get(score.arm, score.arm)


def _number(score: pb.CaseScore) -> str:
    return f"{score.value:+g}" if score.gain else f"{score.value:g}"


def _compared(case: pb.SimilarCase) -> tuple[str, list[str]]:
    """Return what introduces a case, and what is alike and what not; a yes or no by what it tells, true or not."""
    telling = [name for name in case.matching_facts if name != _UNTOLD] or case.matching_facts
    alike = ", ".join(fact(name).about for name in telling)
    other = ", ".join(
        f"{fact(each.fact).about} ({each.case_value}, here {each.use_case_value})"
        for each in case.differing_facts
    )
    shared = [f"alike in {alike}"] if alike else []
    if case.similarity >= ALIKE:
        return "", ["; ".join((*shared, f"differs in {other}") if other else shared)]
    if other:
        return f"Nearest, but unlike in {other}: ", shared
    return f"Nearest, but known to be alike only in {alike}: ", []


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
