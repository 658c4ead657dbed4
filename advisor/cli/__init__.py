"""The command line: `advisor --help` lists the commands.

Every failure is a message on standard error, a line for each fault, and exit
status 2, or 1 where `rules check` and `rules test` have looked and found mistakes;
nothing is half done. Commands import what they need when they run, so that
`advisor recommend` stays fast.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from advisor.cli import (
    adapters,
    answers,
    backups,
    decide,
    demo,
    health,
    importing,
    info,
    init,
    learning,
    models,
    operations,
    profiles,
    protos,
    reindexing,
    rules,
    searching,
    serving,
    store,
    tokens,
    trials,
    watching,
)
from advisor.cli.faults import faults_of
from advisor.cli.wording import as_commands
from advisor.errors import AdvisorError
from backends.base import BackendError

__all__ = ["app", "main"]

INTERRUPTED = 130
"""Exit status after Ctrl-C, which Typer also returns by itself."""
# Typer brings a click of its own or uses the one installed, by its version: the class is taken from it.
UsageError: Any = typer.BadParameter.__mro__[1]
app = typer.Typer(
    name="advisor",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
init.register(app)
decide.register(app)
importing.register(app)
watching.register(app)
answers.register(app)
searching.register(app)
adapters.register(app)
profiles.register(app)
trials.register(app)
learning.register(app)
demo.register(app)
rules.register(app)
serving.register(app)
store.register(app)
reindexing.register(app)
operations.register(app)
models.register(app)
tokens.register(app)
backups.register(app)
health.register(app)
info.register(app)
protos.register(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits with 0, 2 on failure, or 130 when interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = app(given, standalone_mode=False)
    except UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()
            raise SystemExit(2) from None
        _fail(as_commands(_usage(error, given)))
    except (AdvisorError, BackendError, OSError) as error:
        _fail(*faults_of(error))
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    if status == INTERRUPTED:
        print("advisor: interrupted", file=sys.stderr)  # noqa: T201 - the command line talks to people
    raise SystemExit(status if isinstance(status, int) else 0)


def _version(wanted: bool) -> None:
    if wanted:
        from advisor.decision.advisor import default_advisor

        versions = default_advisor().recommend({}).versions
        typer.echo(f"advisor {versions.advisor}, rules {versions.rules}")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the versions and stop."),
    ] = False,
) -> None:
    """Retrieve, fine-tune, both, or neither? Decide with evidence, then do the work."""


def _fail(*messages: str) -> None:
    for message in messages:
        print(f"advisor: {message}", file=sys.stderr)  # noqa: T201 - the command line talks to people
    raise SystemExit(2) from None


def _usage(error: Any, given: Sequence[str]) -> str:
    """Say what is wrong with the arguments, with the value at fault and where to read on."""
    message = " ".join(error.format_message().split())
    options = getattr(getattr(error, "param", None), "opts", ())
    values = [_value(option, given) for option in options]
    value = next((each for each in values if each is not None), None)
    if value is not None and repr(value) not in message:
        message = message.replace(": ", f": {value!r}: ", 1)
    path = error.ctx.command_path if error.ctx else "advisor"
    return f"{message.rstrip('.')}{_expected(error, message)}; see {path.replace('python -m ', '')} --help"


def _expected(error: Any, message: str) -> str:
    """Say of too few or too many arguments which the command takes; empty of another fault."""
    missing, extra = (message.startswith(each) for each in ("Missing argument", "Got unexpected extra"))
    if not (missing or extra):
        return ""
    taken = [each for each in error.ctx.command.params if each.param_type_name == "argument"]
    names = [(each.metavar or each.name).upper() for each in taken]
    shown = [name if each.required else f"[{name}]" for name, each in zip(names, taken, strict=True)]
    told = f": it takes {' '.join(shown) or 'none'}{', in this order' if len(shown) > 1 else ''}"
    return f"{told}; put in quotes what has spaces" if extra and shown else told


def _value(option: str, given: Sequence[str]) -> str | None:
    """Return what was given for an option, as `--port 1` or as `--port=1`; of several the last, which counts."""
    value = None
    for word, following in zip(given, [*given[1:], None], strict=True):
        if word == option:
            value = following
        elif word.startswith(f"{option}="):
            value = word.removeprefix(f"{option}=")
    return value
