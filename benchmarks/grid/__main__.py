"""List, show, run and sum up the trials of the grid, and write what they measured as cases."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from advisor.cli.connection import own_server
from advisor.client import Client
from advisor.errors import AdvisorError
from advisor.trials.arms import Arm
from backends.counts import counted
from benchmarks.grid import results
from benchmarks.grid.making import made
from benchmarks.grid.measured import cases_path, write_cases
from benchmarks.grid.origins import cache_folder
from benchmarks.grid.report import report
from benchmarks.grid.task import Task
from benchmarks.grid.tasks import TASKS
from benchmarks.grid.trialling import LONGEST_S, Runner
from benchmarks.grid.variations import cases_of

_SHOWN = 10


def main() -> int:
    """Do what is asked; return how many tasks failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grid", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the tasks, with the cases that each yields")
    for name, told in (("show", "make tasks, and print some questions"), ("run", "run the trials of tasks")):
        command = commands.add_parser(name, help=told)
        command.add_argument("tasks", nargs="*", metavar="TASK", help="all where none is named")
        if name == "run":
            command.add_argument(
                "--data-dir", type=Path, help="of the server; in the user's cache by default"
            )
            command.add_argument(
                "--again",
                nargs="+",
                type=Arm,
                choices=list(Arm),
                default=(),
                metavar="ARM",
                help="run these arms of tasks that have a result once more; the others stay as measured",
            )
            command.add_argument(
                "--longest-s", type=float, default=LONGEST_S, help="seconds after which a trial is cancelled"
            )
    commands.add_parser("report", help="what was measured, in a table")
    commands.add_parser("cases", help="write what was measured as cases that the advisor learns from")
    asked = parser.parse_args()
    if asked.command == "list":
        _list()
    elif asked.command == "show":
        _show(_named(parser, asked.tasks))
    elif asked.command == "run":
        folder = asked.data_dir or cache_folder() / "server"
        return _run(_named(parser, asked.tasks), folder, asked.longest_s, tuple(asked.again))
    elif asked.command == "report":
        print(report(results.read_all()))
    else:
        written = write_cases(results.read_all(), cases_path())
        print(
            f"wrote {counted(written, 'case')} to {cases_path()}; now run make evaluate, which trains on them"
        )
    return 0


def _named(parser: argparse.ArgumentParser, names: Sequence[str]) -> list[Task]:
    unknown = [name for name in names if name not in TASKS]
    if unknown:
        parser.error(f"{', '.join(unknown)}: no such task; `list` shows all")
    return [TASKS[name] for name in names or TASKS]


def _list() -> None:
    total: Counter[str] = Counter()
    for task in TASKS.values():
        cases = cases_of(task)
        total.update(cases)
        done = "done" if results.has_result(task.name) else ""
        print(
            f"{task.name:24} {task.task.lower():18} {task.output_form.lower():10} {task.training:5} "
            f"{done:4} {' '.join(cases)}"
        )
    shares = ", ".join(f"{name} {count}" for name, count in total.items())
    print(f"{counted(len(TASKS), 'task')}, {counted(sum(total.values()), 'case')}: {shares}")


def _show(tasks: Sequence[Task]) -> None:
    for task in tasks:
        material = made(task)
        print(
            f"\n{task.name}: {len(material.training)} to learn from, {len(material.held_out)} held out, "
            f"{len(material.drifted)} drifted, {counted(len(material.documents), 'document')}\n  {task.description}"
        )
        for name, examples in (("", material.held_out), ("drifted: ", material.drifted)):
            for each in examples[:_SHOWN]:
                print(f"  {name}{each.question!r} -> {each.answer!r}")


def _run(tasks: Sequence[Task], folder: Path, longest_s: float, again: Sequence[Arm]) -> int:
    left = [task for task in tasks if results.has_result(task.name) == bool(again)]
    print(f"{counted(len(left), 'task')} of {len(tasks)} to run", flush=True)
    if not left:
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    with own_server(data_dir=folder) as address, Client(address) as client:
        runner = Runner(client, TASKS, lambda text: print(text, flush=True), longest_s=longest_s)
        for task in left:
            try:
                path = results.write(runner.again(task, again) if again else runner.run(task))
            except (AdvisorError, ValueError, OSError, subprocess.SubprocessError) as error:
                failed += 1
                print(f"{task.name}: failed, {error}", flush=True)
                continue
            runner.forget(task)
            print(f"{task.name}: {path}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
