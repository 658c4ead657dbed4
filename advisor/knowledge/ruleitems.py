"""Reading the items of a rule file: rules, and ladders of them.

A rule stands alone, with all its tests:

    - id: labels
      criterion: specialization
      when: {output_form: LABEL, labelled_examples: ">= 200"}
      evidence: {FINE_TUNING: 0.3}        # a veto `excludes: [RAG]` instead, an advice is for `steps: [RAG]`
      reason: "{labelled_examples} examples show the form."      # `text` in a warning and an advice
      sources: [bucher-2024]
      examples: {fire: [{output_form: LABEL, labelled_examples: 300}], silent: [{output_form: STYLE}]}

A ladder is several rules on one fact, its rungs. Each has an id, a reason and
examples of its own, and `test` says for which values of the ladder's fact it
fires. An example without a name is a value of that fact:

    - ladder: update_interval
      criterion: freshness
      when: {can_train: true}             # what holds for every rung besides; may be left out
      sources: [ibm-developer]
      rungs:
        - id: weekly
          test: "<= 7d"
          evidence: {RAG: 0.3}
          reason: "Changes every {update_interval}."
          examples: {fire: [{update_interval: 1d, can_train: true}], silent: [30d]}

What the ladder states of `criterion`, `sources`, `evidence` or `excludes` holds
for the rungs that do not state it. Once read, a rung is a rule like any other:
overlays replace and disable it by its id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.facts import encode_value, fact, fact_index, nearest
from advisor.knowledge.notation import UNKNOWN, NotationError, parse_test
from advisor.knowledge.rules import CRITERIA, Rule, RuleKind, Test
from advisor.knowledge.yamltree import Entry

__all__ = ["NATS", "check_subject", "read_bounded", "read_rules", "read_tests", "read_value"]

NATS = (-20.0, 20.0)
"""Evidence of one rule: odds of e**20, half a billion to one. Who is surer than that means a veto."""

_EFFECTS: Mapping[RuleKind, tuple[str, ...]] = {
    "evidence": ("evidence",),
    "veto": ("excludes",),
    "warning": (),
    "advice": ("steps", "first"),
}
_OPTIONAL = ("first",)
_TOLD: tuple[RuleKind, ...] = ("warning", "advice")
"""Kinds that have a text instead of a reason, and belong to no trade-off."""


def read_rules(entry: Entry, kind: RuleKind) -> Iterator[tuple[Rule, Entry]]:
    """Read an item of a section: one rule, or the rungs of a ladder, each with where it stands."""
    wording = _wording(kind)
    own, shared = ("id", wording, "examples"), ("criterion", "sources", *_EFFECTS[kind])
    if "ladder" in entry.mapping():
        yield from _read_ladder(entry, kind, own, shared)
        return
    values = entry.mapping((*own, *shared, "when"), required=_required((*own, *shared, "when"), kind))
    yield _read_rule(entry, values, kind, read_tests(values["when"], kind)), entry


def read_tests(entry: Entry, kind: RuleKind | None = None) -> tuple[Test, ...]:
    """Read tests by subject; that a fact is unknown is no test of vetoes."""
    tests = []
    for subject, value in entry.mapping().items():
        check_subject(subject, entry.keys()[subject])
        tests.append(_read_test(subject, value, kind))
    if not tests:
        raise entry.error("a rule without tests always fires; give it one")
    return tuple(tests)


def read_value(name: str, value: object, entry: Entry) -> float:
    """Return a fact's value as a row's number; where it is wrong, the error points at the entry it stands in."""
    try:
        return encode_value(fact(name), value)
    except NotationError as error:
        raise entry.notation_error(error) from None
    except ValueError as error:
        raise entry.error(str(error)) from None


def read_bounded(entry: Entry, low: float, high: float) -> float:
    """Return a number from `low` to `high`, both included."""
    number = entry.number()
    if not low <= number <= high:
        raise entry.error(f"{number:g} is out of bounds; allowed: {low:g} to {high:g}")
    return number


def check_subject(subject: str, entry: Entry) -> None:
    """Refuse what is no fact."""
    if subject not in fact_index():
        raise entry.error(f"{subject!r} is not a fact{nearest(subject, fact_index())}")


def _required(keys: Sequence[str], kind: RuleKind) -> tuple[str, ...]:
    optional = (*_OPTIONAL, "criterion") if kind in _TOLD else _OPTIONAL
    return tuple(key for key in keys if key not in optional)


def _wording(kind: RuleKind) -> str:
    return "text" if kind in _TOLD else "reason"


def _read_ladder(
    entry: Entry, kind: RuleKind, own: Sequence[str], shared: Sequence[str]
) -> Iterator[tuple[Rule, Entry]]:
    ladder = entry.mapping(("ladder", "when", "rungs", *shared), required=("ladder", "rungs"))
    subject = ladder["ladder"].text()
    check_subject(subject, ladder["ladder"])
    common = read_tests(ladder["when"], kind) if "when" in ladder else ()
    if subject in {test.subject for test in common}:
        raise ladder["when"].keys()[subject].error(f"each rung tests {subject} itself; remove it here")
    stated = {key: ladder[key] for key in shared if key in ladder}
    needed = [key for key in _required((*own, *shared), kind) if key not in stated]
    ids: dict[object, str] = {}
    for rung in ladder["rungs"].sequence():
        values = rung.mapping((*own, *shared, "test"), required=(*needed, "test"))
        test = _read_test(subject, values["test"], kind)
        rule = _read_rule(rung, {**stated, **values}, kind, (*common, test), subject)
        if ids.setdefault(test.holds, rule.id) != rule.id:
            raise values["test"].error(f"{rule.id!r} has the test of {ids[test.holds]!r}; one rung is enough")
        yield rule, rung
    if not ids:
        raise ladder["rungs"].error("a ladder needs at least one rung")


def _read_rule(
    entry: Entry,
    values: Mapping[str, Entry],
    kind: RuleKind,
    tests: tuple[Test, ...],
    rung_of: str | None = None,
) -> Rule:
    examples = values["examples"].mapping(("fire", "silent"), required=("fire", "silent"))
    return Rule(
        id=_read_id(values["id"]),
        kind=kind,
        criterion=_read_criterion(values.get("criterion")),
        tests=tests,
        about=(rung_of,) if rung_of else tuple(test.subject for test in tests),
        log_odds=_read_log_odds(values["evidence"]) if kind == "evidence" else (0.0,) * len(APPROACHES),
        excludes=_read_approaches(values["excludes"]) if kind == "veto" else frozenset(),
        steps=_read_approaches(values["steps"]) if kind == "advice" else frozenset(),
        first="first" in values and _read_flag(values["first"]),
        reason=_read_reason(values[_wording(kind)], tests),
        sources=_read_sources(values["sources"]),
        fire=_read_examples(examples["fire"], rung_of),
        silent=_read_examples(examples["silent"], rung_of),
        place=entry.place,
    )


def _read_id(entry: Entry) -> str:
    identifier = entry.text()
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", identifier):
        raise entry.error(f"{identifier!r} is not an id; write words in lower case with hyphens between")
    return identifier


def _read_criterion(entry: Entry | None) -> str | None:
    if entry is None:
        return None
    if (criterion := entry.text()) not in CRITERIA:
        raise entry.error(f"{criterion!r} is not a criterion{nearest(criterion, CRITERIA)}")
    return criterion


def _read_sources(entry: Entry) -> tuple[str, ...]:
    sources = tuple(source.text() for source in entry.sequence())
    if not sources:
        raise entry.error("at least one source is needed")
    return sources


def _read_test(subject: str, entry: Entry, kind: RuleKind | None) -> Test:
    item = fact(subject)
    is_list = entry.is_sequence
    text = f"[{', '.join(value.text() for value in entry.sequence())}]" if is_list else entry.text()
    if text == UNKNOWN and kind is not None and kind != "veto":
        return Test(subject, text, None)
    try:
        choices: Sequence[str] = ("true", "false") if item.kind == "flag" else item.choices
        holds = parse_test(text, duration=item.kind == "duration", choices=choices)
    except NotationError as error:
        raise entry.notation_error(error) from None
    return Test(subject, text, holds)


def _read_log_odds(entry: Entry) -> tuple[float, ...]:
    values = entry.mapping(APPROACHES)
    log_odds = tuple(read_bounded(values[name], *NATS) if name in values else 0.0 for name in APPROACHES)
    if max(log_odds) == min(log_odds):
        raise entry.error("the evidence is the same for every approach, and so says nothing")
    return log_odds


def _read_flag(entry: Entry) -> bool:
    if entry.text() not in ("true", "false"):
        raise entry.error(f"{entry.text()!r} is neither true nor false")
    return entry.text() == "true"


def _read_approaches(entry: Entry) -> frozenset[str]:
    items = {item.text(): item for item in entry.sequence()}
    for name, item in items.items():
        if name not in APPROACHES:
            raise item.error(f"{name!r} is not an approach{nearest(name, APPROACHES)}")
    if not items:
        raise entry.error("name at least one approach")
    return frozenset(items)


def _read_reason(entry: Entry, tests: Sequence[Test]) -> str:
    reason = entry.text()
    if not reason.strip():
        raise entry.error("it is empty; say why in a sentence")
    for name in re.findall(r"\{(\w*)\}", reason):
        if name not in {test.subject for test in tests if test.holds is not None}:
            raise entry.error_at_words(
                f"{{{name}}} is not tested by the rule, and so may be unknown", f"{{{name}}}"
            )
    return reason


def _read_examples(entry: Entry, rung_of: str | None) -> tuple[Mapping[str, object], ...]:
    """Read examples; of a rung, a value without a name is one of the ladder's fact."""
    examples = []
    for item in entry.sequence():
        named = {rung_of: item} if rung_of and not item.is_mapping else item.mapping()
        examples.append({name: _read_example_value(name, value) for name, value in named.items()})
    if not examples:
        raise entry.error("at least one example is needed")
    return tuple(examples)


def _read_example_value(name: str, entry: Entry) -> object:
    if name not in fact_index():
        raise entry.error(f"{name!r} is not a fact{nearest(name, fact_index())}")
    value = entry.plain()
    if value is not None:  # else unknown
        read_value(name, value, entry)
    return value
