"""The structure of Markdown, long tables among it."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backends.documents import markdown
from backends.documents.markdown import markdown_blocks
from backends.documents.text import Block

LINES = st.sampled_from(
    ["| a | b |", "| --- | --- |", "|:-:|", "| 1 | 2 |", "|", "| |", "", "text:", "- item", "  | x |", "```", "# h",
     "<pre>"]
)  # fmt: skip


def blocks_of(text: str, many_rows: int) -> list[Block]:
    """Return the structure of a text, its tables read without a parser where they have more rows than that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(markdown, "_MANY_ROWS", many_rows)
        return markdown_blocks(text)


@given(st.lists(LINES, max_size=14).map("\n".join))
@example("- item\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\ntext")
@example("```\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n```")
def test_long_tables_are_read_as_short_ones(text: str) -> None:
    """Whatever is around a table, and even where it is none, its rows are those of the parser."""
    assert blocks_of(text, 0) == blocks_of(text, 1_000)


def test_rows_of_long_tables_are_under_their_header() -> None:
    """A hundred thousand rows are a block each."""
    header, *rows = markdown_blocks("Rows:\n\n| k | v |\n| --- | --- |\n" + "| 1 | 2 |\n" * 100_000)[1:]
    assert (header.level, header.title) == (7, "k | v")
    assert len(rows) == 100_000
    assert {(row.level, row.depth, row.end - row.start) for row in rows} == {(0, 1, 9)}
