"""A worker process with work that needs no model; run by `test_worker.py`."""

from __future__ import annotations

import os
import signal
import sys
import threading

from advisor.work.jobs import Job, Outcome
from advisor.work.worker import main
from backends.base import Cancelled


def hold(job: Job) -> Outcome:
    """Run until cancelled at the first attempt, and end at once when resumed."""
    job.report({"attempt": job.operation.attempt, "pid": os.getpid()})
    while job.operation.attempt == 1:
        if job.cancelled():
            raise Cancelled("stopped")
        threading.Event().wait(0.01)
    modules = sorted(name for name in ("grpc", "torch", "haystack") if name in sys.modules)
    return Outcome({"attempt": job.operation.attempt, "heavy": modules}, lambda _: None)


def die(job: Job) -> Outcome:
    """Kill the worker, as a lack of memory does."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def die_between_steps(job: Job) -> Outcome:
    """Do one step, and kill the worker at the first attempt; do another when resumed."""
    first = job.step("first", lambda: Outcome({"attempt": job.operation.attempt}))
    if job.operation.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    second = job.step("second", lambda: Outcome({"attempt": job.operation.attempt}))
    return Outcome({"first": first, "second": second})


if __name__ == "__main__":
    main({"HOLD": hold, "DIE": die, "STEPS": die_between_steps})
