"""Options that several commands have: one of a few words, with completion, or a file's text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

from advisor.errors import InvalidInput
from advisor.knowledge.facts import nearest

__all__ = ["approach_option", "arm_option", "schema_option"]


def approach_option(allowed: Sequence[str], help_text: str) -> Any:
    """Return the option `--approach`, which takes one of the approaches named, in either case."""
    return _option("--approach", allowed, "an approach that works here", help_text)


def arm_option(allowed: Sequence[str], help_text: str) -> Any:
    """Return the option `--arm`, which takes one of the arms of a trial, in either case."""
    return _option("--arm", allowed, "an arm", help_text, show_default="all that can run")


def schema_option(help_text: str) -> Any:
    """Return the option `--schema`, which takes the text of a file."""

    def parse(path: str) -> str:
        try:
            return Path(path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise InvalidInput.of(path, "not UTF-8; save it as UTF-8") from None

    return typer.Option("--schema", help=help_text, metavar="PATH", parser=parse)


def _option(name: str, allowed: Sequence[str], what: str, help_text: str, **more: Any) -> Any:
    def parse(text: str) -> str:
        word = text.upper().replace("-", "_")
        if word not in allowed:
            raise typer.BadParameter(f"not {what}{nearest(word, allowed)}")
        return word

    def complete(incomplete: str) -> Iterator[str]:
        yield from (each for each in allowed if each.startswith(incomplete.upper()))

    return typer.Option(
        name, help=help_text, metavar="|".join(allowed), parser=parse, autocompletion=complete, **more
    )
