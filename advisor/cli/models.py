"""`advisor models`: models fetched before they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from advisor.cli.extras import require_server
from advisor.cli.operations import progress_bar
from advisor.cli.output import JsonOption, Waiting, notices, print_json
from backends.base import Progress as Event

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    models = typer.Typer(help="Models, fetched before they are needed.", no_args_is_help=True)
    models.command("pull")(pull)
    app.add_typer(models, name="models", rich_help_panel="Look after a server")


def pull(
    verify: Annotated[
        bool, typer.Option("--verify", help="Hash every file of what is there already.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Fetch the models, verified, so that nothing has to be fetched later."""
    require_server("models pull")
    from advisor.settings import read_settings
    from backends.models.names import RemoteSource, parse_model
    from backends.models.resolve import resolve

    settings = read_settings()
    for name in filter(None, (settings.generator, settings.embedder, settings.reranker)):
        label = name.partition("#")[0]
        if isinstance(parse_model(name), RemoteSource):
            _tell(label, None, as_json=as_json)
            continue
        with _reporting(label) as report:
            folder = resolve(name, cache=settings.model_cache, report=report, verify=verify)
        _tell(label, folder, as_json=as_json)


@contextmanager
def _reporting(label: str) -> Iterator[Callable[[Event], None]]:
    """Yield what shows how far a download is: a bar on a terminal, else a line now and then."""
    console = notices()
    if not console.is_terminal:
        waiting = Waiting(console, label)
        try:
            yield lambda event: waiting.update(f"{label}: {event.activity}{_share(event)}")
        finally:
            waiting.stop()
        return
    with progress_bar(console) as progress:
        task = progress.add_task(label, total=None)
        yield lambda event: progress.update(
            task,
            description=event.activity,
            total=None if event.fraction is None else 1.0,
            completed=event.fraction or 0,
        )


def _share(event: Event) -> str:
    return "" if event.fraction is None else f" {event.fraction:.0%}"


def _tell(label: str, folder: Path | None, *, as_json: bool) -> None:
    """Say where a model lies; None where another server has it."""
    if as_json:
        print_json({"model": {"name": label, **({"folder": str(folder)} if folder else {"remote": True})}})
    else:
        typer.echo(f"{label}: {folder}" if folder else f"{label} is served elsewhere")
