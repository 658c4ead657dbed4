"""The pictures of the README, drawn from what the commands print: `python -m advisor.cli.pictures`.

A test draws them again and compares the text, so a picture shows what a person gets.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from rich.console import Console
from rich.text import Text

from advisor.cli import main
from advisor.errors import ConfigurationError

__all__ = ["PICTURES", "Picture", "draw", "text_of"]

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "images"
WIDTH = 100
CASE = "examples/installed-packages/use-case.yaml"
_TERMINAL = {"COLUMNS": str(WIDTH), "FORCE_COLOR": "1", "TERM": "xterm-256color", "COLORTERM": "truecolor"}


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture.

    Attributes:
        name: Of its file, less the suffix.
        arguments: The command, as it is typed after `advisor`.
        lines: How many lines of its output are shown.
        typed: What is typed while it runs, a line each.
    """

    name: str
    arguments: tuple[str, ...]
    lines: int
    typed: tuple[str, ...] = ()


PICTURES = (
    Picture("recommend", ("recommend", CASE), 48),
    Picture(
        "consult",
        ("consult", "--max-questions", "4"),
        34,
        ("0.4", "?", "0.6"),
    ),
    Picture("rules", ("rules", "list"), 24),
)


class _Typed(io.StringIO):
    """Input that is seen on the screen, as a terminal echoes it."""

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        line = super().readline(-1 if size is None else size)
        sys.stdout.write(line)
        return line


def draw(picture: Picture) -> str:
    """Run a picture's command and return what it printed as SVG, the same each time."""
    command = " ".join(("advisor", *picture.arguments))
    shown = _printed(picture).splitlines()[: picture.lines]
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ {command}", style="bold"))
    console.print(Text.from_ansi("\n".join(shown)))
    svg = console.export_svg(title="", unique_id=picture.name)
    # Fonts from elsewhere are not loaded in a picture on a page; that of the system serves.
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return "".join(f"{line.rstrip()}\n" for line in svg.splitlines())


def text_of(svg: str) -> str:
    """Return the words of a picture."""
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    return " ".join(" ".join(unescape(each) for each in texts).split())


def _printed(picture: Picture) -> str:
    out = io.StringIO()
    with _terminal(picture.typed), redirect_stdout(out), redirect_stderr(out):
        try:
            main(picture.arguments)
        except SystemExit as ended:
            if ended.code:
                raise ConfigurationError(
                    f"{' '.join(picture.arguments)} ended with {ended.code}: {out.getvalue()}"
                ) from None
    return out.getvalue()


@contextmanager
def _terminal(typed: tuple[str, ...]) -> Iterator[None]:
    """Have what runs believe in a terminal of our width, at the root of the repository."""
    environment, stdin, folder = dict(os.environ), sys.stdin, Path.cwd()
    os.environ.update(_TERMINAL)
    os.environ.pop("NO_COLOR", None)
    sys.stdin = _Typed("".join(f"{line}\n" for line in typed))
    os.chdir(ROOT)
    try:
        yield
    finally:
        os.chdir(folder)
        sys.stdin = stdin
        os.environ.clear()
        os.environ.update(environment)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for each in PICTURES:
        (FOLDER / f"{each.name}.svg").write_text(draw(each), encoding="utf-8")
