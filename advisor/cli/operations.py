"""`advisor operations`: long work listed, awaited, cancelled and forgotten."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from google.protobuf import any_pb2
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from advisor.cli.output import (
    JsonOption,
    Waiting,
    notices,
    operation_values,
    print_json,
    print_table,
    seconds_text,
    values_of,
)
from advisor.cli.sync import ServerOption
from advisor.cli.wording import as_commands
from advisor.errors import InvalidInput
from advisor.v1 import use_case_pb2
from backends.counts import counted

if TYPE_CHECKING:  # the client needs gRPC, which deciding does not
    from advisor.client import OperationFuture

__all__ = [
    "DetachOption",
    "finish",
    "print_started",
    "progress_bar",
    "refuse_lonely",
    "register",
    "show_adapter",
    "show_progress",
]

DetachOption = Annotated[bool, typer.Option("--detach", help="Do not wait; print the operation's name.")]
NameArgument = Annotated[str, typer.Argument(help="Resource name of the operation, as the list shows it.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    operations = typer.Typer(help="Long work: training runs and the like.", no_args_is_help=True)
    operations.command("list")(list_operations)
    operations.command("wait")(wait)
    operations.command("cancel")(cancel)
    operations.command("delete")(delete)
    app.add_typer(operations, name="operations", rich_help_panel="Look after a server")


def list_operations(
    wanted: Annotated[
        str,
        typer.Option("--filter", help="Which: done, state, kind or use_case with = or !=, joined by AND."),
    ] = "",
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """List long work, newest first."""
    from advisor.cli.connection import connected

    with connected(server) as client:
        found = list(client.operations(wanted))
    if as_json:
        for future in found:
            print_json(operation_values(future.operation))
    elif found:
        rows = [(each.name, each.kind, each.state, each.target, _how_far(each)) for each in found]
        print_table(Console(), ("operation", "kind", "state", "target", "progress"), rows, whole=3)
    else:
        notices().print("no operations")


def wait(name: NameArgument, server: ServerOption = None, as_json: JsonOption = False) -> None:
    """Wait for long work, showing its progress, and show what came out."""
    from advisor.cli.connection import connected

    with connected(server) as client:
        finish(client.operation(name), as_json=as_json)


def cancel(name: NameArgument, server: ServerOption = None) -> None:
    """Ask long work to stop."""
    from advisor.cli.connection import connected

    with connected(server) as client:
        future = client.operation(name)
        future.cancel()
    if future.operation.done:
        notices().print(
            f"{name} had ended already: {future.state}", markup=False, highlight=False, soft_wrap=True
        )


def delete(name: NameArgument, server: ServerOption = None) -> None:
    """Forget long work that has ended; what it made stays."""
    from advisor.cli.connection import connected

    with connected(server) as client:
        client.operation(name).delete()


def finish(future: OperationFuture[Any], *, as_json: bool) -> None:
    """Wait for long work and print what came out; as JSON also every step on the way."""
    if as_json:
        for _ in future.progress():
            print_json({"operation": operation_values(future.operation)})
        future.result()  # raises what it failed with
        print_json({"response": operation_values(future.operation).get("response", {})})
        return
    show_progress(notices(), future)
    match future.result():
        case use_case_pb2.Adapter() as adapter:
            show_adapter(Console(), adapter)
        case any_pb2.Any() as unknown:
            print_json({"@type": unknown.type_url})
        case response:
            print_json(values_of(response))


def refuse_lonely(server: str | None, *, detach: bool) -> None:
    """Refuse to leave long work to a server of the command's own.

    Raises:
        InvalidInput: It is not to be waited for, and no server is named.
    """
    if detach and not (server or os.environ.get("ADVISOR_SERVER")):
        raise InvalidInput.of(
            "--detach", "needs --server or ADVISOR_SERVER: our own server ends with the command"
        )


def print_started(future: OperationFuture[Any], *, as_json: bool) -> None:
    """Print long work that is not waited for."""
    if as_json:
        print_json({"operation": values_of(future.operation)})
    else:
        typer.echo(future.name)


def show_progress(console: Console, future: OperationFuture[Any]) -> None:
    """Show how far long work is until it has ended: a bar on a terminal, else a line now and then."""
    if not console.is_terminal:
        waiting = Waiting(console, "queued")
        try:
            for _ in future.progress():
                waiting.update(f"{future.name}: {_activity(future)}{_steps(future)}")
        finally:
            waiting.stop()
        return
    with progress_bar(console) as progress:
        task = progress.add_task("queued", total=None)
        for metadata in future.progress():
            progress.update(
                task,
                description=_activity(future),
                total=getattr(metadata, "total_steps", 0) or None,
                completed=getattr(metadata, "step", 0),
            )


def show_adapter(console: Console, adapter: use_case_pb2.Adapter) -> None:
    """Show what a training run measured."""
    metrics = adapter.metrics
    held_out = f", held-out loss {metrics.held_out_loss:.3f}" if metrics.HasField("held_out_loss") else ""
    console.print(
        f"{adapter.name}: {counted(metrics.training_examples, 'example')}, {counted(metrics.steps, 'step')}, "
        f"loss {metrics.training_loss:.3f}{held_out}",
        soft_wrap=True,
    )


@contextmanager
def progress_bar(console: Console) -> Iterator[Progress]:
    """Show a bar for long work, with what is done and the time it has taken."""
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console
    ) as progress:
        yield progress


def _how_far(future: OperationFuture[Any]) -> str:
    """Return the stage and the steps of what goes on, the error of what failed."""
    match future.state:
        case "failed":
            return as_commands(future.operation.error.message)
        case "running":
            return f"{future.stage}{_steps(future)}"
        case _:
            return _steps(future).removeprefix(", ")


def _steps(future: OperationFuture[Any]) -> str:
    total = getattr(future.metadata, "total_steps", 0)
    return f", {future.metadata.step:,} of {counted(total, 'step')}" if total else ""


def _activity(future: OperationFuture[Any]) -> str:
    """Return the stage, the loss of a training run, and the time left where it is known."""
    metadata, said = future.metadata, future.stage or str(future.state)
    if isinstance(metadata, any_pb2.Any):
        return said
    if "training_loss" in metadata.DESCRIPTOR.fields_by_name and metadata.HasField("training_loss"):
        said += f", loss {metadata.training_loss:.3f}"
    if metadata.HasField("remaining"):
        said += f", {seconds_text(metadata.remaining.ToTimedelta().total_seconds())} left"
    return said
