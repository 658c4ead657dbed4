"""Ladders: several rules on one fact, written once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from advisor.errors import RulesError
from advisor.knowledge.notation import Interval
from advisor.knowledge.rulefile import default_rules_paths, load_rules
from advisor.knowledge.rules import Rule

LADDER = """\
version: 1
rules:
  - ladder: update_interval
    criterion: freshness
    when: {can_train: true}
    sources: [ibm-developer, gdpr]
    rungs:
      - id: monthly
        test: "<= 30d"
        evidence: {RAG: 0.2}
        reason: >-
          A change every {update_interval}
          asks for many runs.
        examples: {fire: [{update_interval: 30d, can_train: true}], silent: [60d]}
      - id: weekly
        test: "<= 7d"
        criterion: cost
        sources: [aws-guidance]
        evidence: {RAG: 0.3}
        reason: "Changes every {update_interval}, {can_train}."
        examples: {fire: [{update_interval: 1d, can_train: true}], silent: [{update_interval: 1d}, 10d]}
"""


def load(folder: Path, *texts: str) -> dict[str, Rule]:
    """Return the rules of our knowledge base with files over it, by id."""
    paths = []
    for number, text in enumerate(texts):
        paths.append(folder / f"mine-{number}.yaml")
        paths[-1].write_text(text, encoding="utf-8")
    return {rule.id: rule for rule in load_rules(*default_rules_paths(), *paths).rules}


def test_rungs_are_rules(tmp_path: Path) -> None:
    """Each has its own id, test, evidence, reason and examples."""
    rules = load(tmp_path, LADDER)
    monthly, weekly = rules["monthly"], rules["weekly"]
    assert (monthly.log_odds, weekly.log_odds) == ((0, 0.2, 0, 0), (0, 0.3, 0, 0))
    assert monthly.reason == "A change every {update_interval} asks for many runs."
    assert [(test.subject, test.holds) for test in weekly.tests] == [
        ("can_train", {"true"}),
        ("update_interval", Interval(high=604_800)),
    ]
    assert (weekly.place.line, weekly.place.column) == (15, 9)


def test_a_rung_may_leave_out_what_the_ladder_states(tmp_path: Path) -> None:
    """What a rung states itself goes before."""
    rules = load(tmp_path, LADDER)
    assert (rules["monthly"].criterion, rules["monthly"].sources) == ("freshness", ("ibm-developer", "gdpr"))
    assert (rules["weekly"].criterion, rules["weekly"].sources) == ("cost", ("aws-guidance",))


def test_an_example_without_a_name_is_of_the_ladder(tmp_path: Path) -> None:
    """A value alone is one of the ladder's fact; with names, an example is like any other."""
    rules = load(tmp_path, LADDER)
    assert rules["monthly"].silent == ({"update_interval": "60d"},)
    assert rules["weekly"].silent == ({"update_interval": "1d"}, {"update_interval": "10d"})


def test_ladders_hold_vetoes_and_warnings_too(tmp_path: Path) -> None:
    """What a ladder excludes holds for its rungs."""
    text = """\
version: 1
vetoes:
  - ladder: labelled_examples
    criterion: specialization
    excludes: [HYBRID]
    sources: [gdpr]
    rungs: [{id: few, test: "< 10", reason: r, examples: {fire: [5], silent: [1K]}}]
warnings:
  - ladder: task
    sources: [gdpr]
    rungs: [{id: codes, test: "not(CODE)", text: r, examples: {fire: [DIALOGUE], silent: [CODE]}}]
"""
    rules = load(tmp_path, text)
    assert (rules["few"].kind, rules["few"].excludes) == ("veto", {"HYBRID"})
    assert (rules["codes"].kind, rules["codes"].criterion) == ("warning", None)
    assert "CODE" not in rules["codes"].tests[0].holds
    assert rules["few"].silent == ({"labelled_examples": "1K"},)


ADVICE = """\
version: 1
advice:
  - id: a
    steps: [RAG, HYBRID]
    first: true
    when: {retrieval_hit_rate: unknown}
    text: Measure search.
    sources: [gdpr]
    examples: {fire: [{task: CODE}], silent: [{retrieval_hit_rate: 0.5}]}
"""


def test_advice_is_for_steps(tmp_path: Path) -> None:
    """It belongs to no trade-off and decides nothing; `first` may be left out."""
    advice = load(tmp_path, ADVICE)["a"]
    assert (advice.kind, advice.criterion, advice.steps, advice.first) == (
        "advice",
        None,
        {"RAG", "HYBRID"},
        True,
    )
    assert not load(tmp_path, ADVICE.replace("    first: true\n", ""))["a"].first


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("[RAG, HYBRID]", "[]", "name at least one approach"),
        ("[RAG, HYBRID]", "[RAGE]", "'RAGE' is not an approach"),
        ("first: true", "first: maybe", "'maybe' is neither true nor false"),
        ("    steps: [RAG, HYBRID]\n", "", "the key 'steps' is missing"),
    ],
)
def test_what_is_wrong_with_advice_is_pointed_at(
    tmp_path: Path, right: str, wrong: str, message: str
) -> None:
    """The message says what is allowed."""
    with pytest.raises(RulesError, match=re.escape(message)):
        load(tmp_path, ADVICE.replace(right, wrong))


