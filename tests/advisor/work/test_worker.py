"""Workers: what becomes of work that ends well, badly, or with its worker."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

import pytest

from advisor.errors import Unavailable
from advisor.settings import Settings, read_settings
from advisor.storage import leases, operations, use_cases
from advisor.storage.database import Connection, Database
from advisor.storage.operations import Operation, State
from advisor.work.jobs import Job, JobFunction, Outcome
from advisor.work.supervisor import WorkerPool
from advisor.work.worker import perform, work
from backends.base import Cancelled, ExamplesError, TuningError

COMMAND = (sys.executable, str(Path(__file__).with_name("fake_worker.py")), "--supervised")


@pytest.fixture
def database(database: Database) -> Database:
    """Return the database with one use case."""
    use_cases.create(database, "faq", use_cases.Stated("", b""))
    return database


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(data_dir=tmp_path, workers=1, admin_token="s" * 32)


def ask(database: Database, kind: str = "FAKE") -> Operation:
    return operations.create(database, kind=kind, use_case_id="faq", target=kind, payload={}, queue_limit=10)


def do(database: Database, settings: Settings, job: JobFunction, *, stopping: bool = False) -> Operation:
    """Do one operation by a job, in this process; return how it ended."""
    asked = ask(database)
    claimed = leases.claim(database, "w", ["FAKE"])
    assert claimed is not None
    stop = threading.Event()
    if stopping:
        stop.set()
    perform(database, settings, job, claimed, stop)
    return operations.get(database, asked.id)


def until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Return when the condition holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.05)


def raising(error: Exception) -> JobFunction:
    def job(_: Job) -> Outcome:
        raise error

    return job


def full_disk() -> TuningError:
    error = TuningError("the disk is full; free 5 MB and tune again")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    return error


def test_rows_and_success_are_written_together(database: Database, settings: Settings) -> None:
    """The job's rows are there with the result and the last progress."""

    def job(given: Job) -> Outcome:
        given.report({"step": 1})
        return Outcome({"answer": 42}, record)

    def record(connection: Connection) -> None:
        connection.execute("UPDATE use_cases SET description = 'recorded' WHERE id = 'faq'")

    ended = do(database, settings, job)
    assert (ended.state, ended.result, ended.progress) == (State.SUCCEEDED, {"answer": 42}, {"step": 1})
    assert use_cases.get(database, "faq").description == "recorded"


@pytest.mark.parametrize(
    ("error", "code", "reason", "message"),
    [
        (ExamplesError("example 3 is empty"), "FAILED_PRECONDITION", "EXAMPLES", "example 3 is empty"),
        (full_disk(), "RESOURCE_EXHAUSTED", "DISK_FULL", "free 5 MB"),
        (OSError(errno.ENOSPC, "No space left"), "RESOURCE_EXHAUSTED", "DISK_FULL", "make room"),
        (ZeroDivisionError("secret text"), "INTERNAL", "INTERNAL", "worker's log"),
    ],
)
def test_an_error_ends_the_operation(
    database: Database, settings: Settings, error: Exception, code: str, reason: str, message: str
) -> None:
    """Clients are told what they can mend; of other faults, only where to look."""
    ended = do(database, settings, raising(error))
    assert ended.state is State.FAILED
    assert ended.error is not None
    assert (ended.error.code, ended.error.reason) == (code, reason)
    assert message in ended.error.message
    assert "secret" not in ended.error.message


def test_cancelling_ends_the_work(database: Database, settings: Settings) -> None:
    """A job that runs learns of it, and the operation is cancelled."""

    def job(given: Job) -> Outcome:
        operations.request_cancel(database, given.operation.id)
        until(given.cancelled)
        raise Cancelled("stopped")

    assert do(database, settings, job).state is State.CANCELLED


def test_a_worker_that_stops_gives_its_work_back(database: Database, settings: Settings) -> None:
    """It waits for its next attempt."""
    ended = do(database, settings, raising(Cancelled("stopped")), stopping=True)
    assert (ended.state, ended.attempt) == (State.QUEUED, 1)


def test_a_worker_that_lost_its_lease_changes_nothing(database: Database, settings: Settings) -> None:
    """Its job is told to stop, and neither its rows nor its result are written."""

    def job(given: Job) -> Outcome:
        leases.release_worker(database, "w")
        until(given.cancelled)
        return Outcome({"late": True}, lambda c: c.execute("DELETE FROM use_cases") and None)

    ended = do(database, settings, job)
    assert (ended.state, ended.result) == (State.QUEUED, None)
    assert use_cases.get(database, "faq").id == "faq"


