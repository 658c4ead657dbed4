"""`advisor track`, `advisor outcome`, `advisor learn`: advice against what was measured, and learning from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from advisor.cli.extras import require
from advisor.cli.output import JsonOption, notices, print_json, print_table, values_of
from advisor.cli.rules import RulesOption
from advisor.cli.sync import ServerOption, use_case_id_of
from advisor.errors import ConfigurationError, FailedPrecondition, InvalidInput
from advisor.v1 import learning_service_pb2 as learning_pb2
from advisor.v1 import recommendation_pb2
from backends.counts import counted

if TYPE_CHECKING:  # deciding needs no scikit-learn, and learning does
    from advisor.knowledge.cases import Case
    from advisor.knowledge.rules import Knowledge
    from advisor.learning.refit import Compared, Refit

__all__ = ["register"]

_LISTED = 10
"""Trials that are shown on a terminal; `--json` has more."""


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("track", rich_help_panel="Prove")(track)
    app.command("outcome", rich_help_panel="Prove")(outcome)
    app.command("learn", rich_help_panel="Prove")(learn)


def track(server: ServerOption = None, as_json: JsonOption = False) -> None:
    """Show how advice fared against the trials that came after it."""
    from advisor.cli.connection import connected

    with connected(server) as client:
        record = client.learning.track_record()
    if as_json:
        print_json({"track_record": values_of(record)})
    elif record.trials:
        _show_record(Console(), record)
    else:
        notices().print("no trials that measured two approaches yet; run advisor trial FILE", markup=False)


def outcome(
    use_case: Annotated[
        str, typer.Argument(metavar="FILE_OR_ID", help="Use-case file, or id of a use case.")
    ],
    token: Annotated[
        str, typer.Argument(help="attribution_token of the answer, as advisor answer --json shows it.")
    ],
    quality: Annotated[
        float | None, typer.Option(help="How good the answer proved to be, 0 to 1.", show_default=False)
    ] = None,
    right: Annotated[
        bool | None, typer.Option("--right/--wrong", help="Whether it was right.", show_default=False)
    ] = None,
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record what became of an answer; a second outcome of an answer replaces the first."""
    from advisor.cli.connection import connected

    if (quality is None) == (right is None):
        raise InvalidInput.of("outcome", "needs one of --right, --wrong and --quality, from 0 to 1")
    use_case_id = use_case_id_of(use_case)
    with connected(server) as client:
        kept = client.learning.record(use_case_id, token, quality=quality, right=right)
    if as_json:
        print_json({"outcome": values_of(kept)})
    else:
        notices().print(f"recorded: {_approach(kept.approach)}, {kept.quality:.0%}", markup=False)


