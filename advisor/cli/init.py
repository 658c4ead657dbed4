"""`advisor init`: a use-case file to fill in, with an id of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from advisor.cli.difference import listed
from advisor.cli.output import notices
from advisor.errors import ConfigurationError, InvalidInput
from advisor.knowledge.corpus import TAKEN, files_below
from advisor.knowledge.facts import fact
from advisor.knowledge.identity import new_id
from advisor.knowledge.usecasefile import read_examples, read_use_case

__all__ = ["has_material", "material_lines", "register", "tell_of_unreadable", "write_case"]

FACTS = {
    "task": "QUESTION_ANSWERING",
    "update_interval": "7d",
    "needs_citations": "true",
    "new_knowledge_share": "0.5",
    "labelled_examples": "0",
    "can_train": "true",
}
"""Facts that decide most, each with a value to show how it is written."""
UNREADABLE = frozenset((".doc", ".odt", ".rtf", ".epub", ".ppt", ".odp", ".xls", ".ods"))
"""What people keep documents in that is not read here."""
RECORDS = frozenset((".jsonl", ".ndjson"))
"""What holds examples as a rule, and documents sometimes."""
SHOWN = 3
EXAMPLES = "examples.jsonl"


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("init", rich_help_panel="Decide")(init)


def init(
    file: Annotated[Path, typer.Argument(help="File to write.")] = Path("use-case.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write a use-case file to fill in; documents and examples beside it are named in it."""
    if file.exists() and not force:
        raise InvalidInput.of(str(file), "is there already; choose another name, or add --force")
    write_case(file)
    notices().print(
        f"{file} written. Fill in what you know, then: advisor recommend {file}", markup=False, soft_wrap=True
    )


def write_case(file: Path) -> None:
    """Write a use-case file to fill in, and tell which documents beside it cannot be named in it."""
    try:
        file.write_text("\n".join(_lines(file)) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be written: {error.strerror}") from None
    read_use_case(file)
    tell_of_unreadable(file.absolute().parent)


def has_material(folder: Path) -> bool:
    """Return whether a folder holds documents or examples that a use-case file would name."""
    return any(_patterns(folder)) or (folder / EXAMPLES).is_file()


def material_lines(folder: Path) -> Iterator[str]:
    """Yield the lines of a use-case file that name the documents and examples in its folder, or comments."""
    patterns = ", ".join(f"'{each}'" for each in _patterns(folder))
    yield "# What to retrieve from: files, folders, .zip archives and patterns, from this folder."
    yield f"documents: [{patterns}]" if patterns else "# documents: ['**/*.md']"
    yield ""
    yield '# What to learn from: lines of {"question": "...", "answer": "..."}, and "context" where known.'
    yield f"examples: {EXAMPLES}" if (folder / EXAMPLES).is_file() else f"# examples: {EXAMPLES}"


def tell_of_unreadable(folder: Path) -> None:
    """Name documents in the folder, or in folders within it, whose format is not read; hidden ones are passed over."""
    found = [path.as_posix() for path in _files(folder) if path.suffix.lower() in UNREADABLE]
    if found:
        told = f"not read: {listed(found, SHOWN)}; convert to one of {', '.join(TAKEN)}"
        notices().print(told, markup=False, highlight=False, soft_wrap=True)


def _lines(file: Path) -> Iterator[str]:
    folder = file.absolute().parent
    yield "# A use case for advisor. Everything but the id may be left out: what is absent is unknown, never zero."
    yield f"id: {new_id(file)}   # under which servers keep it; a copy of this file needs another one"
    yield ""
    yield "# What the model is to do; it is told this with every question."
    yield "# description: Answer questions about ..."
    yield ""
    yield "# What you know, without the # before it. `advisor consult` asks for what matters, one by one."
    yield "facts:"
    for name, value in FACTS.items():
        item = fact(name)
        yield f"  # {item.question}"
        yield f"  # {name}: {value}{_others(name, value)}"
    yield ""
    yield from material_lines(folder)


def _others(name: str, value: str) -> str:
    others = [each for each in fact(name).choices if each != value]
    return f"   # or {', '.join(others)}" if fact(name).kind == "choice" else ""


def _patterns(folder: Path) -> Iterator[str]:
    """Yield a pattern for each kind of document, which reaches into folders where one of them holds some."""
    found = [each for each in _files(folder) if each.suffix.lower() in TAKEN and each != Path(EXAMPLES)]
    kinds = {each.suffix for each in found}
    for kind in sorted(kinds, key=lambda each: (TAKEN.index(each.lower()), each)):
        paths = [each for each in found if each.suffix == kind]
        if kind.lower() in RECORDS and any(_holds_examples(folder / each) for each in paths):
            continue
        yield f"**/*{kind}" if any(len(each.parts) > 1 for each in paths) else f"*{kind}"


def _holds_examples(path: Path) -> bool:
    """Return whether the first line of a file is an example."""
    try:
        return next(read_examples(path), None) is not None
    except (InvalidInput, OSError):
        return False


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder and in folders within it, as paths from there."""
    return (path.relative_to(folder) for path in files_below(folder))
