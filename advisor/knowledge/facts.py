"""Facts: what is known about a use case, as messages, as mappings and as arrays.

The protobuf message `Facts` is the one definition of names, types, units and
bounds. Everything here is read from its descriptor. Three forms are converted
in pairs:

* the message `Facts`, on the wire;
* a mapping of names to plain values, in YAML files and in Python: durations as
  `7d` or `12h`, numbers also as `200K` or `1.5M`, enum values by their short
  names; `advisor.knowledge.notation` defines how values are written;
* a row of floats, one column per fact in the message's order, NaN where
  unknown: durations in seconds, flags as 0 and 1, choices as enum numbers.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from google.protobuf.descriptor import FieldDescriptor

from advisor.errors import InvalidInput, Violation
from advisor.knowledge.durations import duration_fault
from advisor.knowledge.notation import duration_to_text, parse_duration, parse_number
from advisor.v1 import annotations_pb2, facts_pb2

__all__ = [
    "BARE_UNITS",
    "Fact",
    "FactValue",
    "KnownFacts",
    "Row",
    "Rows",
    "decode_value",
    "encode_facts",
    "encode_many",
    "encode_value",
    "fact",
    "fact_index",
    "facts",
    "facts_from_mapping",
    "facts_to_mapping",
    "nearest",
    "value_to_notation",
    "value_to_text",
]

Kind = Literal["number", "count", "duration", "flag", "choice"]
BARE_UNITS = ("share", "quality")
"""Units of what lies between 0 and 1, which people are told in per cent."""
FactValue = bool | float | int | str
Row = np.ndarray[tuple[int], np.dtype[np.float64]]
Rows = np.ndarray[tuple[int, int], np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Fact:
    """One property of a use case, as its descriptor defines it.

    Attributes:
        name: Field name in the message `Facts`.
        kind: How values are written; durations are in seconds.
        group: Trade-off that it speaks to, in lower case.
        unit: Unit in words; empty for flags and choices.
        minimum: Smallest value allowed.
        maximum: Largest value allowed.
        usual: Smallest and largest value usual in practice; the bounds where none are stated.
        title: Short name for people.
        question: Question whose answer is the value.
        measure: How to find the value out.
        choices: Short names of the enum values, in the order of their numbers from 1.
    """

    name: str
    kind: Kind
    group: str
    unit: str
    minimum: float
    maximum: float
    usual: tuple[float, float]
    title: str
    question: str
    measure: str
    choices: tuple[str, ...] = ()

    @property
    def logarithmic(self) -> bool:
        """Whether equal ratios, not equal differences, matter."""
        return self.kind in ("duration", "count") or self.unit.startswith("US dollars")

    @property
    def about(self) -> str:
        """What the fact tells, whatever its value, such as `task` or `whether training is possible`."""
        return f"whether {self.title}" if self.kind == "flag" else self.title


@cache
def facts() -> tuple[Fact, ...]:
    """Return every fact, in the order of the message's fields."""
    return tuple(_fact_from_field(field) for field in facts_pb2.Facts.DESCRIPTOR.fields)


@cache
def fact_index() -> Mapping[str, int]:
    """Return each fact's column in a row."""
    return {item.name: column for column, item in enumerate(facts())}


def fact(name: str) -> Fact:
    """Return the fact of that name; KeyError where there is none."""
    return facts()[fact_index()[name]]


class KnownFacts:
    """The facts of a row, by name."""

    __slots__ = ("_columns", "_values")

    def __init__(self, row: Row) -> None:
        self._values: list[float] = row.tolist()
        self._columns = fact_index()

    def get(self, name: str) -> float | None:
        """Return a fact, None where it is unknown."""
        value = self._values[self._columns[name]]
        return None if math.isnan(value) else value


def encode_facts(message: facts_pb2.Facts, path: str = "facts") -> Row:
    """Turn a message into a row.

    Raises:
        InvalidInput: Values are out of bounds or not finite; all of them are listed by their paths.
    """
    row = np.full(len(facts()), np.nan)
    violations = _fill_row(message, row, path)
    if violations:
        raise InvalidInput(tuple(violations))
    return row


