"""Facts that the stored data has where the use case is silent: how much there is, and how often it changes."""

from __future__ import annotations

from datetime import UTC, datetime

from advisor.knowledge.inventory import Inventory, complete, observed_changes
from advisor.storage import documents
from advisor.storage.database import Database
from advisor.storage.records import UseCase
from advisor.v1 import facts_pb2

__all__ = ["known_facts"]


def known_facts(database: Database, use_case: UseCase) -> tuple[facts_pb2.Facts, str]:
    """Return a use case's facts completed by what its data says, and what that was, in words."""
    size_bytes, changes = 0, None
    if use_case.document_count:
        size_bytes = documents.size_bytes(database, use_case.id)
        since, times = documents.change_times(database, use_case.id)
        changes = observed_changes(times, since or use_case.create_time, datetime.now(UTC))
    return complete(
        facts_pb2.Facts.FromString(use_case.facts),
        Inventory(
            use_case.document_count, size_bytes, use_case.example_count, changes, use_case.held_out_count
        ),
    )
