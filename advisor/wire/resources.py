"""What long work makes, as messages."""

from __future__ import annotations

from google.protobuf.message import Message

from advisor.storage.profiles import KeptProfile
from advisor.storage.records import Adapter
from advisor.storage.trials import Trial
from advisor.wire.messages import adapter_to_proto
from advisor.wire.profiles import profile_to_proto
from advisor.wire.trials import trial_to_proto

__all__ = ["resource_to_proto"]


def resource_to_proto(value: object) -> Message:
    """Return a stored resource that long work made.

    Raises:
        TypeError: It is not a resource.
    """
    match value:
        case Adapter():
            return adapter_to_proto(value)
        case KeptProfile():
            return profile_to_proto(value)
        case Trial():
            return trial_to_proto(value)
        case _:
            raise TypeError(f"{type(value).__name__} has no message")
