"""`advisor rules`: the knowledge base listed, checked and run on its own examples."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from advisor.cli.output import JsonOption, print_json, print_table
from advisor.decision.advisor import Advisor, default_advisor
from advisor.decision.gains import read_learned
from advisor.decision.rulebook import cite
from advisor.environment import check_environment
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.rulefile import default_rules_paths, load_rules
from advisor.knowledge.rules import Knowledge, Rule
from advisor.learning.rulecheck import check_rules, run_examples, undecided_share
from backends.counts import counted

__all__ = ["RulesOption", "advisor_with", "register"]

RulesOption = Annotated[
    list[Path] | None,
    typer.Option("--rules", help="Rule file merged over ours; repeatable.", envvar="ADVISOR_RULES"),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    rules = typer.Typer(help="The knowledge base.", no_args_is_help=True)
    rules.command("list")(list_rules)
    rules.command("check")(check)
    rules.command("test")(run_rule_examples)
    app.add_typer(rules, name="rules", rich_help_panel="Decide")


def advisor_with(rules: list[Path] | None) -> Advisor:
    """Return an advisor by our rules, by further files of them, and by the model that ADVISOR_GAINS names."""
    check_environment()
    advisor = default_advisor()
    if gains := os.environ.get("ADVISOR_GAINS"):
        advisor = advisor.with_gains(read_learned(Path(gains)))
    if not rules:
        return advisor
    return advisor.with_knowledge(load_rules(*default_rules_paths(), *rules))


def list_rules(rules: RulesOption = None, as_json: JsonOption = False) -> None:
    """List the rules: evidence, vetoes, warnings and advice."""
    knowledge = advisor_with(rules).knowledge
    if as_json:
        for rule in knowledge.rules:
            print_json({"rule": _rule_values(rule, knowledge)})
        return
    rows = [(rule.id, rule.criterion or "", _tests(rule), _effect(rule)) for rule in knowledge.rules]
    print_table(Console(), ("rule", "trade-off", "when", "effect"), rows)


def check(rules: RulesOption = None, as_json: JsonOption = False) -> None:
    """Look for mistakes in the knowledge base, and prove that it is monotonic."""
    advisor = advisor_with(rules)
    findings, knowledge = check_rules(advisor.scorer), advisor.knowledge
    shares = {known: undecided_share(advisor.scorer, known) for known in (0.25, 0.5, 1.0)}
    if as_json:
        for finding in findings:
            print_json({"finding": asdict(finding)})
        undecided = [{"known_share": known, "undecided_share": share} for known, share in shares.items()]
        counts = {"rules": len(knowledge.rules), "promises": len(knowledge.monotonic)}
        print_json({"summary": {**counts, "undecided": undecided}})
    else:
        for finding in findings:
            typer.echo(str(finding))
        for known, share in shares.items():
            typer.echo(f"undecided: {share:.1%} of plausible use cases with {known:.0%} of the facts known")
        promises = counted(len(knowledge.monotonic), "promise")
        typer.echo(f"{counted(len(knowledge.rules), 'rule')}, {promises} of monotonicity")
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(1)


def run_rule_examples(rules: RulesOption = None, as_json: JsonOption = False) -> None:
    """Run every rule's own examples."""
    scorer = advisor_with(rules).scorer
    failures = run_examples(scorer)
    examples = sum(len(rule.fire) + len(rule.silent) for rule in scorer.knowledge.rules)
    for failure in failures:
        if as_json:
            print_json({"failure": {"place": failure.place, "text": failure.text}})
        else:
            typer.echo(f"{failure.place}: {failure.text}")
    if as_json:
        print_json({"summary": {"examples": examples, "failed": len(failures)}})
    else:
        typer.echo(f"{examples - len(failures):,} of {counted(examples, 'example')} as their rules say")
    if failures:
        raise typer.Exit(1)


def _rule_values(rule: Rule, knowledge: Knowledge) -> dict[str, Any]:
    """Return a rule under the names of the proto."""
    values: dict[str, Any] = {"id": rule.id, "kind": f"KIND_{rule.kind.upper()}", "reason": rule.reason}
    if rule.criterion:
        values["criterion"] = f"CRITERION_{rule.criterion.upper()}"
    values["tests"] = [{"subject": test.subject, "test": test.text} for test in rule.tests]
    if rule.kind == "evidence":
        odds = zip(APPROACHES, rule.log_odds, strict=True)
        values["log_odds"] = {name.lower(): float(value) for name, value in odds}
    if rule.excludes:
        values["excludes"] = [f"APPROACH_{name}" for name in APPROACHES if name in rule.excludes]
    if rule.steps:
        values["steps"] = [f"APPROACH_{name}" for name in APPROACHES if name in rule.steps]
    values["sources"] = [asdict(source) for source in cite(rule.sources, knowledge)]
    return values


def _tests(rule: Rule) -> str:
    return ", ".join(f"{test.subject} {test.text}" for test in rule.tests)


def _effect(rule: Rule) -> str:
    if rule.kind == "veto":
        return f"excludes {_names(rule.excludes)}"
    if rule.kind == "warning":
        return "warns"
    if rule.kind == "advice":
        return f"advises on {_names(rule.steps)}"
    values = zip(APPROACHES, rule.log_odds, strict=True)
    return ", ".join(f"{name} {value:+.2f}" for name, value in values if value)


def _names(approaches: Collection[str]) -> str:
    return ", ".join(name for name in APPROACHES if name in approaches)