def test_a_step_writes_its_rows_with_its_result(database: Database, settings: Settings) -> None:
    """What is killed after a step finds its result and its rows; what fails in a step leaves neither."""

    def record(connection: Connection) -> None:
        connection.execute("UPDATE use_cases SET description = description || 'x' WHERE id = 'faq'")

    def spoil(connection: Connection) -> None:
        record(connection)
        raise ExamplesError("bad")

    def job(given: Job) -> Outcome:
        given.step("good", lambda: Outcome({"n": 1}, record))
        given.step("bad", lambda: Outcome({"n": 2}, spoil))
        raise AssertionError

    ended = do(database, settings, job)
    assert (ended.state, ended.steps) == (State.FAILED, {"good": {"n": 1}})
    assert use_cases.get(database, "faq").description == "x"


def test_a_worker_that_lost_its_lease_keeps_no_step(database: Database, settings: Settings) -> None:
    """Neither the step's rows nor its result are written, and the job stops there."""

    def job(given: Job) -> Outcome:
        leases.release_worker(database, "w")
        given.keep("late", Outcome({}, lambda c: c.execute("DELETE FROM use_cases") and None))
        raise AssertionError

    ended = do(database, settings, job)
    assert (ended.state, ended.steps) == (State.QUEUED, {})
    assert use_cases.get(database, "faq").id == "faq"


def test_no_step_begins_once_the_job_is_to_stop(database: Database, settings: Settings) -> None:
    """A job of steps need not ask between them."""

    def job(given: Job) -> Outcome:
        operations.request_cancel(database, given.operation.id)
        until(given.cancelled)
        given.step("late", lambda: pytest.fail("begun"))
        raise AssertionError

    assert do(database, settings, job).state is State.CANCELLED


def deaths(database: Database, operation: Operation) -> int:
    query = "SELECT deaths FROM operations WHERE id = %s"
    with database.transaction() as connection:
        row = connection.execute(query, [operation.id]).fetchone()
    assert row
    return int(row[0])


def test_work_that_finds_no_database_is_put_back(database: Database, settings: Settings) -> None:
    """The operation is not failed for it, and nobody died of it."""
    ended = do(database, settings, raising(Unavailable("DATABASE_UNAVAILABLE", "away", retry_s=0.01)))
    assert (ended.state, ended.attempt, deaths(database, ended)) == (State.QUEUED, 1, 0)


def test_a_worker_does_one_operation_after_another(database: Database, settings: Settings) -> None:
    """It goes on after a failure, wakes up for new work, and ends when told."""
    stopping = threading.Event()
    done: list[str] = []

    def job(given: Job) -> Outcome:
        done.append(given.operation.id)
        if len(done) == 1:
            raise ExamplesError("bad")
        stopping.set()
        return Outcome({}, lambda _: None)

    first = ask(database)
    thread = threading.Thread(target=work, args=[database, settings, {"FAKE": job}, "w", stopping])
    thread.start()
    until(lambda: operations.get(database, first.id).done)
    second = ask(database)
    thread.join(30)
    assert done == [first.id, second.id]
    assert operations.get(database, second.id).state is State.SUCCEEDED


# In processes of their own.


@contextmanager
def pool(database: Database, database_url: str, settings: Settings) -> Iterator[WorkerPool]:
    workers = WorkerPool(settings, database_url, database, command=COMMAND)
    workers.start()
    try:
        yield workers
    finally:
        workers.stop()


def running(database: Database, operation: Operation) -> bool:
    return (operations.get(database, operation.id).progress or {}).get("attempt") == 1


def test_work_of_a_killed_worker_is_resumed(
    database: Database, database_url: str, settings: Settings
) -> None:
    """Another worker starts and takes it up; neither grpc nor torch are imported for it."""
    asked = ask(database, "HOLD")
    with pool(database, database_url, settings) as workers:
        until(lambda: running(database, asked))
        os.kill(workers.pids[0], signal.SIGKILL)
        until(lambda: operations.get(database, asked.id).done)
    ended = operations.get(database, asked.id)
    assert (ended.state, ended.result) == (State.SUCCEEDED, {"attempt": 2, "heavy": []})


