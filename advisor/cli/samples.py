"""The use cases under `examples/` as files: what their `source.py` reads, written out for any command to take up."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import ModuleType

from advisor.cli.demo_sources import LIBRARIES, PACKAGES, SETTINGS, examples_folder, load_source
from advisor.cli.importing import FILE
from advisor.errors import InvalidInput
from advisor.v1 import use_case_pb2
from backends.base import Example

__all__ = ["NAMES", "Sample", "sample", "write_samples"]

NAMES = (PACKAGES, SETTINGS, LIBRARIES)
MOST = 100


@dataclass(frozen=True, slots=True)
class Sample:
    """A use case with all its data.

    Attributes:
        text: Its use-case file.
        documents: What answers rest on; none for some.
        examples: To learn from.
        held_out: To measure on.
    """

    text: str
    documents: Sequence[use_case_pb2.Document]
    examples: Sequence[Example]
    held_out: Sequence[Example]


def sample(name: str) -> Sample:
    """Return a use case under `examples/`, as installed packages have its data now.

    Raises:
        ConfigurationError: There are no examples here.
    """
    source = load_source(name)
    text = (examples_folder() / name / FILE).read_text(encoding="utf-8")
    documents = source.documents() if hasattr(source, "documents") else []
    return Sample(text, documents, *_split(source))


def write_samples(folder: Path) -> Iterator[Path]:
    """Write every use case into a folder of its own, and yield its file as it is there.

    Raises:
        InvalidInput: The folder holds something already, or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidInput.of("--write", f"{folder} is not empty; name a new folder")
    for name in NAMES:
        try:
            yield _write(folder / name, sample(name))
        except OSError as error:
            raise InvalidInput.of("--write", f"{error.filename}: {error.strerror}") from None


def _split(source: ModuleType) -> tuple[Sequence[Example], Sequence[Example]]:
    """Return what is learnt from and what is asked: where nothing was set aside to learn, what nobody is shown."""
    if hasattr(source, "examples"):
        return source.examples(), source.questions()
    return source.questions(MOST, shown=False), source.questions(MOST)


def _write(folder: Path, given: Sample) -> Path:
    folder.mkdir(parents=True)
    lists = ["examples: examples.jsonl"]
    for each in given.documents:
        path = folder / "documents" / each.source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(each.content)
    if given.documents:
        lists.append("documents: [documents]")
    with (folder / "examples.jsonl").open("w", encoding="utf-8") as lines:
        for is_held_out, examples in ((False, given.examples), (True, given.held_out)):
            for example in examples:
                values = asdict(replace(example, held_out=is_held_out))
                lines.write(f"{json.dumps({name: value for name, value in values.items() if value})}\n")
    path = folder / FILE
    path.write_text(f"{given.text.rstrip()}\n{chr(10).join(lists)}\n", encoding="utf-8")
    return path
