"""A result as JSON and back: what is kept, and what programs read."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

from advisor.errors import InvalidInput, Violation
from advisor.trials.results import TrialResult

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["from_json", "to_json"]

_SHOWN = 60
"""Characters of a value at fault that an error repeats."""


def to_json(result: TrialResult) -> str:
    """Return everything that a result holds, as one JSON object; what was not measured is null.

    Raises:
        ValueError: A number is NaN or infinite, which JSON has no way to write.
    """
    values = _adapter().dump_python(result, mode="json")
    return json.dumps(values, ensure_ascii=False, allow_nan=False, indent=1)


def from_json(text: str) -> TrialResult:
    """Return the result that `to_json` wrote; fields that came later have their defaults.

    Raises:
        InvalidInput: The text is no such object; every place at fault is named.
    """
    from pydantic import ValidationError

    try:
        return _adapter().validate_json(text)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False)
        raise InvalidInput(
            Violation(
                ".".join(("result", *map(str, fault["loc"]))),
                f"{fault['msg']}, found {str(fault['input'])[:_SHOWN]!r}; give what `to_json` wrote",
            )
            for fault in faults
        ) from error


@cache
def _adapter() -> TypeAdapter[TrialResult]:
    from pydantic import TypeAdapter  # of the extra `server`; the other forms of a report do without it

    return TypeAdapter(TrialResult)
