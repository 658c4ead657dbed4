"""`advisor models`: models fetched before they are needed."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, TaskID

from advisor.cli.output import progress_bar

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    models = typer.Typer(help="Models.", no_args_is_help=True)
    models.command("pull")(pull)
    app.add_typer(models, name="models")


def pull(
    verify: Annotated[
        bool, typer.Option("--verify", help="Hash every file of what is there already.")
    ] = False,
) -> None:
    """Fetch the models, verified, so that nothing has to be fetched later."""
    from advisor.settings import read_settings
    from backends import base
    from backends.models.names import RemoteSource, parse_model
    from backends.models.resolve import resolve

    settings = read_settings()
    for name in (settings.generator, settings.embedder):
        label = name.partition("#")[0]
        if isinstance(parse_model(name), RemoteSource):
            typer.echo(f"{label} is served elsewhere")
            continue
        with progress_bar(Console()) as progress:
            task = progress.add_task(label, total=None)

            def report(event: base.Progress, progress: Progress = progress, task: TaskID = task) -> None:
                done = event.fraction
                progress.update(
                    task, description=event.activity, total=None if done is None else 1.0, completed=done or 0
                )

            folder = resolve(name, cache=settings.model_cache, report=report, verify=verify)
        typer.echo(f"{label}: {folder}")
