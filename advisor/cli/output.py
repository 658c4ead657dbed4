"""What commands print: messages as JSON, progress, and times in words."""

from __future__ import annotations

from typing import Annotated

import typer
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

__all__ = ["JsonOption", "json_line", "progress_bar", "seconds_text"]

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the protobuf JSON of each message, one a line.")
]


def progress_bar(console: Console) -> Progress:
    """Return a bar for long work, with what is done and the time it has taken."""
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console
    )


def json_line(message: Message) -> str:
    """Return a message as one line of protobuf JSON, under the names of the proto."""
    return MessageToJson(message, preserving_proto_field_name=True, indent=None)


def seconds_text(seconds: float) -> str:
    """Return a time in words, such as `12 s` or `3 min`."""
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
