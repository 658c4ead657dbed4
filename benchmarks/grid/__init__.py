"""Trials of all approaches over tasks made from what package registries and installed packages carry.

    python -m benchmarks.grid list
    python -m benchmarks.grid show TASK
    python -m benchmarks.grid run [TASK...]
    python -m benchmarks.grid report
    python -m benchmarks.grid cases

`show` makes tasks and prints some of their questions. `run` starts a server of its own, carries out one trial a
task and those of its variations, and writes `results/TASK.json`: numbers, never texts. A task with a result is
skipped; one that was interrupted goes on. `report` sums the results up, `cases` writes them as measured cases that
the advisor learns from.

A trial that takes longer than `--longest-s` is cancelled, and its result says that it is not complete. Delete the file
of a result to measure it again.

    task.py       what a task is
    making.py     a task made: split, documents, facts that changed
    origins.py    what tasks are read from
    tasks/        the tasks, by where they come from
    variations.py which cases a task yields, and what is run for each
    trialling.py  a task's trials, carried out by a server
    results.py    what is kept of them
    halves.py     the best arm, chosen on one half of the questions and scored on the other
    measured.py   results as cases
"""
