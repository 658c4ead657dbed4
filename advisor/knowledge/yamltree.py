"""YAML read with the place of every value, so that errors point at it.

Only what a knowledge base needs is allowed: mappings, sequences and scalars.
Aliases are refused, since a few lines of them can stand for gigabytes, and so
are files over 1 MiB.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from advisor.errors import RulesError
from advisor.knowledge.facts import nearest
from advisor.knowledge.notation import NotationError, parse_number

__all__ = ["MAX_DEPTH", "MAX_FILE_BYTES", "Document", "Entry", "Place", "read_yaml"]

MAX_FILE_BYTES = 1 << 20
MAX_DEPTH = 50
Mark = Any  # the C parser's marks and the Python ones share no base class
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a file, and a line and column from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file: its name for messages, its lines, and its bytes."""

    file: str
    lines: tuple[str, ...]
    content: bytes

    def error(self, mark: Mark, message: str, offset: int = 0) -> RulesError:
        """Return an error that points at a mark, or `offset` characters after it."""
        return self.error_at(mark.line, mark.column + offset, message)

    def error_at(self, number: int, column: int, message: str) -> RulesError:
        """Return an error that points at a line and a column, both from 0."""
        line = self.lines[number] if number < len(self.lines) else ""
        return RulesError(f"{self.file}:{number + 1}:{column + 1}: {message}\n{line}\n{' ' * column}^")


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of a YAML file, with its place."""

    document: Document
    node: yaml.Node

    @property
    def place(self) -> Place:
        """Where the value starts."""
        mark = self.node.start_mark
        return Place(self.document.file, mark.line + 1, mark.column + 1)

    def error(self, message: str) -> RulesError:
        """Return an error that points at this value."""
        return self.document.error(self.node.start_mark, message)

    def error_at(self, message: str, offset: int) -> RulesError:
        """Return an error that points `offset` characters into this scalar's text."""
        if self.node.start_mark.line != self.node.end_mark.line:
            return self.error(message)  # folded or literal: the text is not the line's
        quoted = isinstance(self.node, yaml.ScalarNode) and self.node.style in ("'", '"')
        return self.document.error(self.node.start_mark, message, offset + quoted)

    def error_at_words(self, message: str, words: str) -> RulesError:
        """Return an error that points at the first such words in this scalar, which may go over several lines."""
        first, last = self.node.start_mark, self.node.end_mark
        for number, line in enumerate(self.document.lines[first.line : last.line + 1], first.line):
            column = line.find(words, first.column if number == first.line else 0)
            if column >= 0:
                return self.document.error_at(number, column, message)
        return self.error(message)

    def notation_error(self, error: NotationError) -> RulesError:
        """Return an error that points at the character that the notation stumbled over."""
        return self.error_at(str(error), error.column)

    def mapping(self, allowed: Sequence[str] = (), required: Sequence[str] = ()) -> dict[str, Entry]:
        """Return the values by key; any key where none are named as allowed."""
        entries, faults = self.gather(allowed)
        if faults:
            raise faults[0]
        for key in required:
            if key not in entries:
                raise self.error(f"the key {key!r} is missing")
        return entries

    def gather(self, allowed: Sequence[str] = ()) -> tuple[dict[str, Entry], list[RulesError]]:
        """Return the values by key, and every key that is at fault; any key where none are named as allowed."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.error(f"expected a mapping, found {self._what()}")
        entries: dict[str, Entry] = {}
        faults = []
        for key_node, value_node in self.node.value:
            key_entry, value = Entry(self.document, key_node), Entry(self.document, value_node)
            key = key_entry.text()
            if key in entries:
                faults.append(key_entry.error(f"{key!r} stands here twice"))
            elif allowed and key not in allowed:
                faults.append(key_entry.error(f"{key!r} is not a key here{nearest(key, allowed)}"))
            else:
                entries[key] = value
        return entries, faults

    def keys(self) -> dict[str, Entry]:
        """Return the keys of a mapping as entries, to point at them."""
        return {node.value: Entry(self.document, node) for node, _ in self.node.value}

    @property
    def is_null(self) -> bool:
        """Whether nothing stands there."""
        return str(self.node.tag).endswith(":null")

    @property
    def is_mapping(self) -> bool:
        """Whether it is a mapping."""
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_sequence(self) -> bool:
        """Whether it is a list."""
        return isinstance(self.node, yaml.SequenceNode)

    def sequence(self) -> Iterator[Entry]:
        """Iterate over the items of a sequence."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error(f"expected a list, found {self._what()}")
        for node in self.node.value:
            yield Entry(self.document, node)

    def text(self) -> str:
        """Return a scalar as it is written."""
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.error(f"expected a value, found {self._what()}")
        return str(self.node.value)

    def number(self) -> float:
        """Return a finite number."""
        try:
            return parse_number(self.text())
        except NotationError as error:
            raise self.notation_error(error) from None

    def plain(self) -> object:
        """Return a boolean or None where YAML reads one, else the text; numbers stay text."""
        match self.node.tag.rpartition(":")[2]:
            case "bool":
                return self.text().lower() in ("true", "yes", "on")
            case "null":
                return None
            case _:
                return self.text()

    def _what(self) -> str:
        if self.is_mapping:
            return "a mapping"
        return "a list" if self.is_sequence else repr(self.node.value)


def read_yaml(path: Path) -> Entry:
    """Read a YAML file.

    Raises:
        RulesError: The file is missing, too large, not UTF-8 or not YAML.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise RulesError(f"{path}: over {MAX_FILE_BYTES:,} bytes, the most allowed; make it smaller")
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
        document = Document(str(path), tuple(text.splitlines()), content)
        _refuse_what_explodes(text, document)
        node = yaml.compose(text, Loader=_Loader)
    except OSError as error:
        raise RulesError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RulesError(f"{path}: not UTF-8 text: {error.reason} at byte {error.start}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.context_mark if _pattern(error, text) else error.problem_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise RulesError(f"{path}{where}: not YAML: {_problem(error, text)}") from error
    except yaml.YAMLError as error:
        raise RulesError(f"{path}: not YAML: {error}") from error
    if node is None:
        raise RulesError(f"{path}: the file is empty")
    return Entry(document, node)


def _problem(error: yaml.MarkedYAMLError, text: str) -> str:
    """Return what the parser found; by its name what it only calls a character."""
    if error.problem_mark and text.startswith("\t", error.problem_mark.index):
        return "a tab, which YAML does not take for indentation; write spaces"
    if pattern := _pattern(error, text):
        return f"a value that begins with * is an alias; put the pattern in quotes: '{pattern}'"
    return str(error.problem)


def _pattern(error: yaml.MarkedYAMLError, text: str) -> str:
    """Return the pattern, such as `*.md`, that the parser took for an alias; empty where it found another fault."""
    if error.context != "while scanning an alias" or not error.context_mark:
        return ""
    return re.split(r"[\s,\]}]", text[error.context_mark.index :], maxsplit=1)[0]


def _refuse_what_explodes(text: str, document: Document) -> None:
    """Refuse aliases and deep nesting before anything is built: the composer recurses, and C has no guard."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            raise document.error(
                event.start_mark,
                f"*{event.anchor} is an alias; write out what it stands for instead, or put a pattern in quotes",
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise document.error(event.start_mark, f"nested more than {MAX_DEPTH} levels deep; flatten it")
