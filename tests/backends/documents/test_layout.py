"""Where lines stand on pages tells what they are."""

from __future__ import annotations

import pytest

from backends.documents.layout import markdown
from backends.documents.markup import written
from backends.documents.pages import Bookmark, Line

WIDTH = 5.0


def line(text: str, y: float, left: float = 50.0, **given: object) -> Line:
    """Return a line of letters 5 points wide and 10 high."""
    return Line(text, left, left + WIDTH * len(text), y, **{"size": 10.0, **given})  # type: ignore[arg-type]


def text_of(*pages: list[Line], bookmarks: tuple[Bookmark, ...] = ()) -> str:
    """Return what pages read as."""
    return written(markdown(pages, bookmarks)).text


FULL = "a line of prose that reaches as far as the column does, to the edge"


def test_lines_of_a_paragraph_are_joined_and_paragraphs_kept_apart() -> None:
    """Full lines go on; a gap, an indent or a short line ends a paragraph."""
    page = [line(FULL, 700), line("ends here.", 688), line(FULL, 660), line("too.", 648)]
    assert text_of(page) == f"{FULL} ends here.\n\n{FULL} too.\n"
    indented = [line(FULL, 700), line("ends here.", 688), line(FULL, 676, 65), line("too.", 664)]
    assert text_of(indented) == f"{FULL} ends here.\n\n{FULL} too.\n"


def test_lines_that_were_ended_on_purpose_stay_lines() -> None:
    """An address keeps its lines."""
    page = [line("One Street 1", 700), line("Some Town", 688), line(FULL, 600), line("end.", 588)]
    assert text_of(page).startswith("One Street 1\nSome Town\n\n")


@pytest.mark.parametrize(
    ("start", "end", "also", "word"),
    [
        ("accord", "ingly", "", "accordingly"),
        ("well", "known", "a well-known one", "well-known"),
        ("non", "ASCII", "", "non-ASCII"),
    ],
)
def test_broken_words_are_joined(start: str, end: str, also: str, word: str) -> None:
    """A word broken at a line's end is whole again, with its hyphen where it has one elsewhere."""
    page = [
        line(f"{FULL[:60]} {start}", 700, broken=True),
        line(f"{end} it is.", 688),
        line(also or "x", 600),
    ]
    assert f" {word} it is." in text_of(page)


def test_headers_footers_and_page_numbers_are_left_out() -> None:
    """What comes back on page after page, but for its number, is none of the text."""
    pages = [
        [
            line(f"Chapter 1: Use {n}", 780),
            *(line(f"{FULL} {n}x{i}", 700 - 12 * i) for i in range(8)),
            line(f"{n}", 20, 300),
        ]
        for n in range(11, 21)
    ]
    text = text_of(*pages)
    assert "Chapter" not in text
    assert "\n12\n" not in text
    assert text.count(FULL) == 80


def test_outline_gives_the_headings_and_their_levels() -> None:
    """The outline's titles are headings, numbered or not, over two lines or one; contents are left out."""
    outline = (Bookmark(1, "Set up", 1, 730), Bookmark(1, "Of a long title", 2), Bookmark(1, "Absent", 1))
    contents = [line("1 Set up . . . . . . 2", 700), line("1.1 Of a long title . . . . . . . 2", 688)]
    page = [
        line("1 Set up", 720),
        line("Set up", 700),
        line("1.1 Of a long", 650),
        line("title", 638),
        line("x", 600),
    ]
    assert (
        text_of(contents, page, bookmarks=outline) == "# 1 Set up\n\nSet up\n\n## 1.1 Of a long title\n\nx\n"
    )


def test_large_and_bold_lines_are_headings_without_an_outline() -> None:
    """The larger the letters, the higher the heading; bold lines at the margin are lowest."""
    body = [line(FULL, 600 - 12 * i) for i in range(12)]
    page = [line("Guide", 720, size=20.0), line("Use", 680, size=14.0), line("NAME", 640, bold=True), *body]
    assert text_of(page).startswith("# Guide\n\n## Use\n\n### NAME\n\n")


def test_terms_stay_with_what_is_indented_below_them() -> None:
    """A short line and the indented blocks below it are a definition."""
    page = [
        line("alias", 700, fixed=True),
        line("alias name=value", 688, 120, fixed=True),
        line("Defines a name.", 676, 90),
        line("It stays.", 650, 90),
        line(FULL, 600),
    ]
    assert text_of(page) == (
        f"alias\n: ```\n  alias name=value\n  ```\n\n  Defines a name.\n\n  It stays.\n\n{FULL}\n"
    )


def test_code_is_fenced_with_its_indents() -> None:
    """Lines in a font for code keep their lines and indents, and mean nothing."""
    page = [line(FULL, 700), line("# if", 680, fixed=True), line("x", 668, 60, fixed=True), line("# no", 640)]
    assert text_of(page) == f"{FULL}\n\n```\n# if\n  x\n```\n\n\\# no\n"


def test_paragraph_goes_on_over_the_page() -> None:
    """A sentence that a page's end cuts is one, and the next page is a place within it."""
    found = written(markdown([[line("One.", 700), line(FULL, 60)], [line("of it all.", 700)]]))
    assert found.text == f"One.\n\n{FULL} of it all.\n"
    assert [(found.text[place.start :][:4], place.name) for place in found.places] == [
        ("One.", "page 1"),
        ("of i", "page 2"),
    ]