def test_overlays_replace_and_disable_rungs_by_their_ids(tmp_path: Path) -> None:
    """A rung gives way to a rule or to a rung, in its place, and the others stay."""
    rule = """\
version: 1
disable: [monthly]
rules:
  - id: knowledge-changes-within-a-week
    criterion: freshness
    when: {update_interval: "<= 5d"}
    evidence: {RAG: 0.1}
    reason: r
    sources: [gdpr]
    examples: {fire: [{update_interval: 1d}], silent: [{update_interval: 9d}]}
  - ladder: update_interval
    criterion: freshness
    rungs:
      - id: weekly
        test: "<= 8d"
        evidence: {RAG: 0.4}
        reason: r
        sources: [gdpr]
        examples: {fire: [1d], silent: [9d]}
"""
    before, after = load(tmp_path, LADDER), load(tmp_path, LADDER, rule)
    assert [each for each in before if each != "monthly"] == list(after)
    assert after["weekly"].tests[0].holds == Interval(high=8 * 86_400)
    assert after["knowledge-changes-within-a-week"].log_odds == (0, 0.1, 0, 0)
    assert (
        after["knowledge-changes-within-a-month"].log_odds
        == before["knowledge-changes-within-a-month"].log_odds
    )


def test_a_rung_that_an_overlay_states_twice_is_refused(tmp_path: Path) -> None:
    """Ids are one space, whether of rules or of rungs."""
    with pytest.raises(RulesError, match="the id 'weekly' stands in this file twice"):
        load(tmp_path, LADDER.replace("id: monthly", "id: weekly"))


@pytest.mark.parametrize(
    ("old", "new", "at", "words"),
    [
        ("ladder: update_interval", "ladder: update_intervall", "update_intervall", 'did you mean "update_interval"?'),
        ('"<= 7d"', '"<= 7x"', 'x"', "'x' is not a unit of time"),
        ('"<= 7d"', '"<= 200K"', 'K"', "'K' is not a unit of time"),
        ('"<= 7d"', '"<=  30d"', '"<=  30d"', "'weekly' has the test of 'monthly'; one rung is enough"),
        ("when: {can_train: true}", 'when: {update_interval: "<= 1y"}', "update_interval:", "each rung tests update_"),
        ('        test: "<= 7d"\n', '        when: {update_interval: "<= 7d"}\n', "when", "'when' is not a key here"),
        ('        test: "<= 7d"\n', "", "id: weekly", "the key 'test' is missing"),
        ("    criterion: freshness\n", "", "id: monthly", "the key 'criterion' is missing"),
        ("    sources: [ibm-developer, gdpr]\n", "", "id: monthly", "the key 'sources' is missing"),
        ("ibm-developer", "ibm", "id: monthly", "'monthly' rests on the unknown source 'ibm'"),
        ("asks for", "asks {task} for", "{task}", "{task} is not tested by the rule"),
        ("{can_train}.", "{task}.", "{task}", "{task} is not tested by the rule"),
        ("10d]", "10]", "10]", "10 has no unit"),
        ("criterion: cost", "criterion: costs", "costs", 'did you mean "cost"?'),
        ("id: weekly", "id: Weekly", "Weekly", "'Weekly' is not an id"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_ladder_is_pointed_at(
    tmp_path: Path, old: str, new: str, at: str, words: str
) -> None:
    """The error gives file, line and column, the line, and a caret under what is wrong."""
    text = LADDER.replace(old, new, 1)
    with pytest.raises(RulesError) as caught:
        load(tmp_path, text)
    head, line, caret = str(caught.value).splitlines()
    column = caret.index("^")
    assert words in head
    assert head.startswith(f"{tmp_path}/mine-0.yaml:{text.splitlines().index(line) + 1}:{column + 1}: ")
    assert line[column:].startswith(at)


def test_a_ladder_without_rungs_is_refused(tmp_path: Path) -> None:
    """It would say nothing."""
    with pytest.raises(RulesError, match=r"mine-0\.yaml:2:61: a ladder needs at least one rung"):
        load(tmp_path, "version: 1\nrules: [{ladder: task, criterion: cost, sources: [], rungs: []}]\n")


def test_the_ladder_of_the_page_can_be_merged(tmp_path: Path) -> None:
    """What `docs/knowledge.md` shows works as it says."""
    page = Path(__file__).resolve().parents[3] / "docs" / "knowledge.md"
    shown = page.read_text("utf-8").split("```yaml\n")[1].split("```")[0]
    rule = load(tmp_path, f"version: 1\nrules:\n{shown}")["knowledge-changes-within-an-hour"]
    assert rule.tests[0].holds == Interval(high=3_600)
