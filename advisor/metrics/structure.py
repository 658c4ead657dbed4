"""Whether an answer is JSON, and follows a schema where one is given, by the package jsonschema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from advisor.errors import InvalidInput
from advisor.metrics.json_values import NOTHING, parsed
from advisor.metrics.outputs import Output
from backends.generation.schemas import text_fault

__all__ = ["Structure"]


class Structure:
    """1 where the answer is valid, whatever it says, else 0; an answer that was cut short is not.

    Args:
        schema: A JSON schema, of the draft that it names or else the newest; None for any JSON.

    Raises:
        InvalidInput: The schema is none.
    """

    name = "structure"
    title = "valid structure"

    def __init__(self, schema: str | None = None) -> None:
        self._validator = None if schema is None else _validator(schema)

    def scores(self, outputs: Sequence[Output]) -> list[float | None]:
        """Return 1 or 0 for each output with a right answer."""
        return [float(self._is_valid(each)) if each.answerable else None for each in outputs]

    def _is_valid(self, output: Output) -> bool:
        if parsed(output.text, complete=output.complete) is NOTHING:
            return False
        return self._validator is None or _follows(self._validator, output.text)


def _validator(schema: str) -> Any:
    """Return what checks values by a schema; what the schema refers to must be within it."""
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for
    from jsonschema_specifications import REGISTRY

    if fault := text_fault(schema):
        raise InvalidInput.of("output_schema", fault)
    value = json.loads(schema)
    kind = validator_for(value, default=Draft202012Validator)
    try:
        kind.check_schema(value)
    except SchemaError as error:
        fault = f"is no JSON schema: {error.message}; change it at {error.json_path}"
        raise InvalidInput.of("output_schema", fault) from error
    return kind(value, registry=REGISTRY)


def _follows(validator: Any, text: str) -> bool:
    from referencing.exceptions import Unresolvable

    try:
        return bool(validator.is_valid(json.loads(text)))
    except (RecursionError, ValueError):  # deeper, or a longer number, than can be checked
        return False
    except Unresolvable as error:
        fault = f"refers to {error.ref}, which it does not hold; put what is meant under its $defs"
        raise InvalidInput.of("output_schema", fault) from error
