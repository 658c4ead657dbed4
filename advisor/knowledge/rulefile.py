"""Reading a knowledge base from `rules.yaml`, checked as it is read.

The file's layout is what the `_read_*` functions here accept; the notation of
tests is defined in `advisor.knowledge.notation`. Every error gives file, line and column.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from advisor.errors import InvalidInput, RulesError
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.facts import encode_value, fact, fact_index, facts_from_mapping, nearest
from advisor.knowledge.notation import NotationError, parse_test
from advisor.knowledge.rules import (
    CRITERIA,
    Criterion,
    Curve,
    Decision,
    GivenWorld,
    Knowledge,
    Monotonicity,
    Rule,
    RuleKind,
    RuleSource,
    Test,
)
from advisor.knowledge.yamltree import Entry, read_yaml

__all__ = ["MAX_RULES", "default_rules_path", "load_default_rules", "load_rules"]

MAX_RULES = 1000


def default_rules_path() -> Path:
    """Return the knowledge base that the package ships, or the one of the source tree."""
    here = Path(__file__).resolve().parents[1]
    packaged = here / "data" / "rules.yaml"
    return packaged if packaged.exists() else here.parent / "rules.yaml"


@cache
def load_default_rules() -> Knowledge:
    """Load the knowledge base that the package ships, once."""
    return load_rules(default_rules_path())


def load_rules(base: Path, *overlays: Path) -> Knowledge:
    """Load a knowledge base, and merge others over it.

    A rule of an overlay replaces the one of the same id; `disable` lists ids to
    drop; sources, criteria and worlds replace those of the same name.

    Raises:
        RulesError: A file is not a valid knowledge base; the message gives file, line and column.
    """
    roots = [read_yaml(path) for path in (base, *overlays)]
    merged = _Merger()
    for root in roots:
        merged.add(root)
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in (base, *overlays))).hexdigest()
    return merged.knowledge(digest)


class _Merger:
    """Collects what the files say; later ones win."""

    _SECTIONS = ("version", "decision", "sources", "criteria", "rules", "vetoes", "warnings", "worlds",
                 "worlds_given", "monotonic", "disable")  # fmt: skip

    def __init__(self) -> None:
        self._decision: Decision | None = None
        self._sources: dict[str, RuleSource] = {}
        self._criteria: dict[str, Criterion] = {}
        self._rules: dict[str, tuple[Rule, Entry]] = {}
        self._worlds: dict[str, tuple[tuple[float, float], ...]] = {}
        self._given: tuple[GivenWorld, ...] = ()
        self._monotonic: tuple[Monotonicity, ...] = ()

    def add(self, root: Entry) -> None:
        sections = root.mapping(self._SECTIONS, required=("version",))
        if sections["version"].text() != "1":
            raise sections["version"].error(f"version {sections['version'].text()!r} is unknown; write 1")
        if "decision" in sections:
            self._decision = _read_decision(sections["decision"])
        for key, entry in _items(sections.get("sources")):
            self._sources[key] = _read_source(key, entry)
        for key, entry in _items(sections.get("criteria")):
            self._criteria[key] = _read_criterion(key, entry, sections["criteria"].keys()[key])
        for key, entry in _items(sections.get("worlds")):
            self._worlds[key] = _read_world(key, entry, sections["worlds"].keys()[key])
        self._add_rules(sections)
        for entry in sections["worlds_given"].sequence() if "worlds_given" in sections else ():
            self._given = (*self._given, _read_given(entry))
        if "monotonic" in sections:
            self._monotonic = tuple(
                promise for entry in sections["monotonic"].sequence() for promise in _read_monotonic(entry)
            )
        for entry in sections["disable"].sequence() if "disable" in sections else ():
            if self._rules.pop(entry.text(), None) is None:
                raise entry.error(
                    f"there is no rule {entry.text()!r} to disable{nearest(entry.text(), self._rules)}"
                )

    def _add_rules(self, sections: Mapping[str, Entry]) -> None:
        here: set[str] = set()
        kinds: tuple[tuple[str, RuleKind], ...] = (
            ("rules", "evidence"),
            ("vetoes", "veto"),
            ("warnings", "warning"),
        )
        for section, kind in kinds:
            for entry in sections[section].sequence() if section in sections else ():
                rule = _read_rule(entry, kind)
                if rule.id in here:
                    raise entry.error(f"the id {rule.id!r} stands in this file twice")
                here.add(rule.id)
                self._rules[rule.id] = (rule, entry)
                if len(self._rules) > MAX_RULES:
                    raise entry.error(
                        f"more than {MAX_RULES:,} rules; remove some, or split the knowledge base"
                    )

    def knowledge(self, digest: str) -> Knowledge:
        if self._decision is None:
            raise RulesError("no file has a `decision` section; add one, or pass the file as an overlay")
        for rule, entry in self._rules.values():
            for source in rule.sources:
                if source.partition(":")[0] not in self._sources:
                    hint = nearest(source.partition(":")[0], self._sources)
                    raise entry.error(f"rule {rule.id!r} rests on the unknown source {source!r}{hint}")
        return Knowledge(
            decision=self._decision,
            sources=self._sources,
            criteria=self._ordered_criteria(),
            rules=tuple(rule for rule, _ in self._rules.values()),
            worlds=self._worlds,
            given=self._given,
            monotonic=self._monotonic,
            digest=digest,
        )

    def _ordered_criteria(self) -> tuple[Criterion, ...]:
        for name in CRITERIA:
            if name not in self._criteria:
                raise RulesError(f"the criterion {name!r} is not defined; define it under `criteria`")
        return tuple(self._criteria[name] for name in CRITERIA)


def _items(entry: Entry | None) -> Iterable[tuple[str, Entry]]:
    return entry.mapping().items() if entry else ()


def _read_decision(entry: Entry) -> Decision:
    keys = ("prior", "temperature", "undecided")
    values = entry.mapping(keys, required=keys)
    prior = values["prior"].mapping(APPROACHES, required=APPROACHES)
    shares = tuple(_positive(prior[name]) for name in APPROACHES)
    if not math.isclose(sum(shares), 1, abs_tol=1e-6):
        raise values["prior"].error(f"the prior sums to {sum(shares):g}; it must sum to 1")
    undecided = values["undecided"].mapping(("lead", "evidence"), required=("lead", "evidence"))
    evidence = undecided["evidence"].number()
    if evidence < 0:
        raise undecided["evidence"].error(f"{evidence:g} is below 0")
    return Decision(shares, _positive(values["temperature"]), _share(undecided["lead"]), evidence)


def _positive(entry: Entry) -> float:
    if (number := entry.number()) > 0:
        return number
    raise entry.error(f"{number:g} is not above 0")


def _read_source(key: str, entry: Entry) -> RuleSource:
    values = entry.mapping(("title", "reference"), required=("title", "reference"))
    return RuleSource(key, values["title"].text(), values["reference"].text())


def _read_criterion(name: str, entry: Entry, key: Entry) -> Criterion:
    if name not in CRITERIA:
        raise key.error(f"{name!r} is not a criterion{nearest(name, CRITERIA)}")
    values = entry.mapping(("title", "facts"), required=("title", "facts"))
    keys = values["facts"].keys()
    curves = tuple(
        _read_curve(subject, curve, keys[subject]) for subject, curve in values["facts"].mapping().items()
    )
    if not curves:
        raise values["facts"].error(f"the criterion {name!r} reads no fact")
    return Criterion(name, values["title"].text(), curves)


def _read_curve(subject: str, entry: Entry, key: Entry) -> Curve:
    if subject in CRITERIA:
        raise key.error(f"{subject!r} is a criterion; a criterion reads facts alone")
    _check_subject(subject, key)
    values = entry.mapping(("weight", "curve"), required=("curve",))
    weight = _positive(values["weight"]) if "weight" in values else 1.0
    points = sorted(
        (_read_point(subject, values["curve"], point), _share(value))
        for point, value in values["curve"].mapping().items()
    )
    if len({number for number, _ in points}) < len(points):
        raise values["curve"].error("two points of the curve are at the same value")
    item = fact(subject) if subject in fact_index() else None
    needed = {"flag": ("false", "true"), "choice": item.choices if item else ()}.get(
        item.kind if item else "", ()
    )
    if len(points) < max(len(needed), 2):
        raise values["curve"].error(
            f"the curve needs a value for each of {', '.join(needed)}"
            if needed
            else "a curve needs two points"
        )
    return Curve(subject, tuple(points), weight)


def _read_point(subject: str, curve: Entry, key: str) -> float:
    item = fact(subject)
    value: object = {"true": True, "false": False}.get(key, key) if item.kind == "flag" else key
    try:
        return encode_value(item, value)
    except ValueError as error:
        raise curve.keys()[key].error(str(error)) from None


def _share(entry: Entry) -> float:
    if 0 <= (number := entry.number()) <= 1:
        return number
    raise entry.error(f"{number:g} is out of bounds; allowed: 0 to 1")


def _check_subject(subject: str, entry: Entry) -> None:
    if subject not in fact_index() and subject not in CRITERIA:
        raise entry.error(
            f"{subject!r} is neither a fact nor a criterion{nearest(subject, (*fact_index(), *CRITERIA))}"
        )


def _read_rule(entry: Entry, kind: RuleKind) -> Rule:
    effect = {"evidence": ("evidence",), "veto": ("excludes",), "warning": ()}[kind]
    wording = "text" if kind == "warning" else "reason"
    required = ("id", "when", wording, "sources", "examples", *effect)
    if kind != "warning":
        required = (*required, "criterion")
    values = entry.mapping((*required, "criterion"), required=required)
    identifier = values["id"].text()
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", identifier):
        raise values["id"].error(
            f"{identifier!r} is not an id; write words in lower case with hyphens between"
        )
    criterion = values["criterion"].text() if "criterion" in values else None
    if criterion is not None and criterion not in CRITERIA:
        raise values["criterion"].error(f"{criterion!r} is not a criterion{nearest(criterion, CRITERIA)}")
    tests = _read_tests(values["when"])
    sources = tuple(source.text() for source in values["sources"].sequence())
    if not sources:
        raise values["sources"].error("at least one source is needed")
    examples = values["examples"].mapping(("fire", "silent"), required=("fire", "silent"))
    return Rule(
        id=identifier,
        kind=kind,
        criterion=criterion,
        tests=tests,
        log_odds=_read_log_odds(values["evidence"]) if kind == "evidence" else (0.0,) * len(APPROACHES),
        excludes=_read_excludes(values["excludes"]) if kind == "veto" else frozenset(),
        reason=_read_reason(values[wording], tests),
        sources=sources,
        fire=_read_examples(examples["fire"]),
        silent=_read_examples(examples["silent"]),
        place=entry.place,
    )


def _read_tests(entry: Entry) -> tuple[Test, ...]:
    tests = []
    for subject, value in entry.mapping().items():
        _check_subject(subject, entry.keys()[subject])
        tests.append(_read_test(subject, value))
    if not tests:
        raise entry.error("a rule without tests always fires; put what it says into the prior")
    return tuple(tests)


def _read_test(subject: str, entry: Entry) -> Test:
    item = fact(subject) if subject in fact_index() else None
    is_list = entry.is_sequence
    text = f"[{', '.join(value.text() for value in entry.sequence())}]" if is_list else entry.text()
    try:
        if item and item.kind == "flag":
            choices: Sequence[str] = ("true", "false")
        else:
            choices = item.choices if item else ()
        holds = parse_test(text, duration=bool(item and item.kind == "duration"), choices=choices)
    except NotationError as error:
        raise entry.notation_error(error) from None
    return Test(subject, text, holds)


def _read_log_odds(entry: Entry) -> tuple[float, ...]:
    values = entry.mapping(APPROACHES)
    log_odds = tuple(values[name].number() if name in values else 0.0 for name in APPROACHES)
    if max(log_odds) == min(log_odds):
        raise entry.error("the evidence is the same for every approach, and so says nothing")
    return log_odds


def _read_excludes(entry: Entry) -> frozenset[str]:
    items = {item.text(): item for item in entry.sequence()}
    for name, item in items.items():
        if name not in APPROACHES:
            raise item.error(f"{name!r} is not an approach{nearest(name, APPROACHES)}")
    if not items:
        raise entry.error("a veto must exclude at least one approach")
    return frozenset(items)


def _read_reason(entry: Entry, tests: Sequence[Test]) -> str:
    reason = entry.text()
    if not reason.strip():
        raise entry.error("it is empty; say why in a sentence")
    for name in re.findall(r"\{(\w*)\}", reason):
        if name not in {test.subject for test in tests}:
            raise entry.error_at(
                f"{{{name}}} is not tested by the rule, and so may be unknown", reason.find("{" + name)
            )
    return reason


def _read_examples(entry: Entry) -> tuple[Mapping[str, object], ...]:
    examples = []
    for item in entry.sequence():
        example = {name: value.plain() for name, value in item.mapping().items()}
        try:
            facts_from_mapping(example)
        except InvalidInput as error:
            raise item.error("; ".join(f"{v.field}: {v.description}" for v in error.violations)) from None
        examples.append(example)
    if not examples:
        raise entry.error("at least one example is needed")
    return tuple(examples)


def _read_world(name: str, entry: Entry, key: Entry) -> tuple[tuple[float, float], ...]:
    if name not in fact_index():
        raise key.error(f"{name!r} is not a fact{nearest(name, fact_index())}")
    weights = [(_read_point(name, entry, text), _positive(value)) for text, value in entry.mapping().items()]
    if not weights:
        raise entry.error("at least one value with its weight is needed")
    total = sum(weight for _, weight in weights)
    return tuple((value, weight / total) for value, weight in weights)


def _read_given(entry: Entry) -> GivenWorld:
    keys = ("fact", "when", "values")
    values = entry.mapping(keys, required=keys)
    name = values["fact"].text()
    return GivenWorld(name, _read_tests(values["when"]), _read_world(name, values["values"], values["fact"]))


def _read_monotonic(entry: Entry) -> Iterable[Monotonicity]:
    keys = ("fact", "direction", "raises", "against")
    values = entry.mapping(keys, required=keys)
    name, direction, raises = (values[key].text() for key in keys[:3])
    _check_subject(name, values["fact"])
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
