"""Use-case files: YAML that says what a use case is and what there is to work with.

id: manuals-4f2a1c                # under which servers keep it; `advisor init` writes one
description: Answer questions about the product manuals.
facts: {update_interval: 7d, needs_citations: true}
documents: [manuals, '*.pdf']     # files, folders, .zip archives and patterns, from the file's folder
examples: examples.jsonl          # lines of {"question": ..., "answer": ..., "context": ..., "held_out": true}
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from advisor.errors import InvalidInput, RulesError, Violation
from advisor.knowledge.corpus import LeftOut, Named, documents_named, is_archive, members_of
from advisor.knowledge.facts import fact_index, facts_from_mapping
from advisor.knowledge.inventory import Inventory
from advisor.knowledge.yamltree import Entry, read_yaml
from advisor.names import ID_RULE, is_id
from advisor.v1 import facts_pb2, use_case_pb2
from backends.counts import counted

__all__ = [
    "MAX_LINE_CHARACTERS",
    "UseCaseFile",
    "read_examples",
    "read_use_case",
    "take_stock",
]

MAX_DESCRIPTION_CHARACTERS = 4000
MAX_LINE_CHARACTERS = 1_000_000
_MOST_LINE_BYTES = 4 * MAX_LINE_CHARACTERS + 2
MOST_FAULTS = 20
"""Bad lines of an examples file that are told one by one."""
_KEYS = ("id", "description", "facts", "documents", "examples")


@dataclass(frozen=True, slots=True)
class UseCaseFile:
    """What a use-case file says.

    Attributes:
        path: The file.
        id: Last part of the use case's resource name; None where the file has none.
        description: What it is.
        facts: What is known about it.
        documents: Files to retrieve from, in order and without repeats; a .zip stands for the documents in it.
        examples: JSONL file of examples; None without one.
        patterns: Paths and patterns of the documents, as the file writes them.
        unmatched: Patterns that no file matches: misspelt, or their files are gone, which the store can tell.
        left_out: What patterns, folders and archives hold and is not imported.
    """

    path: Path
    id: str | None
    description: str
    facts: facts_pb2.Facts
    documents: tuple[Path, ...]
    examples: Path | None
    patterns: tuple[str, ...] = ()
    unmatched: tuple[Violation, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    @property
    def stored_id(self) -> str:
        """The id under which servers keep it; InvalidInput where the file has none."""
        if self.id is None:
            raise InvalidInput.of(str(self.path), "has no id; advisor import writes one into it")
        return self.id


class _Faults:
    """What is wrong with a file, gathered so that all of it is told at once."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Note the fault that the block ends with, and go on after it."""
        try:
            yield
        except InvalidInput as error:
            self.violations += error.violations
        except RulesError as error:
            self.add(error)

    def add(self, error: RulesError) -> None:
        """Note a fault."""
        self.violations.append(_violation(error))

    def tell(self) -> None:
        """Raise all that was gathered; nothing where nothing was."""
        if self.violations:
            raise InvalidInput(self.violations)


def read_use_case(path: Path) -> UseCaseFile:
    """Read a use-case file.

    Raises:
        InvalidInput: The file is not such YAML, or paths in it lead nowhere: every fault, with its place as field.
    """
    faults = _Faults()
    case = None
    with faults.gathered():
        case = _read(path, faults)
    faults.tell()
    assert case is not None, "without a file there is a fault"  # noqa: S101 - for the type checker
    return case


def _read(path: Path, faults: _Faults) -> UseCaseFile:
    entries, unknown = read_yaml(path).gather(_KEYS)
    for error in unknown:
        faults.add(error)
    entries = {key: entry for key, entry in entries.items() if not entry.is_null}
    use_case_id, description, examples = None, "", None
    with faults.gathered():
        use_case_id = _read_id(entries.get("id"))
    with faults.gathered():
        description = _read_description(entries.get("description"))
    facts = _read_facts(entries.get("facts"), faults)
    later = _Faults()
    with later.gathered():
        examples = _read_examples_path(entries.get("examples"), path.parent)
    documents = _read_documents(entries.get("documents"), path.parent, examples, faults)
    faults.violations += later.violations
    return UseCaseFile(
        path=path,
        id=use_case_id,
        description=description,
        facts=facts,
        documents=tuple(dict.fromkeys(file for _, named in documents for file in named.files)),
        examples=examples,
        patterns=tuple(item.text() for item, _ in documents),
        unmatched=tuple(_violation(item.error(named.nothing)) for item, named in documents if named.nothing),
        left_out=tuple(each for _, named in documents for each in named.left_out),
    )


def read_examples(path: Path) -> Iterator[use_case_pb2.Example]:
    """Read examples from a JSONL file, one after the other.

    Raises:
        InvalidInput: Lines are not examples; each is told with its place, after the last of those that are.
    """
    faults, more = _Faults(), 0
    with path.open("rb") as lines:
        for number, line in enumerate(_bounded(lines), 1):
            if not line.strip():
                continue
            if len(faults.violations) >= MOST_FAULTS:
                more += not _is_example(line)
                continue
            with faults.gathered():
                yield _read_example(line, f"{path}:{number}")
    if more:
        faults.violations.append(Violation(str(path), f"and {counted(more, 'more line')} like these"))
    faults.tell()


