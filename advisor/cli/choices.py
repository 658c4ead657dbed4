"""Options that take one of a few words, with completion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import typer

from advisor.knowledge.facts import nearest

__all__ = ["approach_option"]


def approach_option(allowed: Sequence[str], help_text: str) -> Any:
    """Return the option `--approach`, which takes one of the approaches named, in either case."""

    def parse(text: str) -> str:
        name = text.upper().replace("-", "_")
        if name not in allowed:
            raise typer.BadParameter(f"not an approach that works here{nearest(name, allowed)}")
        return name

    def complete(incomplete: str) -> Iterator[str]:
        yield from (name for name in allowed if name.startswith(incomplete.upper()))

    return typer.Option(
        "--approach", help=help_text, metavar="|".join(allowed), parser=parse, autocompletion=complete
    )
