"""Facts that the data tells where a use case is silent: how often its documents change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from advisor.knowledge.facts import facts_from_mapping
from advisor.knowledge.inventory import NOTHING, Changes, Inventory, complete, observed_changes
from advisor.knowledge.measurement import Measurement
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


def measured(name, value, low=None, high=None) -> Measurement:
    return Measurement(name, value, "looked at", 60, low, high)


def test_what_was_measured_completes_facts():
    """An estimate is told with its interval; what is counted in the store is left to it, and null is nothing."""
    found, gathered = complete(
        facts_pb2.Facts(),
        Inventory(0, 0, 5),
        [
            measured("closed_book_score", 0.0432, 0.01, 0.1),
            measured("output_form", "LABEL"),
            measured("examples_include_context", False),
            measured("labelled_examples", 9),
            measured("task", None),
        ],
    )
    assert (found.closed_book_score, found.output_form) == (0.0432, facts_pb2.OUTPUT_FORM_LABEL)
    assert found.HasField("examples_include_context")
    assert (found.labelled_examples, found.HasField("task")) == (5, False)
    assert gathered.taken == (
        "closed_book_score 4.3% [1% to 10%, 60 measured], output_form LABEL, examples_include_context false, "
        "labelled_examples 5"
    )


@pytest.mark.parametrize(
    ("stated", "name", "value", "interval", "told"),
    [
        (
            {"output_form": "FREE_TEXT"},
            "output_form",
            "LABEL",
            (),
            "stated as FREE_TEXT, but the data says LABEL",
        ),
        ({"output_form": "STYLE"}, "output_form", "FREE_TEXT", (), None),
        ({"label_count": 12}, "label_count", 13, (), "stated as 12, but the data says 13"),
        (
            {"prompted_score": 0.6},
            "prompted_score",
            0.13,
            (0.05, 0.3),
            "stated as 60%, but the data says 13% [",
        ),
        ({"prompted_score": 0.25}, "prompted_score", 0.13, (0.05, 0.3), None),
        ({"output_tokens": 12}, "output_tokens", 5, (4.0, 6.0), None),
        (
            {"output_tokens": 200},
            "output_tokens",
            5,
            (4.0, 6.0),
            "stated as 200, but the data says 5 [4 to 6",
        ),
        ({"examples_include_context": True}, "examples_include_context", False, (), "stated as true"),
        ({"context_tokens": 900}, "context_tokens", 20, (), None),
        ({"task": "EXTRACTION"}, "task", "QUESTION_ANSWERING", (), None),
    ],
)
def test_a_contradiction_is_reported(stated, name, value, interval, told):
    """What is stated counts; it is told where the data says otherwise, and not where both may be so."""
    facts = facts_from_mapping(stated)
    found, gathered = complete(facts, Inventory(0, 0, 0), [measured(name, value, *interval)])
    assert found == facts
    assert gathered.taken == ""
    if told is None:
        assert gathered.contradictions == ()
    else:
        assert told in gathered.contradictions[0]
        assert "(looked at). What is stated counts" in gathered.contradictions[0]
