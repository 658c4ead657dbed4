"""What there is to work with, and the facts that it tells where a use case is silent."""

from __future__ import annotations

from dataclasses import dataclass

from advisor.v1 import facts_pb2

__all__ = ["Inventory", "complete"]

BYTES_PER_TOKEN = 4
"""Usual for English text and the vocabularies of current models."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """How much there is, in a file or in the store.

    Attributes:
        documents: Documents to retrieve from.
        document_bytes: Their size together.
        examples: Examples that differ.
    """

    documents: int
    document_bytes: int
    examples: int


def complete(facts: facts_pb2.Facts, there_is: Inventory) -> tuple[facts_pb2.Facts, str]:
    """Return facts completed by what there is, and what that was, in words; what is stated stays."""
    known = facts_pb2.Facts()
    known.CopyFrom(facts)
    learned = []
    if there_is.examples and not known.HasField("labelled_examples"):
        known.labelled_examples = there_is.examples
        learned.append(f"labelled_examples {there_is.examples:,}")
    if there_is.documents and not known.HasField("corpus_tokens"):
        known.corpus_tokens = max(1, there_is.document_bytes // BYTES_PER_TOKEN)
        learned.append(f"corpus_tokens about {known.corpus_tokens:,}")
    return known, ", ".join(learned)