def _bounded(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file, of one that is too long its beginning alone."""
    while line := file.readline(_MOST_LINE_BYTES):
        piece = line
        while len(piece) == _MOST_LINE_BYTES and not piece.endswith(b"\n"):
            piece = file.readline(_MOST_LINE_BYTES)
        yield line


def take_stock(case: UseCaseFile) -> Inventory:
    """Return what a file lists, as the store would count it.

    Raises:
        InvalidInput: A pattern matches no file, or as `read_examples` does.
        OSError: A file cannot be read.
    """
    if case.unmatched:
        raise InvalidInput(case.unmatched)
    examples = read_examples(case.examples) if case.examples is not None else ()
    sizes = [size for path in case.documents for size in _sizes(path)]
    differing = {(each.question, each.answer, each.context, each.held_out) for each in examples}
    held_out = sum(each[-1] for each in differing)
    return Inventory(len(sizes), sum(sizes), len(differing) - held_out, held_out=held_out)


def _sizes(path: Path) -> list[int]:
    """Return the size of each document that a file is or holds."""
    return [size for _, size in members_of(path)] if is_archive(path) else [path.stat().st_size]


def _is_example(line: bytes) -> bool:
    try:
        _read_example(line, "")
    except InvalidInput:
        return False
    return True


def _read_example(line: bytes, place: str) -> use_case_pb2.Example:
    too_long = f"more than the {MAX_LINE_CHARACTERS:,} characters allowed; shorten the example"
    if len(line) >= _MOST_LINE_BYTES:
        raise InvalidInput.of(place, too_long)
    try:
        text = line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InvalidInput.of(
            place, f"not UTF-8: {error.reason} at byte {error.start + 1}; save the file as UTF-8"
        ) from None
    if len(text) > MAX_LINE_CHARACTERS:
        raise InvalidInput.of(place, too_long)
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput.of(place, f"not JSON: {error.msg} at column {error.colno}") from None
    except (ValueError, RecursionError):  # numbers of thousands of digits, lists within lists without end
        raise InvalidInput.of(place, "not JSON that can be read; write an object of texts a line") from None
    if not isinstance(values, Mapping):
        raise InvalidInput.of(place, 'not an object; write {"question": "...", "answer": "..."}')
    fields = {key: values.get(key) for key in ("question", "answer", "context")}
    for key, value in fields.items():
        if value is not None and not isinstance(value, str):
            raise InvalidInput.of(
                place, f"{key!r} is {json.dumps(value)[:80]}, which is no text; put it in quotes"
            )
        if key != "context" and not (value and value.strip()):
            others = [each for each in values if each not in fields]
            close = difflib.get_close_matches(key, others, n=1)
            hint = f"is {close[0]!r} meant for it? " if close else ""
            raise InvalidInput.of(
                place, f"the example has no {key!r}; {hint}every example needs a question and an answer"
            )
    texts = {key: value for key, value in fields.items() if value}
    return use_case_pb2.Example(**texts, held_out=_read_held_out(values.get("held_out", False), place))


def _read_held_out(value: object, place: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput.of(
            place, f"'held_out' is {json.dumps(value)[:80]}; write true to keep the example to measure on"
        )
    return value


def _read_id(entry: Entry | None) -> str | None:
    if entry is None:
        return None
    if not is_id(entry.text()):
        raise entry.error(f"{entry.text()!r} is not an id; write {ID_RULE}")
    return entry.text()


def _read_description(entry: Entry | None) -> str:
    if entry is None:
        return ""
    if len(entry.text()) > MAX_DESCRIPTION_CHARACTERS:
        raise entry.error(
            f"{len(entry.text()):,} characters; at most {MAX_DESCRIPTION_CHARACTERS:,} are allowed"
        )
    return entry.text().strip()


def _read_facts(entry: Entry | None, faults: _Faults) -> facts_pb2.Facts:
    message = facts_pb2.Facts()
    entries: dict[str, Entry] = {}
    with faults.gathered():
        entries, twice = entry.gather() if entry else ({}, [])
        for error in twice:
            faults.add(error)
    keys = entry.keys() if entries and entry else {}
    for name, value in entries.items():
        if value.is_null and name in fact_index():
            continue
        with faults.gathered():
            try:
                message.MergeFrom(facts_from_mapping({name: value.plain()}))
            except InvalidInput as error:
                # A name that is no fact is at fault itself, and else its value.
                at = value if name in fact_index() else keys[name]
                raise at.error(str(error).removeprefix("facts.")) from None
    return message


def _read_documents(
    entry: Entry | None, folder: Path, examples: Path | None, faults: _Faults
) -> list[tuple[Entry, Named]]:
    """Return what the file lists, each with what it stands for; a pattern may match nothing."""
    found = []
    with faults.gathered():
        for item in _one_or_more(entry):
            with faults.gathered():
                found.append((item, documents_named(item, folder, examples)))
    return found


def _violation(error: RulesError) -> Violation:
    """Return a fault of a file: its place, and the line that tells of it."""
    place, _, message = str(error).partition("\n")[0].partition(": ")
    return Violation(place, message)


def _read_examples_path(entry: Entry | None, folder: Path) -> Path | None:
    if entry is None:
        return None
    path = folder / entry.text()
    if not path.is_file():
        raise entry.error(f"there is no file {str(path)!r}")
    return path


def _one_or_more(entry: Entry | None) -> Iterator[Entry]:
    if entry is None:
        return iter(())
    return entry.sequence() if entry.is_sequence else iter((entry,))
