"""Reading a knowledge base from YAML files, checked as it is read.

`rules.yaml` holds what decides: the decision, sources, rules, vetoes,
warnings and advice. `data/worlds.yaml` holds the priors of what is unknown, and
`data/promises.yaml` what no change may break. Any file may hold any section;
later files go over earlier ones. Rules and ladders are read by
`advisor.knowledge.ruleitems`, and `advisor.knowledge.notation` defines how tests and values
are written. Every error gives file, line and column.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from advisor.errors import RulesError
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.facts import fact, fact_index, nearest
from advisor.knowledge.ruleitems import check_subject, read_bounded, read_rules, read_tests, read_value
from advisor.knowledge.rules import (
    Decision,
    GivenWorld,
    Knowledge,
    Monotonicity,
    Rule,
    RuleKind,
    RuleSource,
)
from advisor.knowledge.yamltree import Entry, read_yaml

__all__ = ["MAX_RULES", "default_rules_paths", "load_default_rules", "load_rules"]

MAX_RULES = 1000

TOLERANCES = (0.0, 50.0)
UPKEEPS = (-50.0, 50.0)
POINTS_APART = (0.0, 50.0)
NATS_TO_DECIDE = (0.0, 100.0)
WEIGHTS = (1e-6, 1e6)
"""Of values that are unknown: only their ratios count."""


def default_rules_paths() -> tuple[Path, ...]:
    """Return the files of the knowledge base that the package ships; `rules.yaml` of a source tree is at its top."""
    here = Path(__file__).resolve().parents[1]
    data = here / "data"
    packaged = data / "rules.yaml"
    rules = packaged if packaged.exists() else here.parent / "rules.yaml"
    return rules, data / "worlds.yaml", data / "promises.yaml"


@cache
def load_default_rules() -> Knowledge:
    """Load the knowledge base that the package ships, once."""
    return load_rules(*default_rules_paths())


def load_rules(*paths: Path) -> Knowledge:
    """Load a knowledge base from its files; what is passed later is an overlay of what comes before.

    A rule or rung of an overlay replaces the one of the same id; `disable` lists
    ids to drop; sources and worlds replace those of the same name;
    `worlds_given` is added to, `monotonic` replaced.

    Raises:
        RulesError: A file is not valid, or they are no knowledge base together; it names every item at fault
            with file, line and column.
    """
    merged, contents = _Merger(), []
    for path in paths:
        with merged.noting_faults():
            root = read_yaml(path)
            contents.append(root.document.content)
            merged.add(root)
    return merged.knowledge(hashlib.sha256(b"\0".join(contents)).hexdigest())


class _Merger:
    """Collects what the files say; later ones win."""

    _SECTIONS = ("version", "decision", "sources", "rules", "vetoes", "warnings", "advice", "worlds",
                 "worlds_given", "monotonic", "disable")  # fmt: skip

    def __init__(self) -> None:
        self._decision: Decision | None = None
        self._sources: dict[str, RuleSource] = {}
        self._rules: dict[str, tuple[Rule, Entry]] = {}
        self._worlds: dict[str, tuple[tuple[float, float], ...]] = {}
        self._given: tuple[GivenWorld, ...] = ()
        self._monotonic: tuple[Monotonicity, ...] = ()
        self._faults: list[str] = []

    @contextmanager
    def noting_faults(self) -> Iterator[None]:
        """Note what is wrong with one item, so that reading goes on with the next."""
        try:
            yield
        except RulesError as error:
            self._faults.extend(error.faults)

    def add(self, root: Entry) -> None:
        sections = root.mapping(self._SECTIONS, required=("version",))
        if sections["version"].text() != "1":
            raise sections["version"].error(f"version {sections['version'].text()!r} is unknown; write 1")
        if "decision" in sections:
            with self.noting_faults():
                self._decision = _read_decision(sections["decision"])
        for key, entry in _items(sections.get("sources")):
            with self.noting_faults():
                self._sources[key] = _read_source(key, entry)
        for key, entry in _items(sections.get("worlds")):
            with self.noting_faults():
                self._worlds[key] = _read_world(key, entry, sections["worlds"].keys()[key])
        self._add_rules(sections)
        for entry in _sequence(sections.get("worlds_given")):
            with self.noting_faults():
                self._given = (*self._given, _read_given(entry))
        if "monotonic" in sections:
            with self.noting_faults():
                self._monotonic = tuple(
                    promise
                    for entry in sections["monotonic"].sequence()
                    for promise in _read_monotonic(entry)
                )
        for entry in _sequence(sections.get("disable")):
            with self.noting_faults():
                self._disable(entry)

    def _disable(self, entry: Entry) -> None:
        if self._rules.pop(entry.text(), None) is None:
            near = difflib.get_close_matches(entry.text(), self._rules, n=1)
            hint = f'did you mean "{near[0]}"?' if near else "`advisor rules list` names those there are"
            raise entry.error(f"there is no rule {entry.text()!r} to disable; {hint}")

    def _add_rules(self, sections: Mapping[str, Entry]) -> None:
        here: set[str] = set()
        kinds: tuple[tuple[str, RuleKind], ...] = (
            ("rules", "evidence"),
            ("vetoes", "veto"),
            ("warnings", "warning"),
            ("advice", "advice"),
        )
        for section, kind in kinds:
            for item in _sequence(sections.get(section)):
                with self.noting_faults():
                    for rule, entry in read_rules(item, kind):
                        self._add_rule(rule, entry, here)

    def _add_rule(self, rule: Rule, entry: Entry, here: set[str]) -> None:
        if rule.id in here:
            raise entry.error(f"the id {rule.id!r} stands in this file twice")
        here.add(rule.id)
        self._rules[rule.id] = (rule, entry)
        if len(self._rules) == MAX_RULES + 1:  # said once
            raise entry.error(f"more than {MAX_RULES:,} rules; remove some, or split the knowledge base")

    def knowledge(self, digest: str) -> Knowledge:
        if not self._faults:  # else these would follow from those
            self._check_sources()
        if self._faults:
            raise RulesError(*self._faults)
        if self._decision is None:
            raise RulesError("no file has a `decision` section; add one, or pass the file as an overlay")
        return Knowledge(
            decision=self._decision,
            sources=self._sources,
            rules=tuple(rule for rule, _ in self._rules.values()),
            worlds=self._worlds,
            given=self._given,
            monotonic=self._monotonic,
            digest=digest,
        )

    def _check_sources(self) -> None:
        for rule, entry in self._rules.values():
            for source in rule.sources:
                if source.partition(":")[0] not in self._sources:
                    hint = nearest(source.partition(":")[0], self._sources)
                    with self.noting_faults():
                        raise entry.error(f"rule {rule.id!r} rests on the unknown source {source!r}{hint}")


def _items(entry: Entry | None) -> Iterable[tuple[str, Entry]]:
    return entry.mapping().items() if entry else ()


def _sequence(entry: Entry | None) -> Iterable[Entry]:
    return entry.sequence() if entry else ()


def _read_decision(entry: Entry) -> Decision:
    keys = ("tolerance", "undecided", "upkeep")
    values = entry.mapping(keys, required=keys)
    limits = ("evidence", "upkeep")
    undecided = values["undecided"].mapping(limits, required=limits)
    parts = (*APPROACHES, "tenfold_cost")
    upkeep = values["upkeep"].mapping(parts, required=parts)
    return Decision(
        tolerance=read_bounded(values["tolerance"], *TOLERANCES),
        evidence=read_bounded(undecided["evidence"], *NATS_TO_DECIDE),
        apart=read_bounded(undecided["upkeep"], *POINTS_APART),
        upkeep=tuple(read_bounded(upkeep[name], *UPKEEPS) for name in APPROACHES),
        tenfold=read_bounded(upkeep["tenfold_cost"], *UPKEEPS),
    )


def _read_source(key: str, entry: Entry) -> RuleSource:
    values = entry.mapping(("title", "reference"), required=("title", "reference"))
    return RuleSource(key, values["title"].text(), values["reference"].text())


def _read_point(subject: str, curve: Entry, key: str) -> float:
    value: object = {"true": True, "false": False}.get(key, key) if fact(subject).kind == "flag" else key
    return read_value(subject, value, curve.keys()[key])


def _read_world(name: str, entry: Entry, key: Entry) -> tuple[tuple[float, float], ...]:
    if name not in fact_index():
        raise key.error(f"{name!r} is not a fact{nearest(name, fact_index())}")
    weights = [
        (_read_point(name, entry, text), read_bounded(value, *WEIGHTS))
        for text, value in entry.mapping().items()
    ]
    if not weights:
        raise entry.error("at least one value with its weight is needed")
    total = sum(weight for _, weight in weights)
    return tuple((value, weight / total) for value, weight in weights)


def _read_given(entry: Entry) -> GivenWorld:
    keys = ("fact", "when", "values")
    values = entry.mapping(keys, required=keys)
    name = values["fact"].text()
    return GivenWorld(name, read_tests(values["when"]), _read_world(name, values["values"], values["fact"]))


def _read_monotonic(entry: Entry) -> Iterable[Monotonicity]:
    keys = ("fact", "direction", "raises", "against")
    values = entry.mapping(keys, required=keys)
    name, direction, raises = (values[key].text() for key in keys[:3])
    check_subject(name, values["fact"])
    if direction not in ("increasing", "decreasing"):
        raise values["direction"].error(f"{direction!r} is not a direction; write increasing or decreasing")
    against = [item.text() for item in values["against"].sequence()]
    for approach in (raises, *against):
        if approach not in APPROACHES:
            raise entry.error(f"{approach!r} is not an approach{nearest(approach, APPROACHES)}")
    if raises in against:
        raise values["against"].error(f"{raises} cannot rise against itself")
    for other in against:
        yield Monotonicity(name, direction, raises, other, entry.place)  # type: ignore[arg-type]
