"""`advisor tune` and `advisor adapters`: adapters trained, listed and deleted."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Annotated, Any

import typer

from advisor.cli.choices import approach_option
from advisor.cli.consent import Consent, consenting
from advisor.cli.operations import DetachOption, finish, print_started, refuse_lonely
from advisor.cli.output import JsonOption, notices, print_list
from advisor.cli.sync import (
    FileArgument,
    ServerOption,
    bring_in,
    read_identified,
    use_case_id_of,
)
from advisor.errors import InvalidInput
from advisor.knowledge.approaches import Approach
from advisor.v1 import use_case_pb2
from advisor.wire.recommendation import approach_from_proto
from backends.counts import counted
from backends.training.adapters import TuningSettings

__all__ = ["register"]

TRAINED = (Approach.FINE_TUNING, Approach.HYBRID)
USUAL = TuningSettings()

COLUMNS: dict[str, Callable[[use_case_pb2.Adapter], str]] = {
    "adapter": lambda each: each.name,
    "approach": lambda each: approach_from_proto(each.approach) or "",
    "examples": lambda each: f"{each.metrics.training_examples}",
    "held-out loss": lambda each: (
        f"{each.metrics.held_out_loss:.3f}" if each.metrics.HasField("held_out_loss") else ""
    ),
    "created": lambda each: each.create_time.ToDatetime().isoformat(" ", "minutes"),
    "base model": lambda each: each.base_model,
}


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("tune", rich_help_panel="Carry out")(tune)
    adapters = typer.Typer(help="What training made.", no_args_is_help=True)
    adapters.command("list")(list_adapters)
    adapters.command("delete")(delete)
    app.add_typer(adapters, name="adapters", rich_help_panel="Look after a server")


@consenting
def tune(
    file: FileArgument,
    approach: Annotated[
        str, approach_option(TRAINED, "What to train for; HYBRID trains on retrieved passages.")
    ] = "FINE_TUNING",
    epochs: Annotated[
        int | None,
        typer.Option(help="Passes over the examples.", show_default="2 to 8 by their number"),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="Peak learning rate.", show_default=f"{USUAL.learning_rate:g}, as the server says"),
    ] = None,
    server: ServerOption = None,
    detach: DetachOption = False,
    as_json: JsonOption = False,
    *,
    consent: Consent,
) -> None:
    """Train an adapter on the examples of a use case."""
    from advisor.cli.connection import connected

    refuse_lonely(server, detach=detach)
    given = {"epochs": epochs, "learning_rate": learning_rate}
    settings: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    case = read_identified(file, consent)
    if case.examples is None and not consent.keep:
        raise InvalidInput.of(
            str(file),
            "names no examples to train on; add the line examples: FILE.jsonl, a file with lines of "
            '{"question": "...", "answer": "..."}',
        )
    with connected(server) as client:
        bring_in(notices().print, client, case, consent, quiet=True)
        future = client.tune(case.stored_id, approach=approach, **settings)
        if not detach:
            finish(future, as_json=as_json)
            told = f"To ask it: advisor answer {shlex.quote(str(file))} QUESTION --approach {approach}"
            notices().print(told, style="dim", markup=False, highlight=False, soft_wrap=True)
        else:
            print_started(future, as_json=as_json)


def list_adapters(
    use_case: Annotated[
        str, typer.Argument(metavar="FILE_OR_ID", help="Use-case file, or id of a use case.")
    ],
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the adapters of a use case, newest first."""
    from advisor.cli.connection import connected

    use_case_id = use_case_id_of(use_case)
    with connected(server) as client:
        found = list(client.adapters(use_case_id))
    print_list(found, COLUMNS, as_json=as_json, empty=f"no adapters of {use_case_id}", whole=2)
    for adapter in found:
        if adapter.erased_examples or adapter.erased_documents:
            notices().print(_erased(adapter), style="yellow", markup=False, highlight=False)


def delete(
    name: Annotated[str, typer.Argument(help="Resource name of the adapter, as the list shows it.")],
    server: ServerOption = None,
) -> None:
    """Delete an adapter, with its weights."""
    from advisor.cli.connection import connected

    with connected(server) as client:
        client.delete_adapter(name)
    notices().print(f"{name} deleted", markup=False, highlight=False, soft_wrap=True)


def _erased(adapter: use_case_pb2.Adapter) -> str:
    gone = [
        counted(number, noun)
        for number, noun in ((adapter.erased_examples, "example"), (adapter.erased_documents, "document"))
        if number
    ]
    return f"{adapter.name} was trained on what is deleted or replaced by now: {' and '.join(gone)}"
