"""JSON values, read and compared as a program would that was given them."""

from __future__ import annotations

import json
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Any

__all__ = ["NOTHING", "parsed", "same_value"]

NOTHING = object()
"""Stands for no JSON value, since None is one."""

_CLOSED = ("}", "]", '"')


def parsed(text: str, *, complete: bool = True) -> Any:
    """Return the JSON value that a whole text is, numbers as they are written; `NOTHING` where it is none.

    Args:
        text: The text; NaN, a comment, or a fence of Markdown around it is not JSON.
        complete: Whether it ended by itself: of a text that was cut, 1 may be the beginning of 12.
    """
    if not complete and not text.rstrip().endswith(_CLOSED):
        return NOTHING
    try:
        return json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError, InvalidOperation):
        return NOTHING


def same_value(one: Any, other: Any) -> bool:
    """Return whether two JSON values are the same: keys in any order, 1 as 1.0, but true not as 1.

    >>> same_value(parsed('{"a": 1, "b": [true]}'), parsed('{"b": [true], "a": 1.0}')), same_value(True, Decimal(1))
    (True, False)
    """
    pairs = [(one, other)]
    while pairs:  # not by recursion: values may be as deep as can be read
        one, other = pairs.pop()
        if isinstance(one, dict) and isinstance(other, dict):
            one, other = _composed(one), _composed(other)
            if one.keys() != other.keys():
                return False
            pairs += [(one[key], other[key]) for key in one]
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            pairs += zip(one, other, strict=True)
        elif type(one) is not type(other) or _composed(one) != _composed(other):
            return False
    return True


def _composed(value: Any) -> Any:
    """Return a text, or the keys of an object, in one form of Unicode; other values as they are."""
    if isinstance(value, dict):
        return {_composed(key): each for key, each in value.items()}
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
