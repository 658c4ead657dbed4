"""A worker: takes operations from the queue and does them, one at a time.

Run as `python -m advisor.work.worker`. With `--supervised` it is the child of a
server (`advisor.work.supervisor`): it reads who it is from the first line of standard
input, and ends when that closes, which it does when the server dies. A worker
imports no grpc, and torch only with its first job.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
import structlog

from advisor.errors import AdvisorError, ConfigurationError, Failure, Unavailable, failure_of
from advisor.settings import Settings, read_settings
from advisor.storage import leases
from advisor.storage.connections import CONNECTING, RETRY_S, Connection, translated
from advisor.storage.database import Database
from advisor.storage.leases import Lease, LeaseLost
from advisor.storage.operations import CHANNEL, Operation
from advisor.storage.postgres import open_postgres
from advisor.telemetry.logs import configure_logging
from advisor.telemetry.traces import following, traced
from advisor.work.children import Parent
from advisor.work.jobs import Job, JobFunction, Outcome
from backends.base import Cancelled
from backends.memory import give_back
from backends.spans import Value

__all__ = ["main", "perform", "work"]

HEARTBEAT_S = 1.0
IDLE_S = 1.0
"""How often an idle worker looks at the queue, should a notification have been missed."""
STOP_GRACE_S = 8.0
"""How long a job may take to notice that the worker stops; then the worker ends itself."""

log = structlog.get_logger(__name__)


def work(
    database: Database,
    settings: Settings,
    functions: Mapping[str, JobFunction],
    worker: str,
    stopping: threading.Event,
    after_each: Callable[[], None] = lambda: None,
) -> None:
    """Do operations until `stopping` is set.

    Args:
        database: Where the queue is.
        settings: What the work runs with.
        functions: What does the work of each kind; other kinds are left to other workers.
        worker: Name under which operations are held.
        stopping: Ends the work: what runs goes back to the queue.
        after_each: Called at the start and when an operation has ended.
    """
    while not stopping.is_set():
        try:
            _work(database, settings, functions, worker, stopping, after_each)
        except Unavailable as error:  # the database is away; the notifications went with it
            log.warning("waiting for the database", reason=error.reason)
            stopping.wait(error.retry_s)


def _work(
    database: Database,
    settings: Settings,
    functions: Mapping[str, JobFunction],
    worker: str,
    stopping: threading.Event,
    after_each: Callable[[], None],
) -> None:
    """Do operations until `stopping` is set, or the database is away: Unavailable."""
    after_each()
    with translated(), database.connect(autocommit=True) as notifications:
        notifications.execute(f"LISTEN {CHANNEL}")
        while not stopping.is_set():
            operation = leases.claim(database, worker, functions)
            if operation is None:
                _await_notification(notifications, IDLE_S)
            else:
                perform(database, settings, functions[operation.kind], operation, stopping)
                give_back()
                after_each()


def perform(
    database: Database, settings: Settings, job: JobFunction, operation: Operation, stopping: threading.Event
) -> None:
    """Do one operation that was claimed, and end it: done, failed, cancelled or given back."""
    told = {key: value for key, value in operation.call.items() if key == "request_id"}
    named: dict[str, Value] = {
        "operation": operation.id,
        "kind": operation.kind,
        "attempt": operation.attempt,
        **told,
    }
    with (
        structlog.contextvars.bound_contextvars(**told),
        following(operation.call.get("traceparent", ""), f"operation {operation.kind}", named),
    ):
        _perform(database, settings, job, operation, stopping)


def _perform(
    database: Database, settings: Settings, job: JobFunction, operation: Operation, stopping: threading.Event
) -> None:
    lease = Lease(operation.id, operation.worker or "", operation.attempt)
    log.info("operation started", operation=operation.id, kind=operation.kind, attempt=operation.attempt)
    with _Heartbeat(database, lease) as heartbeat:
        end = _attempt(
            job,
            Job(
                operation,
                settings,
                database,
                heartbeat.report,
                lambda: heartbeat.cancelled.is_set() or stopping.is_set(),
                lambda name, outcome: _keep_step(database, lease, name, outcome, stopping),
            ),
            lease,
            stopping,
        )

        def write(connection: Connection) -> None:
            leases.renew(connection, lease, heartbeat.progress)
            end(connection)

        try:
            _write(database, write, stopping)
            log.info("operation ended", operation=operation.id)
        except LeaseLost:
            log.warning("operation was taken away", operation=operation.id)


def _write(database: Database, write: Callable[[Connection], None], stopping: threading.Event) -> None:
    """Write in one transaction, once the database is there; Unavailable where we are to stop before."""
    while True:
        try:
            with database.transaction() as connection:
                return write(connection)
        except Unavailable as error:
            if stopping.wait(error.retry_s):
                raise


def _attempt(
    job: JobFunction, given: Job, lease: Lease, stopping: threading.Event
) -> Callable[[Connection], None]:
    """Do the work; return what ends the operation in the database."""
    try:
        with translated():
            outcome = job(given)
    except Cancelled:
        if stopping.is_set():
            return lambda connection: leases.release(connection, lease)
        return lambda connection: leases.cancel(connection, lease)
    except Unavailable as error:
        log.warning("operation put back", operation=lease.operation_id, reason=error.reason)
        stopping.wait(error.retry_s)
        return lambda connection: leases.release(connection, lease)
    except Exception as error:
        log.warning("operation failed", operation=lease.operation_id, exc_info=error)
        failure = failure_of(error) or Failure(
            "INTERNAL",
            "INTERNAL",
            "the work failed unexpectedly; the worker's log has the details "
            f"under operation {lease.operation_id}",
        )
        return lambda connection: leases.fail(connection, lease, failure)

    def succeed(connection: Connection) -> None:
        outcome.record(connection)
        leases.succeed(connection, lease, outcome.result)

    return succeed


def _keep_step(
    database: Database, lease: Lease, name: str, outcome: Outcome, stopping: threading.Event
) -> None:
    """Write a step's rows and its result together."""

    def write(connection: Connection) -> None:
        outcome.record(connection)
        leases.keep_step(connection, lease, name, outcome.result)

    try:
        _write(database, write, stopping)
    except LeaseLost as error:
        raise Cancelled("the operation was taken away") from error


