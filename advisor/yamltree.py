"""YAML read with the place of every value, so that errors point at it.

Only what a knowledge base needs is allowed: mappings, sequences and scalars.
Aliases are refused, since a few lines of them can stand for gigabytes, and so
are files over 1 MiB.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from advisor.errors import RulesError
from advisor.facts import nearest
from advisor.notation import NotationError, parse_number

__all__ = ["MAX_FILE_BYTES", "Document", "Entry", "Place", "read_yaml"]

MAX_FILE_BYTES = 1 << 20
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
    """A YAML file: its name for messages, and its lines."""

    file: str
    lines: tuple[str, ...]


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

    def error(self, message: str, offset: int = 0) -> RulesError:
        """Return an error that points at this value, or `offset` characters into it."""
        place = self.place
        column = place.column + offset
        line = self.document.lines[place.line - 1] if place.line <= len(self.document.lines) else ""
        caret = " " * (column - 1) + "^"
        return RulesError(f"{place.file}:{place.line}:{column}: {message}\n{line}\n{caret}")

    def notation_error(self, error: NotationError) -> RulesError:
        """Return an error that points at the character that the notation stumbled over."""
        quoted = 1 if isinstance(self.node, yaml.ScalarNode) and self.node.style in ("'", '"') else 0
        return self.error(str(error), error.column + quoted)

    def mapping(self, allowed: Sequence[str] = (), required: Sequence[str] = ()) -> dict[str, Entry]:
        """Return the values by key; any key where none are named as allowed."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.error(f"expected a mapping, found {self._what()}")
        entries: dict[str, Entry] = {}
        for key_node, value_node in self.node.value:
            key_entry, value = Entry(self.document, key_node), Entry(self.document, value_node)
            key = key_entry.text()
            if key in entries:
                raise key_entry.error(f"{key!r} stands here twice")
            if allowed and key not in allowed:
                raise key_entry.error(f"{key!r} is not a key here{nearest(key, allowed)}")
            entries[key] = value
        for key in required:
            if key not in entries:
                raise self.error(f"the key {key!r} is missing")
        return entries

    def keys(self) -> dict[str, Entry]:
        """Return the keys of a mapping as entries, to point at them."""
        return {node.value: Entry(self.document, node) for node, _ in self.node.value}

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
            number = parse_number(self.text())
        except NotationError as error:
            raise self.notation_error(error) from None
        if not math.isfinite(number):
            raise self.error(f"{self.text()} is not a finite number")
        return number

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
        if isinstance(self.node, yaml.MappingNode):
            return "a mapping"
        return "a list" if self.is_sequence else repr(self.node.value)


def read_yaml(path: Path) -> Entry:
    """Read a YAML file.

    Raises:
        RulesError: The file is missing, too large, not UTF-8 or not YAML.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise RulesError(f"{path}: {path.stat().st_size:,} bytes; at most {MAX_FILE_BYTES:,} are allowed")
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=_Loader)
    except OSError as error:
        raise RulesError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RulesError(f"{path}: not UTF-8 text: {error.reason} at byte {error.start}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise RulesError(f"{path}{where}: not YAML: {error.problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise RulesError(f"{path}: not YAML: {error}") from error
    if node is None:
        raise RulesError(f"{path}: the file is empty")
    root = Entry(Document(str(path), tuple(text.splitlines())), node)
    _refuse_aliases(root)
    return root


def _refuse_aliases(root: Entry) -> None:
    # The composer gives every alias the one node of its anchor, so a node met twice is an alias.
    seen: set[int] = set()
    nodes = [root.node]
    while nodes:
        node = nodes.pop()
        if isinstance(node, yaml.ScalarNode):
            continue
        if id(node) in seen:
            raise Entry(root.document, node).error("an alias uses this value again; write it out instead")
        seen.add(id(node))
        nodes.extend(child for item in node.value for child in (item if isinstance(item, tuple) else (item,)))
