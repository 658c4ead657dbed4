"""What differs between a use-case file and the store: what comes, what changes, and what goes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from backends.counts import counted

__all__ = ["Contents", "Difference", "compare", "listed"]

SHOWN = 5
"""Names of each kind that are told; of the rest, how many."""


@dataclass(frozen=True, slots=True)
class Contents:
    """Documents and examples, of a file or of the store.

    Attributes:
        documents: SHA-256 of the content, by source.
        examples: Question, by the first digits of the SHA-256 of the content.
        facts: Names of the facts that are stated.
    """

    documents: Mapping[str, str]
    examples: Mapping[str, str]
    facts: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """What bringing the store in step would do.

    Attributes:
        new_documents: Sources that the store lacks.
        changed_documents: Sources with another content.
        gone_documents: Sources that the file has no more.
        new_examples: Examples that the store lacks, corrections included.
        corrected: Questions whose right answer is another one now, by the digits of the old example.
        gone_examples: Questions that the file has no more.
        gone_facts: Facts that the file states no more.
    """

    new_documents: tuple[str, ...]
    changed_documents: tuple[str, ...]
    gone_documents: tuple[str, ...]
    new_examples: int
    corrected: Mapping[str, str]
    gone_examples: tuple[str, ...]
    gone_facts: tuple[str, ...]

    @property
    def documents(self) -> bool:
        """Whether documents come or change."""
        return bool(self.new_documents or self.changed_documents)

    @property
    def deletes(self) -> bool:
        """Whether something would be lost that the file has nothing in place of."""
        return bool(self.gone_documents or self.gone_examples)

    def without(self, skipped: Collection[str]) -> Difference:
        """Return it less the documents that could not be brought in."""
        return replace(
            self,
            new_documents=tuple(each for each in self.new_documents if each not in skipped),
            changed_documents=tuple(each for each in self.changed_documents if each not in skipped),
        )

    def lines(self) -> Iterator[str]:
        """Yield what would be done, a line for each kind of change."""
        for verb, noun, names in (
            ("to delete", "document", self.gone_documents),
            ("to delete", "example", self.gone_examples),
            ("to replace", "document", self.changed_documents),
            ("to correct", "example", tuple(self.corrected.values())),
            ("to forget", "fact", self.gone_facts),
        ):
            if names:
                yield f"{verb}: {counted(len(names), noun)}: {listed(names)}"
        new_examples = self.new_examples - len(self.corrected)
        for noun, number in (("document", len(self.new_documents)), ("example", new_examples)):
            if number > 0:
                yield f"to add: {counted(number, noun)}"


def compare(file: Contents, store: Contents) -> Difference:
    """Return what differs between a file and the store."""
    gone = {key: question for key, question in store.examples.items() if key not in file.examples}
    come = [question for key, question in file.examples.items() if key not in store.examples]
    asked = set(come)
    return Difference(
        new_documents=tuple(each for each in file.documents if each not in store.documents),
        changed_documents=tuple(
            each for each, sha256 in file.documents.items() if store.documents.get(each, sha256) != sha256
        ),
        gone_documents=tuple(each for each in store.documents if each not in file.documents),
        new_examples=len(come),
        corrected={key: question for key, question in gone.items() if question in asked},
        gone_examples=tuple(question for question in gone.values() if question not in asked),
        gone_facts=tuple(each for each in store.facts if each not in file.facts),
    )


def listed(names: Sequence[str], most: int = SHOWN) -> str:
    """Return names in a line, each cut to what it takes to recognise it; of those over `most`, how many they are."""
    shown = ", ".join(_short(each) for each in names[:most])
    return shown if len(names) <= most else f"{shown}, and {len(names) - most:,} more"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."