def learn(
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write the model.", show_default="gains.json in the data folder"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compare, and write nothing.")] = False,
    rules: RulesOption = None,
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Learn to decide from what was measured on this server, beside the cases that the program knows.

    The model is written where it decides no worse, one source left out at a time; else the exit status is 1. Servers
    take it when they start, and at SIGHUP.
    """
    from advisor.cli.connection import connected
    from advisor.cli.rules import advisor_with

    require("learn", ["sklearn"], extra="learn")
    path = None if dry_run else _place(out)
    knowledge = advisor_with(rules).knowledge
    with connected(server) as client:
        own = _own_cases(client.learning.cases())
    found = _refitted(own, knowledge)
    if as_json:
        print_json({"learned": _values(found, own)})
    else:
        _show_refit(Console(), found, own)
    if found.fault:
        notices().print(f"not written: {found.fault}", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1)
    if path is not None:
        _write(found, own, path)


def _own_cases(measured: Any) -> list[Case]:
    """Return what a server measured as cases; FailedPrecondition where it is too little to learn from."""
    from advisor.learning.refit import LEAST_OUTCOMES, lacking
    from advisor.wire.cases import case_from_proto

    of_outcomes = learning_pb2.MeasuredCase.ORIGIN_OUTCOMES
    own = [
        case
        for each in measured
        if (case := case_from_proto(each, LEAST_OUTCOMES if each.origin == of_outcomes else 1)) is not None
    ]
    if fault := lacking(own):
        raise FailedPrecondition("NOTHING_TO_LEARN", fault)
    return own


def _refitted(own: list[Case], knowledge: Knowledge) -> Refit:
    from advisor.decision.gains import load_gains
    from advisor.learning.gains import Variances
    from advisor.learning.refit import refit, shipped_cases
    from advisor.learning.selection import Choice

    shipped = load_gains()
    given = Choice(shipped.scale, Variances(shipped.within, shipped.between), shipped.temperature)
    return refit(shipped_cases()[0], own, knowledge, given)


def _place(out: Path | None) -> Path:
    """Return where the model is written; never over the one that is shipped."""
    from advisor.decision.gains import default_gains_path

    path = out
    if path is None:
        require("learn without --out FILE", ["pydantic_settings"])
        from advisor.settings import read_settings

        path = read_settings().gains_path
    if path.resolve() == default_gains_path().resolve():
        raise InvalidInput.of("--out", f"{path} is the model that the program ships; name another file")
    return path


def _write(found: Refit, own: list[Case], path: Path) -> None:
    from advisor.decision.gains import save_gains
    from advisor.learning.refit import shipped_cases

    cases, paths = shipped_cases()
    counts = {"shipped": len(cases), "own": len(own), "own_use_cases": found.own_sources}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_gains(found.model, path, paths, counts)
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be written: {error.strerror}; name another file by --out"
        ) from None
    notices().print(
        f"written: {path}; servers with this data folder take it when they start, or now by SIGHUP; others, and "
        f"commands that need no server, with ADVISOR_GAINS={path}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _show_record(console: Console, record: learning_pb2.TrackRecord) -> None:
    said = f"{counted(record.trials, 'trial')} of {counted(record.use_cases, 'use case')}; before {record.decided} an "
    console.print(
        f"{said}approach was recommended, and {record.agreed} of these took it", markup=False, soft_wrap=True
    )
    if record.HasField("regret"):
        regret = record.regret
        console.print(
            f"points lost by following it: {regret.value:.1f} ({regret.low:.1f} to {regret.high:.1f}); less than 3 in "
            f"{record.near} of the {record.measured} that measured it",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    console.print()
    rows = [
        (
            f"{each.lower:.0%} to {each.upper:.0%}",
            str(each.count),
            f"{each.predicted:.0%}",
            f"{each.observed:.0%}",
        )
        for each in record.calibration
    ]
    if rows:
        print_table(console, ("told to be the best", "predictions", "mean told", "were the best"), rows)
        console.print()
    headings = ("trial", "advice", "told", "taken", "best", "points lost")
    print_table(console, headings, map(_cells, record.entries[:_LISTED]))


def _cells(entry: learning_pb2.TrackRecord.Entry) -> tuple[str, ...]:
    return (
        entry.trial,
        _approach(entry.advice),
        f"{entry.probability:.0%}" if entry.HasField("probability") else "",
        _approach(entry.verdict),
        ", ".join(map(_approach, entry.best)),
        f"{entry.regret.value:.1f}" if entry.HasField("regret") else "not measured",
    )


def _approach(value: int) -> str:
    name = recommendation_pb2.Approach.Name(value).removeprefix("APPROACH_")
    return "none" if name == "UNSPECIFIED" else name


def _show_refit(console: Console, found: Refit, own: list[Case]) -> None:
    console.print(
        f"{counted(len(own), 'case')} of {counted(found.own_sources, 'use case')} of your own, beside "
        f"{counted(found.every.cases - len(own), 'case')} that the program knows; points lost, one source left out:",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    rows = [_compared_cells(name, each) for name, each in (("all", found.every), ("your own", found.own))]
    headings = (
        "cases",
        "number",
        "without yours",
        "with yours",
        "difference",
        "decided otherwise",
        "log loss",
    )
    print_table(console, headings, rows)


def _compared_cells(name: str, each: Compared) -> tuple[str, ...]:
    return (
        name,
        str(each.cases),
        str(each.before),
        str(each.after),
        str(each.difference),
        str(each.changed),
        f"{each.log_loss_before:.2f} to {each.log_loss_after:.2f}",
    )


def _values(found: Refit, own: list[Case]) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "own_cases": len(own),
        "own_use_cases": found.own_sources,
        "scale": found.choice.scale,
        "temperature": found.choice.temperature,
        "refused": found.fault,
        "all": asdict(found.every),
        "own": asdict(found.own),
    }
