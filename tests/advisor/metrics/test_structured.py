"""Valid structures, and values that are the same."""

from __future__ import annotations

import json

import pytest

from advisor.errors import InvalidInput
from advisor.metrics.outputs import Output
from advisor.metrics.structure import Structure
from advisor.metrics.structured_equality import StructuredEquality

SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"name": {"$ref": "#/$defs/name"}, "age": {"type": "integer"}},
        "required": ["name"],
        "additionalProperties": False,
        "$defs": {"name": {"type": "string", "minLength": 1}},
    }
)


@pytest.mark.parametrize(
    ("text", "complete", "valid"),
    [
        ('{"a": 1}', True, True),
        (" [1, 2]\n", True, True),
        ("null", True, True),
        ('{"a": 1}', False, True),  # closed, so whole
        ("1", False, False),  # of 12, perhaps
        ('{"a": 1', False, False),
        ("{'a': 1}", True, False),
        ('```json\n{"a": 1}\n```', True, False),
        ("NaN", True, False),
        ('{"a": 1} {"b": 2}', True, False),
        ("", True, False),
        ("yes", True, False),
        ("[" * 100_000, True, False),
    ],
)
def test_what_is_json(text: str, complete: bool, valid: bool) -> None:
    """The whole answer, as a program would read it."""
    assert Structure().scores([Output(text, "{}", complete=complete)]) == [float(valid)]


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ('{"name": "Ann", "age": 3}', True),
        ('{"name": "Ann"}', True),
        ('{"name": ""}', False),
        ('{"age": 3}', False),
        ('{"name": "Ann", "age": "3"}', False),
        ('{"name": "Ann", "sex": "f"}', False),
        ('"Ann"', False),
        ('{"name": "Ann"', False),
        (f'{{"name": "Ann", "age": {"9" * 5_000}}}', False),  # longer than Python converts
    ],
)
def test_what_follows_a_schema(text: str, valid: bool) -> None:
    """JSON alone is not enough."""
    assert Structure(SCHEMA).scores([Output(text, "{}")]) == [float(valid)]


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ("{", "is not JSON"),
        ("5", "is no JSON object"),
        ('{"type": "text"}', "'text' is not valid under any of the given schemas; change it at $.type"),
        ('{"pattern": "("}', "is not a 'regex'"),
    ],
)
def test_a_schema_that_is_none_is_refused(schema: str, says: str) -> None:
    """The error names what is wrong with it."""
    with pytest.raises(InvalidInput) as caught:
        Structure(schema)
    assert caught.value.violations[0].field == "output_schema"
    assert says in str(caught.value)


def test_a_schema_must_hold_what_it_refers_to() -> None:
    """Nothing is fetched."""
    metric = Structure('{"$ref": "http://localhost:1/schema.json"}')
    with pytest.raises(
        InvalidInput, match="refers to http://localhost:1/schema.json, which it does not hold"
    ):
        metric.scores([Output("{}", "{}")])


def test_a_schema_may_refer_to_those_of_the_standard() -> None:
    """They come with the library."""
    metric = Structure('{"$ref": "https://json-schema.org/draft/2020-12/schema"}')
    assert metric.scores([Output('{"type": "object"}', "{}"), Output('{"type": "text"}', "{}")]) == [1.0, 0.0]


@pytest.mark.parametrize(
    ("text", "right", "score"),
    [
        ('{"b": [1, {"c": null}], "a": "x"}', '{"a": "x", "b": [1, {"c": null}]}', 1.0),
        ("[1.0, 1e2, -0]", "[1, 100, 0.0]", 1.0),
        ("0.1", "0.10", 1.0),
        ("[2, 1]", "[1, 2]", 0.0),
        ("true", "1", 0.0),
        ("false", "0", 0.0),
        ("null", "0", 0.0),
        ('"1"', "1", 0.0),
        ('{"a": 1, "b": 2}', '{"a": 1}', 0.0),
        ("{}", "[]", 0.0),
        ("9007199254740993", "9007199254740992", 0.0),  # the same as floats
        ('"Mu\u0308ller"', '"Müller"', 1.0),
        ('"x"', '"X"', 0.0),
        ("", "{}", 0.0),
        ("not JSON", "{}", 0.0),
        ("[" * 900 + "]" * 900, "[" * 900 + "]" * 900, 1.0),
        ("anything", "not JSON", None),
        ("5", "", None),
    ],
)
def test_the_same_value(text: str, right: str, score: float | None) -> None:
    """Order of keys and the way of writing a number aside; not scored where the right answer is no JSON."""
    assert StructuredEquality().scores([Output(text, right)]) == [score]


def test_a_number_that_was_cut_is_not_the_same() -> None:
    """1 may be the beginning of 12."""
    assert StructuredEquality().scores([Output("1", "1", complete=False)]) == [0.0]
