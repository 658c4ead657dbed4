"""What a reader makes of a document: its text as Markdown, and where in the document each part of it is."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DocumentText", "Place"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text goes on in its document.

    Attributes:
        start: Index of the first character; the place reaches to the next one.
        name: What a person looks for, such as `#anchor`, `page 3`, `slide 2` or `row 7 of Prices`.
    """

    start: int
    name: str


@dataclass(frozen=True, slots=True)
class DocumentText:
    """The text of a document.

    Headings are Markdown's, tables those of GitHub, definitions `term` and, on
    the next line, `: definition`. What was plain text stays as it was.

    Attributes:
        text: The text; its lines end in a newline alone.
        title: What the document calls itself; empty where it does not.
        places: Where its parts are in the document, in order; none where lines say it best.
        plain: Whether it is plain text, in which characters such as `#` mean nothing.
    """

    text: str
    title: str = ""
    places: tuple[Place, ...] = ()
    plain: bool = False
