"""What is read of a server when its metrics are asked for."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.rpc.health import Health
from advisor.rpc.lanes import Lane
from advisor.storage.database import Database
from advisor.telemetry.metrics import Metrics
from advisor.work.observing import observe_queue

__all__ = ["observe"]


def observe(metrics: Metrics, lanes: Sequence[Lane], database: Database, health: Health) -> None:
    """Have a server's metrics tell what fills up, what waits, and what is there.

    Args:
        metrics: The metrics.
        lanes: Where work runs and waits.
        database: Where long work is.
        health: Knows what the server needs, and whether it is there.
    """
    metrics.gauges(
        "lane",
        "Pieces of work that run or wait, and places for both together.",
        ("lane", "state"),
        lambda: [((lane.name, state), number) for lane in lanes for state, number in lane.load.items()],
    )
    metrics.gauges(
        "ready",
        "Whether what the server needs is there.",
        ("need",),
        lambda: [((need,), here) for need, here in health.needs.items()],
    )
    observe_queue(metrics, database)
