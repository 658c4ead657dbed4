"""Tables and records become text whose rows keep their headers."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.base import DocumentError
from backends.documents.tables import read, read_records


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found_out(delimiter: str) -> None:
    """Commas, semicolons, tabs and bars part the columns, whatever else is in the cells."""
    rows = [["name", "price", "note"], ["Bolt", "1.5", "a"], ["Nut", "2", "two words."]]
    content = "\n".join(delimiter.join(row) for row in rows)
    assert read("a.csv", content.encode()).text == (
        "| name | price | note |\n| --- | --- | --- |\n| Bolt | 1.5 | a |\n| Nut | 2 | two words. |\n"
    )


def test_decimal_commas_do_not_part_columns() -> None:
    """A spreadsheet's export with semicolons keeps its decimal commas."""
    assert "| Bolt | 1,5 |" in read("a.csv", b"name;price\nBolt;1,5\nNut;2,25\n").text


def test_quoted_cells_stay_on_one_row() -> None:
    """Newlines and bars within cells do not end rows and cells."""
    assert read("a.csv", b'a,b\n"one\ntwo","x|y, ""z"""\n').text.endswith('\n| one two | x\\|y, "z" |\n')


def test_ragged_rows_are_filled_up() -> None:
    """Short rows get empty cells, and the header those of longer rows."""
    assert read("a.csv", b"a,b\n1\n1,2,3\n").text == (
        "| a | b |  |\n| --- | --- | --- |\n| 1 |  |  |\n| 1 | 2 | 3 |\n"
    )


@pytest.mark.parametrize("first", ["1,2", "a,a", "a,", "3.5,-7e3"])
def test_row_that_names_nothing_is_no_header(first: str) -> None:
    """Without a header, the columns are numbered and the first row is one of data."""
    found = read("a.csv", f"{first}\n5,6\n".encode())
    assert found.text.startswith("| column 1 | column 2 |\n| --- | --- |\n")
    assert [place.name for place in found.places] == ["row 1", "row 2"]


def test_rows_are_places_as_a_spreadsheet_counts_them() -> None:
    """The header is row 1; blank rows count."""
    found = read("a.tsv", b"a\tb\n\n1\t2\n\t\n3\t4\n")
    rows = [(place.name, found.text[place.start :].split("\n")[0]) for place in found.places]
    assert rows == [("row 1", "| a | b |"), ("row 3", "| 1 | 2 |"), ("row 5", "| 3 | 4 |")]


def test_hundred_thousand_rows_are_read_at_once() -> None:
    """A large table takes seconds."""
    content = "id,name,note\n" + "".join(f'{i},"Bolt, {i}",x|y\n' for i in range(100_000))
    began = time.monotonic()
    assert len(read("a.csv", content.encode()).places) == 100_001
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "no text"), (b"\n,\n", "no text"), (b"a\0b", "binary"), (b'a,"' + b"x" * 200_000, "not closed")],
)
def test_what_is_no_table_is_refused(content: bytes, says: str) -> None:
    """Empty and binary files, and quotes without end, are refused."""
    with pytest.raises(DocumentError, match=f"a.csv: .*{says}"):
        read("a.csv", content)


@settings(deadline=None)
@given(st.binary(max_size=300) | st.text('a1,;\t|"\n\r ', max_size=100).map(str.encode))
def test_any_bytes_are_a_table_or_refused(content: bytes) -> None:
    """Whatever comes, each row has as many cells as the header, or there is a DocumentError."""
    try:
        text = read("a.csv", content).text
    except DocumentError:
        return
    lines = text.replace("\\|", "").rstrip("\n").split("\n")
    assert {line.count("|") for line in lines} == {lines[0].count("|")}


def test_json_lines_give_a_section_a_line() -> None:
    """Each line is a section under its title or source, and a place; a plain string stands alone."""
    found = read_records(
        "a.jsonl", b'{"text": "First.", "title": "One"}\n\n{"text": "2", "source": "b"}\n"Third."\n'
    )
    assert found.text == "# One\n\nFirst.\n\n# b\n\n2\n\nThird.\n"
    assert [(place.name, found.text[place.start]) for place in found.places] == [
        ("line 1", "#"),
        ("line 3", "#"),
        ("line 4", "T"),
    ]


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b'{"text": "a"}\n{"txt": "b"}', "line 2"),
        (b'"a"\n\n{', "line 3"),
        (b'{"text": "a", "title": 3}', "line 1"),
        (b'"\\ud800"', "line 1"),
        (b'"a\\u0000"', "line 1"),
        (b"[" * 100_000, "line 1"),
        (b"1" * 10_000, "line 1"),
        (b'{"text": "a", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "line 1"),
    ],
)
def test_other_lines_are_refused(content: bytes, where: str) -> None:
    """What is not a record is refused with its line."""
    with pytest.raises(DocumentError, match=f"a.jsonl, {where}"):
        read_records("a.jsonl", content)
