"""Facts that the stored data has where the use case is silent: how many examples, how large the documents."""

from __future__ import annotations

from advisor.knowledge.inventory import Inventory, complete
from advisor.storage import documents
from advisor.storage.database import Database
from advisor.storage.records import UseCase
from advisor.v1 import facts_pb2

__all__ = ["known_facts"]


def known_facts(database: Database, use_case: UseCase) -> tuple[facts_pb2.Facts, str]:
    """Return a use case's facts completed by what its data says, and what that was, in words."""
    size_bytes = documents.size_bytes(database, use_case.id) if use_case.document_count else 0
    return complete(
        facts_pb2.Facts.FromString(use_case.facts),
        Inventory(use_case.document_count, size_bytes, use_case.example_count),
    )
