"""Facts that the data tells where a use case is silent: how often its documents change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from advisor.knowledge.inventory import NOTHING, Changes, Inventory, complete, observed_changes
from advisor.v1 import facts_pb2

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def at(*days: float) -> list[datetime]:
    return [START + each * DAY for each in days]


@pytest.mark.parametrize(
    ("times", "until", "expected"),
    [
        (at(1, 2, 3, 4), 4, Changes(4, 4 * DAY, DAY)),
        (at(1, 2, 3, 13), 13, Changes(4, 13 * DAY, 3.25 * DAY)),  # the median would be a day
        (at(2, 9, 16), 20, Changes(3, 20 * DAY, 7 * DAY)),
        (at(1, 1.1, 1.2), 60, Changes(3, 60 * DAY, 20 * DAY)),  # a burst is no habit
        (at(1, 2), 30, None),
        (at(1, 1.01, 1.02, 2, 2.01), 30, None),  # imported again until it was right
        (at(0.01, 0.02, 0.03, 0.04), 30, None),  # being set up
        ([], 30, None),
    ],
)
def test_how_often_documents_changed(times, until, expected):
    """Three changes apart tell an interval: the median, and no less than the mean."""
    assert observed_changes(times, START, START + until * DAY) == expected


def test_what_was_observed_is_told():
    """With the interval stands how much was seen."""
    there_is = Inventory(1, 4, 0, Changes(12, 9 * DAY, 18 * HOUR))
    found, learned = complete(facts_pb2.Facts(), there_is)
    assert found.update_interval.ToTimedelta() == 18 * HOUR
    assert learned.taken.endswith("update_interval about 18 hours (observed: 12 changes in 9 days)")


def test_what_is_stated_stays():
    """Nothing observed overrides it."""
    stated = facts_pb2.Facts(update_interval={"seconds": 30 * 86_400}, corpus_tokens=1)
    assert complete(stated, Inventory(1, 4, 0, Changes(12, 9 * DAY, 18 * HOUR))) == (stated, NOTHING)


def test_what_is_held_out_is_an_evaluation_set():
    """Examples that are kept to measure on tell that there are some; what is stated stays."""
    found, learned = complete(facts_pb2.Facts(), Inventory(0, 0, 5, held_out=30))
    assert (found.has_evaluation_set, found.labelled_examples) == (True, 5)
    assert "has_evaluation_set true (30 examples held out)" in learned.taken
    stated = facts_pb2.Facts(has_evaluation_set=False, labelled_examples=5)
    assert complete(stated, Inventory(0, 0, 5, held_out=30)) == (stated, NOTHING)
