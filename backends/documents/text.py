"""What a reader makes of a document: its text, the structure of it, and where in the document each part is."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEEPEST_HEADING", "Block", "DocumentText", "Place"]

DEEPEST_HEADING = 6


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
class Block:
    """Characters of a text that belong together.

    What is said under something else, a heading, a defined term, the header of a
    table or the line that leads into a list, is deeper than that.

    Attributes:
        start: Index of the first character.
        end: Index after the last.
        level: 0 where nothing is said under it; else its place in the outline: 1 to 6 for headings,
            more for terms, headers and lead-ins.
        title: What stands for it in the outline.
        depth: In how many terms, headers and lists it is, below its heading.
    """

    start: int
    end: int
    level: int = 0
    title: str = ""
    depth: int = 0


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
        blocks: Its structure, where the reader knew it; else the text tells it.
    """

    text: str
    title: str = ""
    places: tuple[Place, ...] = ()
    plain: bool = False
    blocks: tuple[Block, ...] = ()
