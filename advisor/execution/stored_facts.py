"""Facts that the stored data has where the use case is silent: how many examples, how large the documents."""

from __future__ import annotations

from advisor.storage import documents
from advisor.storage.database import Database
from advisor.storage.records import UseCase
from advisor.v1 import facts_pb2

__all__ = ["known_facts"]

BYTES_PER_TOKEN = 4
"""Usual for English text and the vocabularies of current models."""


def known_facts(database: Database, use_case: UseCase) -> tuple[facts_pb2.Facts, str]:
    """Return a use case's facts completed by what its data says, and what that was, in words."""
    facts = facts_pb2.Facts.FromString(use_case.facts)
    learned = []
    if use_case.example_count and not facts.HasField("labelled_examples"):
        facts.labelled_examples = use_case.example_count
        learned.append(f"labelled_examples {use_case.example_count:,}")
    if use_case.document_count and not facts.HasField("corpus_tokens"):
        facts.corpus_tokens = max(1, documents.size_bytes(database, use_case.id) // BYTES_PER_TOKEN)
        learned.append(f"corpus_tokens about {facts.corpus_tokens:,}")
    return facts, ", ".join(learned)
