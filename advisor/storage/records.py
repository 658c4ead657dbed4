"""What is kept, as values. Resource names are made of ids by the caller."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from advisor.knowledge.approaches import Approach
from advisor.names import kept_for
from backends.base import Example

__all__ = [
    "Adapter",
    "Document",
    "DocumentContent",
    "ImportResult",
    "KeptExample",
    "Page",
    "Request",
    "UseCase",
]

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class UseCase:
    """A use case; `facts` is a serialised `advisor.v1.Facts`, opaque here.

    Attributes:
        origins: Files that clients keep it in step with.
        version: Another one after every change of the use case, its documents and its examples.
        example_count: Examples to learn from.
        held_out_count: Examples to measure on.
    """

    id: str
    description: str
    facts: bytes
    origins: list[str]
    create_time: datetime
    update_time: datetime
    document_count: int
    passage_count: int
    example_count: int
    version: str
    held_out_count: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """A document without its content; `change_time` is None where that is as it came first."""

    source: str
    media_type: str
    size_bytes: int
    sha256: str
    passage_count: int
    change_time: datetime | None = None
    changes: int = 0


@dataclass(frozen=True, slots=True)
class DocumentContent:
    """A document as it was uploaded."""

    source: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class KeptExample:
    """An example with its place in the order they came, and the SHA-256 of its content."""

    position: int
    question: str
    answer: str
    context: str | None
    sha256: str
    held_out: bool = False

    @property
    def value(self) -> Example:
        """The example itself."""
        return Example(self.question, self.answer, self.context, self.held_out)


@dataclass(frozen=True, slots=True)
class Adapter:
    """Trained weights; `settings` and `metrics` have the names of the messages' fields.

    Attributes:
        folder: Where the weights lie, relative to `data_dir`.
        erased_examples: Examples that it was trained on and that are gone since.
        erased_documents: Documents that it was trained on passages of and that are gone since.
    """

    use_case_id: str
    id: str
    approach: Approach
    base_model: str
    data_sha256: str
    settings: dict[str, Any]
    metrics: dict[str, Any]
    folder: str
    create_time: datetime
    erased_examples: int = 0
    erased_documents: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "approach", Approach(self.approach))  # the database has its name


@dataclass(frozen=True, slots=True)
class Skipped:
    """A document that an import could not read, and why."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import changed; `passages` counts those of new and changed documents."""

    imported: int
    unchanged: int
    passages: int = 0
    deleted: int = 0
    skipped: int = 0
    first_skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A part of a list; the token of the last part is empty."""

    items: tuple[Item, ...]
    next_page_token: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A client's name for one mutating call, so that repeating it changes nothing (AIP-155).

    Attributes:
        id: The client's `request_id`.
        fingerprint: Hash of the method and everything that the call asks for.
        principal: Whose call it is: others may choose the same id.
    """

    id: str
    fingerprint: str
    principal: str = ""

    @property
    def key(self) -> str:
        """What it is kept under."""
        return kept_for(self.principal, self.id)
