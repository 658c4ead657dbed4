"""Trials on a terminal: a live table while one runs, verdict and arms when it has ended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from advisor.cli.operations import show_progress
from advisor.cli.output import seconds_text
from advisor.decision.prices import dollars
from advisor.trials.arms import Arm
from advisor.v1 import trial_pb2
from backends.counts import counted

if TYPE_CHECKING:  # the client needs gRPC, which deciding does not
    from advisor.client import OperationFuture
    from advisor.v1 import trial_service_pb2 as service_pb2

__all__ = ["follow_trial", "heading_of", "show_trial"]

_MEASURED = (trial_pb2.ArmResult.STATE_DONE, trial_pb2.ArmResult.STATE_STOPPED)


def heading_of(arm: int) -> str:
    """Return what an arm is called."""
    name = trial_pb2.Arm.Name(arm).removeprefix("ARM_")
    return Arm(name).heading if name in set(Arm) else name


def follow_trial(console: Console, future: OperationFuture[Any]) -> None:
    """Show how far a trial is until it has ended: a table on a terminal, else a line now and then."""
    if not console.is_terminal:
        show_progress(console, future)
        return
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        for metadata in future.progress():
            live.update(_progress(metadata, future.stage))


def show_trial(console: Console, found: trial_pb2.Trial) -> None:
    """Show the verdict with its reasons, and a table of the arms."""
    if found.HasField("verdict"):
        console.print(found.verdict.headline, style="bold", highlight=False, markup=False, soft_wrap=True)
        _say(console, found.verdict.reasons)
        if found.verdict.questions_needed:
            needed = counted(found.verdict.questions_needed, "held-out question")
            _say(console, [f"{needed} would tell the two best apart."])
        console.print()
    console.print(_table(found))
    for each in found.arms:
        if each.state not in _MEASURED and each.reason != "not asked for":
            _say(console, [f"{heading_of(each.arm)}: not run, {each.reason}"])
        elif each.state == trial_pb2.ArmResult.STATE_STOPPED:
            _say(console, [f"{heading_of(each.arm)}: stopped, {each.reason}"])
    _say(console, [f"Note: {note}" for note in found.notes])


def _say(console: Console, sentences: Iterable[str]) -> None:
    for each in sentences:
        console.print(f"  {each}", highlight=False, markup=False, soft_wrap=True)


def _table(found: trial_pb2.Trial) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="dim")
    table.add_column("", no_wrap=True)
    for title in (found.metric, "95% interval", "answer", "training", "per 1,000"):
        table.add_column(title, justify="right", no_wrap=True)
    for each in found.arms:
        if each.state in _MEASURED:
            table.add_row(escape(heading_of(each.arm)), *_cells(each))
    return table


def _cells(arm: trial_pb2.ArmResult) -> tuple[str, ...]:
    quality, training = arm.quality, arm.training
    return (
        f"{quality.value:.0%}",
        f"{quality.low:.0%} to {quality.high:.0%}",
        f"{arm.total_p50.ToTimedelta().total_seconds():.2g} s" if arm.HasField("total_p50") else "",
        seconds_text(training.duration.ToTimedelta().total_seconds()) if arm.HasField("training") else "",
        dollars(arm.usd_per_1000) if arm.HasField("usd_per_1000") else "",
    )


def _progress(metadata: service_pb2.TrialMetadata, stage: str) -> Table:
    left = metadata.remaining.ToTimedelta().total_seconds() if metadata.HasField("remaining") else None
    title = f"{stage}, {seconds_text(left)} left" if left is not None else stage
    table = Table(box=None, padding=(0, 1), header_style="dim", title=title, title_justify="left")
    table.add_column("", no_wrap=True)
    for heading in ("", "answered", "so far"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in metadata.arms:
        state = trial_pb2.ArmResult.State.Name(each.state).removeprefix("STATE_").lower().replace("_", " ")
        quality = f"{each.quality:.0%}" if each.HasField("quality") else ""
        table.add_row(escape(heading_of(each.arm)), state, f"{each.answered or ''}", quality)
    return table
