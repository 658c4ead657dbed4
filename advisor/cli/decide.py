"""`advisor recommend`: a decision for a use-case file, without a server, a database or a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from advisor.cli.consult import consult
from advisor.cli.output import JsonOption, print_json, values_of
from advisor.cli.render import show
from advisor.cli.rules import RulesOption, advisor_with
from advisor.knowledge.usecasefile import read_use_case
from advisor.profiling.files import known_of
from advisor.wire.recommendation import recommendation_to_proto

__all__ = ["register"]

AllOption = Annotated[bool, typer.Option("--all", help="Leave nothing out.")]


def register(app: typer.Typer) -> None:
    """Add the commands that decide."""
    app.command("recommend", rich_help_panel="Decide")(recommend)
    app.command("consult", rich_help_panel="Decide")(consult)


def recommend(
    file: Annotated[Path, typer.Argument(help="Use-case file (YAML).")],
    rules: RulesOption = None,
    as_json: JsonOption = False,
    everything: AllOption = False,
) -> None:
    """Recommend an approach for a use case, and explain it."""
    case = read_use_case(file)
    facts, gathered = known_of(case)
    recommendation = recommendation_to_proto(advisor_with(rules).recommend(facts, gathered=gathered))
    if as_json:
        print_json(values_of(recommendation))
    else:
        show(Console(), recommendation, everything=everything, documents=bool(case.documents))
