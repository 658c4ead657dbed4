"""What readers write is Markdown that means what they meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from backends.documents.markup import definition, escaped, fence, heading, marked, one_line, table, written


@given(
    st.lists(
        st.sampled_from(
            ["# a", "##", "a", "===", "---", "--", "- ", "```", "~~~", ": b", "   # c", "", "-", "a: b"]
        ),
        max_size=8,
    ).map("\n".join)
)
def test_escaped_prose_holds_no_headings_and_fences(text: str) -> None:
    """Whatever a line looks like, it is prose or an item."""
    kinds = {token.type for token in MarkdownIt("commonmark").parse(escaped(text))}
    assert not kinds & {"heading_open", "fence"}
    assert "\n: " not in f"\n{escaped(text)}"


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (heading(0, " a\n b "), "# a b"),
        (heading(9, "a"), "###### a"),
        (fence("\na\n```\n", "py"), "````py\na\n```\n````"),
        (definition(["a", "b"], ["one\ntwo", "", "three"]), "a\nb\n: one\n  two\n\n  three"),
        (definition(["a"], []), "a"),
        (table([["a", "b"], ["x|y\nz"]]), "| a | b |\n| --- | --- |\n| x\\|y z |  |"),
        (table([]), ""),
        (table([[]]), ""),
        (one_line("a\0\ud800 \n b"), "a b"),
    ],
)
def test_blocks_are_written(made: str, text: str) -> None:
    """Each kind of block is written as Markdown has it."""
    assert made == text


def test_marks_become_places() -> None:
    """What follows a mark is at its place, and marks are not in the text."""
    found = written(
        [f"{marked('page 1')}# A", "", f"b {marked('page 2')}c", table([["d"]], [marked("row 1")])], " T\n"
    )
    assert found.text == "# A\n\nb c\n\n| d |\n| --- |\n"
    assert found.title == "T"
    assert [(place.name, found.text[place.start]) for place in found.places] == [
        ("page 1", "#"),
        ("page 2", "c"),
        ("row 1", "|"),
    ]