def encode_many(messages: Sequence[facts_pb2.Facts], paths: Iterable[str]) -> Rows:
    """Turn messages into rows, shape (len(messages), facts); see `encode_facts`."""
    rows = np.full((len(messages), len(facts())), np.nan)
    violations: list[Violation] = []
    for message, row, path in zip(messages, rows, paths, strict=True):
        violations.extend(_fill_row(message, row, path))
    if violations:
        raise InvalidInput(tuple(violations))
    return rows


def facts_from_mapping(values: Mapping[str, object], path: str = "facts") -> facts_pb2.Facts:
    """Turn plain values, as in a use-case file, into a message.

    Raises:
        InvalidInput: Names or values that are not allowed; all of them are listed by their paths.
    """
    message = facts_pb2.Facts()
    violations = []
    for name, value in values.items():
        if value is None:
            continue
        try:
            _set_field(message, name, value)
        except ValueError as error:
            violations.append(Violation(f"{path}.{name}", str(error)))
    if violations:
        raise InvalidInput(tuple(violations))
    return message


def facts_to_mapping(message: facts_pb2.Facts) -> dict[str, FactValue]:
    """Turn a message into plain values, the reverse of `facts_from_mapping`."""
    row = encode_facts(message)
    return {
        item.name: decode_value(item, float(number))
        for item, number in zip(facts(), row, strict=True)
        if not math.isnan(number)
    }


def encode_value(item: Fact, value: object) -> float:
    """Turn one plain value into a row's number; ValueError, or NotationError of a text, says what is allowed."""
    number = _plain_to_number(item, value)
    problem = _out_of_bounds(item, number)
    if problem:
        raise ValueError(problem)
    return number


def decode_value(item: Fact, number: float) -> FactValue:
    """Turn a row's number into the plain value."""
    match item.kind:
        case "flag":
            return bool(number)
        case "choice":
            return item.choices[int(number) - 1]
        case "duration":
            return duration_to_text(number)
        case "count":
            return round(number)
        case "number":
            return number


