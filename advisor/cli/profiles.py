"""`advisor profile`: what a use case's own data tells, measured rather than asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer
from google.protobuf import json_format
from rich.console import Console

from advisor.cli.consent import Consent, consenting
from advisor.cli.operations import DetachOption, print_started, refuse_lonely, show_progress
from advisor.cli.output import JsonOption, notices, print_json, print_table, values_of
from advisor.cli.sync import FileArgument, ServerOption, bring_in, read_identified
from advisor.knowledge.facts import encode_value, fact, value_to_text
from advisor.v1 import profile_pb2

__all__ = ["register"]

MOST_PLACES = 8
SHARES = ("share", "rate", "hits_at", "answers_in_documents", "language.")
"""Parts of the names of properties that are shares."""


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("profile", rich_help_panel="Prove")(profile)


@consenting
def profile(
    file: FileArgument,
    ask: Annotated[
        int | None,
        typer.Option(
            help="Most examples that the model and search are asked; 0 reads the data alone.",
            show_default="60",
        ),
    ] = None,
    server: ServerOption = None,
    detach: DetachOption = False,
    as_json: JsonOption = False,
    *,
    consent: Consent,
) -> None:
    """Measure what a use case's documents and examples tell, and how the model and search do on some of them."""
    from advisor.cli.connection import connected

    refuse_lonely(server, detach=detach)
    case = read_identified(file, consent)
    with connected(server) as client:
        bring_in(notices().print, client, case, consent, quiet=True)
        future = client.trials.measure(case.stored_id, asked=ask)
        if detach:
            print_started(future, as_json=as_json)
            return
        show_progress(notices(), future)
        found = future.result()
    if as_json:
        print_json(values_of(found))
    else:
        _show(Console(), found)


def _show(console: Console, found: profile_pb2.Profile) -> None:
    """Show facts first, then what else was measured, then what to mind."""
    for is_fact, title in (
        (True, "Facts, which count where the use case states none"),
        (False, "Beside them"),
    ):
        rows = [(each.name, _value(each), _range(each), each.method) for each in _told(found, is_fact)]
        if rows:
            console.print(title, style="bold")
            print_table(console, ("", "measured", "95% interval", "how"), rows, whole=3)
            console.print()
    for each in found.measurements:
        if each.warning:
            places = ", ".join(map(str, each.concerned[:MOST_PLACES]))
            more = ", …" if len(each.concerned) > MOST_PLACES else ""
            where = f" ({_concerned(each)} {places}{more}, from 0)" if places else ""
            console.print(f"Mind: {each.warning}{where}", highlight=False, markup=False, soft_wrap=True)


def _told(found: profile_pb2.Profile, is_fact: bool) -> Iterator[profile_pb2.Measurement]:
    return (each for each in found.measurements if each.fact is is_fact)


def _concerned(measured: profile_pb2.Measurement) -> str:
    return "documents" if measured.origin == profile_pb2.Measurement.ORIGIN_DOCUMENTS else "examples"


def _value(measured: profile_pb2.Measurement) -> str:
    value = json_format.MessageToDict(measured.value)
    return "not told" if value is None else _text(measured, value)


def _range(measured: profile_pb2.Measurement) -> str:
    if not measured.HasField("low"):
        return ""
    return f"{_number(measured, measured.low)} to {_number(measured, measured.high)}"


def _text(measured: profile_pb2.Measurement, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if measured.fact and isinstance(value, str):
        item = fact(measured.name)
        return value_to_text(item, encode_value(item, value), 2) if item.kind == "duration" else value
    return _number(measured, value) if isinstance(value, float) else str(value)


def _number(measured: profile_pb2.Measurement, value: float) -> str:
    if measured.fact:
        return value_to_text(fact(measured.name), value, 2)
    if any(part in measured.name for part in SHARES):
        return f"{value:.0%}"
    return f"{value:,.0f}"
