"""What commands print: data on standard output, all that is said beside it on standard error.

On a terminal tables fold to its width, and what goes on is shown by a spinner or
a bar. Elsewhere a table is a record a line, its cells separated by tabs, and a long
wait is a line of text now and then.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from advisor.v1 import progress_pb2

if TYPE_CHECKING:  # it loads gRPC
    from google.longrunning import operations_pb2

    from advisor.v1 import execution_service_pb2 as execution_pb2

__all__ = [
    "JsonOption",
    "Waiting",
    "notices",
    "operation_values",
    "place_of",
    "print_json",
    "print_list",
    "print_table",
    "progress_text",
    "seconds_text",
    "values_of",
]

M = TypeVar("M", bound=Message)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]

QUIET_S = 10.0
"""Off a terminal, seconds between two lines about one wait."""
_GAP = 2


def notices() -> Console:
    """Return the console of what is no data: notices, progress and what went wrong."""
    return Console(stderr=True)


class Waiting:
    """Something that takes long: a spinner on a terminal, else a line now and then until it is stopped.

    Args:
        console: Where it is shown.
        activity: What is done at first.
        every_s: Off a terminal, seconds between two lines.
    """

    def __init__(self, console: Console, activity: str, every_s: float = QUIET_S) -> None:
        self._console = console
        self._activity = activity
        self._every_s = every_s
        self._ended = threading.Event()
        self._status = console.status(escape(activity)) if console.is_terminal else None
        if self._status:
            self._status.start()
        else:  # a thread, since nothing may be heard of a model that loads for a minute
            threading.Thread(target=self._tell, name="waiting", daemon=True).start()

    def update(self, activity: str) -> None:
        """Show what is done now."""
        self._activity = activity
        if self._status:
            self._status.update(escape(activity))

    def stop(self) -> None:
        """Say no more."""
        self._ended.set()
        if self._status:
            self._status.stop()

    def _tell(self) -> None:
        lines = 0
        while not self._ended.wait(self._every_s):
            lines += 1
            said = f"{self._activity} ({seconds_text(lines * self._every_s)})"
            self._console.print(said, markup=False, highlight=False, soft_wrap=True)


def print_table(
    console: Console, headings: Sequence[str], rows: Iterable[Sequence[str]], *, whole: int = 1
) -> None:
    """Print records: as a table on a terminal, else one a line with tabs between the cells.

    Args:
        console: Where to.
        headings: Names of the columns.
        rows: The cells of each record.
        whole: So many columns from the left are not folded; where there is no room, a record takes several lines.
    """
    records = [[" ".join(cell.split()) for cell in row] for row in rows]
    if not console.is_terminal:
        for record in records:
            console.file.write("\t".join(record) + "\n")
        return
    columns = list(zip(headings, *records, strict=True))
    kept = sum(_longest(column) for column in columns[:whole])
    words = sum(_longest(" ".join(column).split()) for column in columns[whole:])
    if kept + words + _GAP * len(columns) > console.width:
        for record in records:
            _print_stacked(console, headings, record)
        return
    table = Table(box=None, padding=(0, _GAP, 0, 0), header_style="dim")
    for place, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", no_wrap=place < whole)
    for record in records:
        table.add_row(*map(escape, record))
    console.print(table)


def print_list(
    found: Sequence[M],
    columns: Mapping[str, Callable[[M], str]],
    *,
    as_json: bool,
    empty: str,
    whole: int = 1,
) -> None:
    """Print messages: as JSON, one a line, or as a table; where there are none, a notice says so.

    Args:
        found: The messages.
        columns: The cell of each column, by its heading.
        as_json: Whether to print JSON.
        empty: What is said where there are none.
        whole: As for `print_table`.
    """
    if as_json:
        for message in found:
            print_json(values_of(message))
    elif found:
        rows = ([cell(message) for cell in columns.values()] for message in found)
        print_table(Console(), tuple(columns), rows, whole=whole)
    else:
        notices().print(empty, markup=False)


def _print_stacked(console: Console, headings: Sequence[str], record: Sequence[str]) -> None:
    """Print a record as its name and, below it, each cell behind its heading: where a table would break words."""
    console.print(Text(record[0], style="bold", overflow="fold"))
    lines: list[Text] = []
    for heading, cell in zip(headings[1:], record[1:], strict=True):
        if not cell:
            continue
        told = Text.assemble((f"{heading} ", "dim"), cell, overflow="fold")
        if lines and lines[-1].cell_len + told.cell_len <= console.width - 2 * _GAP:
            lines[-1].append(" " * _GAP).append_text(told)
        else:
            lines.append(told)
    for line in lines:
        console.print(Padding(line, (0, 0, 0, _GAP)))


def _longest(texts: Iterable[str]) -> int:
    return max(map(len, texts), default=0)


def print_json(values: dict[str, Any]) -> None:
    """Print one object on one line."""
    typer.echo(json.dumps(values, ensure_ascii=False))


def values_of(message: Message) -> dict[str, Any]:
    """Return a message as protobuf JSON, under the names of the proto."""
    values: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True)
    return values


def operation_values(operation: operations_pb2.Operation) -> dict[str, Any]:
    """Return an operation as protobuf JSON; of messages that this version does not know, their types alone."""
    try:
        return values_of(operation)
    except TypeError:  # a newer server's kind: what it packs cannot be read here
        bare = type(operation)()
        bare.CopyFrom(operation)
        packed = {
            field: getattr(operation, field)
            for field in ("metadata", "response")
            if operation.HasField(field)
        }
        for field in packed:
            bare.ClearField(field)
        return {**values_of(bare), **{field: {"@type": each.type_url} for field, each in packed.items()}}


def seconds_text(seconds: float) -> str:
    """Return a time in words, such as `12 s` or `3 min`."""
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def progress_text(progress: progress_pb2.Progress) -> str:
    """Return how far work is, in words."""
    share = f" {progress.fraction:.0%}" if progress.HasField("fraction") else ""
    left = (
        f", {seconds_text(progress.remaining.ToTimedelta().total_seconds())} left"
        if progress.HasField("remaining")
        else ""
    )
    return f"{progress.activity}{share}{left}"


def place_of(found: execution_pb2.Reference) -> str:
    """Return where a person finds a passage: its document, and the place in it, or its bytes where none is known."""
    if found.place.startswith("#"):
        return found.source + found.place
    return f"{found.source}, {found.place or f'bytes {found.start_byte} to {found.end_byte}'}"
