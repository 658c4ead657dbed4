"""The knowledge base is complete: it carries the founding document, and each rule is fit to be explained.

These tests read `rules.yaml` and `docs/knowledge.md` as plain data, so that they
hold whatever the engine does.
"""

from __future__ import annotations

import re
import statistics
from pathlib import Path
from typing import Any

import pytest
import yaml

from advisor.decision.gains import load_gains
from advisor.decision.scoring import READ_BESIDE_RULES
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.cases import load_default_cases
from advisor.knowledge.facts import facts

ROOT = Path(__file__).resolve().parents[1]
KNOWLEDGE: dict[str, Any] = yaml.safe_load((ROOT / "rules.yaml").read_text(encoding="utf-8"))
WORLDS: dict[str, Any] = yaml.safe_load(
    (ROOT / "advisor" / "data" / "worlds.yaml").read_text(encoding="utf-8")
)
PAGE = (ROOT / "docs" / "knowledge.md").read_text(encoding="utf-8")
CASES: dict[str, Any] = yaml.safe_load(
    (ROOT / "advisor" / "data" / "published.yaml").read_text(encoding="utf-8")
)


def rules_of(section: str) -> list[dict[str, Any]]:
    """Return the rules of a section, rungs of ladders among them."""
    rules = []
    for item in KNOWLEDGE[section]:
        shared = {key: item[key] for key in ("criterion", "sources", "steps") if key in item}
        for rung in item.get("rungs", ()):
            when = {**item.get("when", {}), item["ladder"]: rung["test"]}
            rules.append({**shared, **rung, "when": when, "about": {item["ladder"]}})
        if "ladder" not in item:
            rules.append({**item, "about": set(item["when"])})
    return rules


EVIDENCE, VETOES, WARNINGS, ADVICE = (
    rules_of(section) for section in ("rules", "vetoes", "warnings", "advice")
)
RULES = [*EVIDENCE, *VETOES, *WARNINGS, *ADVICE]
# The statements of the founding document that are trade-offs, by place: two steps and three benefits of RAG,
# the definition and two benefits of fine-tuning, four rows, the summary, six bullets, three closing claims.
STATEMENTS = 2 + 3 + 1 + 2 + 4 + 1 + 6 + 3
ONE_RULE = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["id"])


def table(heading: str) -> dict[str, set[str]]:
    """Return the first and the last column of the table under a heading: a key, and the rules named."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([^`]+)` \|.*\| ([^|]*) \|$", section, flags=re.MULTILINE)
    return {key: set(re.findall(r"`([^`]+)`", rules)) for key, rules in rows}


def citing(source: str) -> set[str]:
    """Return the ids of the rules that rest on a source, or on one place in it."""
    return {
        rule["id"]
        for rule in RULES
        if any(each == source or each.split(":")[0] == source for each in rule["sources"])
    }


def founding_locators() -> set[str]:
    """Return the ids of statements that rules name."""
    return {
        each.partition(":")[2] for rule in RULES for each in rule["sources"] if each.startswith("founding")
    }


def test_every_statement_of_the_founding_document_has_a_row() -> None:
    """The table is as long as the founding document has trade-offs."""
    assert len(table("Statement by statement")) == STATEMENTS


@pytest.mark.parametrize("statement", table("Statement by statement"))
def test_a_statement_lists_exactly_the_rules_that_carry_it(statement: str) -> None:
    """A row names at least one rule, and exactly those that exist and have the statement as a source."""
    named = table("Statement by statement")[statement]
    assert named
    assert named == citing(f"founding:{statement}")


def test_every_founding_locator_is_a_statement() -> None:
    """No rule claims to rest on a statement that the founding document does not make."""
    assert founding_locators() <= set(table("Statement by statement"))


@pytest.mark.parametrize("source", table("Published guidance and findings"))
def test_a_published_source_lists_exactly_the_rules_that_rest_on_it(source: str) -> None:
    """The guidance table and the rules agree."""
    assert table("Published guidance and findings")[source] == citing(source)


def test_every_published_source_and_piece_of_guidance_is_used() -> None:
    """Each source of the published cases has rules, and the guidance is no longer than the table."""
    sources = table("Published guidance and findings")
    assert set(CASES["sources"]) <= set(sources)
    guides = {item["source"] for item in CASES["guidance"]} - set(CASES["sources"])
    assert len(sources) >= len(set(CASES["sources"]) | guides)


def test_there_are_at_least_45_rules_and_vetoes() -> None:
    """The knowledge base is not a handful of rules of thumb."""
    assert len(EVIDENCE) + len(VETOES) >= 45


def test_rules_on_one_fact_are_rungs_of_a_ladder() -> None:
    """What grows by degrees stands together: no two rules that test one fact alone stand outside a ladder."""
    alone = [tuple(item["when"]) for item in KNOWLEDGE["rules"] if "when" in item and "ladder" not in item]
    single = [facts for facts in alone if len(facts) == 1]
    assert len(single) == len(set(single))


def test_what_knowledge_comes_from_is_filed_under_specialization() -> None:
    """The criterion of a rule is that of the founding document's row: see the head of `rules.yaml`."""
    source = {
        "corpus_tokens",
        "retrieval_hit_rate",
        "needs_citations",
        "per_user_access",
        "closed_book_score",
    }
    filed = {rule["criterion"] for rule in (*EVIDENCE, *VETOES) if rule["about"] <= source}
    assert filed == {"specialization"}


