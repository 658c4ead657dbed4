"""Commands that decide: they need no server, no database and no model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.json_format import MessageToJson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from advisor.cli.render import show
from advisor.decision.advisor import Advisor, default_advisor
from advisor.decision.consultation import Consultation
from advisor.decision.explanation import Question
from advisor.decision.recommendation import Recommendation
from advisor.errors import InvalidInput
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.facts import fact, facts_from_mapping
from advisor.knowledge.rulefile import default_rules_paths, load_rules
from advisor.knowledge.rules import Rule
from advisor.knowledge.usecasefile import read_use_case
from advisor.learning.rulecheck import check_rules, run_examples, undecided_share
from advisor.v1 import facts_pb2
from advisor.wire.recommendation import recommendation_to_proto

__all__ = ["register"]

RulesOption = Annotated[
    list[Path] | None, typer.Option("--rules", help="Rule file merged over ours; repeatable.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the protobuf JSON of the message.")]
AllOption = Annotated[bool, typer.Option("--all", help="Leave nothing out.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("recommend")(recommend)
    app.command("consult")(consult)
    rules = typer.Typer(help="The knowledge base.", no_args_is_help=True)
    rules.command("list")(list_rules)
    rules.command("check")(check)
    rules.command("test")(run_rule_examples)
    app.add_typer(rules, name="rules")


def recommend(
    file: Annotated[Path, typer.Argument(help="Use-case file (YAML).")],
    rules: RulesOption = None,
    as_json: JsonOption = False,
    everything: AllOption = False,
) -> None:
    """Recommend an approach for a use case, and explain it."""
    recommendation = recommendation_to_proto(_advisor(rules).recommend(read_use_case(file).facts))
    if as_json:
        typer.echo(MessageToJson(recommendation, preserving_proto_field_name=True))
    else:
        show(Console(), recommendation, everything=everything)


def consult(
    file: Annotated[Path | None, typer.Argument(help="Use-case file to start from.")] = None,
    rules: RulesOption = None,
    max_questions: Annotated[int, typer.Option(help="Most questions to ask; 0 for no limit.")] = 0,
) -> None:
    """Ask the most informative question next, until the decision is stable."""
    console = Console()
    facts = read_use_case(file).facts if file else facts_pb2.Facts()
    consultation = Consultation(_advisor(rules), facts, max_questions)
    console.print("Answer each question, or press Enter where you cannot tell.\n", style="dim")
    step = consultation.next()
    try:
        while step.question is not None:
            _ask(console, consultation, step.question, step.questions_asked)
            step = consultation.next()
            console.print(f"   {_standing(step.recommendation)}\n", style="dim")
        reason = step.stop_reason
    except EOFError:  # Ctrl-D, or the end of a script: what is known by now is what there is
        console.print()
        reason = "the input has ended"
    console.print(f"Done: {reason}.\n", style="dim")
    show(console, recommendation_to_proto(step.recommendation))


def list_rules(rules: RulesOption = None) -> None:
    """List the rules, vetoes and warnings."""
    knowledge = load_rules(*default_rules_paths(), *(rules or ()))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("rule", "trade-off", "when", "effect"):
        table.add_column(heading)
    for rule in knowledge.rules:
        tests = ", ".join(f"{test.subject} {test.text}" for test in rule.tests)
        table.add_row(rule.id, rule.criterion or "", escape(tests), _effect(rule))
    Console().print(table)


def check(rules: RulesOption = None) -> None:
    """Look for mistakes in the knowledge base, and prove that it is monotonic."""
    advisor = _advisor(rules)
    findings = check_rules(advisor.scorer)
    for finding in findings:
        typer.echo(": ".join(part for part in (finding.place, finding.severity, finding.text) if part))
    for known in (0.25, 0.5, 1.0):
        share = undecided_share(advisor.scorer, known)
        typer.echo(f"undecided: {share:.1%} of plausible use cases with {known:.0%} of the facts known")
    knowledge = advisor.knowledge
    typer.echo(f"{len(knowledge.rules)} rules, {len(knowledge.monotonic)} promises of monotonicity")
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(1)


def run_rule_examples(rules: RulesOption = None) -> None:
    """Run every rule's own examples."""
    scorer = _advisor(rules).scorer
    failures = run_examples(scorer)
    for failure in failures:
        typer.echo(f"{failure.place}: {failure.text}")
    examples = sum(len(rule.fire) + len(rule.silent) for rule in scorer.knowledge.rules)
    typer.echo(f"{examples - len(failures)} of {examples} examples behave as their rules say")
    if failures:
        raise typer.Exit(1)


def _advisor(rules: list[Path] | None) -> Advisor:
    advisor = default_advisor()
    if not rules:
        return advisor
    return advisor.with_knowledge(load_rules(*default_rules_paths(), *rules))


def _ask(console: Console, consultation: Consultation, question: Question, number: int) -> None:
    """Ask until the answer is allowed or declined."""
    choices = f" [{', '.join(question.choices)}]" if question.choices else _example(question.fact)
    console.print(f"{number}. {question.text}{escape(choices)}")
    while True:
        reply = console.input("   > ").strip()
        if not reply:
            consultation.answer(facts_pb2.Facts(), [question.fact])
            return
        try:
            consultation.answer(facts_from_mapping({question.fact: _value(question.fact, reply)}))
        except InvalidInput as error:
            console.print(f"   {error.violations[0].description}", style="red")
        else:
            return


def _example(name: str) -> str:
    item = fact(name)
    if item.kind == "duration":
        return " (such as 7d, 12h or 30m)"
    return " (0 to 1)" if item.maximum == 1 else f" ({item.unit})"


def _value(name: str, reply: str) -> object:
    if fact(name).kind == "flag":
        return {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}.get(
            reply.lower(), reply
        )
    return reply.upper() if fact(name).kind == "choice" else reply


def _standing(recommendation: Recommendation) -> str:
    feasible = (score for score in recommendation.scores if score.feasible)
    return ", ".join(f"{score.approach} {score.probability:.0%}" for score in feasible)


def _effect(rule: Rule) -> str:
    if rule.kind == "veto":
        return f"excludes {', '.join(name for name in APPROACHES if name in rule.excludes)}"
    if rule.kind == "warning":
        return "warns"
    values = zip(APPROACHES, rule.log_odds, strict=True)
    return ", ".join(f"{name} {value:+.2f}" for name, value in values if value)
