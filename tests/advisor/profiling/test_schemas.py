"""The schema that answers share: all follow it, and an answer can be made to."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.metrics.outputs import Output
from advisor.metrics.structure import Structure
from advisor.profiling.schemas import schema_of
from backends.generation.schemas import schema_fault

PLAIN = st.sampled_from([None, True, 0, -3, 1.5, 1e30, "", "text", "null"])
VALUES = PLAIN | st.lists(PLAIN, max_size=3) | st.dictionaries(st.sampled_from("xy"), PLAIN, max_size=2)
RECORDS = st.lists(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3), min_size=1, max_size=4)


def follows(schema: str, text: str) -> bool:
    return Structure(schema).scores([Output(text, text)]) == [1.0]


@given(RECORDS)
def test_every_answer_follows_it(records):
    """Whatever the values are."""
    answers = [json.dumps(each) for each in records]
    schema = schema_of(answers)
    assert schema is not None
    assert all(follows(schema, each) for each in answers)


def test_what_differs_does_not_follow_it():
    """Keys that lack, keys that are new, and values of another type."""
    schema = schema_of(['{"name": "a", "size": 1, "tags": ["x"]}', '{"name": "b", "size": null}'])
    assert schema is not None
    assert follows(schema, '{"name": "c", "size": 2, "tags": []}')
    for other in ('{"name": "c"}', '{"name": "c", "size": 2, "more": 1}', '{"name": 1, "size": 2}', "[]"):
        assert not follows(schema, other)
    assert not follows(schema, '{"name": "c", "size": 2, "tags": [1]}')


@pytest.mark.parametrize(
    "answers",
    [
        ['{"name": "a", "size": 1}', '{"name": "b", "size": 1.5}'],
        ["[]", '[{"a": [1, "x"]}, {"b": {"c": true}}]'],
        ['{"": 1, "a\\nb": {}}', "{}"],
        [json.dumps({f"key {number}": number}) for number in range(40)],
    ],
)
def test_an_answer_can_be_made_to_follow_it(answers):
    """The engine compiles it."""
    schema = schema_of(answers)
    assert schema is not None
    assert schema_fault(schema) is None


@pytest.mark.parametrize(
    "answers",
    [
        [],
        ["red", "blue"],
        ["1", "2"],
        ['{"a": 1}', "[]"],
        ['{"a": 1}', "no JSON"],
        [json.dumps({f"key {number}": number}) for number in range(100)],
        ["[" * 40 + "]" * 40],
    ],
    ids=["none", "texts", "numbers", "objects and arrays", "not all", "a map", "deep"],
)
def test_where_answers_share_none(answers):
    """What is no record of one kind has no schema."""
    assert schema_of(answers) is None
