"""`advisor operations`: long work listed, awaited and cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from advisor.cli.output import JsonOption, json_line, progress_bar, seconds_text
from advisor.cli.sync import ServerOption
from advisor.v1 import use_case_pb2

if TYPE_CHECKING:  # the client needs gRPC, which deciding does not
    from advisor.client import OperationFuture

__all__ = ["register", "show_adapter", "show_progress"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    operations = typer.Typer(help="Long work: training runs and the like.", no_args_is_help=True)
    operations.command("list")(list_operations)
    operations.command("wait")(wait)
    operations.command("cancel")(cancel)
    app.add_typer(operations, name="operations")


def list_operations(server: ServerOption = None, as_json: JsonOption = False) -> None:
    """List long work, newest first."""
    from advisor.cli.connection import connected

    with connected(server) as client:
        found = list(client.operations())
    if as_json:
        for future in found:
            typer.echo(json_line(future.operation))
        return
    Console().print(operations_table(found) if found else "no operations")


def operations_table(futures: Sequence[OperationFuture[Any]]) -> Table:
    """Return a row for each operation: what it is, where it stands, what it makes, how far it is."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("operation", "kind", "state"):
        table.add_column(
            heading, no_wrap=True
        )  # whole on a narrow terminal too: names are there to be copied
    table.add_column("target", overflow="fold")
    table.add_column("progress")
    for future in futures:
        table.add_row(future.name, future.kind, future.state, future.target, escape(_how_far(future)))
    return table


def wait(
    name: Annotated[str, typer.Argument(help="Resource name of the operation.")], server: ServerOption = None
) -> None:
    """Wait for long work, showing its progress, and show what came out."""
    from advisor.cli.connection import connected

    console = Console()
    with connected(server) as client:
        future = client.operation(name)
        show_progress(console, future)
        match future.result():
            case use_case_pb2.Adapter() as adapter:
                show_adapter(console, adapter)
            case response:
                console.print(json_line(response), markup=False)


def cancel(
    name: Annotated[str, typer.Argument(help="Resource name of the operation.")], server: ServerOption = None
) -> None:
    """Ask long work to stop."""
    from advisor.cli.connection import connected

    with connected(server) as client:
        client.operation(name).cancel()


def show_progress(console: Console, future: OperationFuture[Any]) -> None:
    """Show how far long work is until it has ended."""
    with progress_bar(console) as progress:
        task = progress.add_task("queued", total=None)
        for metadata in future.progress():
            left = (
                f", {seconds_text(metadata.remaining.ToTimedelta().total_seconds())} left"
                if metadata.HasField("remaining")
                else ""
            )
            progress.update(
                task,
                description=f"{future.stage}{_loss(metadata)}{left}",
                total=metadata.total_steps or None,
                completed=metadata.step,
            )


def show_adapter(console: Console, adapter: use_case_pb2.Adapter) -> None:
    """Show what a training run measured."""
    metrics = adapter.metrics
    held_out = f", held-out loss {metrics.held_out_loss:.3f}" if metrics.HasField("held_out_loss") else ""
    console.print(
        f"{adapter.name}: {metrics.training_examples:,} examples, {metrics.steps:,} steps, "
        f"loss {metrics.training_loss:.3f}{held_out}"
    )


def _how_far(future: OperationFuture[Any]) -> str:
    """Return the stage and the steps of what goes on, the error of what failed."""
    metadata = future.metadata
    steps = f"{metadata.step:,} of {metadata.total_steps:,} steps" if metadata.total_steps else ""
    match future.state:
        case "failed":
            return str(future.operation.error.message)
        case "running":
            return ", ".join(filter(None, (future.stage, steps)))
        case _:
            return steps


def _loss(metadata: Any) -> str:
    """Return the loss of a training run; nothing for other work."""
    if "training_loss" not in metadata.DESCRIPTOR.fields_by_name or not metadata.HasField("training_loss"):
        return ""
    return f", loss {metadata.training_loss:.3f}"
