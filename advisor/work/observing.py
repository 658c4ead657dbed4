"""What is read of the queue when metrics are asked for."""

from __future__ import annotations

from advisor.storage import usage
from advisor.storage.database import Database
from advisor.storage.operations import State
from advisor.storage.usage import Standing
from advisor.telemetry.metrics import Metrics, Sample
from advisor.work.kinds import KINDS

__all__ = ["observe_queue"]


def observe_queue(metrics: Metrics, database: Database) -> None:
    """Have metrics tell what long work there is, and since when it waits or runs."""

    def standing() -> list[Standing]:
        with database.transaction() as connection:
            return usage.operations_by_state(connection)

    def numbers() -> list[Sample]:
        """Return those that are none as well: the first one is an increase, then."""
        found = {(each.kind, each.state): each.number for each in standing()}
        return [((kind, state), found.get((kind, state), 0)) for kind in KINDS for state in State]

    metrics.gauges(
        "operations",
        "Long work that is kept, by what it is and where it stands.",
        ("kind", "state"),
        numbers,
    )
    metrics.gauges(
        "operations_oldest_seconds",
        "Since when the oldest of those that wait or run does.",
        ("kind", "state"),
        lambda: [
            ((each.kind, each.state), each.oldest_s) for each in standing() if each.oldest_s is not None
        ],
    )
