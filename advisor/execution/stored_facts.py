"""Facts that the stored data has where the use case is silent: how much there is, how it changes, what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from advisor.knowledge.inventory import Gathered, Inventory, complete, observed_changes
from advisor.knowledge.measurement import Measurement
from advisor.profiling.first_look import first_look
from advisor.storage import documents, examples, profiles
from advisor.storage.database import Database
from advisor.storage.profiles import KeptProfile, Origin
from advisor.storage.records import UseCase
from advisor.v1 import facts_pb2

__all__ = ["known_facts", "measurement_from_json", "measurement_to_json", "profile_of"]

MOST_READ = 20_000
"""Examples of a first look."""
OF_DOCUMENTS = ("corpus_tokens", "retrieval_hit_rate", "new_knowledge_share")
"""What says nothing once there are no documents, and the first of them once there are others."""


def known_facts(database: Database, use_case: UseCase) -> tuple[facts_pb2.Facts, Gathered]:
    """Return a use case's facts completed by what its data says, and what that was, in words."""
    size_bytes, changes = 0, None
    if use_case.document_count:
        size_bytes = documents.size_bytes(database, use_case.id)
        since, times = documents.change_times(database, use_case.id)
        changes = observed_changes(times, since or use_case.create_time, datetime.now(UTC))
    measured = [*map(measurement_from_json, profile_of(database, use_case).measurements)]
    measured_bytes = next((each.value for each in measured if each.name == "document_bytes"), None)
    gone = OF_DOCUMENTS if not use_case.document_count else OF_DOCUMENTS[: measured_bytes != size_bytes]
    return complete(
        facts_pb2.Facts.FromString(use_case.facts),
        Inventory(
            use_case.document_count, size_bytes, use_case.example_count, changes, use_case.held_out_count
        ),
        [each for each in measured if each.is_fact and each.name not in gone],
    )


def profile_of(database: Database, use_case: UseCase) -> KeptProfile:
    """Return what was measured of a use case; where its data changed since, after a first look at its examples.

    Raises:
        NotFound: It was deleted since.
    """
    with database.transaction() as connection:
        kept = profiles.read(connection, use_case.id)
        version = profiles.examples_version(connection, use_case.id)
        if version == kept.version:
            return kept
        found = first_look(examples.some(connection, use_case.id, MOST_READ))
        profiles.keep(
            connection,
            use_case.id,
            Origin.EXAMPLES,
            [*map(measurement_to_json, found.measurements)],
            version=version,
        )
        return profiles.read(connection, use_case.id)


def measurement_to_json(measured: Measurement) -> dict[str, Any]:
    """Return a measurement as it is kept."""
    return asdict(measured)


def measurement_from_json(values: Mapping[str, Any]) -> Measurement:
    """Return what `measurement_to_json` made it of; where and when it was measured is left out."""
    names = ("name", "value", "method", "count", "low", "high", "warning")
    return Measurement(**{name: values[name] for name in names}, concerned=tuple(values["concerned"]))
