"""Workers on a Ray cluster: of two machines one dies, and its work is done on the other."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ray.cluster_utils import Cluster

from advisor.errors import ConfigurationError
from advisor.settings import Settings, read_settings
from advisor.storage import operations, use_cases
from advisor.storage.database import Database
from advisor.storage.operations import State
from advisor.work.cluster import RayChild, connected
from advisor.work.standing import stand_by
from advisor.work.supervisor import WorkerPool
from tests.advisor.work.test_worker import COMMAND, ask, until


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Yield a cluster of a head that runs nothing, and two machines with room for one worker each."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for _ in range(2):
        made.add_node(num_cpus=1, object_store_memory=100 * 1024 * 1024)
    try:
        yield made
    finally:
        made.shutdown()


def ancestors(pid: int) -> Iterator[int]:
    while pid > 1:
        yield pid
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_machine_that_dies_takes_no_work_with_it(
    cluster, database: Database, database_url: str, tmp_path: Path
) -> None:
    """What its worker was at goes back to the queue, and Ray finds a place for another worker."""
    use_cases.create(database, "faq", use_cases.Stated("", b""))
    settings = read_settings(data_dir=tmp_path, workers=1)
    asked = ask(database, "HOLD")
    with connected(cluster.address):
        workers = WorkerPool(settings, database_url, database, command=COMMAND, place=RayChild)
        workers.start()
        try:
            until(lambda: (operations.get(database, asked.id).progress or {}).get("pid"))
            pid = operations.get(database, asked.id).progress["pid"]
            assert workers.running == 1
            (machine,) = [
                node
                for node in cluster.worker_nodes
                if node.all_processes["raylet"][0].process.pid in ancestors(pid)
            ]
            os.kill(pid, signal.SIGKILL)
            cluster.remove_node(machine, allow_graceful=False)
            until(lambda: operations.get(database, asked.id).state is State.SUCCEEDED, timeout_s=60)
        finally:
            workers.stop()
    ended = operations.get(database, asked.id)
    assert ended.result["attempt"] == 2
    assert workers.running == 0


def test_what_runs_when_workers_are_stopped_goes_back(
    cluster, database: Database, database_url: str, tmp_path: Path
) -> None:
    """As on one machine: it is given back at once, for whoever comes next."""
    use_cases.create(database, "faq", use_cases.Stated("", b""))
    asked = ask(database, "HOLD")
    with connected(cluster.address):
        workers = WorkerPool(
            read_settings(data_dir=tmp_path, workers=1),
            database_url,
            database,
            command=COMMAND,
            place=RayChild,
        )
        workers.start()
        until(lambda: operations.get(database, asked.id).state is State.RUNNING)
        workers.stop()
    assert operations.get(database, asked.id).state is State.QUEUED


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda settings: settings.model_copy(update={"database_url": None}), "set ADVISOR_DATABASE_URL"),
        (lambda settings: settings, "no Ray cluster answers there"),
    ],
    ids=["embedded", "away"],
)
def test_without_a_cluster_there_are_no_workers(
    database_url: str, tmp_path: Path, change: Callable[[Settings], Settings], said: str
) -> None:
    """It says what to start, and where."""
    settings = change(read_settings(data_dir=tmp_path, workers=1, database_url=database_url))
    with pytest.raises(ConfigurationError, match=said):
        stand_by(settings, ready=lambda _: pytest.fail("ready"), ray_address="127.0.0.1:1")
