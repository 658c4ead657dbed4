"""Commands that do: they talk to a server, their own where none is named."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from advisor.cli.sync import FileArgument, ServerOption, bring_in
from advisor.errors import InvalidInput
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.facts import nearest
from advisor.knowledge.usecasefile import read_use_case
from advisor.v1 import recommendation_pb2 as pb
from advisor.v1 import use_case_pb2
from advisor.wire.recommendation import approach_from_proto

if TYPE_CHECKING:  # the client needs gRPC, which deciding does not
    from advisor.client import AnswerStream, OperationFuture
    from advisor.v1 import execution_service_pb2 as execution_pb2

__all__ = ["register", "show_adapter", "show_answer", "show_progress"]

ApproachOption = Annotated[
    str | None, typer.Option("--approach", help="One of PROMPTING, RAG, FINE_TUNING, HYBRID.")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the protobuf JSON of each message, one a line.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("serve")(serve)
    app.command("answer")(answer)
    app.command("tune")(tune)
    operations = typer.Typer(help="Long work: training runs and the like.", no_args_is_help=True)
    operations.command("list")(list_operations)
    operations.command("wait")(wait)
    operations.command("cancel")(cancel)
    app.add_typer(operations, name="operations")
    models = typer.Typer(help="Models.", no_args_is_help=True)
    models.command("pull")(pull)
    app.add_typer(models, name="models")


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 for any that is free.")] = None,
    port_file: Annotated[Path | None, typer.Option(help="File to write the port to.")] = None,
) -> None:
    """Serve until interrupted; settings come from ADVISOR_* variables."""
    from advisor.rpc.server import serve as run
    from advisor.settings import read_settings
    from advisor.telemetry.logs import configure_logging

    configure_logging()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait leave the cores to the worker
    given = {"host": host, "port": port}
    settings = read_settings(**{name: value for name, value in given.items() if value is not None})
    run(settings, ready=lambda at: typer.echo(f"serving on {settings.host}:{at}"), port_file=port_file)


def answer(
    file: FileArgument,
    question: Annotated[str, typer.Argument(help="The question.")],
    approach: ApproachOption = None,
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a question by the recommended approach, or by the one named."""
    from advisor.cli.connection import connected

    case, wanted = read_use_case(file), _approach(approach)
    console = Console()
    with connected(server) as client:
        bring_in(console, client, case, quiet=True)
        stream = client.answer(case.id, question, approach=wanted)
        if as_json:
            for event in stream:
                typer.echo(_json(event))
        else:
            show_answer(console, stream)


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

    case, wanted = read_use_case(file), _approach(approach) or Approach.FINE_TUNING
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


def list_operations(server: ServerOption = None, as_json: JsonOption = False) -> None:
    """List long work, newest first."""
    from advisor.cli.connection import connected

    with connected(server) as client:
        found = list(client.operations())
    if as_json:
        for future in found:
            typer.echo(_json(future.operation))
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
                console.print(_json(response), markup=False)


def cancel(
    name: Annotated[str, typer.Argument(help="Resource name of the operation.")], server: ServerOption = None
) -> None:
    """Ask long work to stop."""
    from advisor.cli.connection import connected

    with connected(server) as client:
        client.operation(name).cancel()


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
        with _progress(Console()) as progress:
            task = progress.add_task(label, total=None)

            def report(event: base.Progress, progress: Progress = progress, task: TaskID = task) -> None:
                done = event.fraction
                progress.update(
                    task, description=event.activity, total=None if done is None else 1.0, completed=done or 0
                )

            folder = resolve(name, cache=settings.model_cache, report=report, verify=verify)
        typer.echo(f"{label}: {folder}")


def show_answer(console: Console, stream: AnswerStream) -> None:
    """Print an answer as it comes, then its references and what it took."""
    from advisor.v1 import execution_service_pb2 as execution_pb2

    status = console.status("preparing")
    status.start()
    try:
        for event in stream:
            match event:
                case execution_pb2.Progress():
                    status.update(_activity(event))
                case execution_pb2.Token():
                    status.stop()
                    console.print(event.text, end="", markup=False, highlight=False, soft_wrap=True)
                case pb.Recommendation() if event.summary:
                    console.print(event.summary, style="dim")
    finally:
        status.stop()
    console.print("\n")
    cited = {citation.number for citation in stream.summary.citations} if stream.summary else set()
    for reference in stream.references.references if stream.references else ():
        if reference.number in cited:
            place = f"{reference.source}, bytes {reference.start_byte} to {reference.end_byte}"
            console.print(f"[{reference.number}] {place}", style="dim", markup=False)
    if stream.summary:
        for note in stream.summary.notes:
            console.print(note, style="yellow", markup=False)
        console.print(_took(stream.summary), style="dim", markup=False)


def show_progress(console: Console, future: OperationFuture[Any]) -> None:
    """Show how far long work is until it has ended."""
    with _progress(console) as progress:
        task = progress.add_task("queued", total=None)
        for metadata in future.progress():
            left = (
                f", {_seconds(metadata.remaining.ToTimedelta().total_seconds())} left"
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


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console
    )


def _approach(name: str | None) -> str | None:
    if name is None or name in APPROACHES:
        return name
    raise InvalidInput.of("--approach", f"{name!r} is not an approach{nearest(name.upper(), APPROACHES)}")


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


def _activity(event: execution_pb2.Progress) -> str:
    share = f" {event.fraction:.0%}" if event.HasField("fraction") else ""
    left = (
        f", {_seconds(event.remaining.ToTimedelta().total_seconds())} left"
        if event.HasField("remaining")
        else ""
    )
    return f"{event.activity}{share}{left}"


def _took(summary: execution_pb2.AnswerSummary) -> str:
    first, total = (
        part.ToTimedelta().total_seconds() for part in (summary.time_to_first_token, summary.total_time)
    )
    adapter = f" with {summary.adapter}" if summary.adapter else ""
    return (
        f"{approach_from_proto(summary.approach)}{adapter}: {summary.input_tokens:,} tokens read, "
        f"{summary.output_tokens:,} written; first after {first:.1f} s, all after {total:.1f} s"
    )


def _seconds(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def _json(message: Message) -> str:
    return MessageToJson(message, preserving_proto_field_name=True, indent=None)
