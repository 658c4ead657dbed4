"""`advisor tune`: an adapter trained on the examples of a use case."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer
from rich.console import Console

from advisor.cli.answers import ApproachOption, named_approach
from advisor.cli.operations import show_adapter, show_progress
from advisor.cli.sync import FileArgument, ServerOption, bring_in
from advisor.errors import InvalidInput
from advisor.knowledge.approaches import Approach
from advisor.knowledge.usecasefile import read_use_case

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("tune")(tune)


def tune(
    file: FileArgument,
    approach: ApproachOption = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the examples.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None,
    server: ServerOption = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Do not wait; print the operation's name.")
    ] = False,
) -> None:
    """Train an adapter on the examples of a use case."""
    from advisor.cli.connection import connected

    case, wanted = read_use_case(file), named_approach(approach) or Approach.FINE_TUNING
    if detach and not (server or os.environ.get("ADVISOR_SERVER")):
        raise InvalidInput.of(
            "--detach", "needs --server or ADVISOR_SERVER: our own server ends with the command"
        )
    console = Console()
    given = {"epochs": epochs, "learning_rate": learning_rate}
    settings: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    with connected(server) as client:
        bring_in(console, client, case, quiet=True)
        future = client.tune(case.id, approach=wanted, **settings)
        if detach:
            console.print(future.name)
        else:
            show_progress(console, future)
            show_adapter(console, future.result())
