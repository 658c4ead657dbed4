"""What commands print, on a terminal and off it."""

from __future__ import annotations

import io
import threading

import pytest
from google.longrunning import operations_pb2
from rich.console import Console

from advisor.cli.output import Waiting, operation_values, print_table

NAME = "operations/6f0c2b9e-1a3d-4c55-9b0e-2f9d3a7c1e44"
ROW = (NAME, "running", "useCases/a-use-case-with-a-long-name/adapters/an-adapter", "two\nlines")


def console(width: int, *, terminal: bool) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None)


def printed(on: Console) -> str:
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_a_name_is_whole_on_a_terminal(width: int) -> None:
    """What is there to be copied is not folded, and nothing is cut."""
    on = console(width, terminal=True)
    print_table(on, ("operation", "state", "target", "progress"), [ROW], whole=2)
    assert NAME in printed(on)
    assert "…" not in printed(on)
    assert max(map(len, printed(on).splitlines())) <= width


def test_a_narrow_terminal_folds_everything() -> None:
    """On 40 columns each character is still there."""
    on = console(40, terminal=True)
    print_table(on, ("operation", "state"), [ROW[:2]], whole=2)
    assert NAME in "".join(printed(on).split())


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
@pytest.mark.parametrize("filled", [1, 60])
def test_a_number_keeps_its_heading(width: int, filled: int) -> None:
    """In whatever form a list is printed, nobody has to guess what is counted."""
    headings = ("use case", "documents", "examples", "description")
    on = console(width, terminal=True)
    print_table(on, headings, [("useCases/handbook-4f2a1c", "5", "18", "x " * filled), ("b", "7", "", "")])
    lines = printed(on).splitlines()
    assert max(map(len, lines)) <= width
    if lines[0].startswith("use case"):
        assert all(heading in lines[0] for heading in headings)
    else:
        shown = " ".join(printed(on).split())
        assert "useCases/handbook-4f2a1c documents 5 examples 18 description x" in shown
        assert shown.endswith("b documents 7")  # an empty cell is left out, with its heading


def test_a_pipe_gets_a_record_a_line() -> None:
    """Cells are separated by tabs, whatever they hold; there is no heading and no colour."""
    on = console(40, terminal=False)
    print_table(on, ("operation", "state", "target", "progress"), [ROW, ("a", "", "b", "")])
    assert printed(on) == f"{NAME}\trunning\t{ROW[2]}\ttwo lines\na\t\tb\t\n"


class Heard(io.StringIO):
    """A file that tells when a line has come."""

    def __init__(self) -> None:
        super().__init__()
        self.line = threading.Event()

    def flush(self) -> None:
        if self.getvalue().endswith("\n"):
            self.line.set()


def test_a_long_wait_off_a_terminal_is_a_line_now_and_then() -> None:
    """What is done is told although nothing new is heard of it."""
    heard = Heard()
    waiting = Waiting(Console(file=heard, force_terminal=False), "loading [models]", every_s=0.001)
    assert heard.line.wait(30)
    waiting.stop()
    assert heard.getvalue().startswith("loading [models] (0 s)\n")


def test_a_short_wait_off_a_terminal_is_silent() -> None:
    """Nothing is said of what is over soon."""
    on = console(80, terminal=False)
    waiting = Waiting(on, "preparing")
    waiting.update("still preparing")
    waiting.stop()
    assert printed(on) == ""


def test_an_operation_of_a_newer_server_is_printed_by_its_type() -> None:
    """What it packs cannot be read here; the rest is told."""
    operation = operations_pb2.Operation(name="operations/x", done=True)
    operation.metadata.type_url = "type.googleapis.com/advisor.v9.PaintMetadata"
    values = operation_values(operation)
    assert values["metadata"] == {"@type": "type.googleapis.com/advisor.v9.PaintMetadata"}
    assert (values["name"], values["done"]) == ("operations/x", True)
    assert operation.HasField("metadata")
