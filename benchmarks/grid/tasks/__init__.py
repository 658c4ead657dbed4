"""The tasks, by where they come from."""

from __future__ import annotations

from benchmarks.grid.task import Task
from benchmarks.grid.tasks import debian, iso, libraries, locales, manuals, postgres, python, tables, words

__all__ = ["TASKS"]

TASKS: dict[str, Task] = {
    task.name: task
    for module in (postgres, libraries, python, debian, iso, locales, words, tables, manuals)
    for task in module.TASKS
}
"""Every task by its name."""
