"""What an import sends: a header, the content in messages of bounded size, and the commit."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from advisor.v1 import use_case_pb2
from advisor.v1 import use_case_service_pb2 as use_cases_pb2
from backends.base import Example

__all__ = [
    "document_messages",
    "example_messages",
    "example_of",
    "example_sha256",
    "import_header",
    "read_document",
    "source_of",
]

CHUNK_BYTES = 1024 * 1024


def source_of(path: Path, root: Path | None) -> str:
    """Return the source of a file's document: its path from `root`, the same on every system."""
    return str(path) if root is None else Path(os.path.relpath(path, root)).as_posix()


def import_header(use_case: str, *, mirror: bool) -> use_cases_pb2.ImportHeader:
    """Return the header of an import that is carried out once, however often it is sent."""
    return use_cases_pb2.ImportHeader(use_case=use_case, request_id=str(uuid.uuid4()), mirror=mirror)


def read_document(path: Path, root: Path | None) -> use_case_pb2.Document:
    """Return a file as a document; OSError where it cannot be read."""
    return use_case_pb2.Document(source=source_of(path, root), content=path.read_bytes())


def example_of(given: Example | use_case_pb2.Example | Mapping[str, str]) -> use_case_pb2.Example:
    """Return an example, given as a message, as a value or by the names of its fields."""
    if isinstance(given, use_case_pb2.Example):
        return given
    if isinstance(given, Example):
        return use_case_pb2.Example(question=given.question, answer=given.answer, context=given.context or "")
    return use_case_pb2.Example(**given)


def example_sha256(example: use_case_pb2.Example) -> str:
    """Return the hash of an example's content, by which the store tells examples apart."""
    return hashlib.sha256(_content(example)).hexdigest()


def _content(example: use_case_pb2.Example) -> bytes:
    return f"{example.question}\0{example.answer}\0{example.context}\0".encode()


def document_messages(
    header: use_cases_pb2.ImportHeader, documents: Sequence[use_case_pb2.Document]
) -> Iterator[use_cases_pb2.ImportDocumentsRequest]:
    """Yield the messages of an import of documents."""
    digest = hashlib.sha256()
    yield use_cases_pb2.ImportDocumentsRequest(header=header)
    for document in documents:
        digest.update(document.content)
        first = use_case_pb2.Document(
            source=document.source, media_type=document.media_type, content=document.content[:CHUNK_BYTES]
        )
        yield use_cases_pb2.ImportDocumentsRequest(document=first)
        for start in range(CHUNK_BYTES, len(document.content), CHUNK_BYTES):
            chunk = document.content[start : start + CHUNK_BYTES]
            yield use_cases_pb2.ImportDocumentsRequest(chunk=chunk)
    commit = use_cases_pb2.ImportCommit(count=len(documents), sha256=digest.hexdigest())
    yield use_cases_pb2.ImportDocumentsRequest(commit=commit)


def example_messages(
    header: use_cases_pb2.ImportHeader, examples: Sequence[use_case_pb2.Example]
) -> Iterator[use_cases_pb2.ImportExamplesRequest]:
    """Yield the messages of an import of examples."""
    digest = hashlib.sha256()
    yield use_cases_pb2.ImportExamplesRequest(header=header)
    batch = use_cases_pb2.ExampleBatch()
    size = 0
    for example in examples:
        digest.update(_content(example))
        if size and size + example.ByteSize() > CHUNK_BYTES // 2:
            yield use_cases_pb2.ImportExamplesRequest(batch=batch)
            batch, size = use_cases_pb2.ExampleBatch(), 0
        batch.examples.append(example)
        size += example.ByteSize()
    if batch.examples:
        yield use_cases_pb2.ImportExamplesRequest(batch=batch)
    commit = use_cases_pb2.ImportCommit(count=len(examples), sha256=digest.hexdigest())
    yield use_cases_pb2.ImportExamplesRequest(commit=commit)
