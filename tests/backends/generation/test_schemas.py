"""Schemas from strangers: what can be followed, what is refused and why, and what would cost too much."""

from __future__ import annotations

import json
import time

import pytest

from backends.generation.schemas import SCHEMA_BYTES, schema_fault


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object", "properties": {"a": {"type": "integer", "minimum": 0}}, "required": ["a"]},
        {"enum": ["é", 1, None, {"a": []}]},
        {"type": "string", "format": "date", "title": "When", "description": "The day."},
        {"type": "string", "pattern": "^(a|b)*a(a|b){300}$"},
        {"$defs": {"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}, "$ref": "#/$defs/tree"},
        {"enum": [f"v{number}" for number in range(6_000)]},
        {"type": "array", "minItems": 1_000_000, "items": {"type": "integer"}},
    ],
)
def test_schemas_that_can_be_followed(schema: object) -> None:
    """Among them large ones, whose cost is bounded."""
    assert schema_fault(json.dumps(schema)) is None


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ("{", "is not JSON"),
        ("true", "is no JSON object"),
        ('{"const": "\\ud800"}', "cannot be followed"),
        ('{"minimum": NaN}', "cannot be followed"),
        ('{"minimum": ' + "9" * 5_000 + "}", "is not JSON"),
        ('{"a":' * 10_000 + "1" + "}" * 10_000, "nested too deeply"),
        ('{"items":' * 200 + "{}" + "}" * 200, "recursion limit exceeded"),
        ("{" + " " * SCHEMA_BYTES + "}", "65,538 bytes; at most 65,536"),
        ('{"type": "string", "pattern": "(a"}', "regex parse error: error: unclosed group"),
        ('{"uniqueItems": true, "type": "array"}', 'Unimplemented keys: ["uniqueItems"]'),
        ('{"oneOf": [{"type": "object"}, {"type": "object"}]}', "oneOf"),
        ('{"$ref": "file:///etc/passwd"}', "not present in a registry"),
        ('{"$ref": "http://127.0.0.1/schema.json"}', "not present in a registry"),
        ('{"$ref": "#"}', "no JSON value that follows it"),
        ('{"allOf": [{"type": "string"}, {"type": "integer"}]}', "Unsatisfiable"),
    ],
)
def test_schemas_that_are_refused(schema: str, says: str) -> None:
    """The reason is the library's own where it is one of following, and no file or address is read."""
    fault = schema_fault(schema)
    assert fault is not None
    assert says in fault


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "multipleOf": 1_000_003},
        {"allOf": [{"type": "string", "pattern": f"(a|b)*a(a|b){{{size}}}$"} for size in range(20, 40)]},
    ],
)
def test_schemas_that_cost_too_much(schema: object) -> None:
    """What would take a minute, or hundreds of megabytes, ends after a second of work."""
    began = time.monotonic()
    fault = schema_fault(json.dumps(schema))
    assert fault is not None
    assert "more time or memory" in fault
    assert time.monotonic() - began < 15


def test_options_of_the_library_are_not_taken() -> None:
    """A schema cannot switch to white space, or what passes for it, of its own choice."""
    from backends.generation.grammars import Form, grammar_of

    own = {"type": "array", "x-guidance": {"whitespace_pattern": "x+", "lenient": True}}
    assert grammar_of(Form(schema=json.dumps(own))) == grammar_of(Form(schema='{"type": "array"}'))
    assert schema_fault(json.dumps(own | {"uniqueItems": True})) is not None