def test_a_killed_worker_s_steps_are_not_done_again(
    database: Database, database_url: str, settings: Settings
) -> None:
    """The second attempt takes the first step's result, and does the second step."""
    asked = ask(database, "STEPS")
    with pool(database, database_url, settings):
        until(lambda: operations.get(database, asked.id).done)
    ended = operations.get(database, asked.id)
    assert (ended.state, ended.attempt) == (State.SUCCEEDED, 2)
    assert ended.result == {"first": {"attempt": 1}, "second": {"attempt": 2}}


def test_work_that_kills_every_worker_fails(
    database: Database, database_url: str, settings: Settings
) -> None:
    """It is not tried for ever."""
    asked = ask(database, "DIE")
    with pool(database, database_url, settings):
        until(lambda: operations.get(database, asked.id).done)
    ended = operations.get(database, asked.id)
    assert ended.error is not None
    assert ended.error.reason == "WORKER_DIED"


def test_a_client_cancels_work_in_a_worker(database: Database, database_url: str, settings: Settings) -> None:
    """The worker lives on."""
    asked = ask(database, "HOLD")
    with pool(database, database_url, settings) as workers:
        until(lambda: running(database, asked))
        before = workers.pids
        operations.request_cancel(database, asked.id)
        until(lambda: operations.get(database, asked.id).done)
        assert workers.pids == before
    assert operations.get(database, asked.id).state is State.CANCELLED


def test_stopping_the_pool_gives_work_back(database: Database, database_url: str, settings: Settings) -> None:
    """The next server takes it up again, as its second attempt."""
    asked = ask(database, "HOLD")
    with pool(database, database_url, settings):
        until(lambda: running(database, asked))
    waiting = operations.get(database, asked.id)
    assert (waiting.state, waiting.attempt) == (State.QUEUED, 1)
    with pool(database, database_url, settings):
        until(lambda: operations.get(database, asked.id).done)
    assert operations.get(database, asked.id).result == {"attempt": 2, "heavy": []}


PARENT = """
import sys
from advisor.settings import read_settings
from advisor.storage.database import Database
from advisor.work.supervisor import WorkerPool
url, data_dir, *command = sys.argv[1:]
with Database.open(url) as database:
    workers = WorkerPool(read_settings(data_dir=data_dir, workers=1), url, database, command=command)
    workers.start()
    print(workers.pids[0], flush=True)
    sys.stdin.read()
"""


def test_a_worker_ends_with_its_parent(database: Database, database_url: str, settings: Settings) -> None:
    """The server is killed; its worker notices, gives the work back and is gone."""
    asked = ask(database, "HOLD")
    arguments = [sys.executable, "-c", PARENT, database_url, str(settings.data_dir), *COMMAND]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        until(lambda: running(database, asked))
        parent.kill()
    until(lambda: not alive(worker))
    assert operations.get(database, asked.id).state is State.QUEUED


def alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended and waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_worker_that_cannot_reach_its_database_says_so(tmp_path: Path) -> None:
    """It exits with 2 and one line that names the setting."""
    environment = {**os.environ, "ADVISOR_DATABASE_URL": f"postgresql:///none?host={tmp_path}"}
    ended = subprocess.run(
        [sys.executable, COMMAND[1]], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert "ADVISOR_DATABASE_URL" in ended.stderr


def test_a_worker_that_ends_before_its_parent_says_why() -> None:
    """It exits with 2, while the thread that watches the parent still waits for input."""
    introduction = json.dumps({"worker": "w", "settings": {"port": -1}}).encode()
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as worker:
        assert worker.stdin is not None
        assert worker.stderr is not None
        worker.stdin.write(introduction + b"\n")
        worker.stdin.flush()
        assert worker.wait(60) == 2
        assert b"ADVISOR_PORT" in worker.stderr.read()


def test_the_notification_is_sent_once_per_change(database: Database) -> None:
    """Waiting workers hear of new work; a heartbeat alone wakes nobody."""
    with database.connect(autocommit=True) as listener:
        listener.execute(f"LISTEN {operations.CHANNEL}")
        asked = ask(database)
        claimed = leases.claim(database, "w", ["FAKE"])
        assert claimed is not None
        with database.transaction() as connection:
            leases.renew(connection, leases.Lease(asked.id, "w", 1), {"step": 1})
        listener.execute("SELECT pg_notify(%s, 'end')", [operations.CHANNEL])  # they come in order: the last
        heard = [each.payload for each in takewhile(lambda each: each.payload != "end", listener.notifies())]
    assert heard == [asked.id, asked.id]
