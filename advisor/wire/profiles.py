"""Profiles as messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from google.protobuf import json_format

from advisor.knowledge.facts import fact_index
from advisor.storage.profiles import KeptProfile
from advisor.v1 import profile_pb2
from advisor.wire.messages import timestamp

__all__ = ["profile_to_proto"]

MOST_CONCERNED = 100


def profile_to_proto(kept: KeptProfile) -> profile_pb2.Profile:
    """Return what was measured of a use case."""
    return profile_pb2.Profile(
        name=kept.name,
        measurements=map(_measurement, kept.measurements),
        update_time=timestamp(kept.update_time) if kept.update_time else None,
    )


def _measurement(kept: Mapping[str, Any]) -> profile_pb2.Measurement:
    message = profile_pb2.Measurement(
        name=kept["name"],
        fact=kept["name"] in fact_index(),
        method=kept["method"],
        count=kept["count"],
        low=kept["low"],
        high=kept["high"],
        warning=kept["warning"],
        concerned=kept["concerned"][:MOST_CONCERNED],
        origin=f"ORIGIN_{kept['origin']}",
        measure_time=timestamp(datetime.fromisoformat(kept["measure_time"])),
    )
    json_format.ParseDict(kept["value"], message.value)
    return message
