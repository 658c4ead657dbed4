"""The command line: `advisor --help` lists the commands.

Every failure is one message on standard error and exit status 2, or 1 where
`rules check` and `rules test` have looked and found mistakes; nothing is half
done. Commands import what they need when they run, so that `advisor
recommend` stays fast.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from advisor.cli import decide, demo, protos, sync, work
from advisor.errors import AdvisorError
from backends.base import BackendError

__all__ = ["app", "main"]

app = typer.Typer(
    name="advisor",
    help="Retrieve, fine-tune, both, or neither? Decide with evidence, then do the work.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
decide.register(app)
sync.register(app)
work.register(app)
demo.register(app)
protos.register(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits with 0, 2 on failure, or 130 when interrupted."""
    try:
        app(list(arguments) if arguments is not None else None)
    except (AdvisorError, BackendError, OSError) as error:
        print(f"advisor: {error}", file=sys.stderr)  # noqa: T201 - the command line talks to people
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
