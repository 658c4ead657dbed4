"""Workers without a server: on a machine of their own, for the database that the servers share."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import nullcontext

import structlog

from advisor.errors import ConfigurationError
from advisor.settings import Settings
from advisor.storage.database import Database
from advisor.storage.postgres import open_postgres
from advisor.telemetry.logs import configure_logging
from advisor.telemetry.metrics import Metrics
from advisor.work.children import Child
from advisor.work.cluster import RayChild, connected
from advisor.work.observing import observe_queue
from advisor.work.supervisor import WorkerPool

__all__ = ["stand_by"]

log = structlog.get_logger(__name__)


def stand_by(settings: Settings, *, ready: Callable[[int], None], ray_address: str | None = None) -> None:
    """Keep `settings.workers` workers until SIGTERM or SIGINT; what they work on then goes back to the queue.

    Args:
        settings: As those of the servers: database, models, and the folder that adapters are kept in.
        ready: Called with their number when they have been started.
        ray_address: Of a Ray cluster that runs them; this machine does where None.

    Raises:
        ConfigurationError: There is nothing to do the work of, no worker to do it, or no cluster.
    """
    if settings.workers == 0:
        raise ConfigurationError("there are no workers to keep; set ADVISOR_WORKERS to 1 or more")
    if ray_address and settings.database_url is None:
        raise ConfigurationError(
            "workers on other machines do not reach the embedded PostgreSQL; set ADVISOR_DATABASE_URL to one that "
            "servers and the cluster reach"
        )
    configure_logging(settings.log_level)
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    metrics = Metrics()
    with (
        open_postgres(settings) as url,
        Database.open(url, connections=3) as database,
        metrics.served(settings.metrics_host, settings.metrics_port),
        connected(ray_address) if ray_address else nullcontext(),
    ):
        pool = WorkerPool(settings, url, database, place=RayChild if ray_address else Child)
        metrics.gauges("workers", "Workers that run.", (), lambda: [((), pool.running)])
        observe_queue(metrics, database)
        pool.start()
        try:
            log.info("working", workers=settings.workers)
            ready(settings.workers)
            stopping.wait()
            log.info("stopping")
        finally:
            pool.stop()
