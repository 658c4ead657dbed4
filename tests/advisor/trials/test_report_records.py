"""A result as JSON and back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from advisor.errors import InvalidInput
from advisor.trials.arms import Arm
from advisor.trials.report import from_json, to_json
from advisor.trials.results import Prediction, TrialResult, Verdict
from tests.advisor.trials.results import made_up_result, not_run, without_intervals, without_texts

MADE_UP = made_up_result(6)
EMPTY = TrialResult("holds", "LABEL", "m", "e", "", 1, 0, 0, (), (), (), Verdict(None, None, "Nothing."))


@pytest.mark.parametrize(
    "result",
    [
        MADE_UP,
        made_up_result(4, graded=True),
        not_run(MADE_UP, Arm.RAG, "there are no documents"),
        without_intervals(MADE_UP),
        without_texts(MADE_UP),
        made_up_result(0),
        replace(MADE_UP, prediction=Prediction(None, {}, {})),
        EMPTY,
    ],
    ids=["full", "graded", "an arm not run", "no intervals", "erased", "no questions", "undecided", "bare"],
)
def test_what_is_written_is_read_again(result: TrialResult) -> None:
    """Every field comes back with its type: tuples, enums, numbers as keys, and what is absent."""
    assert from_json(to_json(result)) == result


def test_what_is_absent_is_null() -> None:
    """Programs tell what was not measured from zero."""
    told = json.loads(to_json(not_run(MADE_UP, Arm.RAG, "there are no documents")))
    arm = next(each for each in told["arms"] if each["arm"] == "RAG")
    assert (arm["quality"], arm["total_s"], arm["usd_per_1000"]) == (None, None, None)


def test_a_field_that_came_later_has_its_default() -> None:
    """What was kept before stays readable."""
    told = json.loads(to_json(MADE_UP))
    del told["notes"], told["arms"][0]["forgotten"]
    read = from_json(json.dumps(told))
    assert read.notes == ()
    assert read.arms[0].forgotten is None


def test_a_number_that_json_lacks_is_no_silent_null() -> None:
    """NaN would be written as null, which is no number when it is read again."""
    with pytest.raises(ValueError, match="JSON"):
        to_json(replace(MADE_UP, seconds=float("nan")))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{", "result"),
        ("[]", "result"),
        (to_json(MADE_UP).replace('"seed": 7', '"seed": "seven"'), "result.seed"),
        (to_json(MADE_UP).replace('"arm": "RAG"', '"arm": "RAGS"'), "result.arms"),
    ],
    ids=["cut off", "no object", "no number", "no arm"],
)
def test_other_text_is_refused_with_its_place(text: str, place: str) -> None:
    """The error names the place, what was found there, and what belongs there."""
    with pytest.raises(InvalidInput) as caught:
        from_json(text)
    assert caught.value.violations[0].field.startswith(place)
    assert "found" in caught.value.violations[0].description
