"""`advisor trial`, `advisor trials`: the approaches measured against each other on a use case's own examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from advisor.cli.choices import arm_option, schema_option
from advisor.cli.consent import Consent, consenting
from advisor.cli.operations import DetachOption, finish, print_started, refuse_lonely
from advisor.cli.output import JsonOption, notices, print_json, print_list, values_of
from advisor.cli.sync import FileArgument, ServerOption, bring_in, read_identified, use_case_id_of
from advisor.cli.trialtables import follow_trial, heading_of, show_trial
from advisor.errors import AdvisorError, InvalidInput
from advisor.knowledge.notation import NotationError, parse_duration
from advisor.names import parse_trial
from advisor.trials.arms import Arm
from advisor.v1 import trial_pb2

if TYPE_CHECKING:  # the client needs gRPC, which deciding does not
    from advisor.client import Client, OperationFuture

__all__ = ["register"]

NameArgument = Annotated[str, typer.Argument(help="Resource name of the trial, as the list shows it.")]
COLUMNS: dict[str, Callable[[trial_pb2.Trial], str]] = {
    "trial": lambda each: each.name,
    "state": lambda each: trial_pb2.Trial.State.Name(each.state).removeprefix("STATE_").lower(),
    "taken": lambda each: heading_of(each.verdict.arm) if each.verdict.arm else "",
    "created": lambda each: each.create_time.ToDatetime().isoformat(" ", "minutes"),
    "verdict": lambda each: each.verdict.headline,
}
STOP_S = 30.0
"""Seconds in which a trial that is cancelled has stopped."""
SUFFIXES = {".html": "HTML", ".md": "MARKDOWN", ".json": "JSON"}


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("trial", rich_help_panel="Prove")(trial)
    trials = typer.Typer(help="What trials measured.", no_args_is_help=True)
    trials.command("list")(list_trials)
    trials.command("show")(show)
    trials.command("report")(report)
    trials.command("delete")(delete)
    app.add_typer(trials, name="trials", rich_help_panel="Prove")


@consenting
def trial(
    file: FileArgument,
    arm: Annotated[
        list[str] | None,
        arm_option(tuple(Arm), "What to compare, once for each."),
    ] = None,
    held_out: Annotated[
        int | None, typer.Option(help="Most examples to hold out and ask.", show_default="100")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of every random choice.")] = 0,
    max_duration: Annotated[
        str | None,
        typer.Option(help="Begin nothing more after this time, such as 15m.", show_default="no limit"),
    ] = None,
    metric: Annotated[
        str, typer.Option(help="Metric that counts.", show_default="by the form of the answers")
    ] = "",
    schema: Annotated[
        str | None,
        schema_option(
            "JSON schema that every answer follows (a file); by default what JSON answers to learn from share."
        ),
    ] = None,
    curve: Annotated[
        bool, typer.Option("--curve", help="Train on a quarter and on half of the examples as well.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(help="Where to write the report: .html, .md or .json.", show_default="FILE-trial.html"),
    ] = None,
    server: ServerOption = None,
    detach: DetachOption = False,
    as_json: JsonOption = False,
    *,
    consent: Consent,
) -> None:
    """Measure the approaches against each other on held-out examples of a use case."""
    from advisor.cli.connection import connected

    refuse_lonely(server, detach=detach)
    settings: dict[str, Any] = {"seed": seed, "metric": metric, "learning_curve": curve}
    if schema:
        settings["output_schema"] = schema
    if held_out is not None:
        settings["held_out"] = held_out
    limit_s = _seconds(max_duration) if max_duration else None
    written = report or file.with_name(f"{file.stem}-trial.html")
    _form_of(written)
    case = read_identified(file, consent)
    with connected(server) as client:
        bring_in(notices().print, client, case, consent, quiet=True)
        future = client.trials.run(case.stored_id, arms=arm or (), max_duration_s=limit_s, **settings)
        if detach:
            print_started(future, as_json=as_json)
            return
        with _cut_short(client, future, written):
            if as_json:
                finish(future, as_json=True)
            else:
                follow_trial(notices(), future)
                show_trial(Console(), future.result())
        _write(client, future.target, written)


def list_trials(
    use_case: Annotated[
        str, typer.Argument(metavar="FILE_OR_ID", help="Use-case file, or id of a use case.")
    ],
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the trials of a use case, newest first."""
    from advisor.cli.connection import connected

    use_case_id = use_case_id_of(use_case)
    with connected(server) as client:
        found = list(client.trials.list(use_case_id))
    print_list(found, COLUMNS, as_json=as_json, empty=f"no trials of {use_case_id}", whole=1)


def show(name: NameArgument, server: ServerOption = None, as_json: JsonOption = False) -> None:
    """Show what a trial measured; of one that runs, what there is."""
    from advisor.cli.connection import connected

    parse_trial(name, "NAME")
    with connected(server) as client:
        found = client.trials.get(name)
    if as_json:
        print_json(values_of(found))
    else:
        show_trial(Console(), found)


def report(
    name: NameArgument,
    file: Annotated[Path, typer.Argument(help="Where to write it: .html, .md or .json.")],
    server: ServerOption = None,
) -> None:
    """Write a trial as a report."""
    from advisor.cli.connection import connected

    parse_trial(name, "NAME")
    _form_of(file)
    with connected(server) as client:
        _write(client, name, file)


def delete(name: NameArgument, server: ServerOption = None) -> None:
    """Delete a trial with its questions and answers."""
    from advisor.cli.connection import connected

    parse_trial(name, "NAME")
    with connected(server) as client:
        client.trials.delete(name)


@contextmanager
def _cut_short(client: Client, future: OperationFuture[trial_pb2.Trial], path: Path) -> Iterator[None]:
    """Where a trial is interrupted, fails or is cancelled, write a report of what was measured until then, if any."""
    try:
        yield
    except (AdvisorError, KeyboardInterrupt) as error:
        with suppress(AdvisorError):  # the connection may be what failed
            if isinstance(error, KeyboardInterrupt):
                _cancel(future)
            if client.trials.get(future.target).arms:
                _write(client, future.target, path)
        raise


def _cancel(future: OperationFuture[trial_pb2.Trial]) -> None:
    """Have a trial stop, and wait until it has."""
    notices().print("stopping the trial; what was measured is kept")
    future.cancel()
    with suppress(AdvisorError, TimeoutError):
        future.result(STOP_S)


def _write(client: Client, name: str, path: Path) -> None:
    """Write a trial's report, and say where."""
    content = client.trials.report(name, _form_of(path))
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InvalidInput.of(
            str(path),
            f"cannot be written ({error.strerror}); get the report again with advisor trials report {name} FILE",
        ) from None
    notices().print(f"report: {path}", markup=False, highlight=False, soft_wrap=True)


def _form_of(path: Path) -> str:
    """Return how a report is written, by the suffix of its file."""
    if path.suffix not in SUFFIXES:
        raise InvalidInput.of(str(path), f"has the suffix {path.suffix!r}; give one of {', '.join(SUFFIXES)}")
    return SUFFIXES[path.suffix]


def _seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except NotationError as error:
        raise InvalidInput.of("--max-duration", str(error)) from None