def test_no_line_is_too_long_to_read() -> None:
    """Rules are read on a screen."""
    names = ("rules.yaml", "advisor/data/worlds.yaml", "advisor/data/promises.yaml")
    lines = [line for name in names for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    assert max(map(len, lines)) <= 120


def test_ids_are_unique() -> None:
    """No two rules share an id, of whatever section."""
    assert len({rule["id"] for rule in RULES}) == len(RULES)


@ONE_RULE
def test_a_rule_has_known_sources(rule: dict[str, Any]) -> None:
    """Each rule rests on something, and on nothing that is not described."""
    assert rule["sources"]
    assert {source.partition(":")[0] for source in rule["sources"]} <= set(KNOWLEDGE["sources"])


@ONE_RULE
def test_a_rule_has_examples_of_both_kinds(rule: dict[str, Any]) -> None:
    """Each rule shows when it fires and when it does not."""
    assert rule["examples"]["fire"]
    assert rule["examples"]["silent"]


@pytest.mark.parametrize("rule", [*EVIDENCE, *VETOES, *WARNINGS], ids=lambda rule: rule["id"])
def test_a_reason_shows_the_numbers_that_it_rests_on(rule: dict[str, Any]) -> None:
    """Each number that a rule tests stands in its reason, as the user gave it."""
    reason = rule.get("reason") or rule["text"]
    numbers = {
        fact
        for fact, test in rule["when"].items()
        if re.match(r"[<>\[(]", str(test)) and "," not in str(test)
    }
    assert numbers <= set(re.findall(r"\{(\w+)\}", reason))


@ONE_RULE
def test_no_single_rule_decides_alone(rule: dict[str, Any]) -> None:
    """Evidence stays within 1 nat per approach; what is impossible is a veto."""
    assert all(abs(nats) <= 1 for nats in rule.get("evidence", {}).values())


def test_every_fact_has_a_prior_and_counts_for_something() -> None:
    """What can be unknown can be drawn, and what can be told is read by a rule, by what was learned or by the cost."""
    read = {fact for rule in [*EVIDENCE, *VETOES] for fact in rule["when"]} | set(READ_BESIDE_RULES)
    read |= {curve.subject for curve in load_gains().curves}
    assert read == set(WORLDS["worlds"]) == {item.name for item in facts()}


def test_the_claim_about_naive_both_is_what_the_cases_say() -> None:
    """The advice counts the cases in which a model tuned without passages lost with retrieval."""
    arms = [case.get("scores") or case.get("gains", {}) for case in CASES["cases"]]
    both = [arm for arm in arms if "NAIVE_BOTH" in arm]
    single = ("PROMPTING", "RAG", "FINE_TUNING")
    lost = sum(arm["NAIVE_BOTH"] < max(arm.get(name, float("-inf")) for name in single) for arm in both)
    advice = next(rule for rule in ADVICE if rule["id"] == "no-naive-both")
    assert f"{lost} of {len(both)} published comparisons" in advice["text"]


@pytest.mark.parametrize(
    ("identifier", "form", "rest"),
    [
        ("labels-with-500-examples", "LABEL", "6 points in the median"),
        ("fields-with-500-examples", "STRUCTURED", "15 points in the median"),
        ("style-with-500-examples", "STYLE", "by 1 to 17 points"),
        ("code-with-500-examples", "CODE", "most where the base model wrote hardly any that ran"),
    ],
)
def test_what_training_gained_is_what_the_cases_say(identifier: str, form: str, rest: str) -> None:
    """The reasons count the published comparisons of training with a prompt, by the form of the output."""
    gains = [
        measured["FINE_TUNING"] - measured["PROMPTING"]
        for case in load_default_cases()
        if {"PROMPTING", "FINE_TUNING"} <= (measured := case.measured).keys()
        and case.facts.get("output_form") == form
    ]
    reason = next(rule for rule in EVIDENCE if rule["id"] == identifier)["reason"]
    gained = sum(gain > 0 for gain in gains)
    assert f"gained on the prompt in {gained} of {len(gains)} published comparisons" in reason
    assert rest in reason
    told = re.search(r"(\d+) points in the median", rest)
    assert told is None or int(told[1]) == int(statistics.median(gains))
    ends = re.search(r"by (\d+) to (\d+) points", rest)
    assert ends is None or (int(ends[1]), int(ends[2])) == (round(min(gains)), round(max(gains)))


@pytest.mark.parametrize("advice", ADVICE, ids=lambda rule: rule["id"])
def test_advice_is_for_steps_of_a_plan(advice: dict[str, Any]) -> None:
    """Each says what to do, on the step of an approach, and only of a prompt that it is worth a step of its own."""
    assert set(advice["steps"]) <= set(APPROACHES)
    assert not advice.get("first") or "PROMPTING" in advice["steps"]


def test_what_training_gained_where_inputs_drift_is_what_the_cases_say() -> None:
    """The reason counts the comparisons, and tells the ends."""
    gains = [
        case.measured["FINE_TUNING"] - case.measured["PROMPTING"]
        for case in load_default_cases()
        if {"PROMPTING", "FINE_TUNING"} <= case.measured.keys()
        and case.facts.get("distribution_shift") is True
    ]
    reason = next(rule for rule in EVIDENCE if rule["id"] == "inputs-drift")["reason"]
    assert f"gained in {sum(gain > 0 for gain in gains)} of {len(gains)} published comparisons" in reason
    assert f"from {max(gains):.0f} points more to {-min(gains):.0f} less" in reason
