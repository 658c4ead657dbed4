"""The JSON schema that answers share, read off them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from advisor.metrics.json_values import parsed

__all__ = ["schema_of"]

_MOST_KEYS = 64
"""Of all objects together; with more, they are rather maps than records."""
_DEEPEST = 8


def schema_of(answers: Sequence[str]) -> str | None:
    """Return the narrowest JSON schema that all answers follow, of the kinds below; None where they share none.

    Answers are all objects, or all arrays. An object has the keys that occur, in the order in which they are first
    seen, and must have those that all have; a value has the types that occur. No value is fixed, and no length.

    >>> schema_of(['{"name": "a", "size": 1}', '{"name": "b", "size": null}'])
    '{"type": "object", "properties": {"name": {"type": "string"}, "size": {"type": ["integer", "null"]}}, \
"required": ["name", "size"], "additionalProperties": false}'
    >>> schema_of(['{"name": "a"}', "b"]) is None
    True
    """
    values = [parsed(answer) for answer in answers]
    if not values or {type(value) for value in values} not in ({dict}, {list}):
        return None
    shape = _Shape()
    if not all(shape.add(value, _DEEPEST) for value in values):
        return None
    if sum(len(each.keys) for each in shape.all()) > _MOST_KEYS:
        return None
    return json.dumps(shape.schema(), ensure_ascii=False)


@dataclass(slots=True)
class _Shape:
    """What values at one place look like.

    Attributes:
        types: Types of JSON schema that occur, in the order in which they are first seen.
        keys: Values of the objects by their keys, in that order.
        objects: Objects among the values.
        seen: Values.
        items: What stands in the arrays; None where nothing does.
    """

    types: dict[str, None] = field(default_factory=dict)
    keys: dict[str, _Shape] = field(default_factory=dict)
    objects: int = 0
    seen: int = 0
    items: _Shape | None = None

    def add(self, value: Any, levels: int) -> bool:
        """Take in a value as `parsed` returns it; return whether it has no more levels than that."""
        self.seen += 1
        self.types[_type_of(value)] = None
        if not levels:
            return not isinstance(value, dict | list)
        if isinstance(value, dict):
            self.objects += 1
            places = [(self.keys.setdefault(key, _Shape()), each) for key, each in value.items()]
        elif isinstance(value, list):
            if value and self.items is None:
                self.items = _Shape()
            places = [(self.items, each) for each in value if self.items is not None]
        else:
            return True
        return all(place.add(each, levels - 1) for place, each in places)

    def all(self) -> Iterator[_Shape]:
        """Yield this and all within it."""
        yield self
        for each in (*self.keys.values(), *([self.items] if self.items else [])):
            yield from each.all()

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema."""
        types = [each for each in self.types if each != "integer" or "number" not in self.types]
        found: dict[str, Any] = {"type": types[0] if len(types) == 1 else types}
        if "object" in self.types:
            found["properties"] = {key: each.schema() for key, each in self.keys.items()}
            found["required"] = [key for key, each in self.keys.items() if each.seen == self.objects]
            found["additionalProperties"] = False
        if self.items is not None:
            found["items"] = self.items.schema()
        return found


def _type_of(value: Any) -> str:
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        return (
            "integer" if isinstance(exponent, int) and exponent >= 0 and "E" not in str(value) else "number"
        )
    kinds: tuple[tuple[type, str], ...] = (
        (dict, "object"),
        (list, "array"),
        (str, "string"),
        (bool, "boolean"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")
