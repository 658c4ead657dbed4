"""Filters of lists and of what is found: a subset of AIP-160, read into conditions that PostgreSQL tests.

    filter      = [restriction ("AND" restriction)*]
    restriction = FIELD ("=" | "!=") value
    value       = WORD | '"' characters '"' | "'" characters "'"

Which fields there are, and the values of each, the list says. In quotes a
backslash takes the next character as it is. Nothing of a filter becomes part of
a query but as its parameter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import LiteralString

from advisor.errors import InvalidInput
from advisor.names import shown

__all__ = ["Condition", "FilterField", "parse_filter"]

CHARACTERS = 1_000
_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<sign><=|>=|!=|[=<>:(),])|(?P<word>[^\s"'=<>!:(),]+)"""
    r"""|(?P<other>\S))""",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class FilterField:
    """A field that a list can be filtered by.

    Attributes:
        column: What it is in a query.
        read: Returns what a value stands for; ValueError where it stands for nothing.
        allowed: Its values, in words.
    """

    column: LiteralString
    read: Callable[[str], bool | str]
    allowed: str

    @classmethod
    def of(cls, column: LiteralString, values: Mapping[str, bool | str]) -> FilterField:
        """Return a field with few values, by their names in lower case; how a client writes them is all one."""

        def read(value: str) -> bool | str:
            if value.lower() not in values:
                raise ValueError(value)
            return values[value.lower()]

        return cls(column, read, " or ".join(values))


@dataclass(frozen=True, slots=True)
class Condition:
    """One restriction of a filter.

    Attributes:
        column: What is tested.
        value: What it is compared with.
        equal: Whether it must be that, or must not.
    """

    column: LiteralString
    value: bool | str
    equal: bool

    @property
    def sql(self) -> LiteralString:
        """The test, with `%s` for the value."""
        return f"({self.column}) = %s" if self.equal else f"({self.column}) <> %s"


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int

    def value(self) -> str:
        """Return the text of a value, without its quotes; ValueError where it is none."""
        if self.kind == "quoted":
            return re.sub(r"\\(.)", r"\1", self.text[1:-1], flags=re.DOTALL)
        if self.kind == "word":
            return self.text
        raise ValueError(self.text)


def parse_filter(
    text: str,
    fields: Mapping[str, FilterField],
    field: str = "filter",
    *,
    example: str = "done = true AND state != failed",
) -> tuple[Condition, ...]:
    """Return the conditions that a filter asks for, all of which must hold; none where it is empty.

    Args:
        text: The filter.
        fields: What can be filtered by, under every name that it has.
        field: The request's field that holds the filter.
        example: A filter to show where this one cannot be read.

    Raises:
        InvalidInput: The filter cannot be read; the message names the part, and what is allowed.
    """
    if len(text) > CHARACTERS:
        raise InvalidInput.of(field, f"has {len(text):,} characters; at most {CHARACTERS:,} are allowed")
    try:
        return tuple(_conditions(list(_tokens(text)), fields))
    except ValueError as error:
        raise InvalidInput.of(field, f"{error}, as in {example}") from None


def _tokens(text: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or "other"
        yield _Token(kind, found[kind], found.start(kind))


def _conditions(tokens: list[_Token], fields: Mapping[str, FilterField]) -> Iterator[Condition]:
    end = _Token("end", "", -1)
    left = iter(tokens)
    token = next(left, None)
    while token is not None:
        yield _condition(token, next(left, end), next(left, end), fields)
        token = next(left, None)
        if token is not None:
            if (token.kind, token.text) != ("word", "AND"):
                raise _unexpected(token, "AND between restrictions, or the end")
            token = next(left, end)


def _condition(name: _Token, sign: _Token, value: _Token, fields: Mapping[str, FilterField]) -> Condition:
    if name.kind != "word" or name.text not in fields:
        raise _unexpected(name, f"one of the fields {', '.join(fields)}")
    if sign.text not in ("=", "!="):
        raise _unexpected(sign, f"= or != after {name.text}")
    known = fields[name.text]
    try:
        read = known.read(value.value())
    except ValueError:
        raise _unexpected(value, f"for {name.text} {known.allowed}") from None
    return Condition(known.column, read, sign.text == "=")


def _unexpected(token: _Token, allowed: str) -> ValueError:
    where = "at its end" if token.kind == "end" else f"{shown(token.text)} at character {token.at + 1}"
    return ValueError(f"cannot be read {where}; allowed: {allowed}")
