"""What makes a `google.protobuf.Duration` one: the parser takes any two numbers for it."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration

__all__ = ["duration_fault"]

MOST_SECONDS = 315_576_000_000
"""About 10,000 years, by the comments of `google/protobuf/duration.proto`."""
MOST_NANOS = 999_999_999


def duration_fault(value: Duration) -> str:
    """Say what is wrong with a duration, and what is allowed; empty where it is well-formed."""
    if abs(value.seconds) > MOST_SECONDS:
        return f"has {value.seconds:,} seconds; allowed: -{MOST_SECONDS:,} to {MOST_SECONDS:,}"
    if abs(value.nanos) > MOST_NANOS:
        return f"has {value.nanos:,} nanos; allowed: -{MOST_NANOS:,} to {MOST_NANOS:,}, the rest in seconds"
    if value.seconds * value.nanos < 0:
        return (
            f"has {value.seconds:,} seconds and {value.nanos:,} nanos; "
            "give both the same sign, or leave one of them 0"
        )
    return ""
