"""Published and measured cases: which approach won, under which conditions.

`data/published.yaml` and `data/published-2.yaml` state the published ones, the head of
the first defines every field; `data/measured.yaml`, where it is there, those that this
project measured itself, its head what differs. The learned model learns from the differences between the
arms that they measured, and a recommendation lists those nearest to the use case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType

from advisor.errors import InvalidInput
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.facts import (
    FactValue,
    Row,
    encode_facts,
    fact_index,
    facts_from_mapping,
    facts_to_mapping,
    nearest,
)
from advisor.knowledge.rules import RuleSource
from advisor.knowledge.yamltree import Entry, read_yaml

__all__ = [
    "ARMS",
    "GRADES",
    "MARGIN_POINTS",
    "OWN_TRIALS",
    "Case",
    "default_cases_paths",
    "load_cases",
    "load_default_cases",
    "measured_cases_path",
]

ARMS = (*APPROACHES, "NAIVE_BOTH")
"""What a case may give a score for; NAIVE_BOTH is measured but is no approach."""

GRADES = ("A", "B")
READ = ("primary", "secondary", "recomputed", "measured")
OWN_TRIALS = "measured"
"""Collection of the trials that this project ran itself; the others are published."""
_DATA = Path(__file__).resolve().parents[1] / "data"
MARGIN_POINTS = 3.0
"""An approach less than this below the winner is as acceptable as the winner."""


@dataclass(frozen=True, slots=True)
class Case:
    """A head-to-head result.

    Attributes:
        id: Identifier, unique within a file.
        source: Where it was published; cases of one source are not independent.
        facts: What is known of the conditions, as plain values.
        row: The same as a row of `advisor.knowledge.facts`, NaN where unknown.
        assumed: Facts that are a reading of the source, not its numbers.
        scores: Published score in per cent per arm; empty where only gains are published.
        gains: Points above the base model per arm.
        best: The approach that won.
        acceptable: The approaches less than `MARGIN_POINTS` below the winner, itself included.
        grade: A for a strong comparison, B for a weak one.
        read: Whether the source itself was read.
        n: Number of test items; None where unknown.
        top: Score in per cent of the best arm, chosen on one half of the test items and scored on the other, so that
            it holds no luck of the draw; None where that was not computed.
        note: What was measured, up to the first semicolon, then remarks; empty without any.
        collection: Stem of the file that states it.
    """

    id: str
    source: RuleSource
    facts: Mapping[str, FactValue]
    row: Row = field(compare=False, repr=False)
    assumed: frozenset[str]
    scores: Mapping[str, float]
    gains: Mapping[str, float]
    best: Approach
    acceptable: frozenset[Approach]
    grade: str
    read: str
    n: int | None
    top: float | None
    note: str
    collection: str

    @property
    def measured(self) -> Mapping[str, float]:
        """Score in per cent of every arm that was measured; with gains alone, points above PROMPTING at 0."""
        return self.scores or ({Approach.PROMPTING: 0.0, **self.gains} if self.gains else {})

    @property
    def of_approaches(self) -> Mapping[str, float]:
        """`measured` with NAIVE_BOTH standing in for HYBRID where that was not measured, which understates HYBRID.

        Not in trials of this project, which tell the two apart: there HYBRID was not measured, and that is all.
        """
        measured = self.measured
        if "NAIVE_BOTH" not in measured or self.read == "measured":
            return measured
        return {Approach.HYBRID: measured["NAIVE_BOTH"], **measured}


def default_cases_paths() -> tuple[Path, ...]:
    """Return the files of cases that the package ships, in the order they were collected: published, then measured."""
    published = tuple(_DATA / name for name in ("published.yaml", "published-2.yaml"))
    return (*published, *(path for path in (measured_cases_path(),) if path.is_file()))


def measured_cases_path() -> Path:
    """Return the file of the cases that this project measured itself; it need not be there."""
    return _DATA / f"{OWN_TRIALS}.yaml"


@cache
def load_default_cases() -> tuple[Case, ...]:
    """Load the cases that the package ships, once."""
    return tuple(case for path in default_cases_paths() for case in load_cases(path))


def load_cases(path: Path) -> tuple[Case, ...]:
    """Load cases, in the order of the file.

    Raises:
        RulesError: The file is not a list of cases; the message gives file, line and column.
    """
    sections = read_yaml(path).mapping(("sources", "cases", "guidance"), required=("sources", "cases"))
    sources = {key: _read_source(key, entry) for key, entry in sections["sources"].mapping().items()}
    cases: dict[str, Case] = {}
    for entry in sections["cases"].sequence():
        case = _read_case(entry, sources, path.stem)
        if case.id in cases:
            raise entry.error(f"the id {case.id!r} stands in this file twice")
        cases[case.id] = case
    if not cases:
        raise sections["cases"].error("there is no case; at least one is needed")
    return tuple(cases.values())


def _read_source(key: str, entry: Entry) -> RuleSource:
    names = ("title", "id", "where")
    values = entry.mapping(names, required=names)
    return RuleSource(key, values["title"].text(), f"{values['id'].text()}, {values['where'].text()}")


def _read_case(entry: Entry, sources: Mapping[str, RuleSource], collection: str) -> Case:
    required = ("id", "source", "grade", "read", "facts", "best")
    optional = ("n", "top", "scores", "gains", "acceptable", "assumed", "note")
    values = entry.mapping((*required, *optional), required=required)
    row, plain = _read_facts(values["facts"])
    scores, gains = _read_arms(values.get("scores")), _read_arms(values.get("gains"))
    best = Approach(_one_of(values["best"], APPROACHES, "an approach"))
    return Case(
        id=values["id"].text(),
        source=sources[_one_of(values["source"], tuple(sources), "a source of this file")],
        facts=plain,
        row=row,
        assumed=_read_assumed(values.get("assumed"), plain),
        scores=scores,
        gains=gains,
        best=best,
        acceptable=_read_acceptable(values.get("acceptable"), best, scores or gains),
        grade=_one_of(values["grade"], GRADES, "a grade"),
        read=_one_of(values["read"], READ, "a way of reading"),
        n=_read_count(values.get("n")),
        top=values["top"].number() if "top" in values else None,
        note=values["note"].text() if "note" in values else "",
        collection=collection,
    )


def _read_facts(entry: Entry) -> tuple[Row, Mapping[str, FactValue]]:
    plain = {name: value.plain() for name, value in entry.mapping().items()}
    for name, key in entry.keys().items():
        if name not in fact_index():
            raise key.error(f"{name!r} is not a fact{nearest(name, fact_index())}")
    try:
        message = facts_from_mapping(plain)
        row = encode_facts(message)
    except InvalidInput as error:
        raise entry.error(
            "; ".join(f"{each.field}: {each.description}" for each in error.violations)
        ) from None
    row.flags.writeable = False
    return row, MappingProxyType(facts_to_mapping(message))


def _read_assumed(entry: Entry | None, known: Mapping[str, FactValue]) -> frozenset[str]:
    items = list(entry.sequence()) if entry else []
    return frozenset(_one_of(item, tuple(known), "a fact of this case") for item in items)


def _read_arms(entry: Entry | None) -> Mapping[str, float]:
    values = entry.mapping(ARMS) if entry else {}
    return MappingProxyType({arm: value.number() for arm, value in values.items()})


def _read_acceptable(entry: Entry | None, best: Approach, points: Mapping[str, float]) -> frozenset[Approach]:
    """Return what is stated and what the scores imply; the two must not contradict."""
    # The tolerance keeps 75.7 - 72.7 a whole margin in floating point.
    top = points.get(best)
    near = {
        name
        for name in APPROACHES
        if top is not None and name in points and top - points[name] < MARGIN_POINTS - 1e-9
    }
    listed = entry.sequence() if entry else ()
    stated = {Approach(_one_of(item, APPROACHES, "an approach")): item for item in listed}
    for name, item in stated.items():
        if top is not None and name in points and name not in near:
            raise item.error(f"{name} is {top - points[name]:g} points below {best}; allowed: less than 3")
    return frozenset({best, *near, *stated})


def _read_count(entry: Entry | None) -> int | None:
    if entry is None:
        return None
    number = entry.number()
    if number < 1 or number != int(number):
        raise entry.error(f"{entry.text()} is not a number of test items; write a whole number from 1")
    return int(number)


def _one_of(entry: Entry, allowed: Sequence[str], what: str) -> str:
    if (text := entry.text()) in allowed:
        return text
    raise entry.error(f"{text!r} is not {what}{nearest(text, allowed)}")