def value_to_notation(item: Fact, number: float) -> str:
    """Write a value as rules and use-case files write it, such as `7d` or `LABEL`."""
    value = decode_value(item, number)
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def value_to_text(item: Fact, number: float, digits: int = 3) -> str:
    """Write a value for people, such as `7 days`, `35%` or `2,000`; shares and durations to so many digits."""
    match item.kind:
        case "flag":
            return "yes" if number else "no"
        case "duration":
            return _duration_to_words(number, digits)
        case "count" if item.unit == "parameters" and number >= 1e6:
            size, name = (1e9, "billion") if number >= 1e9 else (1e6, "million")
            return f"{number / size:,.{digits + 1}g} {name}"
        case "count":
            return f"{number:,.0f}"
        case "number" if item.unit in BARE_UNITS:
            return f"{float(f'{100 * number:.{digits}g}'):g}%"  # 100, not 1e+02
        case "number":
            return f"${number:,.10g}"
        case "choice":
            return item.choices[int(number) - 1].lower().replace("_", " ")


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Return a hint such as `; did you mean "task"?`, or the allowed names where none is near."""
    names = list(allowed)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else f"; allowed: {', '.join(names)}"


def _fact_from_field(field: Any) -> Fact:
    options = field.GetOptions().Extensions[annotations_pb2.fact]
    choices: tuple[str, ...] = ()
    if field.enum_type is not None:
        names = [value.name for value in field.enum_type.values]
        prefix = len(names[0].removesuffix("UNSPECIFIED"))
        choices = tuple(name[prefix:] for name in names[1:])
    kind = _kind(field)
    minimum = {"choice": 1.0}.get(kind, options.minimum)
    maximum = {"choice": float(len(choices)), "flag": 1.0}.get(kind, options.maximum)
    return Fact(
        name=field.name,
        kind=kind,
        group=annotations_pb2.FactGroup.Name(options.group).removeprefix("FACT_GROUP_").lower(),
        unit=options.unit,
        minimum=minimum,
        maximum=maximum,
        usual=(options.usual_minimum, options.usual_maximum) if options.usual_maximum else (minimum, maximum),
        title=options.title,
        question=options.question,
        measure=options.measure,
        choices=choices,
    )


def _kind(field: Any) -> Kind:
    kinds: dict[int, Kind] = {
        FieldDescriptor.TYPE_DOUBLE: "number",
        FieldDescriptor.TYPE_INT64: "count",
        FieldDescriptor.TYPE_BOOL: "flag",
        FieldDescriptor.TYPE_ENUM: "choice",
        FieldDescriptor.TYPE_MESSAGE: "duration",
    }
    return kinds[field.type]


def _fill_row(message: facts_pb2.Facts, row: Row, path: str) -> list[Violation]:
    """Write the known facts of a message into a row of NaN; return what is wrong with them."""
    violations = []
    specs = facts()
    for field, value in message.ListFields():
        item = specs[field.index]
        if item.kind == "duration":
            if fault := duration_fault(value):
                violations.append(Violation(f"{path}.{item.name}", fault))
                continue
            number = value.seconds + value.nanos / 1e9
        else:
            number = value  # counts stay whole: errors show them as they were sent
            if number == 0 and item.kind == "choice":
                continue  # the enum's UNSPECIFIED: unknown
        if not item.minimum <= number <= item.maximum:
            violations.append(Violation(f"{path}.{item.name}", _out_of_bounds(item, number)))
        row[field.index] = number
    return violations


def _out_of_bounds(item: Fact, number: float) -> str:
    """Say what is wrong with a number; empty where nothing is."""
    if item.minimum <= number <= item.maximum:
        return ""
    if item.kind == "choice":
        return f"{number:g} is not a value of the enum; allowed: {', '.join(item.choices)}"
    shown, low, high = (_bound_to_text(item, each) for each in (number, item.minimum, item.maximum))
    if shown in (low, high):  # outside by less than is written
        shown = repr(number)
    unit = "" if item.kind == "duration" or item.unit in BARE_UNITS else f" {item.unit}"
    return f"{shown} is out of bounds; allowed: {low} to {high}{unit}"


def _bound_to_text(item: Fact, number: float) -> str:
    if item.kind == "duration" and math.isfinite(number):
        return duration_to_text(number)
    if item.kind == "count":
        return f"{number:,}" if isinstance(number, int) else f"{number:,.0f}"
    return f"{number:,.12g}"


def _set_field(message: facts_pb2.Facts, name: str, value: object) -> None:
    if name not in fact_index():
        raise ValueError(f"there is no such fact{nearest(str(name), fact_index())}")
    item = fact(name)
    number = encode_value(item, value)
    if item.kind == "duration":
        nanos = round(number * 1e9)
        getattr(message, name).seconds, getattr(message, name).nanos = divmod(nanos, 10**9)
    else:
        converted: Any = {"flag": bool, "number": float}.get(item.kind, int)(number)
        setattr(message, name, converted)


def _plain_to_number(item: Fact, value: object) -> float:
    match item.kind:
        case "flag":
            if isinstance(value, bool):
                return float(value)
            raise ValueError(f"{value!r} is neither true nor false; write one of them, without quotes")
        case "choice":
            if isinstance(value, str) and value in item.choices:
                return item.choices.index(value) + 1.0
            raise ValueError(f"{value!r} is not a value of {item.name}{nearest(str(value), item.choices)}")
        case "duration":
            return parse_duration(str(value))
        case _:
            return _plain_to_float(item, value)


def _plain_to_float(item: Fact, value: object) -> float:
    if isinstance(value, str):
        value = parse_number(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        of_unit = "" if item.unit in BARE_UNITS else f" of {item.unit}"
        raise ValueError(f"{value!r} is not a number{of_unit}")
    try:
        number = float(value)
    except OverflowError:  # an integer of more than 308 digits
        number = math.inf if value > 0 else -math.inf
    if item.kind == "count" and math.isfinite(number) and not number.is_integer():
        raise ValueError(f"{value!r} is not a whole number of {item.unit}")
    return number


def _duration_to_words(seconds: float, digits: int) -> str:
    years = (("year", 31536000.0),) if seconds % 31536000 == 0 else ()
    units = (*years, ("day", 86400.0), ("hour", 3600.0), ("minute", 60.0), ("second", 1.0))
    for name, size in units:
        if seconds >= size or size == 1.0:
            amount = seconds / size
            text = f"{amount:.{digits}g}" if amount < 1000 else f"{amount:,.0f}"
            return f"{text} {name}" + ("" if text == "1" else "s")
    raise AssertionError("the last unit always matches")
