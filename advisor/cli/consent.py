"""What a person agrees to beforehand: options of the commands that bring a store in step with a file."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from advisor.errors import InvalidInput

__all__ = ["Consent", "consenting"]

YesOption = Annotated[
    bool,
    typer.Option("--yes", "-y", help="Do not ask: delete from the store what the file has no more."),
]
KeepOption = Annotated[
    bool, typer.Option("--keep", help="Do not ask: keep in the store what the file has no more.")
]
AdoptOption = Annotated[
    bool, typer.Option("--adopt", help="Take over a use case that another file is kept in step with.")
]


@dataclass(frozen=True, slots=True)
class Consent:
    """What the options say to what would be asked.

    Attributes:
        yes: Delete what the file has no more, and write an id into a file without one.
        keep: Keep what the file has no more.
        adopt: Take over a use case of another file.
    """

    yes: YesOption = False
    keep: KeepOption = False
    adopt: AdoptOption = False

    def __post_init__(self) -> None:
        if self.yes and self.keep:
            raise InvalidInput.of("--keep", "cannot go with --yes: the one keeps what the other deletes")


def consenting(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that has the options of `Consent` in place of its argument `consent`."""
    own = inspect.signature(command, eval_str=True)
    options = inspect.signature(Consent, eval_str=True).parameters

    @functools.wraps(command)
    def asking(**given: Any) -> None:
        command(consent=Consent(**{name: given.pop(name) for name in options}), **given)

    asking.__signature__ = own.replace(  # type: ignore[attr-defined]  # Typer reads it
        parameters=[*(each for each in own.parameters.values() if each.name != "consent"), *options.values()]
    )
    return asking
