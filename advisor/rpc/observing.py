"""What is read of a server when its metrics are asked for."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.rpc.health import Health
from advisor.rpc.lanes import Lane
from advisor.storage import usage
from advisor.storage.database import Database
from advisor.storage.usage import Standing
from advisor.telemetry.metrics import Metrics

__all__ = ["observe"]


def observe(metrics: Metrics, lanes: Sequence[Lane], database: Database, health: Health) -> None:
    """Have a server's metrics tell what fills up, what waits, and what is there.

    Args:
        metrics: The metrics.
        lanes: Where work runs and waits.
        database: Where long work is.
        health: Knows what the server needs, and whether it is there.
    """

    def standing() -> list[Standing]:
        with database.transaction() as connection:
            return usage.operations_by_state(connection)

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
    metrics.gauges(
        "operations",
        "Long work that is kept, by what it is and where it stands.",
        ("kind", "state"),
        lambda: [((each.kind, each.state), each.number) for each in standing()],
    )
    metrics.gauges(
        "operations_oldest_seconds",
        "Since when the oldest of those that wait or run does.",
        ("kind", "state"),
        lambda: [
            ((each.kind, each.state), each.oldest_s) for each in standing() if each.oldest_s is not None
        ],
    )
