"""Durations that are none."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration

from advisor.errors import InvalidInput
from advisor.knowledge.durations import duration_fault
from advisor.knowledge.facts import encode_facts
from advisor.v1 import facts_pb2

MALFORMED = [
    (Duration(seconds=315_576_000_001), "seconds; allowed: -315,576,000,000 to 315,576,000,000"),
    (Duration(seconds=-(2**63)), "seconds; allowed"),
    (Duration(seconds=60, nanos=10**9), "nanos; allowed: -999,999,999 to 999,999,999"),
    (Duration(nanos=-(2**31)), "nanos; allowed"),
    (Duration(seconds=60, nanos=-1), "give both the same sign"),
    (Duration(seconds=-60, nanos=1), "give both the same sign"),
]


@pytest.mark.parametrize(("value", "said"), MALFORMED)
def test_malformed_durations(value, said):
    """What is wrong is said, with what is allowed; as a fact it is refused too."""
    assert said in duration_fault(value)
    with pytest.raises(InvalidInput, match="facts.update_interval: has"):
        encode_facts(facts_pb2.Facts(update_interval=value))


@pytest.mark.parametrize(
    "value",
    [
        Duration(),
        Duration(seconds=-1, nanos=-999_999_999),
        Duration(seconds=315_576_000_000),
        Duration(nanos=1),
    ],
)
def test_durations(value):
    """The ends of the range are within it."""
    assert duration_fault(value) == ""
