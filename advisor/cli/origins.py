"""The files that a use case is kept in step with, as the store remembers them: each by its machine and its path."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from advisor.errors import InvalidInput
from advisor.knowledge.usecasefile import UseCaseFile, read_examples, read_use_case
from advisor.names import document_name, example_name, source_hash
from advisor.v1 import use_case_pb2

__all__ = ["files_naming", "origin_of", "other_origins"]


def origin_of(path: Path) -> str:
    """Return what the store remembers of a file."""
    return f"{_here()}{path.resolve()}"


def other_origins(stored: use_case_pb2.UseCase, origin: str) -> list[str]:
    """Return the origins of a use case but for one; a file on this machine that is there no more was moved."""
    return [
        each
        for each in stored.origins
        if each != origin and not (each.startswith(_here()) and not _path(each).exists())
    ]


def files_naming(stored: use_case_pb2.UseCase, name: str) -> list[Path]:
    """Return the files on this machine, of those of a use case, that name a document or an example of it.

    Args:
        stored: The use case.
        name: Resource name of the document or the example.
    """
    found = []
    for path in (_path(each) for each in stored.origins if each.startswith(_here())):
        with suppress(InvalidInput, OSError):  # what cannot be read brings nothing into the store either
            if name in _names(read_use_case(path)):
                found.append(path)
    return found


def _names(case: UseCaseFile) -> Iterator[str]:
    """Yield the resource names of the documents and examples that a file names."""
    from advisor.client.uploads import example_sha256, sources_of

    folder = case.path.absolute().parent
    for path in case.documents:
        for source in sources_of(path, folder):
            yield document_name(case.stored_id, source_hash(source))
    for example in read_examples(case.examples) if case.examples is not None else ():
        yield example_name(case.stored_id, example_sha256(example))


def _here() -> str:
    return f"{socket.gethostname()}:"


def _path(origin: str) -> Path:
    return Path(origin.removeprefix(_here()))
