"""What an import sends: a header, the content in messages of bounded size, and the commit.

Files are read while they are sent, in gRPC's thread, where an error would be
lost: it is kept, the import ends without its commit, and the error is raised
where the call was made.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from advisor.errors import InvalidInput
from advisor.knowledge.corpus import is_archive, members_of
from advisor.names import example_content
from advisor.v1 import use_case_pb2
from advisor.v1 import use_case_service_pb2 as use_cases_pb2
from backends.base import DocumentError, Example
from backends.documents.archives import members
from backends.documents.reading import MAX_DOCUMENT_BYTES, SUFFIXES

__all__ = [
    "DocumentUpload",
    "example_messages",
    "example_of",
    "example_sha256",
    "hashes_of",
    "import_header",
    "source_of",
    "sources_of",
]

CHUNK_BYTES = 1024 * 1024


def source_of(path: Path, root: Path | None) -> str:
    """Return the source of a file's document: its path from `root`, the same on every system."""
    return str(path) if root is None else Path(os.path.relpath(path, root)).as_posix()


def import_header(use_case: str, *, mirror: bool, strict: bool = False) -> use_cases_pb2.ImportHeader:
    """Return the header of an import that is carried out once, however often it is sent."""
    request_id = str(uuid.uuid4())
    return use_cases_pb2.ImportHeader(use_case=use_case, request_id=request_id, mirror=mirror, strict=strict)


def sources_of(path: Path, root: Path | None) -> Iterator[str]:
    """Yield the source of each document that a file is or, as an archive, holds."""
    source = source_of(path, root)
    if is_archive(path):
        yield from (f"{source}/{member}" for member, _ in members_of(path))
    else:
        yield source


def hashes_of(path: Path, root: Path | None) -> Iterator[tuple[str, str]]:
    """Yield the source of each document that a file is or holds, and the SHA-256 of its content."""
    for source, pieces in _read(path, root):
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
        yield source, digest.hexdigest()


def _read(path: Path, root: Path | None) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield each document that a file is or holds: its source, and its content in pieces."""
    source = source_of(path, root)
    if not is_archive(path):
        yield source, _pieces_of(path)
        return
    with path.open("rb") as content:
        for member, whole in members(str(path), content, suffixes=SUFFIXES):
            yield f"{source}/{member}", _cut(whole)


def _pieces_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as content:
        while piece := content.read(CHUNK_BYTES):
            yield piece


def _cut(content: bytes) -> Iterator[bytes]:
    return (content[start : start + CHUNK_BYTES] for start in range(0, len(content), CHUNK_BYTES))


class DocumentUpload:
    """An import of documents, which are read as they are sent.

    Args:
        header: What the import begins with.
        documents: Documents given whole, or as paths of files; a .zip stands for the documents in it.
        root: Folder from which the sources of files are told; as the paths are given where None.

    Raises:
        InvalidInput: There are none, and the import would delete none.
        DocumentError: An archive is none, or is not safe to unpack; a file is larger than any document may be.
        OSError: A file cannot be opened.
    """

    def __init__(
        self,
        header: use_cases_pb2.ImportHeader,
        documents: Iterable[Path | str | use_case_pb2.Document],
        root: Path | None = None,
    ) -> None:
        self._header = header
        self._given = [each if isinstance(each, use_case_pb2.Document) else Path(each) for each in documents]
        self._root = root
        self._error: Exception | None = None
        # All are looked at, since most of what can be wrong with files is known before anything is sent.
        if not sum(map(_count, self._given)) and not header.mirror:
            hint = "none are given; does the pattern match files where you run this?"
            raise InvalidInput.of("documents", hint)

    def messages(self) -> Iterator[use_cases_pb2.ImportDocumentsRequest]:
        """Yield the messages; they end without the commit where a file cannot be read."""
        try:
            yield from self._messages()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where the call was made
            self._error = error

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Raise what ended the messages in place of what the server said of it."""
        try:
            yield
        except grpc.RpcError:
            if self._error is not None:
                raise self._error from None
            raise

    def _messages(self) -> Iterator[use_cases_pb2.ImportDocumentsRequest]:
        digest, count = hashlib.sha256(), 0
        yield use_cases_pb2.ImportDocumentsRequest(header=self._header)
        for document, pieces in self._documents():
            document.content = next(pieces, b"")
            digest.update(document.content)
            yield use_cases_pb2.ImportDocumentsRequest(document=document)
            for piece in pieces:
                digest.update(piece)
                yield use_cases_pb2.ImportDocumentsRequest(chunk=piece)
            count += 1
        commit = use_cases_pb2.ImportCommit(count=count, sha256=digest.hexdigest())
        yield use_cases_pb2.ImportDocumentsRequest(commit=commit)

    def _documents(self) -> Iterator[tuple[use_case_pb2.Document, Iterator[bytes]]]:
        """Yield each document without its content, and that in pieces."""
        for each in self._given:
            if isinstance(each, use_case_pb2.Document):
                empty = use_case_pb2.Document(source=each.source, media_type=each.media_type)
                yield empty, _cut(each.content)
                continue
            for source, pieces in _read(each, self._root):
                yield use_case_pb2.Document(source=source), pieces


def _count(given: Path | use_case_pb2.Document) -> int:
    """Return how many documents are given by one, after a look at whether it can be read."""
    if isinstance(given, use_case_pb2.Document):
        return 1
    if is_archive(given):
        return len(members_of(given))
    with given.open("rb") as content:
        size = os.fstat(content.fileno()).st_size
    if size > MAX_DOCUMENT_BYTES:
        raise DocumentError(
            f"{given}: {size:,} bytes are more than the {MAX_DOCUMENT_BYTES:,} allowed; split it, or leave it out"
        )
    return 1


def example_of(given: Example | use_case_pb2.Example | Mapping[str, Any]) -> use_case_pb2.Example:
    """Return an example, given as a message, as a value or by the names of its fields."""
    if isinstance(given, use_case_pb2.Example):
        return given
    if isinstance(given, Example):
        return use_case_pb2.Example(
            question=given.question,
            answer=given.answer,
            context=given.context or "",
            held_out=given.held_out,
        )
    return use_case_pb2.Example(**given)


def example_sha256(example: use_case_pb2.Example) -> str:
    """Return the hash of an example's content, by which the store tells examples apart."""
    return hashlib.sha256(_content(example)).hexdigest()


def _content(example: use_case_pb2.Example) -> bytes:
    return example_content(example.question, example.answer, example.context, held_out=example.held_out)


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
