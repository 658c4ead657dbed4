"""Published cases like a use case, for people: what was measured, what is alike and what not, and where it stands."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from advisor.knowledge.facts import fact
from advisor.v1 import recommendation_pb2 as pb
from advisor.wire.recommendation import approach_from_proto

__all__ = ["told_cases"]

_NAIVE = "NAIVE_BOTH"
"""The arm that is measured and is none of the approaches."""


def told_cases(message: pb.Recommendation, *, everything: bool) -> Iterator[Text]:
    """Yield the similar cases of a recommendation, each in some lines; with everything, also its remarks."""
    for case in message.similar_cases:
        measured, _, remarks = case.note.partition("; ")
        lines = [_compared(case), f"{case.source.title}: {case.source.reference}."]
        if everything and remarks:
            lines.append(f"Remarks: {remarks}.")
        yield Text.assemble(_outcome(case, measured), ("".join(f"\n{line}" for line in lines), "dim"))


def _outcome(case: pb.SimilarCase, measured: str) -> str:
    arms = ", ".join(f"{each.arm} {_number(each)}" for each in case.scores if each.arm != _NAIVE)
    naive = [
        f"; tuned without passages and then given some {_number(each)}"
        for each in case.scores
        if each.arm == _NAIVE
    ]
    best = f"{approach_from_proto(case.best)} did best"
    said = "".join((f"Of the four, {best}" if naive else best, f": {arms}" if arms else "", *naive))
    return f"{said} ({measured})." if measured else f"{said}."


def _number(score: pb.CaseScore) -> str:
    return f"{score.value:+g}" if score.gain else f"{score.value:g}"


def _compared(case: pb.SimilarCase) -> str:
    """Say what is alike and what is not; a yes or no by what it tells, true of either answer."""
    alike = ", ".join(fact(name).about for name in case.matching_facts)
    other = ", ".join(
        f"{fact(each.fact).about} ({each.case_value}, here {each.use_case_value})"
        for each in case.differing_facts
    )
    parts = (f"alike in {alike}" if alike else "", f"differs in {other}" if other else "")
    said = "; ".join(filter(None, parts))
    return f"{said[:1].upper()}{said[1:]}."