class _Heartbeat:
    """Renews a lease in a thread, takes the progress along, and learns whether to stop."""

    def __init__(self, database: Database, lease: Lease) -> None:
        self.cancelled = threading.Event()
        self.progress: Mapping[str, Any] | None = None
        self._database = database
        self._lease = lease
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> _Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def report(self, progress: Mapping[str, Any]) -> None:
        """Note the progress, to be written with the next heartbeat."""
        self.progress = dict(progress)

    def _run(self) -> None:
        # Silence ends no work: while the database is away nobody takes the lease, and where somebody did,
        # the next heartbeat says so.
        while not self._ended.is_set():
            try:
                with self._database.connect(autocommit=True) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    while not self._ended.is_set():
                        if leases.renew(connection, self._lease, self.progress):
                            self.cancelled.set()
                        _await_notification(connection, HEARTBEAT_S)
            except LeaseLost:
                break
            except (AdvisorError, psycopg.Error) as error:
                log.warning("heartbeat failed", operation=self._lease.operation_id, message=str(error))
                self._ended.wait(HEARTBEAT_S)
        self.cancelled.set()  # ended, or taken away


def _await_notification(connection: Connection, timeout_s: float) -> None:
    for _ in connection.notifies(timeout=timeout_s, stop_after=1):
        pass


def main(
    functions: Mapping[str, JobFunction] | None = None,
    arguments: list[str] | None = None,
    *,
    after_each: Callable[[Database, Settings], None] | None = None,
) -> None:
    """Run a worker until it is told to stop.

    Args:
        functions: What does the work of each kind; those of `advisor.work.kinds` where None.
        arguments: Command line; that of the process where None.
        after_each: Called at the start and after each operation; `advisor.work.kinds.clean_up` where None.
    """
    parser = argparse.ArgumentParser(prog="python -m advisor.work.worker", description="Does long work.")
    parser.add_argument("--supervised", action="store_true", help="read settings from standard input")
    supervised = parser.parse_args(arguments).supervised
    configure_logging()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait leave the cores to the server
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: _stop(stopping))
    os.nice(5)  # answering comes before training
    try:
        worker, settings = _introduce(Parent(), stopping) if supervised else (_name(), read_settings())
        configure_logging(settings.log_level)
        if supervised:
            _await_database(settings, stopping)
        if functions is None:
            from advisor.work.kinds import KINDS, clean_up

            functions = {name: kind.run for name, kind in KINDS.items()}
            after_each = clean_up
        with (
            traced("advisor-worker", on=settings.tracing),
            open_postgres(settings) as url,
            Database.open(url, connections=3) as database,
        ):
            work(
                database,
                settings,
                functions,
                worker,
                stopping,
                (lambda: after_each(database, settings)) if after_each else (lambda: None),
            )
    except ConfigurationError as error:
        log.error("worker cannot start", reason=error.reason, message=str(error))  # noqa: TRY400 - no fault of ours
        sys.exit(2)


def _introduce(parent: Parent, stopping: threading.Event) -> tuple[str, Settings]:
    """Read name and settings from the parent, and stop when it is gone."""
    said = parent.introduction()
    parent.when_gone(lambda: _stop(stopping))
    return str(said["worker"]), read_settings(**said["settings"])


def _await_database(settings: Settings, stopping: threading.Event) -> None:
    """Wait until the database of the server that started us is there again, should it be away."""
    if settings.database_url is None:
        return
    while not stopping.is_set():
        try:
            psycopg.connect(settings.database_url.get_secret_value(), **CONNECTING).close()
        except psycopg.OperationalError:
            log.warning("waiting for the database")
            stopping.wait(RETRY_S)
        else:
            return


def _stop(stopping: threading.Event) -> None:
    stopping.set()
    last_resort = threading.Timer(STOP_GRACE_S, os._exit, [3])
    last_resort.daemon = True
    last_resort.start()


def _name() -> str:
    return f"{os.uname().nodename}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


if __name__ == "__main__":
    main()
